"""An answer as the page shows it: tables with shades and links to the people behind a number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from insights.analyses.plain import Cell
from insights.charts.colours import heat_name
from insights.written.tables import Shown, Table
from stream.shown import visible

MOST_ROWS = 200
"""Lines of one table: a page is to stay light, and the files have all."""
MOST_LINKS = 600
"""Links of one page to people, for the same reason."""


class Drawn(NamedTuple):
    """One cell: its text, classes, and where it leads; "" for nowhere."""

    text: str
    classes: str
    link: str


class Part(NamedTuple):
    """One table; `of` is how many lines it has in all, `left` how many columns are text."""

    title: str
    head: tuple[str, ...]
    rows: list[list[Drawn]]
    left: int
    of: int


def parts_of(tables: Sequence[Table], link: Callable[[Cell], str] | None) -> list[Part]:
    """Return tables for the template.

    Parameters
    ----------
    link : callable, optional
        Gives the address of the people behind a cell; None for whoever may not see them.
    """
    links = 0
    parts = []
    for table in tables:
        rows = []
        for row in table.rows[:MOST_ROWS]:
            drawn = []
            for at, cell in enumerate(row):
                leads = link is not None and cell.cell is not None and bool(cell.text) and links < MOST_LINKS
                links += leads
                drawn.append(Drawn(visible(cell.text), _classes(cell, at < table.left), link(cell.cell) if leads else ""))  # type: ignore[misc,arg-type]  # `leads` says that both are there
            rows.append(drawn)
        parts.append(Part(table.title, table.head, rows, table.left, len(table.rows)))
    return parts


def _classes(cell: Shown, is_left: bool) -> str:
    kinds = [] if is_left else ["num"]
    if cell.is_open:
        kinds.append("open")
    elif cell.share is not None and cell.text:
        kinds.append(heat_name(min(1.0, cell.share)))
    return " ".join(kinds)


def cell_text(cell: Cell) -> str:
    """Name a cell for an address: short where its values allow that, else as JSON.

    >>> cell_text(Cell(metric="retention", cohort="2026-03-02", k=7)), cell_text(Cell(metric="people", path="a,b"))
    ('metric=retention,cohort=2026-03-02,k=7', '{"metric":"people","path":"a,b"}')
    """
    named = {name: value for name, value in msgspec.to_builtins(cell).items() if value is not None}
    if any("," in str(value) or str(value) != str(value).strip() for value in named.values()):
        return msgspec.json.encode(named).decode()
    return ",".join(f"{name}={value}" for name, value in named.items())
