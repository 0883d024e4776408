"""How do shares compare? A bar for each, in the order given, with its name and value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from insights.charts.measure import shortened, width
from insights.charts.svg import Size, Told, drawing, hit, hits, is_drawable, rect, text, tip
from insights.words import DASH

ROW = 28
"""Height of a row, px."""


class Bar(NamedTuple):
    """One share, 0 to 1: what it is of, its value in words, its colour, and a word on it such as a count."""

    name: str
    share: float | None
    said: str
    colour: str = "accent"
    beside: str = ""


def height_of(rows: Sequence[Bar]) -> float:
    """Return the height that a chart of these rows needs, px."""
    return ROW * max(1, len(rows)) + 8


def bars(across: float, rows: Sequence[Bar], *, title: str, desc: str) -> Markup:
    """Draw a bar for each row; the whole track is 1.

    Parameters
    ----------
    across : float
        Width of the drawing, px; its height follows from the rows.
    rows : sequence of Bar
    title, desc : str
    """
    size = Size(across, height_of(rows))
    names = min(across * 0.4, _widest(row.name for row in rows)) + 14
    values = min(across * 0.2, _widest(row.said for row in rows)) + 10
    beside = min(across * 0.2, _widest(row.beside for row in rows)) + 10 if any(row.beside for row in rows) else 0
    track = max(1.0, across - names - values - beside)
    drawn, fields = [], []
    for number, row in enumerate(rows):
        top = 4 + ROW * number
        middle = top + ROW / 2
        share = min(1.0, max(0.0, row.share)) if is_drawable(row.share) else 0.0
        drawn += [
            text(0, middle + 4, shortened(row.name, names - 14), fill="ink"),
            rect(names, middle - 5, track, 10, "sunken", radius=5),
            rect(names, middle - 5, max(10.0, track * share), 10, row.colour, radius=5) if share > 0 else "",
            text(names + track + values, middle + 4, shortened(row.said, values) or DASH, anchor="end", fill="ink", weight=600),
            text(across, middle + 4, shortened(row.beside, beside), anchor="end") if row.beside else "",
        ]
        fields.append(hit(0, top, across, ROW, tip(row.name, [Told(row.colour, row.beside, row.said)])))
    return drawing(size, "".join([*drawn, hits(fields)]), title=title, desc=desc)


def _widest(texts: Iterable[str]) -> float:
    return max((width(one) for one in texts), default=0.0)
