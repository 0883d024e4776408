"""How many came, and how many went, each day? Columns upwards and downwards from one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import NamedTuple

from markupsafe import Markup

from insights.charts.names import Name, names_drawn, room_for
from insights.charts.plot import Plot, labels_below, nothing, plot
from insights.charts.scale import Axis
from insights.charts.svg import Size, Told, drawing, hit, hits, is_drawable, rect, tip
from insights.words import Words


class Counts(NamedTuple):
    """One direction: its name, its colour, and a count, not negative, for each day; None or NaN where it is not known."""

    name: str
    colour: str
    values: Sequence[float | None]


def columns(size: Size, words: Words, zone: tzinfo, days_ms: Sequence[int], up: Counts, down: Counts, *, title: str, desc: str) -> Markup:
    """Draw what came (up) and what went (down) for each day.

    Parameters
    ----------
    size : Size
    words : Words
    zone : tzinfo
        Time zone of the days.
    days_ms : sequence of int
        A time of each day, ms since the epoch, in rising order.
    up, down : Counts
    title, desc : str

    Raises
    ------
    ValueError
        If a direction has another number of counts than there are days, or a negative one.
    """
    for one in (up, down):
        if len(one.values) != len(days_ms):
            raise ValueError(f"{one.name!r} must have a count for each of the {len(days_ms)} days, has {len(one.values)}")
        if any(is_drawable(value) and value < 0 for value in one.values):
            raise ValueError(f"{one.name!r} has a negative count")
    if not any(is_drawable(value) for one in (up, down) for value in one.values):
        return drawing(size, nothing(size, words), title=title, desc=desc)
    axis = Axis(words)
    below = [-value for value in down.values if is_drawable(value)]
    steps = axis.ticks([*up.values, *below], 4 if size.height > 150 else 3)
    field, grid = plot(size, axis, steps, right=room_for([up.name, down.name], size), both_ways=True)
    wide = (field.right - field.left) / max(1, len(days_ms))
    middles = [field.left + wide * (number + 0.5) for number in range(len(days_ms))]
    halves = [Name((field.top + field.zero) / 2, up.name, up.colour), Name((field.zero + field.bottom) / 2, down.name, down.colour)]
    return drawing(
        size,
        "".join([
            grid,
            labels_below(size, [(middle, words.day(day, zone)) for middle, day in zip(middles, days_ms, strict=True)]),
            *(_column(middle, wide, value, up.colour, field) for middle, value in zip(middles, up.values, strict=True)),
            *(_column(middle, wide, value, down.colour, field, -1) for middle, value in zip(middles, down.values, strict=True)),
            names_drawn(halves, field.right, size),
            hits(_fields(days_ms, middles, wide, up, down, field, words, zone)),
        ]),
        title=title,
        desc=desc,
    )  # fmt: skip


def _column(middle: float, wide: float, value: float | None, colour: str, field: Plot, sign: int = 1) -> str:
    if not is_drawable(value) or value == 0:
        return ""
    gap = min(3.0, wide * 0.2)
    end = field.y(sign * value)
    return rect(middle - wide / 2 + gap / 2, min(end, field.zero), wide - gap, max(1.0, abs(end - field.zero)), colour)


def _fields(
    days_ms: Sequence[int], middles: Sequence[float], wide: float, up: Counts, down: Counts, field: Plot, words: Words, zone: tzinfo
) -> Iterator[str]:
    for number, (day, middle) in enumerate(zip(days_ms, middles, strict=True)):
        known = [(one, value) for one in (up, down) if is_drawable(value := one.values[number])]
        told = [Told(one.colour, one.name, words.number(value)) for one, value in known]
        yield hit(middle - wide / 2, field.top, wide, field.height, tip(words.date(day, zone), told))
