"""The candidates of one churn definition: what each says now, how good each was, and who serves.

Labels come in mini-batches cut by count. The scores that were stated at the landmarks of a batch are graded first; the grades move the
weights of the mix, the calibrations and the watches for drift. Only then do the models learn the batch, and after some batches a new version
is made. So no model is graded on labels that it has learned from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from features.users.catalog import WIDTH
from online_models.cadence import CadenceScorer
from online_models.calibration import RULE_PULL, RULE_WINDOW, Calibrator, CalibratorState
from online_models.candidate import Candidate
from online_models.catalog import CATALOG, MIX
from online_models.champion import RULE, Change, Grades, Standing, choose
from online_models.drift import DriftWatch, WatchState
from online_models.memory import Memory, MemoryState
from online_models.nowcast import AFTER_MS, EVERY, LOOK_MS, Nowcast, NowcastState
from online_models.plain import Count, Finite, Millis, array_of, labels_of, read
from online_models.quality import Progress, Tally, TallyState, log_loss
from online_models.scorer import CalibratedScorer, MixScorer, Scorer, log_odds, platt, pool

RAW, STATED = 0, 1
"""Places on the last axis of kept scores: the score as the model gave it, and the calibrated one."""
EARLY = -1
"""Place behind all candidates in kept scores: whether the user was silent at first (`online_models.nowcast`), NaN until that is known."""
MEMORY_OF_LOSS = 0.999
"""Factor by which each new label fades the losses summed before it, in the weights of the mix: about 1,000 labels count."""
ETA = 0.1
"""How strongly a difference of one nat in summed loss moves the weights of the mix. For independent labels 1 would be right. The labels of one
user follow each other and say nearly the same, so the value is far lower."""
LEAST_GRADED = 30
"""Candidates are compared once there are this many labels of each class."""
SAMPLE = 128
"""How many vectors of the newest batch go with a version, for its importances."""

Scores = npt.NDArray[np.float32]
_Rows = tuple[bytes, bytes, bytes]


class Numbers(msgspec.Struct, frozen=True):
    """The attributes of a learner that are plain numbers."""

    learned: Count
    churned: Count
    steps: Count
    turns: Count
    looked_ms: Millis
    fresh: Count
    version: Count
    published: Count
    until_ms: Millis


class LearnerState(msgspec.Struct, frozen=True):
    """What a `Learner` goes on from after a restart. Each candidate reads its own part; arrays are bytes, with a row for each example."""

    names: list[str]
    numbers: Numbers
    candidates: dict[str, msgspec.Raw]
    memory: MemoryState
    nowcasts: dict[str, NowcastState]
    calibrators: dict[str, CalibratorState]
    standing: tuple[str, str, Count, bool]
    watches: tuple[WatchState, WatchState]
    losses: list[Finite]
    windows: tuple[_Rows, _Rows]
    """Labels, stated scores and vectors: first those of the window, then those of the trial."""
    waiting: list[_Rows]
    """Vectors, labels and kept scores that wait for a full batch."""
    newest: bytes
    progress: dict[str, TallyState]
    totals: dict[str, TallyState]


@dataclass(frozen=True, slots=True)
class LearnerSettings:
    """How one definition learns.

    Attributes
    ----------
    horizon_ms : int
    models : tuple of str
        Names from the catalog (`online_models.catalog`) that take part.
    wanted : str
        The candidate that serves once it can; "" for the best one.
    window : int
        How many of the newest matured labels candidates are compared on.
    min_labels : int
        Labels of each class that must have come before anything but the rule may serve.
    channels : tuple of str
        Known acquisition channels, for the figures by segment.
    seed : int
    judged : tuple of str
        Candidates whose level is corrected by early outcomes (`online_models.nowcast.judged`).
    """

    horizon_ms: int
    models: tuple[str, ...]
    wanted: str = ""
    window: int = 1_500
    min_labels: int = 200
    channels: tuple[str, ...] = ()
    seed: int = 0
    judged: tuple[str, ...] = (RULE, MIX)


@dataclass(slots=True)
class Drifted:
    """A change was found in the champion's loss ("loss") or in the scores it states ("scores")."""

    definition: str
    of: str
    at_ms: int


@dataclass(slots=True)
class _Window:
    """The newest grades: labels (n,), stated scores (n, candidates) and vectors (n, F)."""

    labels: npt.NDArray[np.uint8]
    stated: Scores
    vectors: npt.NDArray[np.uint8]

    def push(self, labels: npt.NDArray[np.uint8], stated: Scores, vectors: npt.NDArray[np.uint8], most: int) -> None:
        self.labels = np.concatenate([self.labels, labels])[-most:]
        self.stated = np.concatenate([self.stated, stated])[-most:]
        self.vectors = np.concatenate([self.vectors, vectors])[-most:]

    def packed(self) -> _Rows:
        return self.labels.tobytes(), self.stated.tobytes(), self.vectors.tobytes()


def _empty(candidates: int) -> _Window:
    return _Window(np.zeros(0, np.uint8), np.zeros((0, candidates), np.float32), np.zeros((0, WIDTH), np.uint8))


@dataclass(slots=True)
class Learner:
    """All candidates of one churn definition (see the module). `names` is their order in every array of scores."""

    name: str
    settings: LearnerSettings
    names: tuple[str, ...] = ()
    wanted: str = ""
    """The candidate that serves once it can; "" for the best one. No part of the state, because it is what a person asks for today."""
    nowcasts: dict[str, Nowcast] = field(default_factory=dict)
    """By name, for the rule and the mix, because these serve without proof. Empty where early outcomes are not read, or there is no mix."""
    memory: Memory = field(default_factory=lambda: Memory(size=0))
    candidates: dict[str, Candidate] = field(default_factory=dict)
    scorers: dict[str, Scorer] = field(default_factory=dict)
    calibrators: dict[str, Calibrator] = field(default_factory=dict)
    standing: Standing = field(default_factory=Standing)
    loss_watch: DriftWatch = field(default_factory=lambda: DriftWatch(rises_only=True))
    score_watch: DriftWatch = field(default_factory=DriftWatch)
    learned: int = 0
    churned: int = 0
    steps: int = 0
    turns: int = 0
    """How many steps were made, and how often the shifts of the nowcasts were sought: a new version may follow each of these."""
    looked_ms: int = 0
    """When the shifts were last sought, in event time."""
    fresh: int = 0
    """Early outcomes that have come since then."""
    version: int = 0
    published: int = 0
    until_ms: int = 0
    drifts: list[Drifted] = field(default_factory=list)
    progress: Progress = field(default_factory=Progress)
    """The champion's figures since the beginning, by segment."""
    totals: dict[str, Tally] = field(default_factory=dict)
    """Every candidate's figures since the beginning."""
    _losses: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    _window: _Window = field(
        default_factory=lambda: _Window(np.zeros(0, np.uint8), np.zeros((0, 0), np.float32), np.zeros((0, WIDTH), np.uint8))
    )
    _trial: _Window = field(default_factory=lambda: _empty(0))
    _waiting: list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], Scores]] = field(default_factory=list)
    """(vectors, labels, kept scores) that wait for a full batch."""
    _newest: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, WIDTH), np.uint8))

    def __post_init__(self) -> None:
        rows = [model for model in CATALOG if model.name in self.settings.models or model.name == RULE]
        self.names = tuple(model.name for model in rows)
        self.wanted = self.settings.wanted
        self.memory = Memory(self.settings.seed)
        self.candidates = {model.name: model.make(self.settings.seed, self.memory) for model in rows if model.make is not None}
        self.scorers[RULE] = CadenceScorer(self.settings.horizon_ms)
        self.calibrators = {name: Calibrator() for name in self.names}
        self.calibrators[RULE] = Calibrator(RULE_WINDOW, RULE_PULL)
        if MIX in self.names:
            self.nowcasts = {name: Nowcast(self.settings.horizon_ms) for name in self.settings.judged}
        if RULE in self.nowcasts:
            self.calibrators[MIX] = Calibrator(RULE_WINDOW, RULE_PULL)
        self._losses = np.zeros(len(self.names))
        self._window, self._trial = (_empty(len(self.names)) for _ in range(2))
        self.progress = Progress(self.settings.channels)

    # -- saying --------------------------------------------------------------------------------------------------

    def score(self, vectors: npt.NDArray[np.uint8]) -> Scores:
        """Return the scores that all candidates give now, float32 (n, candidates + 1, 2).

        The last axis is `RAW` and `STATED`. A candidate that has learned nothing yet has NaN, and so has the place `EARLY`.
        """
        scores = np.full((len(vectors), len(self.names) + 1, 2), np.nan, np.float32)
        for place, name in enumerate(self.names):
            if name in self.scorers:
                scores[:, place, RAW] = raw = self.scorers[name].risk(vectors)
                scores[:, place, STATED] = platt(raw, *self._calibration(name))
        if MIX in self.names:
            place = self.names.index(MIX)
            members, weights = self._members()
            pooled = self._pooled(scores)
            scores[:, place, RAW] = mixed = pool([pooled[:, self.names.index(name)] for name in members], weights)
            scores[:, place, STATED] = platt(mixed, *self._calibration(MIX))
        return scores

    def _base(self, name: str) -> tuple[float, float]:
        """Return slope and shift of a candidate's calibration by labels.

        Calibrating the mix on labels would count each label twice: its members have learned it. Where early outcomes exist, only they set the mix's
        level.
        """
        return (1.0, 0.0) if name == MIX and RULE in self.nowcasts else (self.calibrators[name].slope, self.calibrators[name].shift)

    def _calibration(self, name: str) -> tuple[float, float, float]:
        """Return slope, shift and power for `online_models.scorer.platt`."""
        return (*self._base(name), float(np.exp(self.nowcasts[name].shift)) if name in self.nowcasts else 1.0)

    def _pooled(self, scores: Scores) -> Scores:
        """Return the scores that the mix pools, (n, candidates).

        The mix is calibrated as a whole, so learners give their raw scores. The rule never learns, and gives its calibrated ones.
        """
        pooled = scores[:, :EARLY, RAW].copy()
        place = self.names.index(RULE)
        pooled[:, place] = scores[:, place, STATED]
        return pooled

    def _members(self) -> tuple[list[str], list[float]]:
        """Return the members of the mix and their weights, which sum to 1.

        As in Hedge (Freund and Schapire 1997) a weight is proportional to exp(-`ETA` * summed loss); here the sum fades.
        """
        members = [name for name in self.names if name in self.scorers]
        losses = np.array([self._losses[self.names.index(name)] for name in members])
        weights = np.exp(-ETA * (losses - losses.min()))
        weights = np.where(weights < 0.01 * weights.sum(), 0.0, weights)
        kept = [(name, float(weight)) for name, weight in zip(members, weights / weights.sum(), strict=True) if weight > 0]
        return [name for name, _ in kept], [weight for _, weight in kept]

    def compiled(self, name: str) -> Scorer:
        """Return what a worker runs for one candidate, calibration included."""
        if name != MIX:
            return CalibratedScorer(self.scorers[name], *self._calibration(name))
        members, weights = self._members()
        parts = [self.compiled(member) if member == RULE else self.scorers[member] for member in members]
        return CalibratedScorer(MixScorer(MIX, parts, weights), *self._calibration(MIX))

    # -- learning ------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many labels wait for a full batch."""
        return sum(len(labels) for _, labels, _ in self._waiting)

    def hold(self, vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8], scores: Scores) -> None:
        """Keep matured labels, (n,), until a batch is full, with the vectors, (n, F), and scores of their landmarks; NaN where no scores were kept."""
        self._waiting.append((vectors, labels, scores))

    def early(self, landmark_ms: int, scores: npt.NDArray[np.float32], silent: bool) -> None:
        """Take in whether a user was silent in the time right after a landmark; `scores`, the kept scores of it, get it at `EARLY`."""
        scores[EARLY] = silent
        for name, nowcast in self.nowcasts.items():
            nowcast.seen(landmark_ms, float(scores[self.names.index(name), RAW]), silent)
        self.fresh += 1
        self.until_ms = max(self.until_ms, landmark_ms + AFTER_MS)

    def look(self, now_ms: int) -> bool:
        """Seek the shifts of the nowcasts anew if it is time; return whether that was done."""
        if not self.nowcasts or (self.fresh < EVERY and now_ms < self.looked_ms + LOOK_MS):
            return False
        for name, nowcast in self.nowcasts.items():
            nowcast.look(now_ms, *self._base(name))
        self.looked_ms, self.fresh = now_ms, 0
        self.turns += 1
        return True

    def step(self, until_ms: int) -> None:
        """Grade and learn all labels that wait, as one batch; `until_ms` is when the newest of them matured."""
        vectors = np.concatenate([one for one, _, _ in self._waiting])
        labels = np.concatenate([one for _, one, _ in self._waiting])
        scores = np.concatenate([one for _, _, one in self._waiting])
        self._waiting, self.until_ms = [], max(self.until_ms, until_ms)
        known = ~np.isnan(scores[:, self.names.index(RULE), STATED])
        if not self.standing.begun:
            self._trial.push(labels, self.score(vectors)[:, :EARLY, STATED], vectors, self.settings.window)
        self._grade(vectors[known], labels[known], scores[known])
        self.memory.push(vectors, labels)
        for candidate in self.candidates.values():
            candidate.learn(vectors, labels)
        self._compile()
        self._newest = vectors[-SAMPLE:]
        self.steps += 1
        self.turns += 1
        self.learned += len(labels)
        self.churned += int(labels.sum())

    def _compile(self) -> None:
        for name, candidate in self.candidates.items():
            if (scorer := candidate.scorer()) is not None:
                self.scorers[name] = scorer

    def _grade(self, vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8], scores: Scores) -> None:
        if not len(labels):
            return
        stated = scores[:, :EARLY, STATED]
        self._window.push(labels, stated, vectors, self.settings.window)
        losses = log_loss(labels, stated)
        fade = MEMORY_OF_LOSS ** np.arange(len(labels) - 1, -1, -1.0)
        # A candidate that had learned nothing yet has no score: it is charged the rule's loss, which is neither credit nor blame.
        pooled = log_loss(labels, self._pooled(scores))
        charged = np.where(np.isnan(pooled), losses[:, [self.names.index(RULE)]], pooled)
        self._losses = self._losses * MEMORY_OF_LOSS ** len(labels) + (fade[:, None] * charged).sum(axis=0)
        fit = self.steps % min(1 + self.steps // 64, 4) == 0
        for place, name in enumerate(self.names):
            there = ~np.isnan(stated[:, place])
            if there.any():
                self.calibrators[name].learn(scores[there, place, RAW], labels[there], fit=fit)
                self.totals.setdefault(name, Tally()).add(labels[there], stated[there, place])
        known = ~np.isnan(scores[:, EARLY, 0])
        for name, nowcast in self.nowcasts.items():
            hindsight = self.calibrators[name]
            odds = hindsight.slope * log_odds(scores[known, self.names.index(name), RAW]) + hindsight.shift
            nowcast.matured(odds, scores[known, EARLY, 0])
        place = self.names.index(self.standing.champion)
        there = ~np.isnan(stated[:, place])
        self.progress.add(labels[there], stated[there, place], vectors[there])
        changed = [of for of, watch, values in (
            ("loss", self.loss_watch, losses[there, place]), ("scores", self.score_watch, stated[there, place]),
        ) if watch.feed(values)]  # fmt: skip
        for of in changed:
            self._react(of)

    def _react(self, of: str) -> None:
        """React to a drift: make the candidates learn faster, and compare them on the newest labels only."""
        self.drifts.append(Drifted(self.name, of, self.until_ms))
        for candidate in self.candidates.values():
            candidate.hurry()
        most = self.settings.window // 4
        self._window.push(self._window.labels[:0], self._window.stated[:0], self._window.vectors[:0], most)

    # -- choosing ------------------------------------------------------------------------------------------------

    def grades(self) -> Grades | None:
        """Return the losses of all candidates on the same labels of the window; None until there are enough labels of both classes.

        What a candidate said before it had learned anything cannot be graded, and labels of what it says now come a horizon later. So that the
        first change need not wait for these, it rests on what all candidates said of each batch just before they learned it (the trial). The trial
        flatters candidates that learn, so nothing else is decided by it.
        """
        if min(self.churned, self.learned - self.churned) < self.settings.min_labels:
            return None
        window = self._window if self.standing.begun else self._trial
        places = np.flatnonzero(self._graded_share(window) >= 0.5)
        there = ~np.isnan(window.stated[:, places]).any(axis=1)
        labels = window.labels[there]
        if min(labels.sum(), len(labels) - labels.sum()) < LEAST_GRADED:
            return None
        losses = log_loss(labels, window.stated[there][:, places])
        return Grades({self.names[place]: losses[:, column] for column, place in enumerate(places.tolist())})

    def _graded_share(self, window: _Window) -> npt.NDArray[np.float64]:
        if not len(window.labels):
            return np.zeros(len(self.names))
        return np.asarray((~np.isnan(window.stated)).mean(axis=0))

    def check(self) -> Change | None:
        """Compare the candidates; return the change of champion if one has earned it, else None."""
        change = choose(self.standing, self.grades(), MIX if MIX in self.names else "", self.wanted)
        if change is not None:
            self.loss_watch.restart()
            self.score_watch.restart()
        return change

    def figures(self) -> dict[str, dict[str, float]]:
        """Return the figures of every candidate over the window, by name."""
        found = {}
        for place, name in enumerate(self.names):
            there = ~np.isnan(self._window.stated[:, place])
            if there.any():
                tally = Tally()
                tally.add(self._window.labels[there], self._window.stated[there, place])
                found[name] = tally.figures()
        return found

    def window_segments(self) -> dict[str, dict[str, float]]:
        """Return the champion's figures over the window, by segment."""
        place = self.names.index(self.standing.champion)
        there = ~np.isnan(self._window.stated[:, place])
        progress = Progress(self.settings.channels)
        progress.add(self._window.labels[there], self._window.stated[there, place], self._window.vectors[there])
        return progress.figures()

    @property
    def sample(self) -> npt.NDArray[np.uint8]:
        """Return the newest vectors, uint8 (at most `SAMPLE`, F)."""
        return self._newest

    # -- keeping -------------------------------------------------------------------------------------------------

    def state(self) -> LearnerState:
        """Return all that a restarted learner goes on from."""
        standing = self.standing
        return LearnerState(
            names=list(self.names),
            numbers=Numbers(**{name: getattr(self, name) for name in Numbers.__struct_fields__}),
            candidates={name: msgspec.Raw(msgspec.msgpack.encode(one.state())) for name, one in self.candidates.items()}
            if self.steps
            else {},
            memory=self.memory.state(),
            nowcasts={name: one.state() for name, one in self.nowcasts.items()},
            calibrators={name: one.state() for name, one in self.calibrators.items()},
            standing=(standing.champion, standing.challenger, standing.checks, standing.begun),
            watches=(self.loss_watch.state(), self.score_watch.state()),
            losses=self._losses.tolist(),
            windows=(self._window.packed(), self._trial.packed()),
            waiting=[(v.tobytes(), y.tobytes(), s.tobytes()) for v, y, s in self._waiting],
            newest=self._newest.tobytes(),
            progress={name: tally.state() for name, tally in self.progress.tallies.items()},
            totals={name: tally.state() for name, tally in self.totals.items()},
        )

    def restore(self, state: Any) -> None:
        """Go on from a state. It is not trusted: no attribute is set that this method does not name.

        Raises
        ------
        ValueError
            If it is of other candidates, of another design of one, or its parts do not fit each other.
        """
        one = read(state, LearnerState)
        if tuple(one.names) != self.names:
            raise ValueError(
                f"the checkpoint has the models {', '.join(one.names)}, the configuration {', '.join(self.names)}: churnwatch model rebuild"
            )
        parts = (
            (one.candidates, self.candidates if one.numbers.steps else {}),
            (one.nowcasts, self.nowcasts),
            (one.calibrators, self.calibrators),
        )
        champion, challenger, *_ = one.standing
        if any(saved.keys() != mine.keys() for saved, mine in parts) or not {champion, challenger} <= {*self.names, ""} or not champion:
            raise ValueError("the checkpoint's parts are not those of its models")
        self.memory.restore(one.memory)
        for saved, mine in parts:
            for name, part in saved.items():
                mine[name].restore(part)
        for name in Numbers.__struct_fields__:
            setattr(self, name, getattr(one.numbers, name))
        self.standing = Standing(*one.standing)
        self.loss_watch.restore(one.watches[0])
        self.score_watch.restore(one.watches[1])
        many = len(self.names)
        if len(one.losses) != many or not one.totals.keys() <= set(self.names):
            raise ValueError("the checkpoint's figures are not those of its models")
        self._losses = np.array(one.losses)
        self._window, self._trial = (_Window(*_rows(*window, many)) for window in one.windows)
        self._waiting = []
        for vectors, labels, scores in one.waiting:
            known_labels, known_scores, known_vectors = _rows(labels, scores, vectors, many + 1, 2)
            self._waiting.append((known_vectors, known_labels, known_scores))
        self._newest = array_of(one.newest, "u1", -1, WIDTH)
        self.progress.tallies = {name: Tally.of(saved) for name, saved in one.progress.items()}
        self.totals = {name: Tally.of(saved) for name, saved in one.totals.items()}
        if self.steps:  # a learner without a step has no scorers yet, and must have none after a restart either
            self._compile()


def _rows(labels: bytes, scores: bytes, vectors: bytes, *shape: int) -> tuple[npt.NDArray[np.uint8], Scores, npt.NDArray[np.uint8]]:
    """Read labels with their scores and vectors, a row for each label."""
    found = labels_of(labels), scores_of(scores, *shape), array_of(vectors, "u1", -1, WIDTH)
    if len({len(one) for one in found}) > 1:
        raise ValueError(f"{[len(one) for one in found]} labels, scores and vectors: there must be equally many")
    return found


def scores_of(packed: bytes, *shape: int) -> Scores:
    """Read scores, float32 (n, *shape), each from 0 to 1, or NaN where there is none.

    Raises
    ------
    ValueError
        If the bytes do not fit the shape, or a score is outside 0 to 1.
    """
    scores = np.frombuffer(packed, "<f4").reshape(-1, *shape).copy()
    if not (np.isnan(scores) | ((scores >= 0) & (scores <= 1))).all():
        raise ValueError("a score is not between 0 and 1")
    return scores
