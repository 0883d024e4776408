"""The trainer, pure: blocks of examples in, new model versions out. No clock, no I/O.

When a snapshot arrives, every candidate scores it, and the scores are kept. When its label comes, the scores are graded, and only then is the
label learned. Labels are learned in order of maturity over all shards, in mini-batches cut by count. So the same topic gives the same
models however it was read, and no grade ever looks ahead.

Every checkpoint holds the kept scores, so there must not be too many. A few thousand grades tell candidates apart as well as millions do, so
beyond `MAX_KEPT` the scores of only a sample of users are kept. Each halving goes by one more bit of the user's hash, so every replay keeps
the same sample.

To keep the order of maturity, labels wait until the watermark of every live shard has passed them. A shard is live while its newest block is at
most `LIVE_MS` of the broker's time behind the newest block of all shards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt
import xxhash

from features.definitions.definition import NO_LABEL
from features.users.catalog import WIDTH
from features.users.state import NEVER
from online_models.catalog import LIVE, MIX
from online_models.champion import RULE, Change
from online_models.example import LABEL, SNAPSHOT, ExampleBlock, Examples, concatenate, pack_examples, unpack_examples
from online_models.external_labels import ExternalLabels, ExternalLabelsState, LabelBlock
from online_models.judged import Judged
from online_models.learner import BEHIND, RAW, STATED, WHOLE, Drifted, Learner, LearnerSettings
from online_models.learner_state import LearnerState
from online_models.nowcast import Outcomes, OutcomesState
from online_models.plain import Count, Millis, read
from online_models.scorer import Scorer
from online_models.window import Scores, scores_of

LIVE_MS = 600_000
MAX_KEPT = 32_768
"""Most snapshots whose scores are kept until their label comes; when there are more, the sample of users is halved."""
SPARSER_AFTER = 32
"""A new version waits until one in this many of all learning steps is new. So versions come less often the more has been learned."""
MAX_APART = 16
"""Most learning steps between two versions, in units of `publish_every`."""


class TrainerState(msgspec.Struct, frozen=True):
    """What a `Trainer` goes on from after a restart; `learners`, `outcomes` and `kept` are by definition name."""

    last: list[tuple[Count, str, Annotated[int, msgspec.Meta(ge=-1)]]]
    """Shard, lineage, and the number of its last example (-1 for none)."""
    watermarks: list[tuple[Count, Millis, Millis]]
    """Shard, its watermark (ms), and the broker's stamp of its newest block (ms)."""
    level: Annotated[int, msgspec.Meta(ge=0, le=31)]
    outcomes: dict[str, OutcomesState]
    kept: dict[str, tuple[list[tuple[Millis, str]], bytes]]
    held: list[tuple[Count, tuple[list[bytes], list[str]]]]
    external: ExternalLabelsState = msgspec.field(name="told")
    learners: dict[str, LearnerState]


def never() -> bool:
    """Return False: the answer of whoever never stops the learning.

    >>> never()
    False
    """
    return False


class Gap(RuntimeError):
    """Examples are missing between the last one seen and the first one of a block."""

    def __init__(self, partition: int, expected: int, got: int) -> None:
        super().__init__(
            f"examples of shard {partition} go on at {got}, expected {expected}: the topic lost records, or belongs to another history"
        )
        self.partition, self.expected, self.got = partition, expected, got


class UnknownDefinition(RuntimeError):
    """The workers follow a definition that this trainer does not know. It must be started again with theirs, or their labels would be lost."""

    def __init__(self, theirs: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(
            f"examples of the definitions {', '.join(theirs)}, this trainer knows {', '.join(known)}: start it with the workers' configuration"
        )


@dataclass(frozen=True, slots=True)
class TrainerSettings:
    """How a trainer works.

    Attributes
    ----------
    horizons_ms : mapping of definition name to int
        Horizon of each definition, ms.
    batch : int
        Examples of one learning step at first; see `step_size`.
    window, min_labels, channels, seed
        See `online_models.learner.LearnerSettings`.
    publish_every : int
        Fewest learning steps between two versions; up to `MAX_APART` times as many once much has been learned.
    sparser : bool
        Whether versions come less often the more has been learned; a backtest wants every one.
    models : tuple of str
        Candidates, by their names in `online_models.catalog`.
    wanted : mapping of definition name to str
        The candidate that a person put in charge, if any.
    max_kept : int
        See `MAX_KEPT`.
    external : mapping of definition name to int
        The definitions whose labels come from outside, and how long their snapshots wait, ms: horizon and lateness.
    judged : mapping of definition name to tuple of str, optional
        Candidates that are corrected by early outcomes (`online_models.nowcast.judged`); None for the rule and the mix of every definition.
    """

    horizons_ms: Mapping[str, int]
    batch: int = 256
    window: int = 1_500
    min_labels: int = 200
    publish_every: int = 4
    sparser: bool = True
    models: tuple[str, ...] = LIVE
    wanted: Mapping[str, str] | None = None
    channels: tuple[str, ...] = ()
    seed: int = 0
    max_kept: int = MAX_KEPT
    external: Mapping[str, int] = field(default_factory=dict)
    judged: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """A model as it goes to the registry.

    Attributes
    ----------
    champion : str
        Name of the candidate that serves.
    why : str
        Why the champion changed since the version before; "" if it did not.
    learned_until_ms : int
        Nothing that matured later is in the model, so a shard whose watermark is behind this time must not use it.
    scorer : Scorer
        What a worker runs, calibration included.
    figures : mapping
        Figures over the window, by candidate.
    segments : mapping
        The champion's figures over the window, by segment.
    tenths : sequence
        What the champion stated over the window against what came true, by tenths of the stated risk.
    days : mapping
        The same by day of the landmark (days since the epoch, UTC), of the newest days with outcomes, whoever served then.
    sample : uint8 (at most 128, F)
        Some of the newest vectors, for importances.
    """

    definition: str
    number: int
    champion: str
    why: str
    learned_until_ms: int
    scorer: Scorer
    labels: int
    churned: int
    figures: Mapping[str, Mapping[str, float]]
    segments: Mapping[str, Mapping[str, float]]
    tenths: Sequence[Judged]
    days: Mapping[int, Judged]
    drifts: Sequence[Drifted]
    sample: npt.NDArray[np.uint8]

    def after(self, skipped: Version | None) -> Version:
        """Return this version with the news of a version before it that will not be published: its drifts, and why its champion changed."""
        return self if skipped is None else replace(self, why=self.why or skipped.why, drifts=[*skipped.drifts, *self.drifts])


class Trainer:
    """Learns the models of all definitions (see the module).

    Attributes
    ----------
    learners : dict of definition name to Learner
    """

    def __init__(self, settings: TrainerSettings) -> None:
        self._settings = settings
        self.learners = {name: self._learner(name, horizon) for name, horizon in settings.horizons_ms.items()}
        self._last: dict[int, tuple[str, int]] = {}
        self._watermarks: dict[int, tuple[int, int]] = {}
        self._kept: dict[tuple[str, int, str], npt.NDArray[np.float32]] = {}
        self._outcomes = {name: Outcomes() for name in settings.horizons_ms}
        self._level = 0
        self._held: list[tuple[int, Examples]] = []
        self.external = ExternalLabels(settings.external)

    def _learner(self, name: str, horizon_ms: int) -> Learner:
        one = self._settings
        wanted = (one.wanted or {}).get(name, "")
        judged = (RULE, MIX) if one.judged is None else one.judged.get(name, ())
        return Learner(name, LearnerSettings(horizon_ms, one.models, wanted, one.window, one.min_labels, one.channels, one.seed, judged))

    def feed(self, block: ExampleBlock, stamp_ms: int, stop: Callable[[], bool] = never) -> list[Version]:
        """Take in one block of a shard, and learn what has matured.

        Parameters
        ----------
        stamp_ms : int
            Broker's stamp of the record, ms.
        stop : callable
            Asked before each batch whether to stop learning. Labels that are ready but not learned yet then wait for `go_on`, in a saved state too.

        Returns
        -------
        list of Version
            The versions to publish, in order. After each call the trainer may be saved (`state`).

        Raises
        ------
        Gap
            If examples are missing before the block.
        UnknownDefinition
            If the block has a definition that is not among this trainer's.
        """
        names = list(self.learners)
        if names[: len(block.definitions)] != list(block.definitions):
            raise UnknownDefinition(block.definitions, names)
        items = self._unseen(block)
        if len(items):
            self._keep_scores(block, items)
            labels = np.flatnonzero(items.kind == LABEL)
            if len(labels):
                self._held.append((block.partition, items.take(labels)))
        if block.erased:
            self._forget(dict(block.erased))
        self._watermarks[block.partition] = (
            max(block.watermark_ms, self._watermarks.get(block.partition, (block.watermark_ms, 0))[0]),
            stamp_ms,
        )
        low = self._low_watermark()
        return [*self._settle(low), *self._release(names, low, stop)]

    def go_on(self, stop: Callable[[], bool] = never) -> list[Version]:
        """Learn what `feed` left when it was stopped, and return the new versions; call it before the next block."""
        return self._release(list(self.learners), self._low_watermark(), stop) if self._watermarks else []

    def add_labels(self, block: LabelBlock) -> None:
        """Take in labels from outside; each is learned when its snapshot matures."""
        self.external.add(block, self._low_watermark() if self._watermarks else 0)

    def scores(self, definition: str, landmark_ms: int, user: str) -> Scores | None:
        """Return the scores that all candidates gave to a snapshot, (candidates, 2: raw and stated).

        None if they are not kept: the user is not in the sample, or the label has been learned already.
        """
        kept = self._kept.get((definition, landmark_ms, user))
        return None if kept is None else kept[:WHOLE]

    def stated(self, definition: str, landmark_ms: int, user: str) -> tuple[str, float, float] | None:
        """Return (today's champion, its raw score, its stated score) of a snapshot; None if its scores are not kept (see `scores`)."""
        learner, scores = self.learners[definition], self.scores(definition, landmark_ms, user)
        if scores is None:
            return None
        champion = learner.standing.champion
        place = learner.names.index(champion)
        return champion, float(scores[place, RAW]), float(scores[place, STATED])

    def _unseen(self, block: ExampleBlock) -> Examples:
        lineage, last = self._last.get(block.partition, (block.lineage, -1))
        if lineage != block.lineage:
            last = block.first_number - 1  # the shard was made anew, and its numbers begin anew
        if block.first_number > last + 1:
            raise Gap(block.partition, last + 1, block.first_number)
        skip = last + 1 - block.first_number
        self._last[block.partition] = (block.lineage, max(last, block.first_number + len(block.items) - 1))
        return block.items if skip <= 0 else block.items.take(slice(skip, None))

    def _keep_scores(self, block: ExampleBlock, items: Examples) -> None:
        for k, name in enumerate(block.definitions):
            learner = self.learners.get(name)
            every = np.flatnonzero((items.kind == SNAPSHOT) & (items.definition == k)).tolist()
            rows = np.array([i for i in every if _sampled(items.users[i], self._level)], np.intp)
            if learner is None or not len(rows):
                continue
            scores = learner.score(items.vectors[rows])
            landmarks, users = items.landmark_ms[rows].tolist(), [items.users[i] for i in rows.tolist()]
            for landmark, user, one in zip(landmarks, users, scores, strict=True):
                self._kept[name, landmark, user] = one
            if learner.watched:
                self._outcomes[name].arrived(landmarks, users, items.vectors[rows])
        while len(self._kept) > self._settings.max_kept:
            self._level += 1
            self._kept = {key: one for key, one in self._kept.items() if _sampled(key[2], self._level)}

    def _forget(self, erased: Mapping[str, int]) -> None:
        """Forget what is kept of erased users, up to when each was erased (ms). What was learned names nobody, and stays."""
        self._kept = {key: one for key, one in self._kept.items() if key[1] > erased.get(key[2], NEVER)}
        parts = [(shard, part.take(_not_of(part, erased))) for shard, part in self._held]
        self._held = [(shard, part) for shard, part in parts if len(part)]
        self.external.erase(erased)
        for book in self._outcomes.values():
            book.erase(erased)

    def _low_watermark(self) -> int:
        newest = max(stamp for _, stamp in self._watermarks.values())
        return min(watermark for watermark, stamp in self._watermarks.values() if newest - stamp <= LIVE_MS)

    def _settle(self, low: int) -> list[Version]:
        """Take in the early outcomes that every live shard has passed; return the new versions."""
        versions = []
        for name, learner in self.learners.items():
            for (landmark, user), silent in self._outcomes[name].settle(low):
                scores = self._kept.get((name, landmark, user))
                if scores is not None:
                    learner.early(landmark, scores, silent)
            if learner.look(low):
                self._outcomes[name].forget(low)
                if self._due(learner):
                    versions.append(_publish(learner))
        return versions

    def _release(self, definitions: Sequence[str], low: int, stop: Callable[[], bool]) -> list[Version]:
        """Learn the labels that every live shard has passed, in order of (maturity, partition, number); return the new versions."""
        if not self._held or min(int(part.matured_ms.min()) for _, part in self._held) >= low:
            return []
        parts, self._held = self._held, []
        every = concatenate([part for _, part in parts], WIDTH)
        shard = np.concatenate([np.full(len(part), partition) for partition, part in parts])
        stays = self.external.fill(every, definitions, low)
        self.external.forget(low)
        for i in np.flatnonzero(~stays).tolist():
            self._kept.pop((definitions[every.definition[i]], int(every.landmark_ms[i]), every.users[i]), None)
        every, shard = every.take(np.flatnonzero(stays)), shard[stays]
        order = np.lexsort((np.arange(len(every)), shard, every.matured_ms))
        ready = order[every.matured_ms[order] < low]
        versions, left = self._learn(every.take(ready), definitions, stop)
        rest = np.sort(np.concatenate([order[every.matured_ms[order] >= low], ready[left]]))
        for partition in np.unique(shard[rest]).tolist():
            self._held.append((partition, every.take(rest[shard[rest] == partition])))
        return versions

    def _learn(self, items: Examples, definitions: Sequence[str], stop: Callable[[], bool]) -> tuple[list[Version], npt.NDArray[np.intp]]:
        """Learn items in order until `stop` says so; return the new versions, and the indices of the items that are left."""
        versions = []
        left = np.isin(items.definition, [k for k, name in enumerate(definitions) if name in self.learners])
        for k, name in enumerate(definitions):
            learner = self.learners.get(name)
            rows = np.flatnonzero(items.definition == k)
            if learner is None:
                continue
            at = 0
            while at < len(rows) and not stop():
                size = step_size(self._settings.batch, learner.learned)
                some = rows[at : at + max(1, size - learner.waiting)]  # after a restart more labels may wait than make a step
                at += len(some)
                left[some] = False
                learner.hold(items.landmark_ms[some], items.vectors[some], items.label[some], self._scores_of(learner, items, some))
                if learner.waiting >= size:
                    learner.step(int(items.matured_ms[some[-1]]))
                    if self._due(learner):
                        versions.append(_publish(learner, learner.check()))
        return versions, np.flatnonzero(left)

    def _scores_of(self, learner: Learner, items: Examples, rows: npt.NDArray[np.intp]) -> Scores:
        scores = np.full((len(rows), len(learner.names) + BEHIND, 2), np.nan, np.float32)
        for place, (i, landmark) in enumerate(zip(rows.tolist(), items.landmark_ms[rows].tolist(), strict=True)):
            kept = self._kept.pop((learner.name, landmark, items.users[i]), None)
            if kept is not None:
                scores[place] = kept
        return scores

    def _due(self, learner: Learner) -> bool:
        fewest = self._settings.publish_every
        wanted = min(max(fewest, learner.turns // SPARSER_AFTER), MAX_APART * fewest) if self._settings.sparser else fewest
        return learner.turns - learner.published >= wanted

    def state(self) -> TrainerState:
        """Return all that a restarted trainer goes on from."""
        return TrainerState(
            last=[(partition, lineage, number) for partition, (lineage, number) in self._last.items()],
            watermarks=[(partition, *pair) for partition, pair in self._watermarks.items()],
            level=self._level,
            outcomes={name: book.state() for name, book in self._outcomes.items()},
            kept={name: self._kept_of(name) for name in self.learners},
            held=[(partition, pack_examples(part)) for partition, part in self._held],
            external=self.external.state(),
            learners={name: learner.state() for name, learner in self.learners.items()},
        )

    def _kept_of(self, name: str) -> tuple[list[tuple[int, str]], bytes]:
        """Return the keys of one definition's kept scores, and the scores as bytes, in the same order."""
        mine = {key[1:]: one for key, one in self._kept.items() if key[0] == name}
        return list(mine), np.array(list(mine.values()), np.float32).tobytes()

    def restore(self, state: Any) -> None:
        """Go on from a state; definitions that are no longer followed are left out.

        Raises
        ------
        ValueError
            If it is of other candidates or of another design, or its parts do not fit each other.
        """
        one = read(state, TrainerState)
        if not one.learners.keys() == one.outcomes.keys() == one.kept.keys():
            raise ValueError("the checkpoint's parts are not those of its definitions")
        self._last = {partition: (lineage, number) for partition, lineage, number in one.last}
        self._watermarks = {partition: (watermark, stamp) for partition, watermark, stamp in one.watermarks}
        self._level = one.level
        self._kept = {}
        for name, (keys, packed) in one.kept.items():
            if name in self.learners:
                scores = scores_of(packed, len(self.learners[name].names) + BEHIND, 2)
                self._kept |= {(name, *key): row for key, row in zip(keys, scores, strict=True)}
        self._held = [(partition, unpack_examples(packed, WIDTH)) for partition, packed in one.held]
        if any((part.definition >= len(self.learners)).any() or not np.isin(part.label, (0, 1, NO_LABEL)).all() for _, part in self._held):
            raise ValueError("an example has an unknown definition, or a label other than 0, 1 or none")
        if self._held and not self._watermarks:
            raise ValueError("examples wait for an unknown shard")
        self.external.restore(one.external)
        for name, saved in one.learners.items():
            if name in self.learners:
                self.learners[name].restore(saved)
                self._outcomes[name].restore(one.outcomes[name])


def step_size(least: int, learned: int) -> int:
    """Return how many examples the next learning step takes: a 256th of those learned before, between `least` and four times `least`.

    A larger step costs less an example, and once many examples have been learned, small steps teach little more than large ones.

    >>> [step_size(256, learned) for learned in (0, 100_000, 10_000_000)]
    [256, 390, 1024]
    """
    return min(max(least, learned // 256), 4 * least)


def _not_of(items: Examples, erased: Mapping[str, int]) -> npt.NDArray[np.intp]:
    """Return the indices of the items that are not of erased users, each up to a time (ms)."""
    kept = [at > erased.get(user, NEVER) for at, user in zip(items.landmark_ms.tolist(), items.users, strict=True)]
    return np.flatnonzero(kept)


def _publish(learner: Learner, change: Change | None = None) -> Version:
    learner.published = learner.turns
    learner.version += 1
    drifts, learner.drifts = learner.drifts, []
    return Version(
        definition=learner.name,
        number=learner.version,
        champion=learner.standing.champion,
        why=change.why if change is not None else "",
        learned_until_ms=learner.until_ms,
        scorer=learner.compiled(learner.standing.champion),
        labels=learner.learned,
        churned=learner.churned,
        figures=learner.figures(),
        segments=learner.window_segments(),
        tenths=learner.window_tenths(),
        days=dict(learner.by_day.days),
        drifts=drifts,
        sample=learner.sample,
    )


def _sampled(user: str, level: int) -> bool:
    """Whether a user is in the sample, which holds one in 2 ** level users.

    >>> _sampled("ann", 0)
    True
    """
    return level == 0 or (xxhash.xxh3_64_intdigest(user.encode()) >> 32) & ((1 << level) - 1) == 0
