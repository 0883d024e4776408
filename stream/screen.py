"""Everything a command prints for people goes through here: no markup, nothing hidden, and a table that fits the window.

A line is made of parts, which are plain or styled texts. Texts from outside are parts like any other; characters in them that would act on
the terminal are spelled out (`stream.shown`). In a window a table shortens what may be shortened; into a pipe or a file everything is written whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from stream.shown import Part, Styled, visible

GAP = 2
"""Blanks between two columns."""
LEAST = 10
"""Columns of the window that a cell keeps when it is shortened."""
PIPE_WIDTH = 10_000
"""Columns of a pipe or a file: as many as anything needs."""


@dataclass(frozen=True, slots=True)
class Column:
    """Head of one column of a table.

    Attributes
    ----------
    right : bool
        Whether cells are aligned to the right, as numbers are.
    shortened : bool
        Whether cells end in "…" where the window is too narrow: for ids, whose beginning tells them apart.
    wrapped : bool
        Whether cells go on in the next line where the window is too narrow: for sentences.
    """

    name: str
    right: bool = False
    shortened: bool = False
    wrapped: bool = False


def text_of(parts: Iterable[Part]) -> Text:
    """Return parts as one line of rich, everything in it visible.

    >>> text_of(["[/] ", Styled("at risk", "red")]).plain
    '[/] at risk'
    """
    line = Text()
    for part in parts:
        if isinstance(part, Styled):
            line.append(visible(part.text), part.style)
        else:
            line.append(visible(part))
    return line


class Screen:
    """Standard output, or standard error.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where to print, for a progress bar that shares the window and for tests; by default a new console.
    error : bool
        Whether that new console is standard error.
    """

    def __init__(self, console: Console | None = None, *, error: bool = False) -> None:
        self.console = console or Console(stderr=error, highlight=False, markup=False, emoji=False)
        self._is_window = self.console.is_terminal
        if not self._is_window:
            self.console.width = PIPE_WIDTH

    def line(self, *parts: Part) -> None:
        """Print one line."""
        self.console.print(text_of(parts), soft_wrap=not self._is_window)

    def lines(self, text: str, style: str = "") -> None:
        """Print a text of ours that has several lines, such as a list of faults."""
        for line in text.split("\n"):
            self.line(Styled(line, style))

    def verbatim(self, text: str) -> None:
        """Print what is to be copied or read by a program, already harmless: nothing is wrapped."""
        self.console.print(Text(text), soft_wrap=True)

    def entry(self, head: Sequence[Part], body: str, margin: int) -> None:
        """Print a head and a body: in one line where that fits, else with the body as a paragraph under the head."""
        line = text_of([*head, "  ", body]) if body else text_of(head)
        if not body or line.cell_len <= self.console.width:
            self.console.print(line, soft_wrap=True)
        else:
            self.line(*head)
            self.indented(margin, body)

    def progress(self, *columns: ProgressColumn, transient: bool = False) -> Progress:
        """Return a progress bar for work whose size is known: a title, the bar, and some columns; by default they say how much is done and what is left.

        Parameters
        ----------
        transient : bool
            Whether the bar goes away in the end.
        """
        title = TextColumn("{task.description}", markup=False)
        columns = columns or (MofNCompleteColumn(), TimeRemainingColumn())
        return Progress(title, BarColumn(), *columns, console=self.console, transient=transient)

    def indented(self, by: int, *parts: Part) -> None:
        """Print a paragraph that keeps its margin of some blanks when it is broken into lines."""
        if self._is_window:
            self.console.print(Padding(text_of(parts), (0, 0, 0, by)))
        else:
            self.line(" " * by, *parts)

    def facts(self, rows: Sequence[tuple[str, str]]) -> None:
        """Print what is known of one thing: a name and a text in each row, the texts with a margin of their own."""
        grid = Table.grid(padding=(0, GAP))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column()
        for name, text in rows:
            grid.add_row(text_of([name]), text_of([text]))
        if rows:
            self.console.print(Padding(grid, (0, 0, 0, GAP), expand=False))

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[Part]], *, margin: int = 0) -> None:
        """Print a table; numbers are never shortened, so a window too narrow for them wraps its lines."""
        cells = [[text_of([part]) for part in row] for row in rows]
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
        needed = margin + GAP * (len(columns) - 1)
        for number, column in enumerate(columns):
            gives_way = column.shortened or column.wrapped
            widest = max([cell_len(column.name), *(cell_len(row[number].plain) for row in cells)])
            needed += min(widest, LEAST) if gives_way else widest
            table.add_column(
                column.name,
                justify="right" if column.right else "left",
                no_wrap=not gives_way,
                min_width=min(widest, LEAST) if gives_way else widest,
            )
            if column.shortened:
                for row in cells:
                    row[number].no_wrap, row[number].overflow = True, "ellipsis"
        for row in cells:
            table.add_row(*row)
        window = self.console.width
        self.console.width = max(window, needed)
        self.console.print(Padding(table, (0, 0, 0, margin), expand=False) if margin else table)
        self.console.width = window
