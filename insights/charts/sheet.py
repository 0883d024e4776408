"""How do texts, figures and charts stand under each other in one picture, as for a mail? From the top down; what has been put is not moved again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup

from insights.charts.measure import shortened, width, wrapped
from insights.charts.svg import Size, drawing, rect, text

WIDTH, MARGIN, GAP, INSIDE = 1176.0, 32.0, 16.0, 16.0
"""Of the sheet; around it; between two cards; inside a card, px."""
STRONG = 1.06
"""Strong letters are so much wider than usual ones."""
LINE = 1.45
"""From line to line, in sizes of the font."""
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


def size_of(chart: Markup) -> Size:
    """Return how large a chart is. Raises ValueError for what is no chart of this package."""
    found = _SIZE.search(chart)
    if found is None:
        raise ValueError("not a chart of this package: it has no view box")
    return Size(float(found[1]), float(found[2]))


class Column:
    """A place of some width, filled from the top down.

    Attributes
    ----------
    x, y : float
        Where the next thing stands, px.
    width : float
    """

    def __init__(self, x: float, y: float, wide: float) -> None:
        self.x, self.y, self.width = x, y, wide
        self.body: list[str] = []

    def say(
        self, said: str, *, size: float = 12, fill: str = "ink2", weight: int = 400, after: float = 4, sign: tuple[str, str] | None = None
    ) -> None:
        """Put a text in as many lines as it needs; `sign` is a mark and its colour before the first of them."""
        inset = 18.0 if sign is not None else 0.0
        strong = STRONG if weight > 500 else 1.0
        for number, one in enumerate(wrapped(said, self.width - inset, size, strong)):
            if sign is not None and number == 0:
                self.body.append(text(self.x, self.y + size, sign[0], size=size, fill=sign[1]))
            self.body.append(text(self.x + inset, self.y + size, one, size=size, fill=fill, weight=weight))
            self.y += size * LINE
        self.y += after

    def draw(self, chart: Markup, after: float = 0) -> None:
        """Put a chart, at most as wide as the column."""
        size = size_of(chart)
        self.body.append(str(chart).replace("<svg ", f'<svg x="{self.x:g}" y="{self.y:g}" ', 1))
        self.y += size.height + after

    def row(self, name: str, values: Sequence[str], *, widths: Sequence[float], strong: bool = False, size: float = 12) -> None:
        """Put a line of a table: a name, and values that end where their columns do, counted from the right."""
        right, rest = self.x + self.width, sum(widths)
        ink = "ink3" if strong else "ink"
        self.body.append(text(self.x, self.y + size, shortened(name, self.width - rest - 8, size), size=size, fill=ink))
        for value, wide in zip(values, widths, strict=True):
            place = right - rest + wide
            self.body.append(text(place, self.y + size, shortened(value, wide - 8, size), size=size, fill=ink, anchor="end"))
            rest -= wide
        self.y += size * 1.8

    def gap(self, height: float) -> None:
        """Leave room."""
        self.y += height


class Sheet:
    """One picture."""

    def __init__(self) -> None:
        self.y = MARGIN
        self._body: list[str] = []

    @property
    def width(self) -> float:
        """What is between the margins, px."""
        return WIDTH - 2 * MARGIN

    def column(self) -> Column:
        """Return a place over the whole width; `put` puts it there."""
        return Column(MARGIN, self.y, self.width)

    def put(self, column: Column, after: float = GAP) -> None:
        """Put what a column over the whole width holds."""
        self._body += column.body
        self.y = column.y + after

    def cards(self, many: int) -> list[Column]:
        """Return so many places beside each other, inside cards; `put_cards` puts them there."""
        wide = (self.width - GAP * (many - 1)) / many
        return [Column(MARGIN + at * (wide + GAP) + INSIDE, self.y + INSIDE, wide - 2 * INSIDE) for at in range(many)]

    def put_cards(self, columns: Sequence[Column]) -> None:
        """Put cards beside each other, all as high as the highest."""
        bottom = max(column.y for column in columns) + INSIDE
        for column in columns:
            self._body.append(
                rect(
                    column.x - INSIDE,
                    self.y,
                    column.width + 2 * INSIDE,
                    bottom - self.y,
                    "surface",
                    radius=10,
                    extra='stroke="var(--border)"',
                )
            )
            self._body += column.body
        self.y = bottom + GAP

    def drawn(self, title: str, desc: str) -> Markup:
        """Return the picture, as high as what was put."""
        size = Size(WIDTH, self.y - GAP + MARGIN)
        return drawing(size, rect(0, 0, size.width, size.height, "bg") + "".join(self._body), title=title, desc=desc)


def chips(column: Column, names: Sequence[str], size: float = 12) -> None:
    """Put names beside each other with arrows between, in as many lines as they need."""
    x = column.x
    for number, name in enumerate(names):
        said = shortened(name, column.width - 40, size)
        wide = width(said, size) + 14
        if x + wide > column.x + column.width and x > column.x:
            x, column.y = column.x, column.y + size * 2.1
        column.body.append(rect(x, column.y, wide, size * 1.8, "sunken", radius=5))
        column.body.append(text(x + 7, column.y + size * 1.25, said, size=size, fill="ink"))
        x += wide
        if number + 1 < len(names):
            column.body.append(text(x + 10, column.y + size * 1.25, "→", size=size, fill="ink3", anchor="middle"))
            x += 20
    column.y += size * 2.1
