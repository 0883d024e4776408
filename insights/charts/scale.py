"""Where does a number stand? Round steps for an axis, and the line from values to pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

from insights.charts.svg import is_drawable
from insights.words import Words

Kind = Literal["count", "share", "number"]
"""What the numbers of an axis are: whole things, shares of 1, or any number."""
LEAST = 1e-9
"""Values nearer to each other are the same."""
SHORT_FROM = 10_000
"""From this step on, an axis of counts is written shortly."""


class Scale(NamedTuple):
    """A line from values, `low` to `high`, to pixels, `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return where a value stands; what is outside stands at the edge.

        >>> Scale(0, 10, 100, 0)(5), Scale(0, 10, 100, 0)(99), Scale(3, 3, 0, 100)(3)
        (50.0, 0.0, 0.0)
        """
        if self.high <= self.low:
            return float(self.start)
        share = min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        return self.start + (self.end - self.start) * share


class Ticks(NamedTuple):
    """The ends of an axis, and the values that it names, in order."""

    low: float
    high: float
    values: tuple[float, ...]

    @property
    def step(self) -> float:
        """Distance of two values."""
        return self.values[1] - self.values[0]


def ticks(low: float, high: float, about: int = 4, whole: bool = False) -> Ticks:
    """Return round values from `low` or below to `high` or above, about so many steps apart.

    >>> ticks(0, 214).values, ticks(0, 1, whole=True).values, ticks(-12, 31).values
    ((0.0, 100.0, 200.0, 300.0), (0.0, 1.0), (-20.0, 0.0, 20.0, 40.0))
    """
    if high - low < LEAST:
        high = low + max(1.0, abs(low) * 1e-3)
    wanted = (high - low) / about
    size = 10.0 ** math.floor(math.log10(wanted))
    step = next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= wanted * (1 - 1e-9))
    if whole:
        step = max(1.0, math.ceil(step))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    values = tuple(number * step for number in range(first, max(last, first + 1) + 1))
    return Ticks(values[0], values[-1], values)


class Axis(NamedTuple):
    """What the numbers of a chart are, and how they are written.

    Attributes
    ----------
    words : Words
        The language.
    kind : {"count", "share", "number"}
    top : float, optional
        The axis goes up to here at least: 1 for risks, so that charts of several people compare.
    """

    words: Words
    kind: Kind = "count"
    top: float | None = None

    def ticks(self, values: Iterable[float | None], about: int = 4) -> Ticks:
        """Return the axis for these values; it always begins at 0, or below where a value does."""
        known = [value for value in values if is_drawable(value)]
        high = max([*known, self.top or 0.0])
        low = min([*known, 0.0])
        if high < LEAST:
            high = max(-low / 4, 1.0 if low > -LEAST else 0.0)
        return ticks(low, high, about, whole=self.kind == "count")

    def say(self, value: float, step: float = 0.0) -> str:
        """Write a value; of an axis whose values are `step` apart, with as many decimals as tell them apart."""
        if self.kind == "count":
            return self.words.compact(value) if step >= SHORT_FROM else self.words.number(value, 0 if value == round(value) else 1)
        size = abs(step or value) * (100 if self.kind == "share" else 1)
        digits = min(6, max(0, math.ceil(-math.log10(size) - 1e-9) + (step != 0 and not _is_round(size)))) if size else 0
        if self.kind == "share":
            return self.words.percent(value, digits if step else min(digits, 1))
        return self.words.number(value, digits) if step else self.words.number(value)


def _is_round(size: float) -> bool:
    """Whether a step has one digit only: 2.5 needs a decimal more than 2."""
    scaled = size / 10.0 ** math.floor(math.log10(size))
    return abs(scaled - round(scaled)) < 1e-6
