"""How do lines say what they are? Their names stand at their ends, moved apart where they would overlap; there is no legend to look up.

A name is written in ink behind a dash of its colour: colours of marks are too faint for small text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from insights.charts.measure import shortened, width
from insights.charts.svg import Size, line, px, text

HEIGHT = 15
"""Distance of two names, px."""
LEFT = 20
"""Distance of a name from the end of its line, with a dash of its colour between, px."""
HIGHEST = 12
"""Baseline of the highest name, px."""


class Name(NamedTuple):
    """A name, the height at which its line ends, px, and its colour."""

    y: float
    name: str
    colour: str


def room_for(names: Sequence[str], size: Size) -> float:
    """Return the margin on the right that names need, at most a third of the drawing."""
    return LEFT + 4 + min(size.width * 0.35, max((width(name) for name in names), default=0))


def names_drawn(names: Sequence[Name], right: float, size: Size) -> str:
    """Write names to the right of `right`, px, within the drawing."""
    ordered = sorted(names)
    places = apart([one.y + 4 for one in ordered], HIGHEST, size.height - 4)
    room = size.width - right - LEFT
    return "".join(
        line(f"M{px(right + LEFT - 12)} {px(place - 4)}h8", one.colour, thick=3)
        + text(right + LEFT, place, shortened(one.name, room), fill="ink", weight=500)
        for place, one in zip(places, ordered, strict=True)
    )


def apart(wanted: Sequence[float], least: float, most: float) -> list[float]:
    """Return places as near as wanted ones, in order, that are `HEIGHT` apart and within the ends as far as there is room.

    >>> apart([20, 22, 90], 12, 96), apart([95, 95], 12, 96)
    ([20, 35, 90], [81, 96])
    """
    places: list[float] = []
    for height in wanted:
        places.append(max(height, places[-1] + HEIGHT if places else least))
    for number in reversed(range(len(places))):
        limit = places[number + 1] - HEIGHT if number + 1 < len(places) else most
        places[number] = min(places[number], limit)
    return places
