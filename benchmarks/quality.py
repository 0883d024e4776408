"""Every log in ../shared/data against its floors and against a gradient-boosted model retrained every week, on the same vectors and labels.

``python -m benchmarks.quality [--quick] [--only NAME] [--write]`` prints a table; with --write it also goes into RESULTS.md. Default settings, the
same for every log. The first yardstick (LightGBM) sees the same coded vectors as our models and, each week, every label that has matured by then. The second is the mean of
its risk and that of our logistic candidate, raw and in one pass.

Two calibration errors are shown: ECE over ten bins of even width, and over ten bins of equally many scores. `floor` is what the latter would be for a
perfect forecaster, outcomes drawn by user, and `excess` what is left of it (`online_models.reliability`).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does; numpy reads it when it is imported

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks.tables import put, table_of
from features.definitions.definition import DAY_MS, ChurnDefinition
from features.files.options import ReadOptions
from features.users.catalog import WIDTH
from features.users.spec import FeatureSpec
from online_models.catalog import LIVE, MIX, NAMES
from online_models.champion import RULE
from online_models.example import Examples
from online_models.learner import RAW, STATED
from online_models.logistic import Logistic
from online_models.nowcast import judged
from online_models.quality import Tally, log_loss
from online_models.reliability import reliability
from online_models.trainer import TrainerSettings
from stream.backtest.log import History, active_days, key_events, read_history, read_labels
from stream.backtest.replay import Replay, Result

DATA = Path(__file__).parents[2] / "shared" / "data"
SHOWN = {
    "n": "n", "auc": "AUC", "repeat_auc": "repeat AUC", "log_loss": "log-loss", "ece": "ECE", "ece_even": "ECE, equal bins", "floor": "floor", "excess": "excess",
}  # fmt: skip
"""Figure and heading of each column."""
WEEK_MS = 7 * DAY_MS
LEAST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the benchmark, with what is asked of it."""

    name: str
    landmarks: str
    activity: tuple[str, ...] = ()
    asked: str = ""
    days: int = 14
    """Horizon and active window."""


LEVEL = "excess .015; log-loss <= second yardstick + 1 %"
CASES = (
    Case("stepik", "active-day", asked="AUC .715, repeat .665, log-loss .548, ECE .02"),
    Case("collegemsg", "active-day", ("sent",), asked="AUC .780, log-loss .462"),
    Case("kddcup2015", "labels", asked="AUC .840"),
    Case("stepik", "daily", asked="ECE .03; log-loss <= best single + 1 %"),
    Case("collegemsg", "daily", ("sent",), asked="ECE .03; log-loss <= best single + 1 %"),
    Case("kddcup2015", "daily", asked="excess .05; log-loss <= best single + 1 %"),
    Case("jodie_wikipedia", "active-day", asked=LEVEL, days=1),
    Case("jodie_wikipedia", "active-day", asked=LEVEL, days=3),
    Case("cdnow", "active-day", asked=LEVEL, days=30),
)


class Recorded(Replay):
    """Keeps the vector of each prediction as well, for the yardsticks, what every candidate stated, and the raw risk of the logistic one."""

    vectors: dict[tuple[str, int], npt.NDArray[np.uint8]]
    stated: dict[tuple[str, int], npt.NDArray[np.float32]]
    logistic: dict[tuple[str, int], float]

    def _take_down(self, snapshots: Examples, scored_ms: int) -> None:
        if not hasattr(self, "vectors"):
            self.vectors, self.stated, self.logistic = {}, {}, {}
        for user, landmark, vector in zip(snapshots.users, snapshots.landmark_ms.tolist(), snapshots.vectors, strict=True):
            self.vectors[user, landmark] = vector
            scores = self._trainer.scores(self._definition, landmark, user)
            if scores is not None:
                self.stated[user, landmark] = scores[:, STATED].copy()
                self.logistic[user, landmark] = float(scores[self._learner.names.index("logistic"), RAW])
        super()._take_down(snapshots, scored_ms)


def kdd_labels(folder: Path) -> Path:
    """Convert the official truth: landmark at the end of the 30-day window, known 10 days later."""
    day = pl.col("start").cast(pl.Datetime("ms")).dt.epoch("ms")
    frame = pl.read_parquet(DATA / "kddcup2015" / "truth.parquet").select(
        pl.col("user").cast(pl.String), landmark_ms=day + 30 * DAY_MS - 1, label="dropout", matured_ms=day + 40 * DAY_MS - 1
    )
    frame.write_parquet(folder / "kdd_labels.parquet")
    return folder / "kdd_labels.parquet"


def history_of(case: Case) -> History:
    """Read the log of a case. Times of page edits begin in January 1970, and purchases are a file of another shape."""
    options = ReadOptions(now_ms=time.time_ns() // 1_000_000, allow_future=True, oldest_ms=0, oldest_given=True)
    if case.name == "cdnow":
        mapping = {"user": ("user_id",), "ts": ("date",), "value": ("usd",)}
        return read_history(DATA / "cdnow" / "sample.parquet", replace(options, mapping=mapping, constant_type="purchase"))
    return read_history(DATA / case.name / "events.parquet", options)


def run(case: Case, models: tuple[str, ...], folder: Path, wanted: str = "") -> tuple[Result, Recorded, History]:
    """Backtest one case."""
    history = history_of(case)
    horizon_ms = case.days * DAY_MS
    definition = ChurnDefinition(name="churn", activity=case.activity, active_window_ms=horizon_ms, horizon_ms=horizon_ms)
    asked = None
    if case.landmarks == "labels":
        asked = read_labels(kdd_labels(folder))
    elif case.landmarks == "active-day":
        asked = active_days(history, definition, "UTC", 0)
    spec = FeatureSpec(
        key_events=key_events(history), lateness_ms=0, definitions=(definition,), landmarks="daily" if asked is None else "asked"
    )
    settings = TrainerSettings(
        {definition.name: definition.horizon_ms}, models=models, wanted={definition.name: wanted},
        judged={} if case.landmarks == "labels" else judged((definition,), daily=asked is None),
    )  # fmt: skip
    replay = Recorded(history, spec, settings, asked)
    return asyncio.run(replay.run(lambda _done: None)), replay, history


def weekly_gbm(predictions: pl.DataFrame, replay: Recorded) -> npt.NDArray[np.float64]:
    """Return the scores of a model trained anew every week on all that has matured; NaN before the first one."""
    keys = zip(predictions["user"].to_list(), predictions["landmark_ms"].to_list(), strict=True)
    x = np.stack([replay.vectors[key] for key in keys])
    y, at, known = (predictions[name].to_numpy() for name in ("label", "landmark_ms", "matured_ms"))
    scores = np.full(len(y), np.nan)
    for week in np.unique(at // WEEK_MS):
        rows, ready = at // WEEK_MS == week, known < week * WEEK_MS
        if ready.sum() < LEAST_ROWS or len(np.unique(y[ready])) < 2:
            continue
        model = lgb.LGBMClassifier(
            n_estimators=150, learning_rate=0.04, num_leaves=15, min_child_samples=60, subsample=0.8, subsample_freq=1, colsample_bytree=0.6,
            reg_lambda=5, verbose=-1, n_jobs=2, random_state=0,
        )  # fmt: skip
        model.fit(x[ready], y[ready])
        scores[rows] = np.asarray(model.predict_proba(x[rows]))[:, 1]
    return scores


def figures(predictions: pl.DataFrame, scores: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return the figures of some scores, with the AUC on repeat days."""
    known = ~np.isnan(scores)
    labels, repeat = predictions["label"].to_numpy()[known], ~predictions["first_day"].to_numpy()[known]
    tally, again = Tally(), Tally()
    tally.add(labels, scores[known])
    again.add(labels[repeat], scores[known][repeat])
    found = reliability(labels, scores[known], predictions["user"].to_numpy()[known])
    return {**tally.figures(), "repeat_auc": again.auc, "ece_even": found.ece, "floor": found.floor, "excess": found.excess}


def best_single(predictions: pl.DataFrame, replay: Recorded, names: tuple[str, ...]) -> tuple[float, str, float, int]:
    """Return log-loss and name of the best single candidate among those that stated more than half of the scores; and, where it stated some, the log-loss served and the number of labels."""
    keys = zip(predictions["user"].to_list(), predictions["landmark_ms"].to_list(), strict=True)
    stated, labels = np.stack([replay.stated[key] for key in keys]), predictions["label"].to_numpy()
    served, found = log_loss(labels, predictions["score"].to_numpy()), []
    for name, losses in zip(names, log_loss(labels, stated).T, strict=True):
        known = ~np.isnan(losses)
        if name != MIX and known.mean() > 0.5:
            found.append((float(losses[known].mean()), name, float(served[known].mean()), int(known.sum())))
    return min(found)


def learning_speed() -> float:
    """Return how many examples a second the logistic learner learns in batches of 256."""
    rng = np.random.default_rng(0)
    vectors, labels = rng.integers(0, 256, (51_200, WIDTH)).astype(np.uint8), rng.integers(0, 2, 51_200).astype(np.uint8)
    model = Logistic()
    model.learn(vectors[:256], labels[:256])
    began = time.perf_counter()
    for start in range(0, len(vectors), 256):
        model.learn(vectors[start : start + 256], labels[start : start + 256])
    return len(vectors) / (time.perf_counter() - began)


def judge(case: Case, quick: bool, folder: Path) -> tuple[list[list[Any]], str]:
    """Return the rows of the table for one case, and a line on the candidates."""
    result, replay, history = run(case, LIVE if quick else NAMES, folder)
    predictions = result.predictions
    cut = history.first_ms + 0.7 * (history.last_ms - history.first_ms)
    parts = {"last 30 %": predictions.filter(pl.col("landmark_ms") >= cut), "all": predictions}
    if case.landmarks == "labels":
        parts["scored by a model"] = predictions.filter(pl.col("model") != RULE)
    gbm = pl.Series("gbm", np.full(predictions.height, np.nan) if quick else weekly_gbm(predictions, replay))
    keys = zip(predictions["user"].to_list(), predictions["landmark_ms"].to_list(), strict=True)
    both = pl.Series("both", (gbm.to_numpy() + np.array([replay.logistic.get(key, np.nan) for key in keys])) / 2)
    with_gbm = predictions.with_columns(gbm, both).select("user", "landmark_ms", "gbm", "both")
    rows = []
    for part, frame in parts.items():
        joined = frame.join(with_gbm, on=["user", "landmark_ms"])
        for who, column in (("churnwatch", "score"), ("LightGBM, weekly", "gbm"), ("its mean with logistic", "both")):
            one = figures(joined, joined[column].to_numpy())
            if one["n"]:
                rows.append([case.name, f"{case.landmarks}, {case.days} d", part, who, *(one[key] for key in SHOWN)])
    best, name, mine, n = best_single(predictions, replay, result.learner.names)
    line = (
        f"{case.name}, {case.landmarks}, {case.days} d: {result.events / result.seconds:,.0f} events/s; served log-loss {mine:.4f}, best single candidate "
        f"{name} {best:.4f}, on the same {n:,} labels. Learned examples a second: "
        + ", ".join(f"{one.name} {one.examples / max(one.learn_s, 1e-9):,.0f}" for one in result.costs)
        + f". Asked: {case.asked}."
    )
    return rows, line


def main() -> None:
    """Run all cases, or those asked for."""
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="live candidates only, no yardstick")
    parser.add_argument("--only", default="", help="one log")
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/RESULTS.md")
    options = parser.parse_args()
    if not DATA.exists():
        raise SystemExit("no ../shared/data beside the project: nothing to measure on")
    console, rows, lines = Console(), [], []
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            if options.only in {"", case.name}:
                console.print(f"{case.name}, {case.landmarks} ...", style="dim")
                some, line = judge(case, options.quick, Path(folder))
                rows += some
                lines.append(line)
        logistic, _, _ = run(CASES[0], ("cadence", "logistic"), Path(folder), "logistic")
    lines.append(f"stepik, active-day, --model logistic: {logistic.events / logistic.seconds:,.0f} events/s (asked 30,000).")
    lines.append(f"Logistic alone: {learning_speed():,.0f} examples/s (asked 100,000).")
    heads = ("log", "landmarks", "part", "who", *SHOWN.values())
    table = Table(*heads, box=None)
    for row in rows:
        table.add_row(*_cells(row))
    console.print(table)
    for line in lines:
        console.print("- " + line, highlight=False)
    if options.write:
        put("quality", f"{table_of(heads, map(_cells, rows))}\n\n" + "\n".join(f"- {line}" for line in lines))


def _cells(row: list[Any]) -> list[str]:
    return [f"{cell:,.0f}" if index == 4 else f"{cell:.4f}" if isinstance(cell, float) else str(cell) for index, cell in enumerate(row)]


if __name__ == "__main__":
    main()
