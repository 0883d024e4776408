"""After visits of which hour does silence follow, and how slow is the product then? The rows of the analysis `hours`, the surest first."""

from __future__ import annotations

from typing import NamedTuple

from insights.web.crowd.found import Found, Row
from insights.web.crowd.standing import Finding, finding, highest_first
from insights.words import DASH, Words


class Hour(NamedTuple):
    """One hour of the day; `latency` is empty where no event says how long an answer took."""

    hour: str
    times: str
    sure: str
    visits: str
    latency: str


def worst_hours(found: Found, w: Words) -> Finding | None:
    """Say after which hours silence surely follows more often; None where no hour has enough visits."""
    ordered, sure = highest_first(list(found.of("hour_ratio")), nothing=1)

    def more(at: int) -> str:
        return w.t("standing.hour", hour=_hour(ordered[at], w), times=w.number(ordered[at]["value"], 1))

    return finding("hours", [row["hour"] for row in ordered[:sure]], more, "standing.hours", w) if ordered else None


def hours_of(found: Found, w: Words) -> list[Hour]:
    """Return a line for each hour that has enough visits."""
    ordered, _ = highest_first(list(found.of("hour_ratio")), nothing=1)
    return [_line(found, row, w) for row in ordered]


def _line(found: Found, row: Row, w: Words) -> Hour:
    has_interval = row["value"] is not None and row["low"] is not None
    sure = f"{w.number(row['low'], 1)}–{w.number(row['high'], 1)}" if has_interval else ""  # noqa: RUF001 - an en dash is meant
    slow = found.one("latency_p50", hour=row["hour"])
    latency = "" if slow is None else DASH if slow["value"] is None else f"{w.number(slow['value'], 0)} ms"
    times = DASH if row["value"] is None else w.t("crowd.times.short", n=w.number(row["value"], 1))
    return Hour(_hour(row, w), times, sure, w.number(row["n"]), latency)


def _hour(row: Row, w: Words) -> str:
    return w.hour(int(row["hour"]))
