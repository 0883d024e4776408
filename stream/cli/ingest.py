"""`ingest`: a file of events is judged as a whole, and then sent to the clicks topic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli import context
from stream.cli.file_options import Encoding, Files, Map, Oldest, Sep, SkipBad, Spill, TsFormat, TsUnit, Type, Tz, read_options
from stream.cli.judged_files import bar, in_order, opened_files, spill_folder
from stream.faults import UsageFault
from stream.screen import Screen
from stream.shown import json_line

if TYPE_CHECKING:
    from features.files.reader import EventFile
    from stream.settings import Settings

REFUSAL = "nothing was sent"


def ingest(
    files: Files,
    check: Annotated[bool, typer.Option("--check", help="only say what the files hold; needs no server")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="with --check: one JSON object a file")] = False,
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
    force: Annotated[bool, typer.Option("--force", help="send events older than the watermark; they will be dead letters")] = False,
) -> None:
    """Judge files of events and send them to the clicks topic, in order of time.

    Nothing is sent before everything is read and found usable. See docs/files.md.
    """
    settings = context.settings()
    options = read_options(
        settings, mapping=mapping, constant_type=constant_type, ts_unit=ts_unit, ts_format=ts_format, tz=tz, oldest=oldest,
        encoding=encoding, separator=separator,
    )  # fmt: skip
    if as_json and not check:
        raise UsageFault("--json goes with --check")
    found = opened_files(files, options)
    if check:
        raise typer.Exit(_check(found, as_json=as_json, skip_bad=skip_bad))
    _send(settings, found, skip_bad=skip_bad, spill=spill, force=force)


def _send(settings: Settings, files: list[EventFile], *, skip_bad: int, spill: Path | None, force: bool) -> None:
    import time

    from stream.intake.ingest import Sending, newest_watermark, refuse_late, send

    began = time.monotonic()
    sending = Sending(settings)  # a missing server is said before a file of hours is read
    watermark = None if force else newest_watermark(settings)
    screen = Screen()
    with spill_folder(spill, REFUSAL) as folder:
        order = in_order(files, folder, screen, skip_bad=skip_bad, refusal=REFUSAL)
        firsts = [file.summary.first_ms for file in files if file.summary.first_ms is not None]
        if min(firsts) < settings["features.oldest"]:
            raise UsageFault(
                "nothing was sent: a worker rejects times before features.oldest; set it in churnwatch.toml to what --oldest says"
            )
        if watermark is not None:
            refuse_late(settings, files, watermark)
        with bar("sending", sum(file.summary.usable for file in files)) as told:
            sent = send(sending, order, told)
    seconds = time.monotonic() - began
    screen.line(f"{sent:,} events sent in {seconds:.1f} s ({sent / max(seconds, 1e-9):,.0f} a second)")


def _check(files: list[EventFile], *, as_json: bool, skip_bad: int) -> int:
    """Say what each file holds; return the exit code."""
    from features.files.whole import size_of
    from stream.cli.file_report import tell

    code = 0
    screen = Screen()
    for file in files:
        with bar("judging", size_of(file.path)) as told:
            for _ in file.frames(told):
                pass
        if as_json:
            screen.verbatim(json_line(file.summary.plain()))
        else:
            tell(file.summary, screen)
            if file.summary.usable and not file.summary.good_enough(skip_bad):
                screen.indented(2, f"mend the file, or leave these rows out: --skip-bad {file.summary.unusable}")
        code = code if file.summary.good_enough(skip_bad) else 2
    return code
