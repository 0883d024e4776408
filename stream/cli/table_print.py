"""Tables of analyses in a terminal: shares shaded, open cells in italics, as many columns as the window has room for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from stream.screen import PIPE_WIDTH, Column, Screen
from stream.shown import Styled

if TYPE_CHECKING:
    from insights.written.tables import Shown, Table

SHADES = (
    (0.02, "black on #f4f8fc"), (0.05, "black on #e3eef8"), (0.1, "black on #cfe1f2"), (0.2, "black on #abcde8"), (0.35, "black on #7fb2da"),
    (0.5, "white on #3f86c4"), (0.75, "white on #2468a8"), (2.0, "white on #134a82"),
)  # fmt: skip
"""Up to which share a shade reaches, and its style: dark on light and light on dark, so that it reads in any terminal."""


def print_tables(screen: Screen, tables: Callable[[int | None], list[Table]], under: Callable[[list[Table]], list[str]]) -> None:
    """Print tables and what stands under them.

    Parameters
    ----------
    tables : callable
        Makes them for a width in characters; None: of any width.
    under : callable
        Makes the lines under them.
    """
    width = screen.console.width
    made = tables(None if width >= PIPE_WIDTH else width)
    for table in made:
        if table.title:
            screen.line(Styled(table.title, "bold"))
        columns = [Column(name, right=at >= table.left, shortened=at < table.left) for at, name in enumerate(table.head)]
        if not table.rows:
            continue
        marked = {at for row in table.rows for at, cell in enumerate(row) if cell.is_open}
        screen.table(columns, [[_part(cell, at in marked) for at, cell in enumerate(row)] for row in table.rows])
        screen.line("")
    for line in under(made):
        screen.line(Styled(line, "dim"))


def _part(cell: Shown, keep_place: bool) -> str | Styled:
    """Return a cell with its style; in a column with a mark, those without one keep its place, so that numbers stand under each other."""
    if cell.is_open:
        return Styled(cell.text, "italic")
    if keep_place and cell.text:
        cell = cell._replace(text=f"{cell.text} ")
    if cell.share is None or not cell.text:
        return cell.text
    return Styled(cell.text, next(style for most, style in SHADES if cell.share <= most))
