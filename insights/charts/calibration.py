"""How right was it? The risk that was said against the share that really left, each with its interval; on the line is exactly right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from insights.charts.measure import width
from insights.charts.plot import Plot, labels_below, nothing, plot
from insights.charts.scale import Axis, Scale
from insights.charts.svg import SMALL, Size, Told, circle, drawing, hit, hits, is_drawable, line, px, text, tip
from insights.words import Words

NAMED = 5
"""Up to so many points have their name beside them; the pointer tells the others'."""


class Judged(NamedTuple):
    """People who were given about the same risk.

    Attributes
    ----------
    name : str
        Such as a risk band.
    said, left : float or None
        Mean risk that was said, and share that really left, 0 to 1.
    low, high : float or None
        Interval of `left`.
    n : int
        How many they are: people whose time is up.
    colour : str
    """

    name: str
    said: float | None
    left: float | None
    low: float | None
    high: float | None
    n: int
    colour: str = "accent"


def calibration(size: Size, words: Words, points: Sequence[Judged], *, title: str, desc: str) -> Markup:
    """Draw points with whiskers against the diagonal; the area of a point grows with n.

    Parameters
    ----------
    size : Size
    words : Words
    points : sequence of Judged
        What has no value is left out.
    title, desc : str
    """
    axis = Axis(words, "share", top=1.0)
    field, grid = plot(size, axis, axis.ticks([]), right=22, top=28, below=42)
    x = Scale(0, 1, field.left, field.right)
    shown = [one for one in points if is_drawable(one.said) and is_drawable(one.left)]
    if not shown:
        return drawing(size, nothing(size, words), title=title, desc=desc)
    most = max(1, *(one.n for one in shown))
    diagonal = line(f"M{px(x(0))} {px(field.y(0))}L{px(x(1))} {px(field.y(1))}", "ink3")
    lifted = Size(size.width, size.height - 18)
    return drawing(
        size,
        "".join([
            grid,
            labels_below(lifted, [(x(share), words.percent(share)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]),
            text(size.width - 22, size.height - 7, words.t("model.right.axis_said"), anchor="end", fill="ink2", size=SMALL),
            text(0, 12, words.t("model.right.axis_left"), fill="ink2", size=SMALL),
            diagonal,
            *(_whisker(one, x, field) for one in shown),
            *(_point(one, x, field, most) for one in shown),
            *(_names(shown, x, field, words) if len(shown) <= NAMED else ()),
            hits(_field(one, x, field, words) for one in sorted(shown, key=lambda one: -one.n)),
        ]),
        title=title,
        desc=desc,
    )  # fmt: skip


def _whisker(one: Judged, x: Scale, field: Plot) -> str:
    if not (is_drawable(one.low) and is_drawable(one.high)):
        return ""
    at, low, high = px(x(one.said or 0.0)), px(field.y(one.low)), px(field.y(one.high))
    left = px(x(one.said or 0.0) - 4)
    return line(f"M{at} {low}V{high}M{left} {low}h8M{left} {high}h8", one.colour, thick=1.5)


def _point(one: Judged, x: Scale, field: Plot, most: int) -> str:
    radius = 3.5 + 4 * (max(0, one.n) / most) ** 0.5
    return circle(x(one.said or 0.0), field.y(one.left or 0.0), radius, one.colour, stroke="surface")


class _Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom


def _names(shown: Sequence[Judged], x: Scale, field: Plot, words: Words) -> Iterator[str]:
    """Yield each point's name with its n: beside it, else below or above, wherever no point and no other name is."""
    taken = [_box(one, x, field) for one in shown]
    room = _Box(field.left + 2, field.top - 8, field.right + 20, field.bottom - 2)
    for number, one in enumerate(shown):
        says = words.t("name and people", name=one.name, n=one.n)
        wide, own, middle = width(says, SMALL), taken[number], field.y(one.left or 0.0)
        corner = min(max(room.left, own.left + 8 - wide / 2), room.right - wide)
        right, left = (own.right + 4, middle - 8), (own.left - 4 - wide, middle - 8)
        # a name to the left of a point above the diagonal does not cross it, nor one to the right of a point below
        beside = [left, right] if (one.left or 0.0) >= (one.said or 0.0) else [right, left]
        places = [_Box(at, top, at + wide, top + 16) for at, top in (*beside, (corner, own.bottom), (corner, own.top - 16))]
        inside = [
            one for one in places if one.left >= room.left and one.right <= room.right and one.top >= room.top and one.bottom <= room.bottom
        ]
        place = next((one for one in inside if not any(one.meets(other) for other in taken)), None)
        if place is not None:
            taken.append(place)
            yield text(place.left, place.top + 12, says, fill="ink", size=SMALL, halo=True)


def _box(one: Judged, x: Scale, field: Plot) -> _Box:
    """Return the room of a point with its whisker."""
    at, middle = x(one.said or 0.0), field.y(one.left or 0.0)
    high = field.y(one.high) if is_drawable(one.high) else middle
    low = field.y(one.low) if is_drawable(one.low) else middle
    return _Box(at - 8, min(high, middle - 8), at + 8, max(low, middle + 8))


def _field(one: Judged, x: Scale, field: Plot, words: Words) -> str:
    told = [
        Told(one.colour, words.t("said"), words.percent(one.said)),
        Told(one.colour, words.t("really left"), f"{words.percent(one.left)} ({words.interval(one.low, one.high)})"),
        Told("ink3", words.t("People"), words.number(one.n)),
    ]
    return hit(x(one.said or 0.0) - 12, field.top, 24, field.height, tip(one.name, told))
