"""On which days was somebody here? A calendar of some weeks: a column for each week, a field for each day, filled where they were active."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC

from markupsafe import Markup

from insights.charts.measure import width
from insights.charts.plot import GAP
from insights.charts.svg import SMALL, Size, Told, drawing, hit, hits, rect, text, tip
from insights.words import Words

WEEK = 7
_DAY_MS = 86_400_000
_ABOVE = 20
"""Room above the fields for the days on which weeks begin, px."""
_LARGEST = 26
"""Widest field, px."""
_NAMES = 60
"""Room for the names of weekdays on the left, and for the last week's day above, px."""


def weekday_of(day: int) -> int:
    """Return the weekday of a day (days since 1970-01-01, which was a Thursday): 0 is Monday.

    >>> weekday_of(0), weekday_of(4)
    (3, 0)
    """
    return (day + 3) % WEEK


def calendar_width(first: int, last: int) -> float:
    """Return the width, px, that a calendar from one day to another needs for its widest fields."""
    return _NAMES + _LARGEST * ((last - first + weekday_of(first)) // WEEK + 1)


def calendar(size: Size, words: Words, first: int, last: int, known_from: int, active: Collection[int], *, title: str, desc: str) -> Markup:
    """Draw the days from the first to the last.

    Parameters
    ----------
    size : Size
    words : Words
    first, last : int
        Days since 1970-01-01; both are drawn.
    known_from : int
        Days before this one are left empty: nothing can be said of them.
    active : collection of int
        Days with activity.
    title, desc : str

    Raises
    ------
    ValueError
        If the last day is before the first.
    """
    if last < first:
        raise ValueError(f"the last day must not be before the first, got {first} and {last}")
    left = max(width(words.weekday(day), SMALL) for day in range(WEEK)) + 8
    monday = first - weekday_of(first)
    weeks = (last - monday) // WEEK + 1
    step = min(_LARGEST, (size.width - left) / weeks, (size.height - _ABOVE) / WEEK)
    drawn = [text(left - 8, _ABOVE + step * (day + 0.5) + 4, words.weekday(day), anchor="end", size=SMALL) for day in range(0, WEEK, 2)]
    fields = []
    for day in range(max(first, known_from), last + 1):
        x, y = left + step * ((day - monday) // WEEK), _ABOVE + step * weekday_of(day)
        colour, says = ("accent", words.t("active")) if day in active else ("sunken", words.t("not active"))
        drawn.append(rect(x + 1, y + 1, step - 2, step - 2, colour, radius=3))
        fields.append(hit(x, y, step, step, tip(f"{words.weekday(weekday_of(day))}, {_named(day, words)}", [Told(colour, says, "")])))
    drawn += _beginnings(monday, weeks, left, step, size, words)
    return drawing(size, "".join([*drawn, hits(fields)]), title=title, desc=desc)


def _beginnings(monday: int, weeks: int, left: float, step: float, size: Size, words: Words) -> Iterator[str]:
    """Yield the day on which a week begins above it, for as many weeks as there is room, going back from the last."""
    free = size.width + GAP
    for week in reversed(range(weeks)):
        label, x = _named(monday + WEEK * week, words), left + step * week + 1
        if x + width(label, SMALL) + GAP <= free:
            yield text(x, 12, label, size=SMALL)
            free = x


def _named(day: int, words: Words) -> str:
    return words.day(day * _DAY_MS, UTC)
