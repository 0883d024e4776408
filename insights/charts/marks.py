"""What happened on the way of a line? Marks on it, times that are tinted, and a level that matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from insights.charts.measure import width
from insights.charts.plot import Plot
from insights.charts.scale import Scale
from insights.charts.series import Series
from insights.charts.svg import SMALL, Size, circle, fill, is_drawable, line, px, text

ROW = 18
"""Room above the field for what the signs mean, px."""
Sign = Literal["up", "ring", "cross"]
"""A triangle, a ring or a cross."""


class Mark(NamedTuple):
    """Something that happened: its time, what it is called, its colour, and its sign, which tells kinds apart without colour."""

    at_ms: int
    name: str
    colour: str
    sign: Sign = "up"


class Span(NamedTuple):
    """A time that is tinted, such as that of an open alert."""

    start_ms: int
    end_ms: int
    colour: str


class Level(NamedTuple):
    """A level that matters, and what it is called."""

    value: float
    name: str


@dataclass(frozen=True, slots=True)
class Extras:
    """What a chart of lines has besides its lines; marks stand on the first of them."""

    marks: Sequence[Mark] = ()
    spans: Sequence[Span] = ()
    level: Level | None = None

    @property
    def has_key(self) -> bool:
        """Whether there is a sign to be explained."""
        return bool(self.marks) or self.level is not None


def spans_drawn(spans: Sequence[Span], x: Scale, field: Plot) -> str:
    """Tint times."""
    corners = [(px(x(span.start_ms)), px(x(span.end_ms)), span.colour) for span in spans]
    top, bottom = px(field.top), px(field.bottom)
    return "".join(fill(f"M{start} {top}H{end}V{bottom}H{start}Z", colour, 0.1) for start, end, colour in corners)


def level_drawn(level: Level | None, field: Plot) -> str:
    """Draw a level as a thin line across."""
    if level is None or not is_drawable(level.value):
        return ""
    at = px(field.y(level.value))
    return line(f"M{px(field.left)} {at}H{px(field.right)}", "ink2")


def marks_drawn(marks: Sequence[Mark], one: Series, times_ms: Sequence[float], x: Scale, field: Plot) -> str:
    """Draw a sign on the line for each mark, and its time from top to bottom."""
    drawn: list[str] = []
    for mark in sorted(marks):
        at = x(mark.at_ms)
        drawn.append(line(f"M{px(at)} {px(field.top)}V{px(field.bottom)}", mark.colour))
        drawn.append(_sign(mark.sign, mark.colour, at, field.y(_value_at(one, times_ms, mark.at_ms))))
    return "".join(drawn)


def key_drawn(extras: Extras, left: float, size: Size) -> str:
    """Say above the field what each sign and the level mean, as far as there is room: the pointer tells the rest."""
    kinds = {(mark.sign, mark.colour, mark.name): None for mark in sorted(extras.marks, key=lambda mark: mark.sign != "up")}
    signs = [(_sign(sign, colour, 0, 0), name) for sign, colour, name in kinds]
    if extras.level is not None:
        signs.append((line("M-6 0h12", "ink2"), extras.level.name))
    drawn, at = [], left + 6
    for sign, name in signs:
        end = at + 10 + width(name, SMALL)
        if end > size.width:
            break
        drawn.append(f'<g transform="translate({px(at)} 10)">{sign}</g>' + text(at + 10, 14, name, fill="ink2", size=SMALL))
        at = end + 20
    return "".join(drawn)


def _sign(sign: Sign, colour: str, x: float, y: float) -> str:
    if sign == "up":
        return fill(f"M{px(x - 5)} {px(y + 4)}h10l-5-9z", colour)
    if sign == "ring":
        return circle(x, y, 4.5, "surface", stroke=colour, thick=2)
    return line(f"M{px(x - 4)} {px(y - 4)}l8 8m0-8l-8 8", colour, thick=2)


def _value_at(one: Series, times_ms: Sequence[float], at_ms: int) -> float:
    """Return the value of a line at a time: the last one known by then, else the first known at all."""
    known = [(time, value) for time, value in zip(times_ms, one.values, strict=True) if is_drawable(value)]
    by_then = [value for time, value in known if time <= at_ms]
    return by_then[-1] if by_then else known[0][1] if known else 0.0
