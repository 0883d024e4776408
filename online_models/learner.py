"""One churn definition's candidates: what each says now, how each did, who serves.

Labels come in mini-batches cut by count. Each batch, in this order: grades by the scores stated at its landmarks, the mix's weights, the
calibrations, the models, drift, and at some batches a new version. So nothing is graded on what it has learned from.
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
"""Last axis of kept scores: as the model gave it, and calibrated."""
EARLY = -1
"""Place after all candidates in kept scores: whether the user was silent at first (`online_models.nowcast`), NaN until that is known."""
MEMORY_OF_LOSS = 0.999
"""Share of its summed loss that a label leaves to the next one, in the weights of the mix: about 1,000 labels count."""
ETA = 0.1
"""What a unit of summed loss weighs there: far below 1, the value for independent labels, because one user's labels follow each other and are nearly
the same."""
LEAST_GRADED = 30
"""Fewest labels of each class on which candidates are compared."""
SAMPLE = 128
"""Vectors of the newest batch that go with a version, for its importances."""

Scores = npt.NDArray[np.float32]
_Rows = tuple[bytes, bytes, bytes]


class Numbers(msgspec.Struct, frozen=True):
    """Those attributes of a learner that are plain numbers."""

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
    """See `Learner`. Each candidate reads its own part; arrays are bytes, a row an example."""

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
    """Of the window and of the trial: labels, stated scores, vectors."""
    waiting: list[_Rows]
    """Vectors, labels, kept scores."""
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
        Names of the catalog that take part.
    wanted : str
        The one that serves once it can; "" for the best.
    window : int
        Newest matured labels over which candidates are compared.
    min_labels : int
        Labels of each class before anything but the rule may serve.
    channels : tuple of str
        Known acquisition channels, for the figures by segment.
    seed : int
    judged : tuple of str
        Candidates that are held against early outcomes (`online_models.nowcast.judged`).
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
    """See the module. `names` is the order of candidates in every array of scores."""

    name: str
    settings: LearnerSettings
    names: tuple[str, ...] = ()
    wanted: str = ""
    """The candidate that serves once it can; "" for the best. Not part of the state: it is what a person asks for today."""
    nowcasts: dict[str, Nowcast] = field(default_factory=dict)
    """Of the rule and of the mix, who serve without proof; none where early outcomes are not read, or there is no mix."""
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
    """Steps, and the times the nowcasts looked: each may make a version."""
    looked_ms: int = 0
    fresh: int = 0
    """When they looked last, and early outcomes since."""
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
        """Scores of all candidates now, float32 (n, candidates + 1, 2: raw and stated); NaN where one has learned nothing yet."""
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
        """Slope and shift of a candidate's calibration by labels.

        Calibrating the mix on labels would count each label twice, because its members have learned it. Where early outcomes exist, only they set the
        mix's level.
        """
        return (1.0, 0.0) if name == MIX and RULE in self.nowcasts else (self.calibrators[name].slope, self.calibrators[name].shift)

    def _calibration(self, name: str) -> tuple[float, float, float]:
        """Slope, shift and power, see `online_models.scorer.platt`."""
        return (*self._base(name), float(np.exp(self.nowcasts[name].shift)) if name in self.nowcasts else 1.0)

    def _pooled(self, scores: Scores) -> Scores:
        """Return what the mix pools, (n, candidates): learners as they are, the rule as it states; the mix is calibrated as a whole."""
        pooled = scores[:, :EARLY, RAW].copy()
        place = self.names.index(RULE)
        pooled[:, place] = scores[:, place, STATED]
        return pooled

    def _members(self) -> tuple[list[str], list[float]]:
        """Members of the mix and their weights: exp(-eta * summed loss), as Hedge has it (Freund and Schapire 1997), with a fading sum."""
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
        """Labels that wait for a full batch."""
        return sum(len(labels) for _, labels, _ in self._waiting)

    def hold(self, vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8], scores: Scores) -> None:
        """Keep matured labels until a batch is full: (n, F), (n,) and the scores of their landmarks, NaN where none were kept."""
        self._waiting.append((vectors, labels, scores))

    def early(self, landmark_ms: int, scores: npt.NDArray[np.float32], silent: bool) -> None:
        """Note whether a user was silent at first after a landmark, in the landmark's kept scores too."""
        scores[EARLY] = silent
        for name, nowcast in self.nowcasts.items():
            nowcast.seen(landmark_ms, float(scores[self.names.index(name), RAW]), silent)
        self.fresh += 1
        self.until_ms = max(self.until_ms, landmark_ms + AFTER_MS)

    def look(self, now_ms: int) -> bool:
        """Fit the shifts again, if it is time."""
        if not self.nowcasts or (self.fresh < EVERY and now_ms < self.looked_ms + LOOK_MS):
            return False
        for name, nowcast in self.nowcasts.items():
            nowcast.look(now_ms, *self._base(name))
        self.looked_ms, self.fresh = now_ms, 0
        self.turns += 1
        return True

    def step(self, until_ms: int) -> None:
        """Learn all that waits, as one batch; `until_ms` is the maturity of the newest label."""
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
        # who had not learned yet is charged as the rule is: no credit, no blame
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
        """After a drift: learn faster, and compare candidates by the newest labels only."""
        self.drifts.append(Drifted(self.name, of, self.until_ms))
        for candidate in self.candidates.values():
            candidate.hurry()
        most = self.settings.window // 4
        self._window.push(self._window.labels[:0], self._window.stated[:0], self._window.vectors[:0], most)

    # -- choosing ------------------------------------------------------------------------------------------------

    def grades(self) -> Grades | None:
        """Losses of all candidates on the same labels of the window; None until there are enough labels of both classes.

        The scores of a candidate that has just begun are too young to have labels. So that the first change need not wait a horizon, it rests on
        what all said of the newest batches just before they learned them (the trial). That flatters whoever learns, so it decides nothing else.
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
        """Compare the candidates, and change the champion if one has earned it."""
        change = choose(self.standing, self.grades(), MIX if MIX in self.names else "", self.wanted)
        if change is not None:
            self.loss_watch.restart()
            self.score_watch.restart()
        return change

    def figures(self) -> dict[str, dict[str, float]]:
        """Figures of every candidate over the window, by name."""
        found = {}
        for place, name in enumerate(self.names):
            there = ~np.isnan(self._window.stated[:, place])
            if there.any():
                tally = Tally()
                tally.add(self._window.labels[there], self._window.stated[there, place])
                found[name] = tally.figures()
        return found

    def window_segments(self) -> dict[str, dict[str, float]]:
        """The champion's figures over the window, by segment."""
        place = self.names.index(self.standing.champion)
        there = ~np.isnan(self._window.stated[:, place])
        progress = Progress(self.settings.channels)
        progress.add(self._window.labels[there], self._window.stated[there, place], self._window.vectors[there])
        return progress.figures()

    @property
    def sample(self) -> npt.NDArray[np.uint8]:
        """The newest vectors, uint8 (at most `SAMPLE`, F)."""
        return self._newest

    # -- keeping -------------------------------------------------------------------------------------------------

    def state(self) -> LearnerState:
        """All that a restarted learner goes on from."""
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
        """Go on from a state; only what has a name here is set.

        Raises
        ------
        ValueError
            Other candidates, or one of another design.
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
        if self.steps:  # a learner that has learned nothing says nothing, before a restart and after it
            self._compile()


def _rows(labels: bytes, scores: bytes, vectors: bytes, *shape: int) -> tuple[npt.NDArray[np.uint8], Scores, npt.NDArray[np.uint8]]:
    """Read labels, their scores and vectors, a row each."""
    found = labels_of(labels), scores_of(scores, *shape), array_of(vectors, "u1", -1, WIDTH)
    if len({len(one) for one in found}) > 1:
        raise ValueError(f"{[len(one) for one in found]} labels, scores and vectors, which should be as many")
    return found


def scores_of(packed: bytes, *shape: int) -> Scores:
    """Read scores, float32 (n, *shape): shares, or NaN where there is none.

    Raises
    ------
    ValueError
    """
    scores = np.frombuffer(packed, "<f4").reshape(-1, *shape).copy()
    if not (np.isnan(scores) | ((scores >= 0) & (scores <= 1))).all():
        raise ValueError("a score is no share")
    return scores
