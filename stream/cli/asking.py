"""Questions to the whole history: a command for each analysis of the catalog, made from its parameters.

The analyses bring libraries that take half a second to load, so they are looked at only when a command is none of the others, or all are listed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from typer.core import TyperGroup

from stream.cli import context
from stream.cli.language import LangOption
from stream.cli.overview import write_overview
from stream.faults import UsageFault

if TYPE_CHECKING:
    from polars import DataFrame

    from insights.analyses.analysis import Analysis, Cell, Result
    from insights.analyses.crowd import Crowd

CELL = (
    "people behind one cell instead of the table: what the row says, as in cohort=2026-03-02,k=7 or metric=wau,cohort=2026-03-01,group=ads"
)

AS_OF = "as if nothing had happened from this time on: a day, or a time such as 2026-03-01T06:00, of the history's zone"

SEGMENT = "only the users of a segment, as if nobody else had come; `segment ls` lists them"


class Commands(TyperGroup):
    """The commands of churnwatch, with those of the analyses once they are wanted."""

    _loaded = False

    def load(self) -> None:
        """Make the commands of the analyses."""
        if not self._loaded:
            self._loaded = True
            for name, command in analyses_commands().items():
                self.commands.setdefault(name, command)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """See `click.Group`."""
        if cmd_name not in self.commands:
            self.load()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        """See `click.Group`."""
        self.load()
        return super().list_commands(ctx)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - click calls it so
        """See `click.Group`."""
        self.load()
        write_overview(self.commands, formatter)


def analyses_commands() -> dict[str, Any]:
    """Return a command for each analysis, by its name."""
    from insights.analyses.catalog import CATALOG

    made = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    for analysis in CATALOG.values():
        made.command(analysis.name.replace("_", "-"))(command_of(analysis))
    group: Any = typer.main.get_group(made)
    return dict(group.commands)


def command_of(analysis: Analysis[Any]) -> Callable[..., None]:
    """Return the function behind a command: an option for each parameter, then those that all analyses share."""
    import msgspec

    from insights.words import words

    english = words("en")
    fields = msgspec.structs.fields(analysis.parameters)

    def run(**given: Any) -> None:
        shared = {name: given.pop(name) for name in _SHARED}
        answer(analysis, given, **shared)

    parameters = []
    for field in sorted(fields, key=lambda one: one.name != analysis.arguments):
        told = english.t(f"parameter.{field.name}")
        is_list = "tuple" in str(field.type)
        kind: Any = list[str] | None if is_list and not field.required else list[str] if is_list else field.type
        if field.name == analysis.arguments:
            how: Any = typer.Argument(metavar=f"{field.name.upper()}...", help=told)
        else:
            how = typer.Option(f"--{field.name.replace('_', '-')}", help=told, metavar="TEXT" if is_list else None)
        default = inspect.Parameter.empty if field.required else None if is_list else field.default
        parameters.append(inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, how]))
    for name, (kind, default) in _SHARED.items():
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind))
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    run.__doc__ = english.t(f"analysis.{analysis.name}.asks")
    return run


_SHARED: dict[str, tuple[Any, Any]] = {
    "as_json": (Annotated[bool, typer.Option("--json", help="for programs: what was known, and rows in the long form")], False),
    "as_csv": (Annotated[bool, typer.Option("--csv", help="for spreadsheets")], False),
    "out": (Annotated[Path | None, typer.Option("--out", help="file: .parquet, .xlsx, .csv, .html or .json")], None),
    "segment": (Annotated[str | None, typer.Option("--segment", metavar="NAME", help=SEGMENT)], None),
    "as_of": (Annotated[str | None, typer.Option("--as-of", metavar="TIME", help=AS_OF)], None),
    "users": (Annotated[str | None, typer.Option("--users", metavar="CELL", help=CELL)], None),
    "lang": (LangOption, "en"),
}


def answer(
    analysis: Analysis[Any],
    given: dict[str, Any],
    *,
    as_json: bool,
    as_csv: bool,
    out: Path | None,
    segment: str | None,
    as_of: str | None,
    users: str | None,
    lang: Any,
) -> None:
    """Ask, and print or write what was found."""
    import msgspec

    from insights.analyses.as_plain import entry_of, found_of, rows_of
    from insights.asked.questions import cell_of
    from insights.words import words
    from insights.written.files import page_of, write
    from insights.written.rows import csv_of, json_of, json_of_people
    from insights.written.said import lines_under
    from insights.written.tables import people_table, tables_of
    from stream.cli.table_print import print_tables
    from stream.screen import Screen
    from stream.shown import json_text

    if as_json and as_csv:
        raise UsageFault("say either --csv or --json")
    named = {name: value for name, value in given.items() if value is not None}
    try:
        parameters = msgspec.convert(named, analysis.parameters, strict=False)  # a list of numbers comes as texts
    except msgspec.ValidationError as error:
        raise UsageFault(str(error)) from None
    cell = None if users is None else cell_of(users, entry_of(analysis))
    if cell is not None and cell.group is not None and getattr(parameters, "by", "its own") is None:
        raise UsageFault("there are groups only with --by")
    result, people = _found(analysis, parameters, cell, {**named, "segment": segment}, as_of)
    found, said = found_of(result), words(lang)
    rows = found.rows if people is None else rows_of(people)
    screen = Screen()

    def shown(width: int | None) -> list[Any]:
        return tables_of(entry_of(analysis), found, said, width) if people is None else [people_table(rows, said)]

    if out is not None:

        def page() -> str:
            tables = shown(None)
            return page_of(tables, lines_under(found, tables, said), said.t(f"analysis.{analysis.name}"), said)

        frame, name = (result.rows, "rows") if people is None else (people, "users")
        write(out, found.as_of, frame, name, page)
        screen.line(said.t("written.file", n=rows.height, file=str(out)))
    elif as_json:
        screen.verbatim(json_text(json_of(found) if people is None else json_of_people(found.as_of, rows)))
    elif as_csv:
        for line in csv_of(rows):
            screen.verbatim(line)
    else:
        print_tables(screen, shown, lambda tables: lines_under(found, tables, said))


def _found(
    analysis: Analysis[Any], parameters: Any, cell: Cell | None, asked: dict[str, Any], as_of: str | None
) -> tuple[Result, DataFrame | None]:
    """Ask the history, of the users of a segment if one is named; return the answer, and the people behind a cell of it."""
    from insights.analyses.segments import within
    from stream.cli.made_store import members_of

    segments = members_of(asked)
    crowd = open_crowd(as_of=as_of)
    try:
        notes = within(crowd, asked, segments)
        result = analysis.run(crowd, parameters)
        if cell is None:
            people = None
        elif analysis.behind is None:
            raise UsageFault(f"{analysis.name} has no list of people behind its cells")
        else:
            people = analysis.behind(crowd, parameters, cell)
    finally:
        crowd.close()
    return replace(result, notes=(*notes, *result.notes)), people


def open_crowd(memory: str = "2GB", as_of: str | None = None) -> Crowd:
    """Open the history that the settings name; `memory` is the most that DuckDB may use, `as_of` the time at which it is cut.

    Raises
    ------
    stream.faults.UsageFault
        `as_of` is no time.
    insights.history.faults.HistoryMissing
        If there is none.
    """
    from insights.analyses.crowd import Crowd
    from insights.history.reader import open_log

    settings = context.settings()
    definition = settings.definitions[0]
    log = open_log(
        Path(settings["history.dir"]),
        complete_from_ms=settings["history.complete_from"] or 0,
        activity=tuple(definition.activity),
        horizon_ms=definition.horizon_ms,
        releases=tuple(one.text for one in settings.releases),
        memory=memory,
        before_ms=None if as_of is None else _instant_ms(as_of, settings["features.timezone"]),
    )
    return Crowd(log.con, log.as_of)


def _instant_ms(text: str, zone: str) -> int:
    """Read a time, of a zone where it names none; return ms since the epoch.

    >>> _instant_ms("2026-03-01", "Europe/Berlin"), _instant_ms("2026-03-01T06:00", "UTC"), _instant_ms("2026-03-01T06:00+02:00", "UTC")
    (1772319600000, 1772344800000, 1772337600000)
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageFault(f"--as-of: a day such as 2026-03-01, or a time such as 2026-03-01T06:00, got {text!r}") from None
    return round((at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).timestamp() * 1000)
