"""How many came, and how many went, each day or week? Columns upwards and downwards from one line; several kinds stand on each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup

from insights.charts.names import Name, names_drawn, room_for
from insights.charts.plot import Plot, labels_below, nothing, plot
from insights.charts.scale import Axis
from insights.charts.svg import LARGEST, Size, Told, drawing, hit, hits, is_drawable, rect, tip
from insights.words import Words


class Counts(NamedTuple):
    """One kind: its name, its colour, and a count, not negative, for each day; None or NaN where it is not known. `known` says which are the last word; empty: all."""

    name: str
    colour: str
    values: Sequence[float | None]
    known: Sequence[bool] = ()

    def is_known(self, at: int) -> bool:
        """Whether the count at a place is final."""
        return not self.known or self.known[at]


def columns(
    size: Size, words: Words, zone: tzinfo, days_ms: Sequence[int], up: Sequence[Counts], down: Sequence[Counts], *, title: str, desc: str
) -> Markup:
    """Draw what came (up) and what went (down) for each day; a count that may still grow is an outline.

    Parameters
    ----------
    size : Size
    words : Words
    zone : tzinfo
        Time zone of the days.
    days_ms : sequence of int
        A time of each day, ms since the epoch, in rising order.
    up, down : sequence of Counts
        The first of each stands at the line.
    title, desc : str

    Raises
    ------
    ValueError
        If a kind has another number of counts than there are days, or a negative one.
    """
    every = [*up, *down]
    for one in every:
        if {len(one.values), len(one.known) or len(one.values)} != {len(days_ms)}:
            raise ValueError(f"{one.name!r} must have a count for each of the {len(days_ms)} days, has {len(one.values)}")
        if any(is_drawable(value) and value < 0 for value in one.values):
            raise ValueError(f"{one.name!r} has a negative count")
    if not any(is_drawable(value) for one in every for value in one.values):
        return drawing(size, nothing(size, words), title=title, desc=desc)
    axis = Axis(words)
    days = range(len(days_ms))
    highs, lows = ([_heights(kinds, day)[-1] for day in days] for kinds in (up, down))
    steps = axis.ticks([*highs, *(-low for low in lows)], 4 if size.height > 150 else 3)
    field, grid = plot(size, axis, steps, right=room_for([one.name for one in every], size), both_ways=True)
    wide = (field.right - field.left) / max(1, len(days_ms))
    middles = [field.left + wide * (day + 0.5) for day in days]
    return drawing(
        size,
        "".join([
            grid,
            labels_below(size, [(middle, words.day(day, zone)) for middle, day in zip(middles, days_ms, strict=True)]),
            *(_column(middles[day], wide, kinds, day, field, sign) for kinds, sign in ((up, 1), (down, -1)) for day in days),
            names_drawn([*_named(up, field.top, field.zero), *_named(down[::-1], field.zero, field.bottom)], field.right, size),
            hits(_fields(days_ms, middles, wide, every, field, words, zone)),
        ]),
        title=title,
        desc=desc,
    )  # fmt: skip


def _heights(kinds: Sequence[Counts], day: int) -> list[float]:
    """Return where each kind begins on a day, and where the last one ends."""
    heights = [0.0]
    for one in kinds:
        value = one.values[day]
        heights.append(min(heights[-1] + value, LARGEST) if is_drawable(value) else heights[-1])
    return heights


def _named(kinds: Sequence[Counts], top: float, bottom: float) -> Iterator[Name]:
    """Yield the names of kinds that stand on each other between two heights, px, the last one on top."""
    for number, one in enumerate(reversed(kinds)):
        yield Name(top + (bottom - top) * (number + 0.5) / len(kinds), one.name, one.colour)


def _column(middle: float, wide: float, kinds: Sequence[Counts], day: int, field: Plot, sign: int) -> str:
    gap = min(3.0, wide * 0.2)
    drawn = []
    for one, (low, high) in zip(kinds, pairwise(_heights(kinds, day)), strict=True):
        if high > low:
            start, end = sorted((field.y(sign * low), field.y(sign * high)))
            left, across, tall = middle - wide / 2 + gap / 2, wide - gap, max(1.0, end - start)
            if one.is_known(day):
                drawn.append(rect(left, start, across, tall, one.colour))
            else:
                dashed = f'stroke="var(--{one.colour})" stroke-dasharray="2 2"'
                drawn.append(rect(left + 0.5, start + 0.5, across - 1, max(0.5, tall - 1), "surface", extra=dashed))
    return "".join(drawn)


def _fields(
    days_ms: Sequence[int], middles: Sequence[float], wide: float, kinds: Sequence[Counts], field: Plot, words: Words, zone: tzinfo
) -> Iterator[str]:
    for number, (day, middle) in enumerate(zip(days_ms, middles, strict=True)):
        known = [(one, value) for one in kinds if is_drawable(value := one.values[number])]
        told = [
            Told(one.colour, one.name, said if one.is_known(number) else words.t("value so far", value=said))
            for one, value in known
            if (said := words.number(value))
        ]
        yield hit(middle - wide / 2, field.top, wide, field.height, tip(words.date(day, zone), told))
