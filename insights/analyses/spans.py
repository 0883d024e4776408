"""How long is a window, and between which instants lie the days that are asked about? Texts and days in, microseconds out.

>>> micros_of("7d"), micros_of("90s")
(604800000000, 90000000)
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from insights.analyses.crowd import Crowd
from stream.faults import UsageFault

SECOND = 1_000_000
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SPAN = re.compile(r"^(\d+(?:\.\d+)?)(s|m|h|d|w)$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros_of(text: str) -> int:
    """Return the microseconds of a span such as ``30m``, ``24h``, ``7d``, ``2w``. Days are 24 hours here.

    Raises
    ------
    stream.faults.UsageFault
        If it is none.
    """
    found = _SPAN.match(text)
    if found is None:
        raise UsageFault("{text!r} is no span of time: write a number and one of s, m, h, d, w, as in 30m or 7d", text=text)
    return round(float(found[1]) * _UNITS[found[2]] * SECOND)


def micros(at: datetime) -> int:
    """Return the microseconds of an instant since 1970.

    >>> micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (at - _EPOCH) // timedelta(microseconds=1)


def instant(at: int) -> datetime:
    """Return the instant of microseconds since 1970; the inverse of `micros`."""
    return _EPOCH + timedelta(microseconds=at)


def day_starts(crowd: Crowd, since: str | None, until: str | None) -> list[int]:
    """Return when each local day from `since` to `until` begins, and when the last one ends, in microseconds; without a bound the log's own; [] of an empty log.

    Raises
    ------
    stream.faults.UsageFault
        If they are no days, or the last one lies before the first.
    """
    unit = crowd.unit("day")
    first, last = crowd.con.execute("SELECT min(day), max(day) FROM events").fetchall()[0]
    if first is None:
        return []
    begin = unit.number_of_day(first) if since is None else unit.number_of_text(since)
    end = max(unit.number_of_day(last), begin) if until is None else unit.number_of_text(until)
    if begin > end:
        raise UsageFault("since ({since}) is after until ({until})", since=unit.label(begin), until=unit.label(end))
    return [micros(unit.start(day)) for day in range(begin, end + 2)]
