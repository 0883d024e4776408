"""Which group is really different? A point with its interval for each, on one scale: whiskers that do not meet are what one reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from insights.charts.measure import shortened, width
from insights.charts.plot import nothing
from insights.charts.scale import Axis, Scale
from insights.charts.svg import SMALL, Size, Told, circle, drawing, hit, hits, is_drawable, line, px, text, tip

ROW = 28
"""Height of a row, px."""
BELOW = 22
"""Room for the axis, px."""


class Whisker(NamedTuple):
    """One group: its name, its value with its interval, and a word beside it such as how many people it is of."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    beside: str = ""
    colour: str = "accent"


def height_of(rows: Sequence[Whisker]) -> float:
    """Return the height that a chart of these rows needs, px."""
    return ROW * max(1, len(rows)) + BELOW + 4


def whiskers(across: float, axis: Axis, rows: Sequence[Whisker], *, title: str, desc: str) -> Markup:
    """Draw a row for each group, in the order given.

    Parameters
    ----------
    across : float
        Width of the drawing, px; its height follows from the rows.
    axis : Axis
    rows : sequence of Whisker
    title, desc : str
    """
    size = Size(across, height_of(rows))
    known = [one for one in rows if is_drawable(one.value)]
    if not known:
        return drawing(size, nothing(size, axis.words), title=title, desc=desc)
    names = min(across * 0.34, max(width(row.name) for row in rows)) + 14
    values = max(width(_said(row, axis)) for row in rows) + 10
    beside = max(width(row.beside, SMALL) for row in rows) + 12
    steps = axis.ticks([end for one in known for end in (one.value, one.low, one.high)], 4 if across > 420 else 2)
    x = Scale(steps.low, steps.high, names, max(names + 1, across - values - beside))
    foot = size.height - BELOW
    labels = [axis.say(value, steps.step) for value in steps.values]
    drawn = [line(f"M{px(x(value))} 2V{px(foot)}", "border" if value == 0 else "grid") for value in steps.values]
    drawn += [
        text(x(value), size.height - 6, label, anchor="middle", size=SMALL) for value, label in zip(steps.values, labels, strict=True)
    ]
    fields = []
    for number, row in enumerate(rows):
        top = 2 + ROW * number
        middle = top + ROW / 2
        drawn += [
            text(0, middle + 4, shortened(row.name, names - 14), fill="ink"),
            _drawn(row, x, middle),
            text(across - beside, middle + 4, _said(row, axis), anchor="end", fill="ink", weight=600),
            text(across, middle + 4, row.beside, anchor="end", size=SMALL),
        ]
        if is_drawable(row.value):
            fields.append(hit(0, top, across, ROW, tip(row.name, [Told(row.colour, row.beside, _with_interval(row, axis))])))
    return drawing(size, "".join([*drawn, hits(fields)]), title=title, desc=desc)


def _drawn(row: Whisker, x: Scale, middle: float) -> str:
    if not is_drawable(row.value):
        return ""
    whisker = ""
    if is_drawable(row.low) and is_drawable(row.high):
        low, high = px(x(row.low)), px(x(row.high))
        whisker = line(f"M{low} {px(middle)}H{high}M{low} {px(middle - 4)}v8M{high} {px(middle - 4)}v8", row.colour, thick=1.5)
    return whisker + circle(x(row.value), middle, 4.5, row.colour, stroke="surface")


def _said(row: Whisker, axis: Axis) -> str:
    return axis.say(row.value) if is_drawable(row.value) else axis.words.number(None)


def _with_interval(row: Whisker, axis: Axis) -> str:
    if not (is_drawable(row.low) and is_drawable(row.high)):
        return _said(row, axis)
    return f"{_said(row, axis)} ({axis.say(row.low)}–{axis.say(row.high)})"  # noqa: RUF001 - an en dash is meant
