"""How do the reports and tables stand that come by themselves? A row each: when it was last due, who has it, what failed, and when it comes next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from insights.reports.deliver import Standing
from insights.reports.due import next_due
from insights.words import Words
from stream.settings.tables import ScheduledTable
from stream.shown import visible

LATE_MS = 30 * 60_000
"""A report that somebody has waited for so long is late."""
OF_TABLES = frozenset({"sent", "sent_late", "again", "of", "why.made", "why.gone"})
"""What is said of tables in other words than of reports."""
Health = Literal["good", "warn", "bad", ""]


class Row(NamedTuple):
    """One report."""

    name: str
    state: str
    health: Health
    about: str
    next: str


def rows_of(standings: Sequence[Standing], now_ms: int, w: Words) -> list[Row]:
    """Return a row for each report."""
    return [_row(one, now_ms, w) for one in standings]


def _row(one: Standing, now_ms: int, w: Words) -> Row:
    zone = ZoneInfo(one.report.zone)
    coming = w.moment(next_due(one.report, now_ms).at_ms, zone)
    if one.due is None:
        return Row(visible(one.report.name), w.t("data.report.new"), "", "", coming)
    key, health = _state(one, now_ms)
    about = w.t(_key(one, "of"), sent=one.sent, n=one.recipients, moment=w.moment(one.due.at_ms, zone))
    whys = sorted({row.why for row in one.rows if row.state in {"failed", "unsure"} and row.why})
    if whys:
        about += w.t("data.report.because", whys=w.list_of([w.t(_key(one, f"why.{why}")) for why in whys]))
    return Row(visible(one.report.name), w.t(_key(one, key)), health, about, coming)


def _key(one: Standing, key: str) -> str:
    """Return the key of the words: of a table some are others."""
    return f"data.table.{key}" if isinstance(one.report, ScheduledTable) and key in OF_TABLES else f"data.report.{key}"


def _state(one: Standing, now_ms: int) -> tuple[str, Health]:
    states = {row.state for row in one.rows}
    if one.sent >= one.recipients:
        late = one.due is not None and max(row.at_ms for row in one.rows) - one.due.at_ms > LATE_MS
        return ("sent_late", "warn") if late else ("sent", "good")
    if any(row.is_settled and row.state == "failed" for row in one.rows):
        return "failed", "bad"
    if "unsure" in states and not one.report.repeatable:
        return "unsure", "bad"
    if one.overdue_ms(now_ms) > LATE_MS:
        return "late", "bad"
    return ("again", "warn") if states & {"failed", "unsure"} else ("going", "")
