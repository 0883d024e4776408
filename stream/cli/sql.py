"""`sql`: one SELECT over the history's views, for a question that no analysis answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stream.cli import context
from stream.cli.asking import AS_OF, open_crowd
from stream.faults import UsageFault


def sql(
    query: Annotated[
        str,
        typer.Argument(metavar="SELECT", help="one SELECT over a view of each table of the history, such as events, in DuckDB's SQL"),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="for programs: what was known, and the rows")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="for spreadsheets")] = False,
    most: Annotated[int, typer.Option("--limit", min=1, max=10_000_000, help="most rows")] = 1_000,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, max=3_600, help="broken off after so long")] = 60,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="TIME", help=AS_OF)] = None,
    memory: Annotated[str, typer.Option("--memory", help="most memory, as in 500MB or 2GB")] = "2GB",
) -> None:
    """Ask the history in SQL. Reads only: no file, no setting, no second statement; bound in time and memory. Views: docs/history.md."""
    import re

    from insights.analyses.as_plain import known_of, rows_of
    from insights.analyses.sql import ask
    from insights.written.rows import csv_of, json_of_rows
    from stream.screen import Column, Screen
    from stream.shown import json_text

    if as_json and as_csv:
        raise UsageFault("say either --csv or --json")
    if not re.fullmatch(r"[1-9]\d{0,5}\s?[MG]B", memory):
        raise UsageFault(f"--memory must be as in 500MB or 2GB, got {memory!r}")
    crowd = open_crowd(memory=memory, as_of=as_of)
    try:
        left_censored = crowd.left_censored()
        rows, has_more = ask(crowd, Path(context.settings()["history.dir"]), query, seconds=seconds, most=most)
    finally:
        crowd.close()
    screen = Screen()
    if as_json:
        screen.verbatim(json_text(json_of_rows(known_of(crowd.as_of, left_censored), rows_of(rows))))
    elif as_csv:
        for line in csv_of(rows_of(rows)):
            screen.verbatim(line)
    else:
        columns = [Column(name, right=kind.is_numeric(), shortened=not kind.is_numeric()) for name, kind in rows.schema.items()]
        screen.table(columns, [[_shown(value) for value in row] for row in rows.iter_rows()])
    if has_more:
        Screen(error=True).line(f"there are more than {most:,} rows: --limit shows more")


def _shown(value: Any) -> str:
    """Write a value as it is; null as "-", as other commands do.

    >>> _shown(None), _shown(1.5), _shown(0.1 + 0.2)
    ('-', '1.5', '0.3')
    """
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
