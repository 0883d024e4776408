"""`explore`: what a log of events tells, on one machine, without a server."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.request import urlopen

import typer

from stream.cli import context
from stream.cli.file_options import Encoding, Files, Map, Oldest, Sep, SkipBad, Spill, TsFormat, TsUnit, Type, Tz, read_options
from stream.cli.language import LangOption
from stream.faults import UsageFault
from stream.screen import Column, Screen

if TYPE_CHECKING:
    from insights.explore.guess import Guess
    from insights.history.reader import Log
    from stream.settings import Settings

HISTORY, SETTINGS, STORE, EVENTS, RISK = "history", "churnwatch.toml", "page.db", "events.parquet", "risk"
"""What an exploration's folder holds: the last two are the log as a backtest reads it, and what the backtest says."""
MOST_DAYS = 61
"""Longest horizon, days: the engine keeps 64 days of landmarks, and lateness is among them."""


def explore(
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
    horizon: Annotated[str, typer.Option(help="no activity for so long is gone, such as 30d; default: what the silences say")] = "",
    key_events: Annotated[
        str, typer.Option(help="event types with features of their own, comma between; default: those of most people")
    ] = "",
    revenue: Annotated[
        str, typer.Option(help="event types whose value is money, comma between; default: those that nearly always have a value")
    ] = "",
    funnel: Annotated[
        str, typer.Option(help="event types in order, comma between; default: the way to money, else as people first come to them")
    ] = "",
    folder: Annotated[Path | None, typer.Option(help="keep everything here, for the next time; default: a folder that goes away")] = None,
    address: Annotated[str, typer.Option(help="where the pages are")] = "127.0.0.1:6080",
    report: Annotated[Path | None, typer.Option(help="write the pages into one HTML file, too")] = None,
    lang: LangOption = "en",
    serve: Annotated[bool, typer.Option(help="serve the pages until Ctrl-C")] = True,
) -> None:
    """Show what a log of events tells: who comes back, where people are lost, who is worth what, and how well it could be foreseen.

    Needs no server. Says what it takes for granted, from what, and which option changes it.
    """
    from insights.explore.grounds import first_of, grounds_of
    from insights.explore.settings_of import toml_of
    from insights.history.events import Rules
    from insights.words import words
    from stream.cli.imported import import_into

    if not serve and report is None:
        raise UsageFault("with --no-serve nothing would be seen: name a file with --report")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    screen, given = Screen(), _given(horizon, key_events, revenue, funnel)
    options = read_options(
        context.settings(), mapping=mapping, constant_type=constant_type, ts_unit=ts_unit, ts_format=ts_format, tz=tz, oldest=oldest,
        encoding=encoding, separator=separator, allow_future=True,
    )  # fmt: skip
    with _place(folder) as here:
        import_into(
            here / HISTORY, Rules(options.zone, 1_800_000, ()), files, options, screen, skip_bad=skip_bad, spill=spill, derive=False
        )
        with _opened(here) as log:
            found = _guessed(log, given)
            log.con.execute(f"COPY ({_AS_READ}) TO '{here / EVENTS}'")
        (here / SETTINGS).write_text(toml_of(found, options.zone), encoding="utf-8")
        w = words(lang)
        grounds = grounds_of(found, options.zone, {*given, *(("zone",) if tz else ())}, w)
        columns = [
            Column(w.t("Taken for granted")),
            Column("", wrapped=True),
            Column(w.t("because"), wrapped=True),
            Column(w.t("otherwise say")),
        ]
        screen.table(columns, grounds)
        settings = _settings(here, address)
        _derive(here, settings)
        with _backtest(here, settings.definitions[0].name):
            _show(here, settings, screen, report, first_of(grounds, w), lang, serve=serve)


def _show(here: Path, settings: Settings, screen: Screen, report: Path | None, first: str, lang: str, *, serve: bool) -> None:
    """Serve the pages, and write the report once their answers are there."""
    from insights.web.alone import Alone
    from insights.web.printed import printed

    with Alone(settings) as page:
        screen.line(f"the pages are at {page.url}" if serve else "computing what the report shows")
        if report is not None:
            report.write_text(printed(lambda path: _got(page.url + path), lang, first), encoding="utf-8")
            screen.line(f"report: {report}")
        if serve:
            screen.line(f"how well leaving could be foreseen: {here / RISK / 'report.html'}, in a moment. Ctrl-C ends it.")
            page.wait()


def _got(address: str) -> str:
    with urlopen(address, timeout=60) as answer:  # noqa: S310 - our own pages, on loopback
        text: str = answer.read().decode()
    return text


@contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    """Yield the folder of the exploration; one that nobody named goes away in the end."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="churnwatch-explore-") as made:
            yield Path(made)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageFault(f"--folder: {folder}: {error.strerror}") from error
    yield folder


@contextmanager
def _opened(here: Path) -> Iterator[Log]:
    from insights.history.reader import open_log

    log = open_log(here / HISTORY)
    try:
        yield log
    finally:
        log.con.close()


def _given(horizon: str, key_events: str, revenue: str, funnel: str) -> dict[str, Any]:
    """Return what was said, by its name in a guess."""
    said = {"horizon_days": _days(horizon), "key_events": _names(key_events), "revenue": _names(revenue), "funnel": _names(funnel)}
    return {name: value for name, value in said.items() if value}


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for one in text.split(",") if (name := one.strip()))


def _days(horizon: str) -> int:
    """Return the whole days of a duration; 0 for none."""
    from stream.settings import duration_ms

    if not horizon:
        return 0
    try:
        days, rest = divmod(duration_ms(horizon), 86_400_000)
    except ValueError as error:
        raise UsageFault(f"--horizon: {error}") from None
    if rest or not 1 <= days <= MOST_DAYS:
        raise UsageFault(f"--horizon: whole days from 1d to {MOST_DAYS}d, got {horizon}")
    return days


def _guessed(log: Log, given: Mapping[str, Any]) -> Guess:
    """Return what a log suggests, with what was said in its place."""
    from insights.analyses.crowd import Crowd
    from insights.explore.guess import guess

    return replace(guess(Crowd(log.con, log.as_of)), **given)


def _settings(here: Path, address: str) -> Settings:
    from stream.settings import load_settings

    return load_settings(
        here / SETTINGS, {}, history__dir=str(here / HISTORY), page__address=address, page__store=f"sqlite:///{here / STORE}"
    )


def _derive(here: Path, settings: Settings) -> None:
    """Tell the history which events are money, and derive what follows."""
    from insights.history.derived import derive_all
    from insights.history.events import Events
    from stream.cli.history import rules_of

    Events(here / HISTORY, rules_of(settings))
    derive_all(here / HISTORY)


@contextmanager
def _backtest(here: Path, definition: str) -> Iterator[None]:
    """Say beside the pages how well leaving could have been foreseen; whoever ends the pages ends it."""
    command = [sys.executable, "-m", "stream", "-c", str(here / SETTINGS), "backtest", str(here / EVENTS), "--definition", definition,
               "--model", "live", "--out", str(here / RISK)]  # fmt: skip
    with (here / "risk.log").open("wb") as log:
        running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603 - a fixed command
    try:
        yield
    finally:
        running.terminate()
        running.wait()


_AS_READ = 'SELECT "user", epoch_ms(ts) AS ts, type, value, item, session, channel, props FROM events ORDER BY ts, part, off'
"""The log as a file that the reader of files takes."""
