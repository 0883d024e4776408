"""What is a day, a week, a month, an hour? Calendar units of a zone, numbered so that the distance of two is a subtraction.

A unit has a number: days since 1970, weeks since the first week of 1970, months since year 0, hours since 1970. SQL computes the number from a row of
`events` (or, of all but hours, from anything with a local `day`); Python turns a number into the instants between which it lies and into its name.
A day of 23 or 25 hours is one day, and a month is a calendar month.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from stream.faults import UsageFault

Name = Literal["hour", "day", "week", "month"]
WeekStart = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEK_STARTS: tuple[str, ...] = get_args(WeekStart)
EPOCH = date(1970, 1, 1)
HOUR = timedelta(hours=1)


class Unit(NamedTuple):
    """One kind of calendar unit in one zone.

    Attributes
    ----------
    name : {"hour", "day", "week", "month"}
    zone : str
        IANA name.
    week_start : str
        The day on which weeks begin.
    """

    name: Name
    zone: str
    week_start: str = "monday"

    @property
    def _first_week(self) -> date:
        """First day of week 0: the first such weekday of January 1970 that is not before the 1st, a Thursday."""
        return EPOCH + timedelta(days=(WEEK_STARTS.index(self.week_start) - EPOCH.weekday()) % 7)

    @property
    def _minutes(self) -> timedelta:
        """What the zone's offset has beyond whole hours: hours of Kolkata begin at half past those of UTC."""
        offset = datetime(2000, 1, 1, tzinfo=ZoneInfo(self.zone)).utcoffset() or timedelta()
        return offset % HOUR

    def number_sql(self, day: str = "day", ts: str = "ts") -> str:
        """Return the SQL of a row's number, from the columns with its local day and its time.

        >>> Unit("day", "UTC").number_sql()
        "(day - DATE '1970-01-01')"
        """
        if self.name == "hour":
            minutes = int(self._minutes.total_seconds())
            return f"CAST(floor((epoch({ts}) + {minutes}) / 3600.0) AS BIGINT)"
        if self.name == "day":
            return f"({day} - DATE '{EPOCH}')"
        if self.name == "week":
            return f"CAST(floor(({day} - DATE '{self._first_week}') / 7.0) AS BIGINT)"
        return f"(12 * extract(year FROM {day}) + extract(month FROM {day}) - 1)"

    def number(self, at: datetime) -> int:
        """Return the number of the unit that an instant lies in.

        >>> Unit("day", "Asia/Shanghai").number(datetime(1970, 1, 1, 17, tzinfo=UTC))
        1
        """
        if self.name == "hour":
            return (at - datetime(1970, 1, 1, tzinfo=UTC) + self._minutes) // HOUR
        return self.number_of_day(at.astimezone(ZoneInfo(self.zone)).date())

    def number_of_day(self, day: date) -> int:
        """Return the number of the unit that a local day lies in, or begins with.

        >>> Unit("week", "UTC", "sunday").number_of_day(date(2020, 6, 13)) - Unit("week", "UTC", "sunday").number_of_day(date(2020, 6, 7))
        0
        """
        if self.name == "hour":
            return self.number(_midnight(day, self.zone))
        if self.name == "day":
            return (day - EPOCH).days
        if self.name == "week":
            return (day - self._first_week).days // 7
        return 12 * day.year + day.month - 1

    def number_of_text(self, text: str) -> int:
        """Return the number of the unit that a local day or time lies in, as somebody writes it: 2026-03-01, 2026-03 or 2026-03-01T06:00.

        Raises
        ------
        stream.faults.UsageFault
            For a text that is none.

        >>> Unit("day", "UTC").number_of_text("1970-01-03"), Unit("hour", "Asia/Kolkata").number_of_text("1970-01-01T06:40")
        (2, 1)
        """
        try:
            at = datetime.fromisoformat(f"{text}-01" if len(text) == len("2026-03") else text)
        except ValueError:
            raise UsageFault(
                "{text!r} is no day: write it as 2026-03-01, a month as 2026-03, an hour as 2026-03-01T06:00", text=text
            ) from None
        return self.number(at if at.tzinfo else at.replace(tzinfo=ZoneInfo(self.zone)))

    def start(self, number: int) -> datetime:
        """Return the instant at which a unit begins, in UTC; the next one begins where it ends.

        >>> str(Unit("day", "Europe/Berlin").start(19813)), str(Unit("day", "Europe/Berlin").start(19814))  # 31 March 2024 has 23 hours
        ('2024-03-30 23:00:00+00:00', '2024-03-31 22:00:00+00:00')
        """
        if self.name == "hour":
            return datetime(1970, 1, 1, tzinfo=UTC) + number * HOUR - self._minutes
        return _midnight(self.first_day(number), self.zone)

    def first_day(self, number: int) -> date:
        """Return the first local day of a unit, of an hour the day it lies in."""
        if self.name == "hour":
            return self.start(number).astimezone(ZoneInfo(self.zone)).date()
        if self.name == "day":
            return EPOCH + timedelta(days=number)
        if self.name == "week":
            return self._first_week + timedelta(days=7 * number)
        return date(number // 12, number % 12 + 1, 1)

    def label(self, number: int) -> str:
        """Return what a unit is called: its day, the first day of its week, its month, its hour with the offset from UTC.

        >>> Unit("month", "UTC").label(12 * 2024 + 1), Unit("week", "UTC").label(0), Unit("hour", "Asia/Kolkata").label(0)
        ('2024-02', '1970-01-05', '1970-01-01T05:00+05:30')
        """
        if self.name == "hour":
            return self.start(number).astimezone(ZoneInfo(self.zone)).isoformat(timespec="minutes")
        return self.first_day(number).isoformat()[: 7 if self.name == "month" else 10]


def _midnight(day: date, zone: str) -> datetime:
    """Return the instant at which a local day begins: where the clock skips midnight, the moment at which it does."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
