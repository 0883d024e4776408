"""`backtest`: what the scores would have been worth on a log that is already there."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stream.cli import context
from stream.faults import UsageFault
from stream.screen import Column, Screen


class LandmarkChoice(StrEnum):
    """Which moments are scored."""

    daily = "daily"
    active_day = "active-day"


def backtest(
    events: Annotated[Path, typer.Argument(help="parquet, CSV or JSONL with user, ts (ms), type; optional value, channel")],
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
    tz: Annotated[str, typer.Option(help="IANA zone of calendar days; default: that of the settings")] = "",
    model: Annotated[
        str, typer.Option(help="auto: the whole catalog competes; live: what a live trainer has by default; or one by name")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="same seed, same result", min=0)] = 0,
) -> None:
    """Replay a log through the live shard and trainer: score first, learn only what has matured, then say what the scores were worth."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from features.definitions.definition import ChurnDefinition
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
    found, _ = run(
        Options(
            events, out, chosen, windows["--grace"], landmarks.value, labels, timezone, model, seed, settings.spec()
        )
    )  # fmt: skip
    _tell(found, out)


def _tell(found: dict[str, dict[str, dict[str, float | None]]], out: Path) -> None:
    from online_models.quality import FIGURES, figures_in_words

    screen = Screen()
    columns = [Column(""), *(Column(heading, right=True) for heading in FIGURES.values())]
    screen.table(columns, [(part, *figures_in_words(row)) for part, row in found["figures"].items()])
    counts = found["counts"]
    screen.line(
        f"{counts['events']:,} events in {counts['seconds']} s, {counts['censored']:,} snapshots censored. Pictures: {out / 'report.html'}"
    )
