"""What do charts over time and over steps share? Margins, horizontal grid lines, and labels below that never overlap."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

from insights.charts.measure import shortened, width
from insights.charts.scale import Axis, Scale, Ticks
from insights.charts.svg import SMALL, Anchor, Size, line, px, text
from insights.words import Words

GAP = 14
"""Least distance of two labels, px."""


def nothing(size: Size, words: Words) -> str:
    """Say in the middle of a drawing that there is nothing to draw."""
    return text(size.width / 2, size.height / 2 + 4, words.t("no figures"), anchor="middle", halo=True)


class Plot(NamedTuple):
    """The field in which values are drawn, px, and how they stand in it."""

    left: float
    right: float
    top: float
    bottom: float
    y: Scale
    zero: float

    @property
    def height(self) -> float:
        """Height of the field."""
        return self.bottom - self.top


def plot(
    size: Size, axis: Axis, steps: Ticks, *, right: float = 12, top: float = 12, below: float = 24, both_ways: bool = False
) -> tuple[Plot, str]:
    """Return the field, and its grid with what its lines stand for.

    Parameters
    ----------
    right, top, below : float
        Margins, px; the left one fits the labels.
    both_ways : bool
        What is below zero is a count too: its sign is not written.
    """
    labels = [shortened(axis.say(abs(value) if both_ways else value, steps.step), size.width * 0.3, SMALL) for value in steps.values]
    left = 10 + max(width(label, SMALL) for label in labels)
    field_right, bottom = max(left + 1, size.width - right), max(top + 1, size.height - below)
    y = Scale(steps.low, steps.high, bottom, top)
    field = Plot(left, field_right, top, bottom, y, y(0.0))
    grid = []
    for value, label in zip(steps.values, labels, strict=True):
        at = y(value)
        grid.append(line(f"M{px(left)} {px(at)}H{px(field_right)}", "border" if abs(value) < 1e-12 else "grid"))
        grid.append(text(left - 8, at + 4, label, anchor="end", size=SMALL))
    return field, "".join(grid)


def labels_below(size: Size, places: Sequence[tuple[float, str]], *, from_first: bool = False) -> str:
    """Write labels below the field, as many as fit; none leaves the drawing.

    Parameters
    ----------
    places : sequence of (float, str)
        Where each label belongs, px from the left, in rising order, and what it says.
    from_first : bool
        Go on from the first label, as hours do, and not backwards from the last, which for days is today.
    """
    drawn: list[str] = []
    taken: list[tuple[float, float]] = []
    step = _step(places)
    for at, label in places[::step] if from_first else places[::-step]:
        wide = width(label, SMALL)
        start = min(max(at - wide / 2, 0), size.width - wide)
        if start >= 0 and all(start + wide + GAP <= left or start >= right + GAP for left, right in taken):
            anchor, x = _anchored(start, wide, at)
            drawn.append(text(x, size.height - 7, label, anchor=anchor, size=SMALL))
            taken.append((start, start + wide))
    return "".join(drawn)


def _step(places: Sequence[tuple[float, str]]) -> int:
    """Return how many labels to go on by, so that evenly spaced ones fit."""
    if len(places) < 2:
        return 1
    widest = max(width(label, SMALL) for _, label in places) + GAP
    apart = (places[-1][0] - places[0][0]) / (len(places) - 1)
    return max(1, ceil(widest / apart)) if apart > 0 else len(places)


def _anchored(start: float, wide: float, at: float) -> tuple[Anchor, float]:
    """Return how a label is held, so that a font of another width moves it as little as possible."""
    if abs(start + wide / 2 - at) < 0.5:
        return "middle", at
    return ("start", start) if start < at - wide / 2 + 0.5 and start <= 0 else ("end", start + wide)
