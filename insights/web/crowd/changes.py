"""The page Changes, put together: releases with what became of them, campaigns as marks, and what was said before beside what came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from insights.charts.scale import Axis
from insights.charts.svg import Drawn
from insights.charts.whiskers import Whisker, whiskers
from insights.web.crowd.behind import Behind
from insights.web.crowd.found import Found, Row, as_of_said, cohort_said
from insights.web.filters import Pick
from insights.words import DASH, Words
from stream.shown import visible

WITHIN = ("7", "1", "3", "14", "28")
FORECAST: Mapping[str, object] = {}
"""What is asked of `retention_forecast`, whose record is what was said and what came."""
MOST, MOST_SAID = 12, 6
"""Releases that are drawn, and forecasts of the record that are listed."""
WIDE, NARROW = 1140, 330


class Line(NamedTuple):
    """One release or campaign.

    Attributes
    ----------
    change : str
        Class of a change for better or worse, where the interval leaves out zero; "".
    early : bool
        Whether not everybody has had the time to come again.
    """

    name: str
    day: str
    is_campaign: bool
    effect: str
    sure: str
    change: str
    early: bool
    n: str
    observed: str
    promised: str
    plainly: str
    plain_sure: str
    href: str


class Restated(NamedTuple):
    """A number that was said before its time was over, and what it came to."""

    cohort: str
    week: str
    said: str
    sure: str
    came: str
    within: bool


class Page(NamedTuple):
    """What the template shows; see `insights/web/templates/changes.html`."""

    picks: list[Pick]
    chart: Drawn | None
    lines: list[Line]
    means: str
    notes: list[str]
    restated: list[Restated]
    restated_said: str
    as_of: list[str]


def asked_of(within: str) -> Mapping[str, object]:
    """Return what is asked of `releases`; which there are is left to the settings."""
    return {"return_within": int(within)}


def page_of(within: str, found: Found | None, record: Found | None, w: Words, behind: Behind) -> Page:
    """Put the page together; what is not there yet is None."""
    return Page(
        [Pick("within", w.t("changes.within"), [(one, w.t("changes.within.days", n=int(one))) for one in WITHIN], within, "")],
        None if found is None else _chart(found, w),
        [] if found is None else [_line(row, found, within, w, behind) for row in _first_rows(found)],
        w.t("changes.is", n=int(within)),
        [] if found is None else [w.t(note.key, **note.values) for note in found.notes],
        *(([], "") if record is None else _restated(record, w)),
        [] if found is None else as_of_said(found, w),
    )


def _first_rows(found: Found) -> list[Row]:
    """Return a row of each release, in the order of the answer, the newest first."""
    return list({row["group"]: row for row in reversed(found.rows)}.values())[::-1]


def _line(row: Row, found: Found, within: str, w: Words, behind: Behind) -> Line:
    name, day = row["group"], cohort_said(row["cohort"], "day", w, found.zone)
    effect, observed, promised, change, after, before = (
        found.one(metric, group=name) for metric in ("effect", "observed", "promised", "plain_change", "plain_after", "plain_before")
    )
    is_campaign = row["kind"] == "campaign"
    known = effect is not None and effect["value"] is not None
    plainly = f"{_share(before, w)} → {_share(after, w)}" if change is not None and change["value"] is not None else DASH
    return Line(
        visible(name), day, is_campaign,
        w.t("changes.unmeasured") if is_campaign else points(effect, w), sure(effect, w),
        _direction(effect), any(one["state"] == "open" for one in found.rows if one["group"] == name),
        w.number(effect["n"]) if known and effect else "", _share(observed, w), _share(promised, w), plainly, sure(change, w),
        behind("releases", asked_of(within), effect) if known and effect else "",
    )  # fmt: skip


def points(row: Row | None, w: Words) -> str:
    """Write a difference of shares in points, with its sign.

    >>> from insights.words import words
    >>> points({"value": 0.0312}, words("en")), points({"value": -0.0004}, words("en")), points(None, words("en"))
    ('+3.1', '0', '–')
    """
    if row is None or row["value"] is None:
        return DASH
    rounded = round(100 * row["value"], 1) or 0.0
    return f"{'+' if rounded > 0 else ''}{w.number(rounded)}"


def sure(row: Row | None, w: Words) -> str:
    """Write the interval of a difference in points; "" without one."""
    if row is None or row["value"] is None or row["low"] is None:
        return ""
    return f"{points({'value': row['low']}, w)}…{points({'value': row['high']}, w)}"


def _direction(row: Row | None) -> str:
    if row is None or row["value"] is None or row["low"] is None or row["low"] <= 0 <= row["high"]:
        return ""
    return "good" if row["value"] > 0 else "bad"


def _share(row: Row | None, w: Words) -> str:
    return DASH if row is None else w.percent(row["value"])


def _chart(found: Found, w: Words) -> Drawn | None:
    measured = [row for row in found.of("effect") if row["value"] is not None][:MOST]
    metric = "effect"
    if not measured:
        measured, metric = [row for row in found.of("plain_change") if row["value"] is not None][:MOST], "plain_change"
    if not measured:
        return None

    def whisker(row: Row) -> Whisker:
        value, low, high = (None if row[end] is None else 100 * row[end] for end in ("value", "low", "high"))
        colour = _direction(row) or "ink3"
        return Whisker(visible(row["group"]), value, low, high, cohort_said(row["cohort"], "day", w, found.zone), colour)

    rows = [whisker(row) for row in measured]
    title, desc = w.t(f"changes.chart.{metric}"), w.t(f"metric.{metric}.is")
    return Drawn(*(whiskers(across, Axis(w, "number"), rows, title=title, desc=desc) for across in (WIDE, NARROW)))


def _restated(record: Found, w: Words) -> tuple[list[Restated], str]:
    """Return what was forecast of the cells that closed last, and what came; the newest first."""
    made = []
    for row in record.of("forecast_then"):
        came = record.one("came", cohort=row["cohort"], k=row["k"])
        if came is None or came["value"] is None or row["value"] is None:
            continue
        within = row["low"] is None or row["low"] <= came["value"] <= row["high"]
        made.append(
            Restated(
                cohort_said(row["cohort"], "week", w, record.zone), w.t("k.week", k=str(row["k"])), w.percent(row["value"], 1),
                w.interval(row["low"], row["high"], 1), w.percent(came["value"], 1), within,
            )
        )  # fmt: skip
    right = sum(one.within for one in made)
    return made[:MOST_SAID], w.t("changes.record", n=right, of=len(made)) if made else ""
