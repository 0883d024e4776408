"""The replay itself: one shard, one trainer, and a store in memory. Each prediction is written down when it is made.

For every batch of the log the shard makes a step, the trainer's candidates score its snapshots, and the scores are written down. Only then are
the labels that have matured by now graded and learned, so a prediction at time t uses nothing that matured after t.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from features.events.event import Reason
from features.store.memory import MemoryStore
from features.users.catalog import WIDTH
from features.users.spec import FeatureSpec
from features.users.state import NEVER
from online_models.candidate import Candidate
from online_models.catalog import MIX
from online_models.champion import RULE
from online_models.example import LABEL, SNAPSHOT, ExampleBlock, Examples, concatenate
from online_models.learner import RAW, STATED, Learner
from online_models.quality import first_day
from online_models.scorer import Champion
from online_models.trainer import Trainer, TrainerSettings, Version
from stream.alerts.policy import PolicySettings
from stream.backtest.log import History, steps
from stream.shard.records import Records
from stream.shard.settings import ShardSettings
from stream.shard.step import Shard, Step, answered

NO_ALERTS = PolicySettings(threshold=2.0)
ROUNDING = 1.01 / 65_535
"""How much a stored risk may differ from the stated one, since it is stored in 16 bits."""


@dataclass(slots=True)
class Timed:
    """A candidate with a stopwatch: how many examples it learned, and in how many seconds."""

    inner: Candidate
    name: str = ""
    learn_s: float = 0.0
    examples: int = 0

    def learn(self, vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> None:
        """See `Candidate`."""
        began = time.perf_counter()
        self.inner.learn(vectors, labels)
        self.learn_s += time.perf_counter() - began
        self.examples += len(labels)

    def scorer(self) -> Any:
        """See `Candidate`."""
        began = time.perf_counter()
        compiled = self.inner.scorer()
        self.learn_s += time.perf_counter() - began
        return compiled

    def hurry(self) -> None:
        """See `Candidate`."""
        self.inner.hurry()

    def state(self) -> Any:
        """See `Candidate`."""
        return self.inner.state()

    def restore(self, state: Any) -> None:
        """See `Candidate`."""
        self.inner.restore(state)


@dataclass(slots=True)
class Moment:
    """How things stood after a step that made a version, for the pictures over time."""

    at_ms: int
    champion: str
    losses: dict[str, float]


@dataclass(slots=True)
class Result:
    """What a replay gave.

    Attributes
    ----------
    predictions : DataFrame
        One row for each label, see `PREDICTION_COLUMNS`.
    censored : int
        Snapshots without a label, because the log ends before it would have matured.
    by_day : DataFrame
        One row for each UTC day of landmarks: `day`, `n`, `seen` (the share that churned), `served` (the mean stated risk), and the mean risk by each
        layer, null where one said nothing yet.
    repeats : int
        Events dropped because their user had one of the same id shortly before, as a worker drops them.
    """

    predictions: pl.DataFrame
    censored: int
    learner: Learner
    moments: list[Moment]
    versions: list[Version]
    costs: list[Timed]
    seconds: float
    events: int
    by_day: pl.DataFrame
    repeats: int = 0


PREDICTION_COLUMNS = (
    "user",
    "landmark_ms",
    "score",
    "raw_score",
    "model",
    "label",
    "matured_ms",
    "first_day",
    "scored_ms",
    "learned_until_ms",
)


@dataclass(slots=True)
class _Book:
    """Collects predictions as they are made, by user and landmark, and their labels as they come."""

    rows: dict[tuple[str, int], int] = field(default_factory=dict)
    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in PREDICTION_COLUMNS})
    labels: dict[int, tuple[int, int]] = field(default_factory=dict)
    layers: list[list[float]] = field(default_factory=list)
    """What each layer said, a row for each prediction."""

    def predicted(
        self, user: str, landmark_ms: int, scored_ms: int, learned_until_ms: int, model: str, raw: float, stated: float, first: bool
    ) -> None:
        self.rows[user, landmark_ms] = len(self.rows)
        for name, value in (
            ("user", user), ("landmark_ms", landmark_ms), ("score", stated), ("raw_score", raw), ("model", model), ("first_day", first),
            ("scored_ms", scored_ms), ("learned_until_ms", learned_until_ms),
        ):  # fmt: skip
            self.columns[name].append(value)

    def matured(self, user: str, landmark_ms: int, label: int, matured_ms: int) -> None:
        self.labels[self.rows[user, landmark_ms]] = (label, matured_ms)

    def by_day(self, names: Sequence[str]) -> pl.DataFrame:
        """Return the days of `Result.by_day`; `names` are those of the layers."""
        said = np.array(self.layers, np.float32).reshape(-1, len(names))
        rows = pl.DataFrame({name: said[:, place] for place, name in enumerate(names)}).with_row_index("row").fill_nan(None)
        every = rows.with_columns(
            landmark_ms=pl.Series(self.columns["landmark_ms"], dtype=pl.Int64), served=pl.Series(self.columns["score"], dtype=pl.Float64)
        )
        known = pl.DataFrame(
            {"row": list(self.labels), "seen": [label for label, _ in self.labels.values()]}, schema={"row": pl.UInt32, "seen": pl.Float64}
        )
        day = pl.from_epoch("landmark_ms", time_unit="ms").dt.date().alias("day")
        return every.join(known, on="row").group_by(day).agg(pl.len().alias("n"), pl.col("seen", "served", *names).mean()).sort("day")

    def frame(self) -> pl.DataFrame:
        made = {name: values for name, values in self.columns.items() if name not in {"label", "matured_ms"}}
        rows = list(self.labels)
        known = pl.DataFrame(
            {"row": rows, "label": [self.labels[row][0] for row in rows], "matured_ms": [self.labels[row][1] for row in rows]},
            schema={"row": pl.UInt32, "label": pl.UInt8, "matured_ms": pl.Int64},
        )
        kinds = {
            "user": pl.String, "landmark_ms": pl.Int64, "score": pl.Float64, "raw_score": pl.Float64, "model": pl.String,
            "first_day": pl.Boolean, "scored_ms": pl.Int64, "learned_until_ms": pl.Int64,
        }  # fmt: skip
        every = pl.DataFrame(made, schema={name: kinds[name] for name in made}).with_row_index("row")
        return every.join(known, on="row").select(PREDICTION_COLUMNS).sort("landmark_ms", "user")


class Replay:
    """One run over a history.

    Parameters
    ----------
    asked : DataFrame, optional
        Landmarks with their labels, as `stream.backtest.log.LABEL_COLUMNS`; None: the shard's own daily landmarks.
    """

    def __init__(self, history: History, spec: FeatureSpec, trainer: TrainerSettings, asked: pl.DataFrame | None) -> None:
        self._history, self._asked = history, asked
        self._spec = spec
        self._definition = spec.definitions[0].name
        self._trainer = Trainer(replace(trainer, publish_every=1, sparser=False, max_kept=2**62))
        self._learner = self._trainer.learners[self._definition]
        self._learner.candidates = {name: Timed(one, name) for name, one in self._learner.candidates.items()}
        self._book = _Book()
        self._number = self._repeats = 0
        self._moments: list[Moment] = []
        self._versions: list[Version] = []
        self._waiting: list[Examples] = []
        """Snapshots of the landmarks asked for whose labels have not matured yet."""

    @property
    def _layers(self) -> list[str]:
        """Names of the layers: each candidate that learns as it is, the mean of them, the mix with its level, and what the rule states."""
        learner = self._learner
        return [*(f"{name}, raw" for name in learner.names if name != RULE), *(name for name in (RULE, MIX) if name in learner.names)]

    def _said(self, landmark_ms: int, user: str) -> list[float]:
        """Return what each layer said of a snapshot, NaN where it said nothing."""
        names, scores = self._learner.names, self._trainer.scores(self._definition, landmark_ms, user)
        if scores is None:
            return [float("nan")] * len(self._layers)
        raw = [float(scores[place, RAW]) for place, name in enumerate(names) if name != RULE]
        return [*raw, *(float(scores[names.index(name), STATED]) for name in (RULE, MIX) if name in names)]

    async def run(self, progress: Callable[[int], None]) -> Result:
        """Replay the whole history; `progress` is called with the number of records done."""
        began = time.perf_counter()
        store = MemoryStore(lambda: "backtest")
        taken = await store.take(0, 0)
        settings = ShardSettings("backtest", 0, self._spec, NO_ALERTS, capacity=1 << 20)
        shard = Shard(settings, taken, [Champion(0, self._learner.compiled(self._learner.standing.champion))])
        done = 0
        for records in steps(self._history, self._spec, self._asked):
            start = 0
            while start < records.columns.n:
                step = await _step(shard, store, records, start)
                start = step.taken
                self._repeats += step.outcomes.get(Reason.duplicate.name, 0)
                self._after(shard, step)
            done += records.columns.n
            progress(done)
        for late in self._waiting:
            # the log ends before these labels were known, but the file has them: they are graded and not learned
            self._book_labels(late)
        every = len(self._book.rows)
        predictions = self._book.frame()
        costs = [one for one in self._learner.candidates.values() if isinstance(one, Timed)]
        seconds = time.perf_counter() - began
        return Result(
            predictions,
            every - predictions.height,
            self._learner,
            self._moments,
            self._versions,
            costs,
            seconds,
            self._history.frame.height,
            self._book.by_day(self._layers),
            self._repeats,
        )

    def _after(self, shard: Shard, step: Step) -> None:
        items, now = step.outputs.for_trainer.examples, step.meta.watermark_ms(self._spec.lateness_ms)
        snapshots = items.take(np.flatnonzero(items.kind == SNAPSHOT))
        labels = items.take(np.flatnonzero(items.kind == LABEL))
        if self._asked is not None and (len(snapshots) or self._waiting):
            labels = self._asked_labels(snapshots, now)
        if len(snapshots):
            # the trainer only scores these, there is nothing to learn yet
            self._feed(snapshots, NEVER)
            self._take_down(snapshots, now)
        if not len(labels) and not len(snapshots):
            return
        self._book_labels(labels)
        versions = self._feed(labels, now)
        for version in versions:
            losses = {name: row["log_loss"] for name, row in version.figures.items()}
            self._moments.append(Moment(version.learned_until_ms, version.champion, losses))
            if version.why or version.drifts:
                self._versions.append(version)
        if versions:
            shard.champions = [Champion(versions[-1].number, versions[-1].scorer)]

    def _book_labels(self, labels: Examples) -> None:
        for user, landmark, label, matured in zip(
            labels.users, labels.landmark_ms.tolist(), labels.label.tolist(), labels.matured_ms.tolist(), strict=True
        ):
            self._book.matured(user, landmark, label, matured)

    def _feed(self, items: Examples, watermark_ms: int) -> Sequence[Version]:
        block = ExampleBlock("backtest", 0, self._number, watermark_ms, self._spec.hash, [self._definition], items)
        self._number += len(items)
        return self._trainer.feed(block, 0)

    def _take_down(self, snapshots: Examples, scored_ms: int) -> None:
        first = first_day(snapshots.vectors).tolist()
        for i, (user, landmark, risk) in enumerate(
            zip(snapshots.users, snapshots.landmark_ms.tolist(), snapshots.risk.tolist(), strict=True)
        ):
            said = self._trainer.stated(self._definition, landmark, user)
            if said is None or abs(said[2] - risk / 65_535) > ROUNDING:
                raise RuntimeError(f"the shard's score {risk / 65_535:.5f} is not the trainer's {said}: a fault of churnwatch")
            self._book.predicted(user, landmark, scored_ms, self._learner.until_ms, *said, first[i])
            self._book.layers.append(self._said(landmark, user))

    def _asked_labels(self, snapshots: Examples, now: int) -> Examples:
        """Return the labels of asked landmarks that have matured before `now`, in order of maturity."""
        if self._asked is None:
            raise RuntimeError("only asked landmarks have labels from outside")
        if len(snapshots):
            frame = pl.DataFrame({"user": snapshots.users, "landmark_ms": snapshots.landmark_ms})
            told = frame.join(self._asked, on=["user", "landmark_ms"], how="left", maintain_order="left")
            one = replace(
                snapshots, kind=np.full(len(snapshots), LABEL, np.uint8), label=told["label"].to_numpy(), matured_ms=told["matured_ms"].to_numpy()
            )  # fmt: skip
            self._waiting.append(one)
        every = concatenate(self._waiting, WIDTH)
        ready = every.matured_ms < now
        if not ready.any():
            return every.take(slice(0, 0))
        self._waiting = [every.take(np.flatnonzero(~ready))]
        due = np.flatnonzero(ready)
        return every.take(due[np.argsort(every.matured_ms[due], kind="stable")])


async def _step(shard: Shard, store: MemoryStore, records: Records, start: int) -> Step:
    step = await answered(shard.advance(records, start), partial(store.read, 0))
    step.commit.exbox, step.commit.outbox = [], []
    await store.commit(0, step.commit)
    shard.committed(step)
    return step
