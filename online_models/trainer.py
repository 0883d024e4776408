"""The trainer, pure: blocks of examples in, new model versions out. No clock, no I/O.

A snapshot is scored by every candidate when it arrives, and those scores are kept. When its label comes they are graded, and only then is it
learned, in order of maturity over all shards, in mini-batches cut by count. So the same topic gives the same models, however it was
read, and no grade ever looks ahead.

Scores are kept of a sample of users once there are too many: a window of a few thousand grades tells candidates apart as well as millions
of them, and every checkpoint holds what is kept. The sample is halved by a bit of the user's hash, so it is the same on every replay.

Order of maturity: labels wait until every live shard's watermark has passed them. A shard is live while its newest block is not more
than `LIVE_MS` of the broker's time behind the newest block of all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from features.catalog import WIDTH
from online_models.cadence import CadenceScorer
from online_models.example import LABEL, SNAPSHOT, ExampleBlock, Examples, concatenate
from online_models.logistic import Logistic

LIVE_MS = 600_000
RULE, LOGISTIC = 0, 1
EPSILON = 1e-6
MAX_KEPT = 32_768
"""Snapshots whose scores are kept until their label comes; more halve the sample of users."""
SPARSER_AFTER = 32
"""A version needs this share (1 in ...) of new learning steps, and so comes less often the more is known."""
MAX_APART = 16
"""Most learning steps between two versions, in units of `publish_every`."""


class Gap(RuntimeError):
    """Examples are missing between what was seen and what came."""

    def __init__(self, partition: int, expected: int, got: int) -> None:
        super().__init__(
            f"examples of shard {partition} go on at {got}, expected {expected}: the topic lost records, or belongs to another history"
        )
        self.partition, self.expected, self.got = partition, expected, got


@dataclass(frozen=True, slots=True)
class TrainerSettings:
    """Attributes

    ----------
    batch : int
        Examples of one learning step.
    window : int
        Matured labels over which candidates are compared.
    min_labels : int
        Labels of each class before a model may replace the rule.
    publish_every : int
        Fewest learning steps between two versions; up to sixteen times as many once much has been learned.
    horizons_ms : mapping of definition name to int
    """

    horizons_ms: Mapping[str, int]
    batch: int = 256
    window: int = 4_000
    min_labels: int = 200
    publish_every: int = 4


@dataclass(frozen=True, slots=True)
class Version:
    """A model as it goes to the registry.

    Attributes
    ----------
    learned_until_ms : int
        Nothing that matured later is in it: a shard whose watermark is behind must not use it.
    """

    definition: str
    number: int
    champion: str
    learned_until_ms: int
    table: npt.NDArray[np.float64]
    bias: float
    usual: npt.NDArray[np.float64]
    figures: Mapping[str, float]


@dataclass(slots=True)
class _Learner:
    """One definition: its candidates, the labels that wait for a full batch, and how the candidates did."""

    name: str
    rule: CadenceScorer
    model: Logistic = field(default_factory=Logistic)
    scorer: Any = None
    vectors: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    waiting: int = 0
    labels: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    scores: list[npt.NDArray[np.float32]] = field(default_factory=list)
    until_ms: int = 0
    steps: int = 0
    published: int = 0
    """Learning steps at the last version."""
    version: int = 0
    learned: int = 0
    churned: int = 0
    graded: deque[tuple[int, float, float]] = field(default_factory=deque)
    """(label, rule's score, model's score) of the window."""
    usual: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(WIDTH))

    def score(self, vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Scores of all candidates now, float32 (n, 2); NaN where a candidate has learned nothing yet."""
        model = self.scorer.risk(vectors) if self.scorer is not None else np.full(len(vectors), np.nan, np.float32)
        return np.stack([self.rule.risk(vectors), model], axis=1)


class Trainer:
    """See the module.

    Attributes
    ----------
    learners : dict of definition name to learner
    """

    def __init__(self, settings: TrainerSettings) -> None:
        self._settings = settings
        self.learners = {name: _Learner(name, CadenceScorer(horizon)) for name, horizon in settings.horizons_ms.items()}
        self._last: dict[int, tuple[str, int]] = {}
        self._watermarks: dict[int, tuple[int, int]] = {}
        self._kept: dict[tuple[str, int, str], tuple[float, float]] = {}
        self._level = 0
        self._held: list[tuple[int, int, Examples]] = []

    def feed(self, block: ExampleBlock, stamp_ms: int) -> list[Version]:
        """Take one block.

        Parameters
        ----------
        stamp_ms : int
            Broker's stamp of the record.

        Returns
        -------
        list of Version
            To be published, in order; at each the trainer may be saved (`state`).

        Raises
        ------
        Gap
        """
        items, first = self._unseen(block)
        if len(items):
            self._keep_scores(block, items)
            labels = np.flatnonzero(items.kind == LABEL)
            if len(labels):
                self._held.append((block.partition, first, items.take(labels)))
        self._watermarks[block.partition] = (
            max(block.watermark_ms, self._watermarks.get(block.partition, (block.watermark_ms, 0))[0]),
            stamp_ms,
        )
        return self._release(block.definitions)

    def _unseen(self, block: ExampleBlock) -> tuple[Examples, int]:
        lineage, last = self._last.get(block.partition, (block.lineage, -1))
        if lineage != block.lineage:
            last = block.first_number - 1  # another history begins: its numbers are its own
        if block.first_number > last + 1:
            raise Gap(block.partition, last + 1, block.first_number)
        skip = last + 1 - block.first_number
        self._last[block.partition] = (block.lineage, max(last, block.first_number + len(block.items) - 1))
        return (block.items if skip <= 0 else block.items.take(slice(skip, None))), block.first_number + max(skip, 0)

    def _keep_scores(self, block: ExampleBlock, items: Examples) -> None:
        for k, name in enumerate(block.definitions):
            learner = self.learners.get(name)
            every = np.flatnonzero((items.kind == SNAPSHOT) & (items.definition == k)).tolist()
            rows = np.array([i for i in every if _sampled(items.users[i], self._level)], np.intp)
            if learner is None or not len(rows):
                continue
            scores = learner.score(items.vectors[rows]).tolist()
            for i, landmark, pair in zip(rows.tolist(), items.landmark_ms[rows].tolist(), scores, strict=True):
                self._kept[name, landmark, items.users[i]] = (pair[0], pair[1])
        while len(self._kept) > MAX_KEPT:
            self._level += 1
            self._kept = {key: pair for key, pair in self._kept.items() if _sampled(key[2], self._level)}

    def _low_watermark(self) -> int:
        newest = max(stamp for _, stamp in self._watermarks.values())
        return min(watermark for watermark, stamp in self._watermarks.values() if newest - stamp <= LIVE_MS)

    def _release(self, definitions: Sequence[str]) -> list[Version]:
        """Learn what every live shard has passed, in order of (maturity, partition, number)."""
        low = self._low_watermark()
        if not self._held or min(int(part.matured_ms.min()) for _, _, part in self._held) >= low:
            return []
        parts, self._held = self._held, []
        every = concatenate([part for _, _, part in parts], WIDTH)
        shard = np.concatenate([np.full(len(part), partition) for partition, _, part in parts])
        order = np.lexsort((np.arange(len(every)), shard, every.matured_ms))
        ready = order[every.matured_ms[order] < low]
        rest = np.sort(order[every.matured_ms[order] >= low])
        for partition in np.unique(shard[rest]).tolist():
            mine = rest[shard[rest] == partition]
            self._held.append((partition, 0, every.take(mine)))
        return self._learn(every.take(ready), definitions)

    def _learn(self, items: Examples, definitions: Sequence[str]) -> list[Version]:
        versions = []
        for k, name in enumerate(definitions):
            learner = self.learners.get(name)
            rows = np.flatnonzero(items.definition == k)
            if learner is None or not len(rows):
                continue
            nothing = (np.nan, np.nan)
            kept = [
                self._kept.pop((name, landmark, items.users[i]), nothing)
                for i, landmark in zip(rows.tolist(), items.landmark_ms[rows].tolist(), strict=True)
            ]
            scores, at = np.array(kept, np.float32), 0
            while at < len(rows):
                some = slice(at, min(len(rows), at + self._settings.batch - learner.waiting))
                at = some.stop
                learner.vectors.append(items.vectors[rows[some]])
                learner.labels.append(items.label[rows[some]])
                learner.scores.append(scores[some])
                learner.waiting += some.stop - some.start
                learner.until_ms = int(items.matured_ms[rows[some.stop - 1]])
                if learner.waiting == self._settings.batch:
                    version = self._step(learner)
                    if version is not None:
                        versions.append(version)
        return versions

    def _step(self, learner: _Learner) -> Version | None:
        """Grade one full batch by the scores of its arrival, then learn it."""
        vectors, labels = np.concatenate(learner.vectors), np.concatenate(learner.labels)
        scores = np.concatenate(learner.scores)
        learner.vectors, learner.labels, learner.scores, learner.waiting = [], [], [], 0
        known = ~np.isnan(scores[:, RULE])
        learner.graded.extend(zip(labels[known].tolist(), scores[known, RULE].tolist(), scores[known, LOGISTIC].tolist(), strict=True))
        while len(learner.graded) > self._settings.window:
            learner.graded.popleft()
        learner.model.learn(vectors, labels)
        learner.scorer = learner.model.scorer()
        terms = learner.scorer.table[np.arange(WIDTH)[None, :], vectors].mean(axis=0)
        learner.usual = terms if learner.steps == 0 else 0.95 * learner.usual + 0.05 * terms
        learner.steps += 1
        learner.learned += len(labels)
        learner.churned += int(labels.sum())
        fewest = self._settings.publish_every
        if learner.steps - learner.published < min(max(fewest, learner.steps // SPARSER_AFTER), MAX_APART * fewest):
            return None
        learner.published = learner.steps
        learner.version += 1
        return self._version(learner)

    def _version(self, learner: _Learner) -> Version:
        figures = grade(learner.graded)
        figures |= {"labels": float(learner.learned), "churned": float(learner.churned)}
        enough = min(learner.churned, learner.learned - learner.churned) >= self._settings.min_labels
        better = figures["logistic_log_loss"] < figures["rule_log_loss"]
        champion = "logistic" if enough and better else "cadence"
        scorer = learner.scorer
        return Version(learner.name, learner.version, champion, learner.until_ms, scorer.table, scorer.bias, learner.usual.copy(), figures)

    def state(self) -> dict[str, Any]:
        """All that a restarted trainer goes on from, as plain numbers, text and bytes."""
        return {
            "last": [[partition, lineage, number] for partition, (lineage, number) in self._last.items()],
            "watermarks": [[partition, *pair] for partition, pair in self._watermarks.items()],
            "level": self._level,
            "kept": [[*key, *scores] for key, scores in self._kept.items()],
            "held": [
                {
                    "partition": partition,
                    "users": part.users,
                    **{name: [array.dtype.str, array.tobytes()] for name, array in part_arrays(part).items()},
                }
                for partition, _, part in self._held
            ],
            "learners": {name: _learner_state(learner) for name, learner in self.learners.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._last = {partition: (lineage, number) for partition, lineage, number in state["last"]}
        self._watermarks = {partition: (watermark, stamp) for partition, watermark, stamp in state["watermarks"]}
        self._level = state["level"]
        self._kept = {(name, landmark, user): (rule, model) for name, landmark, user, rule, model in state["kept"]}
        self._held = [(one["partition"], 0, _examples_from(one)) for one in state["held"]]
        for name, saved in state["learners"].items():
            if name in self.learners:
                _restore_learner(self.learners[name], saved)


def _sampled(user: str, level: int) -> bool:
    """Whether a user is in the sample of one in 2 ** level.

    >>> _sampled("ann", 0)
    True
    """
    return level == 0 or (xxhash.xxh3_64_intdigest(user.encode()) >> 32) & ((1 << level) - 1) == 0


def grade(graded: Sequence[tuple[int, float, float]] | deque[tuple[int, float, float]]) -> dict[str, float]:
    """Log-loss of both candidates on the labels that both had scored; the model's is infinite while there are none."""
    table = np.array([one for one in graded if not np.isnan(one[2])], np.float64).reshape(-1, 3)
    if not len(table):
        return {"rule_log_loss": 0.0, "logistic_log_loss": float("inf"), "window": 0.0}
    y = table[:, 0:1]
    p = np.clip(table[:, 1:], EPSILON, 1 - EPSILON)
    loss = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(axis=0)
    return {"rule_log_loss": float(loss[0]), "logistic_log_loss": float(loss[1]), "window": float(len(table))}


def part_arrays(part: Examples) -> dict[str, npt.NDArray[Any]]:
    """Columns of some examples by name."""
    names = ("kind", "definition", "landmark_ms", "matured_ms", "risk", "model_version", "flags", "label", "vectors")
    return {name: np.ascontiguousarray(getattr(part, name)) for name in names}


def _examples_from(saved: Mapping[str, Any]) -> Examples:
    users = list(saved["users"])
    arrays = {name: np.frombuffer(value[1], value[0]) for name, value in saved.items() if name not in {"users", "partition"}}
    arrays["vectors"] = arrays["vectors"].reshape(len(users), WIDTH)
    return Examples(**arrays, users=users)


def _learner_state(learner: _Learner) -> dict[str, Any]:
    vectors = np.concatenate(learner.vectors) if learner.vectors else np.zeros((0, WIDTH), np.uint8)
    return {
        "model": learner.model.state(),
        "vectors": vectors.tobytes(),
        "labels": np.concatenate(learner.labels).tolist() if learner.labels else [],
        "scores": np.concatenate(learner.scores).tolist() if learner.scores else [],
        "until_ms": learner.until_ms,
        "steps": learner.steps,
        "published": learner.published,
        "version": learner.version,
        "learned": learner.learned,
        "churned": learner.churned,
        "graded": [list(one) for one in learner.graded],
        "usual": learner.usual.tolist(),
    }


def _restore_learner(learner: _Learner, saved: Mapping[str, Any]) -> None:
    if saved["steps"]:
        learner.model.restore(saved["model"])
        learner.scorer = learner.model.scorer()
    labels = np.array(saved["labels"], np.uint8)
    learner.waiting = len(labels)
    if len(labels):
        learner.vectors = [np.frombuffer(saved["vectors"], np.uint8).reshape(-1, WIDTH)]
        learner.labels = [labels]
        learner.scores = [np.array(saved["scores"], np.float32).reshape(-1, 2)]
    learner.until_ms, learner.steps, learner.version = saved["until_ms"], saved["steps"], saved["version"]
    learner.published, learner.learned, learner.churned = saved["published"], saved["learned"], saved["churned"]
    learner.graded = deque((int(y), float(rule), float(model)) for y, rule, model in saved["graded"])
    learner.usual = np.array(saved["usual"])
