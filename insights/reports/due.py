"""When is a report due? Pure: of a schedule and a moment, the newest time at or before it, and the next one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from stream.settings.schedule import Scheduled


class Due(NamedTuple):
    """One time at which a report is due.

    Attributes
    ----------
    period : str
        Names it: the zone's date, as in 2026-11-27. A day has one, so a changed hour makes no second report.
    at_ms : int
        When, ms since the epoch.
    """

    period: str
    at_ms: int


def newest_due(report: Scheduled, now_ms: int) -> Due:
    """Return the newest time at or before a moment.

    A time that the clocks skip in spring is as much later as they skip; of one that comes twice in autumn, it is the first.

    >>> from stream.settings.reports import ScheduledReport
    >>> monday = ScheduledReport(name="a", weekday=0, hour=8, minute=0, zone="Europe/Berlin", lang="en", to=(), folder="x")
    >>> newest_due(monday, 1_795_713_600_000)
    Due(period='2026-11-23', at_ms=1795417200000)
    """
    return next(due for back in range(9) if (due := _at(report, _today(report, now_ms) - timedelta(back))) and due.at_ms <= now_ms)


def next_due(report: Scheduled, now_ms: int) -> Due:
    """Return the first time after a moment."""
    return next(due for on in range(-1, 9) if (due := _at(report, _today(report, now_ms) + timedelta(on))) and due.at_ms > now_ms)


def _today(report: Scheduled, now_ms: int) -> date:
    return datetime.fromtimestamp(now_ms / 1000, ZoneInfo(report.zone)).date()


def _at(report: Scheduled, day: date) -> Due | None:
    if report.weekday is not None and day.weekday() != report.weekday:
        return None
    at = datetime(day.year, day.month, day.day, report.hour, report.minute, tzinfo=ZoneInfo(report.zone))
    return Due(day.isoformat(), round(at.astimezone(UTC).timestamp() * 1000))
