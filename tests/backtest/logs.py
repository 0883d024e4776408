"""Makes small logs for backtests, and runs one without files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import polars as pl

from features.definitions.definition import DAY_MS, ChurnDefinition
from features.users.spec import FeatureSpec
from online_models.trainer import TrainerSettings
from stream.backtest.log import History, active_days
from stream.backtest.replay import Replay, Result

START = 1_600_000_000_000 // DAY_MS * DAY_MS
DEFINITION = ChurnDefinition(name="gone", active_window_ms=7 * DAY_MS, horizon_ms=7 * DAY_MS)
LIVE = ("cadence", "logistic", "network", "mix")


def habits(users: int = 400, days: int = 90, seed: int = 0) -> pl.DataFrame:
    """Users with a pace of their own, who come from day 0 to 60 and leave for good after a time of their own."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        at = rng.uniform(0, 60)
        pace, stays = rng.lognormal(0.0, 0.7), rng.exponential(25)
        end = min(at + stays, days)
        while at < end:
            rows.append((f"u{user}", START + int(at * DAY_MS), rng.choice(["view", "buy"], p=[0.8, 0.2])))
            at += rng.exponential(pace)
    return pl.DataFrame(rows, schema=["user", "ts", "type"], orient="row").sort("ts", maintain_order=True)


def steady(users: int = 500, days: int = 90, seed: int = 0) -> pl.DataFrame:
    """The same users, but they come at an even pace since long before the log begins: nothing changes but the users."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        at = rng.uniform(-90, days)
        pace, stays = rng.lognormal(0.0, 0.7), rng.exponential(25)
        end = min(at + stays, days)
        while at < end:
            if at >= 0:
                rows.append((f"u{user}", START + int(at * DAY_MS), "view"))
            at += rng.exponential(pace)
    return pl.DataFrame(rows, schema=["user", "ts", "type"], orient="row").sort("ts", maintain_order=True)


def history_of(frame: pl.DataFrame) -> History:
    full = frame.with_columns(value=pl.lit(None, pl.Float64), channel=pl.lit(None, pl.String))
    return History(full.select("user", "ts", "type", "value", "channel"), 0, sorted_here=False)


def written(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_parquet(folder / "events.parquet")
    return folder / "events.parquet"


def replay(
    history: History,
    definition: ChurnDefinition = DEFINITION,
    *,
    landmarks: str = "daily",
    asked: pl.DataFrame | None = None,
    models: tuple[str, ...] = LIVE,
    min_labels: int = 50,
    wanted: str = "",
    kind: type[Replay] = Replay,
) -> Result:
    if landmarks == "active-day" and asked is None:
        asked = active_days(history, definition, "UTC", 0)
    types = tuple(history.frame["type"].unique().sort().to_list())[:8]
    spec = FeatureSpec(key_events=types, lateness_ms=0, definitions=(definition,), landmarks="daily" if asked is None else "asked")
    settings = TrainerSettings(
        {definition.name: definition.horizon_ms}, models=models, min_labels=min_labels, wanted={definition.name: wanted}
    )
    return asyncio.run(kind(history, spec, settings, asked).run(lambda _done: None))
