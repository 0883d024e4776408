"""`history`: the complete history of events, filled from files or from the clicks, and what it holds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stream.cli import context
from stream.cli.erase import erase_from_history
from stream.cli.file_options import Encoding, Files, Map, Oldest, Sep, SkipBad, Spill, TsFormat, TsUnit, Type, Tz, read_options
from stream.cli.judged_files import bar, spill_folder
from stream.cli.run import begin
from stream.faults import UsageFault
from stream.screen import Column, Screen
from stream.shown import Styled, json_line

if TYPE_CHECKING:
    from insights.history.events import Rules
    from insights.history.live.verify import Verdict
    from insights.history.live.verify_examples import Recount
    from stream.settings import Settings

history_app = typer.Typer(no_args_is_help=True)


@history_app.command("import")
def import_(
    files: Files,
    mapping: Map = None,
    constant_type: Type = "",
    ts_unit: TsUnit = "",
    ts_format: TsFormat = "",
    tz: Tz = "",
    oldest: Oldest = "",
    encoding: Encoding = "",
    separator: Sep = "",
    skip_bad: SkipBad = 0,
    spill: Spill = None,
) -> None:
    """Put files of events into the history. Needs no server.

    The same content is never imported twice, and an import that was stopped goes on where it was. See docs/history.md.
    """
    from stream.cli.imported import import_into

    settings = context.settings()
    options = read_options(
        settings, mapping=mapping, constant_type=constant_type, ts_unit=ts_unit, ts_format=ts_format, tz=tz, oldest=oldest,
        encoding=encoding, separator=separator,
    )  # fmt: skip
    import_into(Path(settings["history.dir"]), rules_of(settings), files, options, Screen(), skip_bad=skip_bad, spill=spill)


@history_app.command("export")
def export_(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="file to write: .parquet, .csv or .jsonl")],
    since: Annotated[
        str, typer.Option("--since", metavar="DAY", help="first day, of the history's zone; default: the first there is")
    ] = "",
    until: Annotated[str, typer.Option("--until", metavar="DAY", help="last day; default: the last there is")] = "",
    columns: Annotated[
        str, typer.Option("--columns", help="columns with commas, such as channel,value; user, ts and type are always there; default: all")
    ] = "",
) -> None:
    """Write events of the history into a file that `history import` takes back; erased users are not in it."""
    from insights.history.exporting import COLUMNS, ENDINGS, export

    if out.suffix not in ENDINGS:
        raise UsageFault(f"cannot write {out.suffix or 'a file without an ending'}: take one of {', '.join(ENDINGS)}")
    wanted = [name.strip() for name in columns.split(",") if name.strip()] or list(COLUMNS)
    for name in wanted:
        if name not in COLUMNS:
            raise UsageFault(f"--columns: there is no column {name!r}; there are: {', '.join(COLUMNS)}")
    for option, day in (("--since", since), ("--until", until)):
        if day and not _is_day(day):
            raise UsageFault(f"{option}: a day such as 2026-03-01, got {day!r}")
    if since and until and since > until:
        raise UsageFault(f"--since ({since}) is after --until ({until})")
    try:
        done = export(Path(context.settings()["history.dir"]), out, since=since, until=until, columns=wanted)
    except OSError as error:
        raise UsageFault(f"cannot write {out}: {error.strerror or error}") from None
    screen = Screen()
    screen.line(f"{done.rows:,} events of {done.days:,} days in {out}, of version {done.version} of the history")
    if done.erased:
        screen.line(f"{done.erased:,} events of erased users were left out")


def _is_day(text: str) -> bool:
    """Whether a text is a day as folders are named by it.

    >>> _is_day("2026-03-01"), _is_day("2026-3-1"), _is_day("2026-02-30"), _is_day("20260301")
    (True, False, False, False)
    """
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


@history_app.command("run")
def run_(
    partial: Annotated[
        bool,
        typer.Option("--partial", help="go on although retention has deleted records that were not read yet; they are counted as lost"),
    ] = False,
) -> None:
    """Write the clicks into the history until SIGTERM. Several may run; all but one then wait."""
    begin()
    from insights.history.live.program import main

    settings = context.settings()
    raise typer.Exit(main(settings, rules_of(settings), partial=partial))


@history_app.command("status")
def status_(as_json: Annotated[bool, typer.Option("--json", help="as one JSON object")] = False) -> None:
    """Say what the history holds and how far it is."""
    from insights.history.status import status

    found = status(Path(context.settings()["history.dir"]))
    screen = Screen()
    if as_json:
        screen.verbatim(json_line(found))
        return
    watermark = found["watermark_ms"]
    known = "nothing yet" if watermark is None else _moment(watermark)
    rejected = ", ".join(f"{count:,} {reason}" for reason, count in sorted(found["rejected"].items())) or "none"
    screen.line(Styled(found["folder"], "bold"), f"  version {found['version']}")
    screen.facts(
        [
            ("events", f"{found['events']:,} on {found['days']:,} days ({found['first_day']} to {found['last_day']}, {found['timezone']})"),
            ("known up to", known),
            ("files", f"{found['files']:,}, {found['bytes'] / 1e6:,.1f} MB"),
            ("repeats", f"{found['repeats']:,} dropped"),
            ("late", f"{found['late']:,}, kept"),
            ("rejected", rejected),
            ("erased", f"{found['rows_erased']:,} rows; {found['users_to_erase']:,} users wait for the next pass"),
            ("to derive", f"{found['days_to_derive']:,} days; questions compute them meanwhile" if found["days_to_derive"] else "nothing"),
            *((name, _followed(table)) for name, table in found["followed"].items()),
            *((f"offset of {source.rpartition('/')[2]}", f"{offset:,}") for source, offset in found["offsets"].items()),
        ]
    )


@history_app.command("verify")
def verify_(
    spill: Annotated[Path | None, typer.Option(help="folder for the events of the topic; default: that for temporary files")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="as one JSON object")] = False,
) -> None:
    """Read the clicks and the examples again from their beginning, and say whether each is in the history once. Ends with 2 if not."""
    import asyncio
    from dataclasses import asdict

    from features.events.columns import ColumnReader
    from insights.history.live.clicks import topic_now
    from insights.history.live.verify import verify
    from insights.history.live.verify_examples import verify_examples
    from insights.history.status import status
    from stream.kafka.connection import connection_of
    from stream.kafka.topics import topic_names

    settings = context.settings()
    dir_, connection = Path(settings["history.dir"]), connection_of(settings)
    names = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])
    topic, examples = topic_now(connection, names["clicks"]), topic_now(connection, names["examples"], "examples")
    reader = ColumnReader(settings.spec(), settings.rules().for_senders())
    offsets = status(dir_)["offsets"]
    with spill_folder(spill, "nothing was read") as folder, bar("reading", sum(offsets.values())) as told:
        found = asyncio.run(verify(dir_, folder, connection, topic, reader, told))
    with spill_folder(spill, "nothing was read") as folder:
        said = asyncio.run(verify_examples(dir_, folder, connection, examples))
    sound = found.sound and all(one.sound for one in said.values())
    screen = Screen()
    if as_json:
        screen.verbatim(json_line({**asdict(found), "tables": {name: asdict(one) for name, one in said.items()}}))
    else:
        columns = (
            Column("partition", right=True),
            Column("day"),
            Column("in the topic", right=True),
            Column("held", right=True),
            Column("repeats", right=True),
        )
        screen.table(columns, [(f"{part}", day, *(f"{count:,}" for count in counts)) for part, day, *counts in found.days])
        recounts: dict[str, Verdict | Recount] = {"": found, **{f"{table}: ": recount for table, recount in said.items()}}
        for name, one in recounts.items():
            screen.line(name, Styled("sound" if one.sound else "not sound", "green" if one.sound else "red"),
                        f": {one.lost:,} lost, {one.foreign:,} foreign, {one.doubled:,} doubled")  # fmt: skip
        if found.other_days:
            screen.line(f"{found.other_days:,} events came again with a time of another day, and count twice")
        if found.joined:
            screen.line(
                f"{found.joined:,} ids count under another, {found.misjoined:,} of them otherwise than the alias events say; {found.other_ids:,} events came under several ids of a person"
            )
        if found.erased or found.to_erase:
            screen.line(
                f"{found.erased:,} events are of erased users or erase somebody, and were not asked for; {found.to_erase:,} of their rows wait for the next pass"
            )
        if gone := found.gone + sum(one.gone for one in said.values()):
            screen.line(f"{gone:,} rows are older than what the topic still has, and were held against nothing")
    raise typer.Exit(0 if sound else 2)


def _followed(table: dict[str, Any]) -> str:
    """Say how many rows there are of what the engine said, and up to when."""
    missing = f"; {table['lost']:,} examples are missing" if table["lost"] else ""
    known = f", up to {_moment(table['watermark_ms'])}" if table["watermark_ms"] is not None else ""
    return f"{table['rows']:,}{known}, {table['files']:,} files, {table['bytes'] / 1e6:,.1f} MB{missing}"


def _moment(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


history_app.command("erase")(erase_from_history)


def rules_of(settings: Settings) -> Rules:
    """Return what days, visits and money mean, as the settings say."""
    from insights.history.events import Rules

    set_aside = settings.spec().set_aside
    return Rules(settings["features.timezone"], settings["features.session_gap"], settings["features.revenue_events"], set_aside)
