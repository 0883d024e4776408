"""What a file of events holds, said to a person: what it was read as, whom and when it tells of, and what is not usable."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stream.alerts.spoken import duration
from stream.screen import Column, Screen
from stream.shown import Styled

if TYPE_CHECKING:
    from features.files.chunk import Fault
    from features.files.summary import Summary

MOST_TYPES = 6


def tell(summary: Summary, screen: Screen) -> None:
    """Print it."""
    screen.line(Styled(summary.file, "bold"), "  ", Styled(headline(summary), "green" if summary.sound else "red"))
    screen.facts(told(summary))
    if summary.faults:
        columns = (
            Column("rows", right=True),
            Column("what is wrong"),
            Column("field"),
            Column("first"),
            Column("value", wrapped=True),
        )
        faults = sorted(summary.faults.values(), key=lambda one: (-one.count, one.row))
        screen.table(columns, [fault_row(fault) for fault in faults], margin=2)


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
        span = duration((summary.last_ms - summary.first_ms) / 1000)
        rows.append(("users", counted(summary.users, "user", "users")))
        rows.append(("when", f"{_when(summary.first_ms)} to {_when(summary.last_ms)} UTC ({span})"))
        most = sorted(summary.types.items(), key=lambda one: (-one[1], one[0]))[:MOST_TYPES]
        more = len(summary.types) - len(most)
        total = summary.types.total() or 1
        shares = ", ".join(f"{kind} {count:,} ({count / total:.0%})" for kind, count in most)
        rows.append(("types", shares + (f" and {more:,} more" if more else "")))
    return rows + [("note", note) for note in summary.notes]


def fault_row(fault: Fault) -> tuple[str, str, str, str, str]:
    """Return one kind of fault as the cells of its row."""
    from features.files.faults import words_of

    where = f"line {fault.line:,}" if fault.line else f"row {fault.row:,}"
    return f"{fault.count:,}", words_of(fault.reason, fault.field), fault.field, where, fault.value


def _when(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
