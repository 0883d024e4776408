"""When a report is due, against a calendar that is walked minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from insights.reports.due import Due, newest_due, next_due
from stream.settings.reports import ScheduledReport

ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York", "Pacific/Apia")
HOUR_MS = 3_600_000


def a_report(weekday: int | None = None, hour: int = 8, minute: int = 0, zone: str = "UTC") -> ScheduledReport:
    return ScheduledReport(name="a", weekday=weekday, hour=hour, minute=minute, zone=zone, lang="en", to=(), folder="x")


def walked(report: ScheduledReport, now_ms: int) -> Due:
    """The newest due time, by walking back through all minutes: the first one of its date at which the wall clock has come so far."""
    at = datetime.fromtimestamp(now_ms // 60_000 * 60, UTC)
    while True:
        wall, before = (one.astimezone(ZoneInfo(report.zone)) for one in (at, at - timedelta(minutes=1)))
        on = report.weekday is None or wall.weekday() == report.weekday
        if on and (wall.hour, wall.minute) == (report.hour, report.minute) and not wall.fold:
            return Due(wall.date().isoformat(), round(at.timestamp() * 1000))
        gap = wall.utcoffset() != before.utcoffset() and wall.replace(tzinfo=None) - before.replace(tzinfo=None) > timedelta(minutes=1)
        if (
            on
            and gap
            and wall.date() == before.date()
            and (before.hour, before.minute) < (report.hour, report.minute) < (wall.hour, wall.minute)
        ):
            late = timedelta(hours=report.hour - before.hour, minutes=report.minute - before.minute - 1)
            if (at_ms := round((at + late).timestamp() * 1000)) <= now_ms:
                return Due(wall.date().isoformat(), at_ms)
        at -= timedelta(minutes=1)


@given(
    st.builds(a_report, st.sampled_from([None, None, 0, 6]), st.sampled_from([0, 2, 8, 23]), st.sampled_from([0, 30]), st.sampled_from(ZONES[:4])),
    st.sampled_from(["2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01", "2026-07-01"]), st.integers(0, 2 * 24 * 60),
)  # fmt: skip
def test_the_newest_time_is_the_one_that_a_walk_through_the_minutes_finds(report: ScheduledReport, day: str, minutes: int) -> None:
    now_ms = round(datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp() * 1000) + minutes * 60_000
    found = newest_due(report, now_ms)
    assert found == walked(report, now_ms)
    coming = next_due(report, now_ms)
    assert found.at_ms <= now_ms < coming.at_ms
    assert newest_due(report, coming.at_ms) == coming
    assert newest_due(report, coming.at_ms - 1) == found


def test_a_day_that_never_was_has_no_report() -> None:
    report = a_report(zone="Pacific/Apia")  # Samoa skipped 2011-12-30
    at_ms = round(datetime(2011, 12, 29, 19, tzinfo=UTC).timestamp() * 1000)
    periods = [newest_due(report, at_ms + hours * HOUR_MS).period for hours in (0, 12, 24, 48)]
    assert periods[0] == "2011-12-29"
    assert periods == sorted(periods)
