"""Hours, days, weeks and months of a zone, counted by walking from one to the next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def begin(unit: str, at: datetime, zone: str, week_start: str) -> datetime:
    """The instant at which the unit begins that `at` lies in."""
    local = at.astimezone(ZoneInfo(zone))
    if unit == "hour":
        return at - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    day = local.date()
    if unit == "week":
        while DAYS[day.weekday()] != week_start:
            day -= timedelta(days=1)
    if unit == "month":
        day = day.replace(day=1)
    return midnight(day, zone)


def after(unit: str, start: datetime, k: int, zone: str, week_start: str) -> datetime:
    """The instant at which the k-th unit after one begins."""
    for _ in range(k):
        longest = {
            "hour": timedelta(minutes=90),
            "day": timedelta(hours=36),
            "week": timedelta(days=7, hours=12),
            "month": timedelta(days=32),
        }
        start = begin(unit, start + longest[unit], zone, week_start)
    return start


def label(unit: str, start: datetime, zone: str) -> str:
    local = start.astimezone(ZoneInfo(zone))
    if unit == "hour":
        return local.isoformat(timespec="minutes")
    return local.date().isoformat()[: 7 if unit == "month" else 10]
