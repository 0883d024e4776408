"""What a file of events holds, said to a person: what it was read as, whom and when it tells of, and what is not usable."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from features.files.chunk import Fault
    from features.files.summary import Summary

MOST_TYPES = 6
DAY_MS = 86_400_000


def tell(summary: Summary, console: Console) -> None:
    """Print it; nothing of the file is taken as markup or reaches the terminal as a control character."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    title = Text(_visible(summary.file), style="bold")
    title.append("  " + headline(summary), style="green" if summary.sound else "red")
    console.print(title)
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    for name, text in told(summary):
        facts.add_row(name, Text(_visible(text)))
    if facts.row_count:
        console.print(Padding(facts, (0, 0, 0, 2)))
    if summary.faults:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for name, justify in (
            ("rows", "right"),
            ("what is wrong", "left"),
            ("field", "left"),
            ("first", "left"),
            ("there it says", "left"),
        ):
            table.add_column(name, justify=justify, header_style="dim")  # type: ignore[arg-type]  # one of rich's words
        for fault in sorted(summary.faults.values(), key=lambda one: (-one.count, one.row)):
            table.add_row(*(Text(_visible(text)) for text in fault_row(fault)))
        console.print(Padding(table, (0, 0, 0, 2)))


def headline(summary: Summary) -> str:
    """Return the verdict in a few words."""
    from features.files.reader import counted

    if summary.refused:
        return "refused"
    rows = counted(summary.rows, "row", "rows")
    return f"{rows}, all usable" if summary.sound else f"{rows}, {summary.usable:,} usable, {summary.unusable:,} not"


def told(summary: Summary) -> list[tuple[str, str]]:
    """Return what there is to say of the whole file, as names and texts."""
    from features.files.reader import counted

    rows: list[tuple[str, str]] = [("why", summary.refused)] if summary.refused else []
    if summary.first_ms is not None and summary.last_ms is not None:
        days = (summary.last_ms - summary.first_ms) / DAY_MS
        rows.append(("users", counted(summary.users, "user", "users")))
        rows.append(("when", f"{_when(summary.first_ms)} to {_when(summary.last_ms)} UTC ({days:,.1f} days)"))
        most = sorted(summary.types.items(), key=lambda one: (-one[1], one[0]))[:MOST_TYPES]
        more = len(summary.types) - len(most)
        total = summary.types.total() or 1
        shares = ", ".join(f"{kind} {count:,} ({count / total:.0%})" for kind, count in most)
        rows.append(("types", shares + (f" and {more:,} more" if more else "")))
    return rows + [("note" if i == 0 else "", note) for i, note in enumerate(summary.notes)]


def fault_row(fault: Fault) -> tuple[str, str, str, str, str]:
    """Return one kind of fault as the cells of its row."""
    from features.files.faults import words_of

    where = f"line {fault.line:,}" if fault.line else f"row {fault.row:,}"
    return f"{fault.count:,}", words_of(fault.reason), fault.field, where, fault.value


def _when(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _visible(text: str) -> str:
    return text if text.isprintable() else "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)
