"""What is one line of a chart? Its values, their intervals, where they are final; and how line, interval and ground are drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from insights.charts.plot import Plot
from insights.charts.scale import Axis, Scale
from insights.charts.svg import circle, fill, is_drawable, line, px

DOT_EVERY = 6
"""Points nearer than so many px are not shown one by one."""
Run = list[tuple[int, float]]
"""A stretch without a gap: places and values."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line: a value for each time.

    Attributes
    ----------
    name : str
    values : sequence of float or None
        None, NaN or what is beyond all measure is a gap.
    colour : str
    low, high : sequence of float or None
        Interval of each value; empty if there is none.
    known : sequence of bool
        False where the last word is not spoken, such as a share of people whose time is not up: dashed, with hollow points. Empty: all known.
    area : bool
        Tint the ground below the line.
    dots : bool
        Show each point.
    """

    name: str
    values: Sequence[float | None]
    colour: str = "accent"
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    known: Sequence[bool] = ()
    area: bool = False
    dots: bool = False

    def is_known(self, at: int) -> bool:
        """Whether the value at a place is final."""
        return not self.known or self.known[at]

    def interval(self, at: int) -> tuple[float, float] | None:
        """Return the interval at a place, if there is one."""
        low, high = (self.low[at], self.high[at]) if self.low else (None, None)
        return (low, high) if is_drawable(low) and is_drawable(high) else None

    def last(self) -> tuple[int, float] | None:
        """Return place and value of the last point, if there is any."""
        return next(((at, value) for at, value in reversed(list(enumerate(self.values))) if is_drawable(value)), None)

    def said(self, at: int, axis: Axis) -> str:
        """Write the value at a place with its interval, and whether it is final; empty where there is none."""
        value, pair = self.values[at], self.interval(at)
        if not is_drawable(value):
            return ""
        text = axis.say(value) if pair is None else f"{axis.say(value)} ({axis.say(pair[0])}–{axis.say(pair[1])})"  # noqa: RUF001 - an en dash is meant
        return text if self.is_known(at) else axis.words.t("value so far", value=text)


def runs(values: Sequence[float | None]) -> Iterator[Run]:
    """Yield the stretches without a gap.

    >>> list(runs([1, None, 2, 3, float("nan")]))
    [[(0, 1)], [(2, 2), (3, 3)]]
    """
    run: Run = []
    for at, value in enumerate(values):
        if is_drawable(value):
            run.append((at, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def band(one: Series, x: Sequence[float], y: Scale, opacity: float) -> str:
    """Tint the interval around a line; `x` are the places, px."""
    pairs = [one.interval(at) for at in range(len(x))]
    drawn = []
    for run in runs([None if pair is None else pair[1] for pair in pairs]):
        upper = [f"{px(x[at])} {px(y(high))}" for at, high in run]
        lower = [f"{px(x[at])} {px(y(pair[0]))}" for at, _ in reversed(run) if (pair := pairs[at]) is not None]
        drawn.append(fill(f"M{'L'.join(upper + lower)}Z", one.colour, opacity))
    return "".join(drawn)


def area(one: Series, x: Sequence[float], field: Plot) -> str:
    """Tint the ground below a line."""
    drawn = []
    for run in runs(one.values):
        points = "L".join(f"{px(x[at])} {px(field.y(value))}" for at, value in run)
        ends = f"L{px(x[run[-1][0]])} {px(field.zero)}L{px(x[run[0][0]])} {px(field.zero)}Z"
        drawn.append(fill(f"M{points}{ends}", one.colour, 0.09))
    return "".join(drawn)


def curve(one: Series, x: Sequence[float], y: Scale) -> str:
    """Draw a line: solid to what is final, dashed to what is not, and a point at its end."""
    drawn: list[str] = []
    is_sparse = len(x) < 2 or x[-1] - x[0] >= DOT_EVERY * (len(x) - 1)
    for run in runs(one.values):
        drawn += [_stretch(one, run, x, y, known=known) for known in (True, False)]
        drawn += [_point(one, at, x[at], y(value), seen=len(run) == 1 or (one.dots and is_sparse)) for at, value in run]
    end = one.last()
    if end is not None and one.is_known(end[0]):
        drawn.append(circle(x[end[0]], y(end[1]), 3, one.colour))
    return "".join(drawn)


def _stretch(one: Series, run: Run, x: Sequence[float], y: Scale, *, known: bool) -> str:
    points, pen = "", -1
    for (left, before), (right, after) in pairwise(run):
        if one.is_known(right) == known:
            points += ("" if left == pen else f"M{px(x[left])} {px(y(before))}") + f"L{px(x[right])} {px(y(after))}"
            pen = right
    return line(points, one.colour, thick=2, dashed=not known) if points else ""


def _point(one: Series, at: int, x: float, y: float, *, seen: bool) -> str:
    if not one.is_known(at):
        return circle(x, y, 3, "surface", stroke=one.colour)
    return circle(x, y, 2, one.colour) if seen else ""
