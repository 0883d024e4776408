"""What is used by many, and what do its users stay for? A point with its interval for each thing: to the right what many use, above the line whose users come again more often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from insights.charts.measure import shortened, width
from insights.charts.plot import Plot, labels_below, nothing, plot
from insights.charts.scale import Axis, Scale
from insights.charts.svg import SMALL, Size, Told, circle, drawing, hit, hits, is_drawable, line, px, text, tip
from insights.words import Words

TOP, BELOW, RIGHT = 30, 42, 18
NAME = 140
"""Longest name beside a point, px."""


class Point(NamedTuple):
    """One thing: how many use it (0 to 1), its difference with the interval of that, its colour, and lines for the pointer (name, value)."""

    name: str
    reach: float | None
    value: float | None
    low: float | None
    high: float | None
    colour: str
    told: tuple[tuple[str, str], ...] = ()


class Corners(NamedTuple):
    """What the four fields are called: few and more, many and more, few and not, many and not."""

    few_more: str
    many_more: str
    few: str
    many: str


def quadrants(
    size: Size, words: Words, points: Sequence[Point], common: float, corners: Corners, across: str, up: str, *, title: str, desc: str
) -> Markup:
    """Draw points, and the lines between the four fields.

    Parameters
    ----------
    common : float
        Reach from which something is used by many, 0 to 1.
    across, up : str
        What the axes are.
    title, desc : str
    """
    shown = [one for one in points if is_drawable(one.reach) and is_drawable(one.value)]
    if not shown:
        return drawing(size, nothing(size, words), title=title, desc=desc)
    axis = Axis(words, "number")
    field, grid = plot(
        size, axis, axis.ticks([end for one in shown for end in (one.value, one.low, one.high)]), right=RIGHT, top=TOP, below=BELOW
    )
    x = Scale(0, 1, field.left, field.right)
    lifted = Size(size.width, size.height - 18)
    border = px(x(common))
    return drawing(
        size,
        "".join([
            grid,
            line(f"M{border} {px(field.top)}V{px(field.bottom)}", "border"),
            *_corners(corners, x(common), field),
            labels_below(lifted, [(x(share), words.percent(share)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]),
            text(size.width - RIGHT, size.height - 7, across, anchor="end", fill="ink2", size=SMALL),
            text(0, 12, shortened(up, size.width, SMALL), fill="ink2", size=SMALL),
            *(_whisker(one, x, field) for one in shown),
            *(circle(x(one.reach or 0.0), field.y(one.value or 0.0), 4.5, one.colour, stroke="surface") for one in shown),
            *_names(shown, x, field),
            hits(hit(x(one.reach or 0.0) - 9, field.y(one.value or 0.0) - 9, 18, 18, _told(one)) for one in shown),
        ]),
        title=title,
        desc=desc,
    )  # fmt: skip


def _corners(corners: Corners, border: float, field: Plot) -> Iterator[str]:
    for said, anchor_left, y in (
        (corners.few_more, True, field.top + 12), (corners.many_more, False, field.top + 12),
        (corners.few, True, field.bottom - 6), (corners.many, False, field.bottom - 6),
    ):  # fmt: skip
        room = border - field.left if anchor_left else field.right - border
        if width(said, SMALL) + 8 <= room:
            at = field.left + 6 if anchor_left else field.right - 4
            yield text(at, y, said, anchor="start" if anchor_left else "end", size=SMALL)


def _whisker(one: Point, x: Scale, field: Plot) -> str:
    if not (is_drawable(one.low) and is_drawable(one.high)):
        return ""
    at, low, high, left = px(x(one.reach or 0.0)), px(field.y(one.low)), px(field.y(one.high)), px(x(one.reach or 0.0) - 4)
    return line(f"M{at} {low}V{high}M{left} {low}h8M{left} {high}h8", one.colour)


def _names(points: Sequence[Point], x: Scale, field: Plot) -> Iterator[str]:
    """Yield the name beside each point, on the right or the left, where it lies over no other; the pointer tells the others'."""
    taken = [
        (x(one.reach or 0.0) - 6, field.y(one.value or 0.0) - 7, x(one.reach or 0.0) + 6, field.y(one.value or 0.0) + 7) for one in points
    ]
    for number, one in enumerate(points):
        said = shortened(one.name, NAME, SMALL)
        wide, own = width(said, SMALL), taken[number]
        for left in (own[2] + 4, own[0] - 4 - wide):
            box = (left, own[1], left + wide, own[3])
            inside = left >= field.left and left + wide <= field.right + RIGHT
            if inside and not any(_meet(box, other) for place, other in enumerate(taken) if place != number):
                taken.append(box)
                yield text(left, own[1] + 11, said, fill="ink", size=SMALL, halo=True)
                break


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _told(one: Point) -> str:
    return tip(one.name, [Told(one.colour, name, value) for name, value in one.told])
