"""Turns times, as files write them, into milliseconds since the epoch: whole columns in one compiled pass.

It reads RFC 3339 with any offset (also ``+02``, ``+0200``, `` UTC``, and a blank for the T), the same without a zone, dates, and numbers. A date such
as 03/04/2019 can be read in two ways, so it is not read unless its form is given.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import njit

from features.definitions.calendar import zone_table

DAY_MS = 86_400_000
UNREADABLE, ZONED, LOCAL, NUMBER, DECIMAL, AMBIGUOUS, EMPTY = range(7)
"""What a text is. `LOCAL` is a time without a zone; `DECIMAL` is a number with a point or an exponent, which is not read here."""

UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
"""How many nanoseconds each unit of epoch numbers has."""

Ints = npt.NDArray[np.int64]
_SOME_TIME = datetime(2019, 10, 31, 13, 5, 7)  # noqa: DTZ001 - its zone is set where it is used


@njit(cache=True, nogil=True)
def _digits(text: Any, at: int, count: int) -> int:
    """Return the number that exactly `count` digits make; -1 if not all of them are digits."""
    if at + count > text.shape[0]:
        return -1
    number = 0
    for i in range(at, at + count):
        digit = text[i] - 48
        if digit < 0 or digit > 9:
            return -1
        number = number * 10 + digit
    return number


@njit(cache=True, nogil=True)
def _days(year: int, month: int, day: int) -> int:
    """Return the days since 1970-01-01 of a date in the Gregorian calendar.

    Source: https://howardhinnant.github.io/date_algorithms.html#days_from_civil

    >>> int(_days(1970, 1, 1)), int(_days(2000, 3, 1))
    (0, 11017)
    """
    if month <= 2:
        year -= 1
    era = year // 400
    year_of_era = year - era * 400
    month_from_march = (month + 9) % 12
    day_of_year = (153 * month_from_march + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


@njit(cache=True, nogil=True)
def _month_days(year: int, month: int) -> int:
    if month == 2:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return 29 if leap else 28
    return 30 if month in (4, 6, 9, 11) else 31


@njit(cache=True, nogil=True)
def _number(text: Any) -> tuple[int, int]:
    """Return (kind, value) of a text that begins like a number."""
    at, size = 0, text.shape[0]
    negative = text[0] == 45
    if text[0] == 45 or text[0] == 43:
        at = 1
    start, value = at, 0
    while at < size and 48 <= text[at] <= 57:
        value = value * 10 + (text[at] - 48)
        at += 1
    if at == start:
        return UNREADABLE, 0
    if at == size:
        if at - start > 18:
            return DECIMAL, 0
        return NUMBER, -value if negative else value
    if text[at] == 46:
        at += 1
        while at < size and 48 <= text[at] <= 57:
            at += 1
    if at < size and (text[at] == 101 or text[at] == 69):
        at += 1
        if at < size and (text[at] == 43 or text[at] == 45):
            at += 1
        if at == size:
            return UNREADABLE, 0
        while at < size and 48 <= text[at] <= 57:
            at += 1
    if at == size:
        return DECIMAL, 0
    whole = start
    while 48 <= text[whole] <= 57:
        whole += 1
    between = text[whole]
    return (AMBIGUOUS if whole - start <= 2 and 45 <= between <= 47 else UNREADABLE), 0  # - . and / stand between day, month and year


@njit(cache=True, nogil=True)
def _clock(text: Any, at: int) -> tuple[int, int]:
    """Read HH:MM[:SS[.fraction]] from `at`; return (milliseconds of the day, where it ends), with -1 milliseconds if there is none."""
    hour, minute = _digits(text, at, 2), _digits(text, at + 3, 2)
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or text[at + 2] != 58:
        return -1, 0
    at += 5
    milliseconds = (hour * 60 + minute) * 60_000
    size = text.shape[0]
    if at < size and text[at] == 58:
        second = _digits(text, at + 1, 2)
        if second < 0 or second > 59:  # a leap second is refused, because no millisecond since the epoch stands for it
            return -1, 0
        milliseconds += second * 1000
        at += 3
        if at < size and (text[at] == 46 or text[at] == 44):
            at += 1
            start, weight = at, 100
            while at < size and 48 <= text[at] <= 57:
                milliseconds += (text[at] - 48) * weight
                weight //= 10
                at += 1
            if at == start:
                return -1, 0
    return milliseconds, at


@njit(cache=True, nogil=True)
def _zone(text: Any, at: int) -> tuple[bool, int]:
    """Read the zone from `at` to the end; return (whether it is one, ms to subtract). Go writes the zone's name behind its offset, so both may come."""
    size = text.shape[0]
    if size - at > 7 and text[size - 4] == 32 and text[size - 3] == 85 and text[size - 2] == 84 and text[size - 1] == 67:
        size -= 4
    rest = size - at
    first = text[at]
    if rest == 1 and (first == 90 or first == 122):
        return True, 0
    if rest == 3 and (
        (first == 85 and text[at + 1] == 84 and text[at + 2] == 67) or (first == 71 and text[at + 1] == 77 and text[at + 2] == 84)
    ):
        return True, 0
    if first != 43 and first != 45:
        return False, 0
    hour = _digits(text, at + 1, 2)
    minute = 0
    if rest == 6 and text[at + 3] == 58:
        minute = _digits(text, at + 4, 2)
    elif rest == 5:
        minute = _digits(text, at + 3, 2)
    elif rest != 3:
        return False, 0
    if hour < 0 or hour > 23 or minute < 0 or minute > 59:
        return False, 0
    offset = (hour * 60 + minute) * 60_000
    return True, -offset if first == 45 else offset


@njit(cache=True, nogil=True)
def _calendar_time(text: Any) -> tuple[int, int]:
    """Return (kind, ms) of a text that may be YYYY-MM-DD, with a time of the day and a zone behind it."""
    size = text.shape[0]
    year, month, day = _digits(text, 0, 4), _digits(text, 5, 2), _digits(text, 8, 2)
    dash = text[4]
    if year < 0 or month < 1 or month > 12 or day < 1 or (dash != 45 and dash != 47) or text[7] != dash or day > _month_days(year, month):
        return UNREADABLE, 0
    milliseconds = _days(year, month, day) * 86_400_000
    if size == 10:
        return LOCAL, milliseconds
    if text[10] != 84 and text[10] != 116 and text[10] != 32:
        return UNREADABLE, 0
    of_day, at = _clock(text, 11)
    if of_day < 0:
        return UNREADABLE, 0
    milliseconds += of_day
    if at == size:
        return LOCAL, milliseconds
    if text[at] == 32:
        at += 1
        if at == size:
            return UNREADABLE, 0
    sound, offset = _zone(text, at)
    return (ZONED, milliseconds - offset) if sound else (UNREADABLE, 0)


@njit(cache=True, nogil=True)
def read_texts(buffer: Any, ends: Any, kind: Any, out: Any) -> None:
    """Read texts that lie one after the other in a buffer.

    Parameters
    ----------
    buffer : uint8 (size,)
    ends : int64 (n,)
        Where each text ends.
    kind : uint8 (n,)
        Filled with what each text is (`ZONED`, `LOCAL` and so on).
    out : int64 (n,)
        Filled with milliseconds; for `NUMBER`, with the number as it is written.
    """
    at = 0
    for i in range(ends.shape[0]):
        end = ends[i]
        start = at
        at = end
        while start < end and buffer[start] <= 32:
            start += 1
        while end > start and buffer[end - 1] <= 32:
            end -= 1
        text = buffer[start:end]
        size = end - start
        if size == 0:
            kind[i], out[i] = EMPTY, 0
        elif size >= 10 and (text[4] == 45 or text[4] == 47):
            kind[i], out[i] = _calendar_time(text)
        else:
            kind[i], out[i] = _number(text)


def by_form(texts: pl.Series, form: str) -> tuple[pl.Series, bool]:
    """Read times of a form that was given, such as ``%d/%m/%Y %H:%M``; a text of another form becomes null.

    Returns
    -------
    times, zoned : Series of Datetime, bool
        `zoned` says whether the form has a zone; if not, the times are those of a wall clock.

    >>> by_form(pl.Series(["31/10/2019"]), "%d/%m/%Y")[0].to_list()
    [datetime.datetime(2019, 10, 31, 0, 0)]
    """
    offset = any(part in form for part in ("%z", "%:z", "%#z", "%+"))
    zoned = offset or "%s" in form or form.rstrip().endswith(("Z", "UTC", "GMT"))  # these letters in a form mean UTC, as in RFC 3339
    clock = any(part in form for part in ("%H", "%I", "%k", "%l", "%T", "%R", "%r", "%X", "%c", "%s", "%+"))
    if ",%f" in form:
        texts = texts.str.replace(r",(\d+)(\D*|\s*[+-][\d:]+)$", ".$1$2")
    texts, form = texts.str.strip_chars(), _chrono(form)
    if not clock:
        texts, form = texts + " 00:00", form + " %H:%M"
    elif "%H" in form and "%M" not in form:
        texts, form = texts + ":00", form + ":%M"
    return texts.str.strptime(pl.Datetime("ms", "UTC" if offset else None), form, strict=False), zoned


def _chrono(form: str) -> str:
    """Return a form as polars wants it: it writes the fraction of a second differently from Python."""
    return form.strip().replace(".%f", "%.f").replace(",%f", "%.f")


def readable_form(form: str) -> bool:
    """Whether a form can be used to read times.

    >>> readable_form("%d.%m.%Y"), readable_form("day")
    (True, False)
    """
    if "%f" in form.replace(".%f", "").replace(",%f", ""):
        return False  # a fraction without a point or comma before it would be read as nanoseconds
    try:
        written = pl.Series([_SOME_TIME]).dt.replace_time_zone("UTC").dt.strftime(_chrono(form))
        read = by_form(written, form)[0][0]
        return read is not None and read.date() == _SOME_TIME.date()
    except pl.exceptions.PolarsError:
        return False


def local_to_utc(local_ms: Ints, zone: str) -> Ints:
    """Return the instants, int64 (n,) in ms since the epoch, of wall-clock times.

    A time that occurs twice, as clocks go back, counts as its first occurrence. A time that is skipped, as clocks go forward, is read with the
    offset that held before; so a midnight that does not exist becomes the first moment of its day.

    Parameters
    ----------
    local_ms : int64 (n,)
        Milliseconds since 1970-01-01 00:00 of the wall clock.
    zone : str
        IANA name.

    >>> naive = np.array([1_541_289_600_000])  # 2018-11-04 00:00, when Brazil's clocks went from 23:59 to 01:00
    >>> int(local_to_utc(naive, "America/Sao_Paulo")[0] - naive[0]) // 3_600_000
    3
    """
    starts, offsets = zone_table(zone)
    if len(starts) == 1:
        return cast(Ints, local_ms - offsets[0])
    turns = starts[1:] + np.maximum(offsets[:-1], offsets[1:])
    return cast(Ints, local_ms - offsets[np.searchsorted(turns, local_ms, side="right")])
