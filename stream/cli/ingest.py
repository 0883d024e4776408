"""`ingest`: a file of events is judged as a whole, and then sent to the clicks topic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli import context
from stream.cli.file_options import Encoding, Map, Oldest, Sep, SkipBad, TsFormat, TsUnit, Type, Tz, read_options
from stream.faults import UsageFault
from stream.screen import Screen
from stream.shown import json_line

if TYPE_CHECKING:
    from features.files.options import ReadOptions
    from features.files.reader import EventFile
    from stream.settings import Settings

MOST_SHOWN = 10
"""Files that are reported one by one when all is well."""


def ingest(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="CSV, TSV, JSON, JSONL or Parquet, also .gz and .zst; several, a folder, a pattern, or - for standard input",
        ),
    ],
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
    spill: Annotated[Path | None, typer.Option(help="folder for what does not fit into memory; default: that for temporary files")] = None,
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
    found = _opened(files, options)
    if check:
        raise typer.Exit(_check(found, as_json=as_json, skip_bad=skip_bad))
    _send(settings, found, skip_bad=skip_bad, spill=spill, force=force)


def _send(settings: Settings, files: list[EventFile], *, skip_bad: int, spill: Path | None, force: bool) -> None:
    import tempfile
    import time

    from features.files.faults import FileRefused
    from features.files.order import Order
    from stream.cli.file_report import tell
    from stream.intake.ingest import Sending, judged, newest_watermark, refuse_late, refuse_unusable, refuse_without_room, send, size_of

    began = time.monotonic()
    sending = Sending(settings)  # a missing server is said before a file of hours is read
    watermark = None if force else newest_watermark(settings)
    screen = Screen()
    try:
        made = tempfile.TemporaryDirectory(prefix="churnwatch-", dir=spill)
    except OSError as error:
        raise UsageFault(
            f"nothing was sent: no folder can be made in {spill or tempfile.gettempdir()}: {error.strerror}. Say --spill with another"
        ) from error
    with made as folder:
        order = Order(Path(folder))
        refuse_without_room(files, order)
        with _bar("judging", sum(size_of(file.path) for file in files)) as told:
            try:
                judged(files, order, told)
            except FileRefused as error:
                raise UsageFault(f"nothing was sent: {error}") from None
        for file in files if len(files) <= MOST_SHOWN else [file for file in files if not file.summary.sound]:
            tell(file.summary, screen)
        refuse_unusable(files, skip_bad)
        firsts = [file.summary.first_ms for file in files if file.summary.first_ms is not None]
        if min(firsts) < settings["features.oldest"]:
            raise UsageFault(
                "nothing was sent: a worker rejects times before features.oldest; set it in churnwatch.toml to what --oldest says"
            )
        if watermark is not None:
            refuse_late(settings, files, watermark)
        with _bar("sending", sum(file.summary.usable for file in files)) as told:
            sent = send(sending, order, told)
    seconds = time.monotonic() - began
    screen.line(f"{sent:,} events sent in {seconds:.1f} s ({sent / max(seconds, 1e-9):,.0f} a second)")


def _opened(names: list[str], options: ReadOptions) -> list[EventFile]:
    import sys

    from features.files.faults import FileRefused
    from features.files.reader import EventFile, files_of
    from features.files.summary import Summary

    try:
        return [EventFile(path, options, Summary(str(path)), sys.stdin.buffer) for path in files_of(names)]
    except FileRefused as error:
        raise UsageFault(str(error)) from None


@contextmanager
def _bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """In a window, a bar that goes away in the end; yield what to tell how much is done."""
    from rich.progress import TaskProgressColumn, TimeRemainingColumn

    aside = Screen(error=True)
    if not aside.console.is_terminal:
        yield lambda _: None
        return
    with aside.progress(TaskProgressColumn(), TimeRemainingColumn(), transient=True) as progress:
        task = progress.add_task(title, total=total or None)
        yield lambda done: progress.update(task, completed=done)


def _check(files: list[EventFile], *, as_json: bool, skip_bad: int) -> int:
    """Say what each file holds; return the exit code."""
    from stream.cli.file_report import tell
    from stream.intake.ingest import size_of

    code = 0
    screen = Screen()
    for file in files:
        with _bar("judging", size_of(file.path)) as told:
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
