"""`backtest`: what the scores would have been worth on a log that is already there."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from stream.cli import context
from stream.cli.file_options import Encoding, Map, Oldest, Sep, TsFormat, TsUnit, Type, read_options
from stream.faults import UsageFault
from stream.screen import Column, Screen


class LandmarkChoice(StrEnum):
    """Which moments are scored."""

    daily = "daily"
    active_day = "active-day"


def backtest(
    events: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="files of events, as for `ingest`; rows that are not usable are left out and counted"),
    ],
    out: Annotated[Path, typer.Option(help="folder for predictions.parquet, report.json and report.html")],
    definition: Annotated[str, typer.Option(help="a churn definition of churnwatch.toml; else the options below make one")] = "",
    active_window: Annotated[str, typer.Option(help="a user is eligible when active within this")] = "14d",
    horizon: Annotated[str, typer.Option(help="no activity for this long is churn")] = "14d",
    grace: Annotated[str, typer.Option(help="how long after the horizon a label is final")] = "0s",
    landmarks: Annotated[
        LandmarkChoice, typer.Option(help="daily: as a worker; active-day: at the end of each day with activity")
    ] = LandmarkChoice.daily,
    activity: Annotated[str, typer.Option(help="event types that count as activity, comma between; empty: all")] = "",
    labels: Annotated[Path | None, typer.Option(help="landmarks and labels from outside: user, landmark_ms, label, matured_ms")] = None,
    tz: Annotated[str, typer.Option(help="IANA zone of calendar days and of times that have none; default: that of the settings")] = "",
    model: Annotated[
        str, typer.Option(help="auto: the whole catalog competes; live: what a live trainer has by default; or one by name")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="same seed, same result", min=0)] = 0,
    mapping: Map = None,
    constant_type: Type = "",
    ts_unit: TsUnit = "",
    ts_format: TsFormat = "",
    oldest: Oldest = "",
    encoding: Encoding = "",
    separator: Sep = "",
) -> None:
    """Replay a log through the live shard and trainer: score first, learn only what has matured, then say what the scores were worth."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from features.definitions.definition import ChurnDefinition
    from features.files.faults import FileRefused
    from features.files.reader import files_of
    from online_models.catalog import NAMES
    from stream.backtest.run import AUTO, LIVE_SET, Options
    from stream.backtest.run import backtest as run
    from stream.settings import duration_ms, nearest

    settings = context.settings()
    if model not in {AUTO, LIVE_SET, *NAMES}:
        raise UsageFault(f"--model: no model {model!r}{nearest(model, list(NAMES))}; there are auto, live, {', '.join(NAMES)}")
    timezone = tz or settings["features.timezone"]
    try:
        ZoneInfo(timezone)
        windows = {
            name: duration_ms(text) for name, text in (("--active-window", active_window), ("--horizon", horizon), ("--grace", grace))
        }
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageFault(f"{error}") from None
    if definition:
        known = {one.name: one for one in settings.definitions}
        if definition not in known:
            raise UsageFault(
                f"--definition: no definition {definition!r}{nearest(definition, list(known))}; the settings have {', '.join(known)}"
            )
        chosen = known[definition]
    else:
        types = tuple(filter(None, activity.split(",")))
        chosen = ChurnDefinition(name="churn", active_window_ms=windows["--active-window"], horizon_ms=windows["--horizon"], activity=types)
    reading = read_options(
        settings, mapping=mapping, constant_type=constant_type, ts_unit=ts_unit, ts_format=ts_format, tz=tz, oldest=oldest,
        encoding=encoding, separator=separator, allow_future=True,
    )  # fmt: skip
    try:
        files = files_of(events)
    except FileRefused as error:
        raise UsageFault(str(error)) from None
    found, _ = run(
        Options(
            files, out, chosen, windows["--grace"], landmarks.value, labels, timezone, model, seed, settings.spec(), reading
        )
    )  # fmt: skip
    _tell(found, out)


def _tell(found: dict[str, Any], out: Path) -> None:
    from online_models.quality import FIGURES, figures_in_words

    screen = Screen()
    counts, about = found["counts"], found["about"]
    if about["empty"]:
        screen.line(f"Nothing to grade: {about['empty']}")
    else:
        columns = [Column(""), *(Column(heading, right=True) for heading in FIGURES.values())]
        screen.table(columns, [(part, *figures_in_words(row)) for part, row in found["figures"].items()])
    for line in left_out(about, counts):
        screen.line(line)
    screen.line(
        f"{counts['events']:,} events in {counts['seconds']} s, {counts['censored']:,} snapshots censored. Pictures: {out / 'report.html'}"
    )


def left_out(about: Mapping[str, Any], counts: Mapping[str, Any]) -> list[str]:
    """Say what of the files took no part, and what was noticed.

    >>> left_out({"rows": 300, "rows_rejected": 150, "rejected_by_reason": {"wrong_type (ts)": 150}, "notes": []}, {"repeats": 2})
    ['150 of 300 rows were left out: 150 wrong_type (ts)', '2 repeats were dropped, as a worker drops them: their user had an event of the same id shortly before']
    """
    lines = []
    if about["rows_rejected"]:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in about["rejected_by_reason"].items())
        lines.append(f"{about['rows_rejected']:,} of {about['rows']:,} rows were left out: {reasons}")
    if counts["repeats"]:
        lines.append(
            f"{counts['repeats']:,} repeats were dropped, as a worker drops them: their user had an event of the same id shortly before"
        )
    return lines + [f"note: {note}" for note in about["notes"]]
