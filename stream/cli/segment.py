"""`segment`: users that questions are asked of: by a rule over what is known of them, or a list that stays as it is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from stream.cli.made_store import made_store
from stream.cli.web_store import by_command_line, day
from stream.faults import UsageFault
from stream.screen import Column, Screen
from stream.shown import csv_cell

segment_app = typer.Typer(no_args_is_help=True)
RULE = 'condition that holds of its users, as in "purchases >= 1" or "traits.plan = pro"; several times: all hold'
FILE = "file with an id a line, or the .csv, .json or .parquet that `--users CELL --out FILE` writes; - for standard input"


@segment_app.command()
def save(
    name: Annotated[str, typer.Argument(metavar="NAME", help="by which it is asked for, as in quiet-payers")],
    rule: Annotated[list[str] | None, typer.Option("--rule", metavar="CONDITION", help=RULE)] = None,
    file: Annotated[str | None, typer.Option("--file", metavar="FILE", help=FILE)] = None,
    title: Annotated[str | None, typer.Option("--title", help="what people see; by default the name, or the title it has")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="change the segment that has this name")] = False,
) -> None:
    """Save a segment: who meets a rule, now and later, or a list of users, such as those that `--users CELL --out FILE` has found."""
    from insights.made.shelf import Missing, one
    from insights.made.shelf import save as keep
    from insights.made.things import Segment

    if (rule is None) == (file is None):
        raise UsageFault("give either --rule, once or several times, or --file")
    users = None if file is None else users_in(file)
    by = by_command_line()
    with made_store() as store, store.write() as db:
        seen, old = None, name
        if replace:
            try:
                there = one(db, Segment, name)
                seen, old = there.revision, there.what.title
            except Missing:
                pass
        made = keep(db, Segment(title=title or old, rule=tuple(rule or ())), by=by.who, now_ms=by.at_ms, name=name, seen=seen, users=users)
        by.note(db, "thing_made" if seen is None else "thing_changed", f"segment {name}")
    how = f"{len(set(users)):,} users" if users is not None else " and ".join(made.what.rule)
    Screen().line(f"segment {name} is saved: {how}. Ask of it with --segment {name}, or tell it apart with --by segment.{name}")


@segment_app.command()
def ls() -> None:
    """List all segments."""
    from insights.made.shelf import every, sizes
    from insights.made.things import Segment

    with made_store() as store, store.read() as db:
        many = sizes(db)
        rows = [
            (
                one.name,
                one.what.title,
                " and ".join(one.what.rule) or f"{many.get(one.name, 0):,} users",
                one.changed_by,
                day(one.changed_ms),
                str(one.revision),
            )
            for one in every(db, Segment)
        ]
    columns = ("name", "title", "who", "changed by", "on", "revision")
    Screen().table([Column(one, right=one == "revision", wrapped=one == "who") for one in columns], rows)


@segment_app.command()
def rm(name: Annotated[str, typer.Argument(metavar="NAME", help="its name, as in `segment ls`")]) -> None:
    """Remove a segment that no question speaks of."""
    from insights.made.shelf import one, remove
    from insights.made.things import Segment

    by = by_command_line()
    with made_store() as store, store.write() as db:
        remove(db, Segment, name, seen=one(db, Segment, name).revision)
        by.note(db, "thing_removed", f"segment {name}")
    Screen().line(f"segment {name} is removed")


def users_in(file: str) -> list[str]:
    """Read ids of users from a file; see `FILE`.

    Raises
    ------
    UsageFault
        If it cannot be read, or has none.
    """
    try:
        found = (
            _parquet(file) if file.endswith(".parquet") else _text(sys.stdin.read() if file == "-" else Path(file).read_text("utf-8-sig"))
        )
    except (OSError, UnicodeDecodeError) as error:
        raise UsageFault(f"{file} cannot be read: {error}") from None
    except (ValueError, KeyError, TypeError):
        raise UsageFault(f"{file} is no list of users: it needs a column, or in JSON a key, user") from None
    if not found:
        raise UsageFault(f"{file} has no user")
    return found


def _parquet(file: str) -> list[str]:
    import polars as pl

    try:
        return [str(one) for one in pl.read_parquet(file, columns=["user"])["user"].drop_nulls()]
    except pl.exceptions.PolarsError as error:
        raise ValueError(file) from error


def _text(text: str) -> list[str]:
    import csv
    import io
    import json

    if text.lstrip().startswith("{"):
        return [str(one["user"]) for one in json.loads(text)["users"]]
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    if rows and "user" in rows[0]:
        at = rows[0].index("user")
        return [_as_it_was(row[at]) for row in rows[1:] if row[at]]
    return [line for line in text.splitlines() if line]


def _as_it_was(cell: str) -> str:
    """Undo what `stream.shown` does to a cell that a spreadsheet would take for a formula.

    >>> _as_it_was("'=1+1"), _as_it_was("'tis")
    ('=1+1', "'tis")
    """
    return cell[1:] if cell.startswith("'") and csv_cell(cell[1:]).lstrip('"') == cell else cell
