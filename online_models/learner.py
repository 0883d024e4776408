"""The candidates of one churn definition: what each says now, how good each was, and who serves.

Labels come in mini-batches cut by count. The scores that were stated at the landmarks of a batch are graded first; the grades move the
level of the risks and the watches for drift. Only then do the models learn the batch, and after some batches a new version
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
from online_models.calibration import Calibrator
from online_models.candidate import Candidate
from online_models.catalog import CATALOG, LIVE, MIX
from online_models.champion import RULE, Change, Grades, Standing, choose
from online_models.correction import Correction
from online_models.drift import DriftWatch
from online_models.judged import ByDay, Judged
from online_models.learner_state import LearnerState, Numbers
from online_models.level import Level
from online_models.memory import Memory
from online_models.nowcast import AFTER_MS, EVERY, LOOK_MS, Nowcast
from online_models.plain import array_of, read
from online_models.quality import Progress, Tally, log_loss
from online_models.scorer import CalibratedScorer, MixScorer, Scorer, log_odds, platt, pool
from online_models.window import Scores, Window, unpack_rows

RAW, STATED = 0, 1
"""Places on the last axis of kept scores: the score as the model gave it, and the calibrated one."""
BEHIND = 2
"""How many places stand behind the candidates in kept scores; counted from the end they are the following."""
WHOLE, EARLY = -2, -1
"""The mix as it would be if its corrections were taken whole (`online_models.correction.Correction.whole`), and whether the user was silent at first
(`online_models.nowcast`), NaN until that is known."""
RULE_COUNTS = 500
"""How many labels the rule counts as much as, in the mix."""
SAMPLE = 128
"""How many vectors of the newest batch go with a version, for its importances."""

_Batch = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.uint8], Scores]
"""Landmarks (ms), vectors, labels and kept scores."""


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
class Learner:
    """All candidates of one churn definition (see the module). `names` is their order in every array of scores."""

    name: str
    settings: LearnerSettings
    names: tuple[str, ...] = ()
    wanted: str = ""
    """The candidate that serves once it can; "" for the best one. No part of the state, because it is what a person asks for today."""
    memory: Memory = field(default_factory=lambda: Memory(size=0))
    candidates: dict[str, Candidate] = field(default_factory=dict)
    scorers: dict[str, Scorer] = field(default_factory=dict)
    rule: Calibrator = field(default_factory=Calibrator)
    """The rule's calibration."""
    rule_nowcast: Nowcast | None = None
    """What users did within a day corrects the rule too, because it serves without proof. None where early outcomes are not read, or there is no mix."""
    levels: dict[str, Level] = field(default_factory=dict)
    """By name, for every candidate that learns."""
    mix: Correction = field(default_factory=lambda: Correction(0, watched=False))
    """Of the mix."""
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
    by_day: ByDay = field(default_factory=ByDay)
    """What the champion stated against what came true, by day."""
    _window: Window = field(default_factory=lambda: Window.empty(0))
    _trial: Window = field(default_factory=lambda: Window.empty(0))
    _waiting: list[_Batch] = field(default_factory=list)
    """What waits for a full batch."""
    _newest: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, WIDTH), np.uint8))

    def __post_init__(self) -> None:
        rows = [model for model in CATALOG if model.name in self.settings.models or model.name == RULE]
        self.names = tuple(model.name for model in rows)
        self.wanted = self.settings.wanted
        self.memory = Memory(self.settings.seed)
        self.candidates = {model.name: model.make(self.settings.seed, self.memory) for model in rows if model.make is not None}
        self.scorers[RULE] = CadenceScorer(self.settings.horizon_ms)
        horizon_ms, judged = self.settings.horizon_ms, self.settings.judged if MIX in self.names else ()
        self.levels = {name: Level(horizon_ms) for name in self.candidates}
        self.mix = Correction(horizon_ms, watched=MIX in judged)
        self.rule_nowcast = Nowcast(horizon_ms) if RULE in judged else None
        self._window, self._trial = (Window.empty(len(self.names)) for _ in range(2))
        self.progress = Progress(self.settings.channels)

    # -- saying --------------------------------------------------------------------------------------------------

    def score(self, vectors: npt.NDArray[np.uint8]) -> Scores:
        """Return the scores that all candidates give now, float32 (n, candidates + BEHIND, 2).

        The last axis is `RAW` and `STATED`. A candidate that has learned nothing yet has NaN, and so has the place `EARLY`.
        """
        scores = np.full((len(vectors), len(self.names) + BEHIND, 2), np.nan, np.float32)
        for place, name in enumerate(self.names):
            if name in self.scorers:
                scores[:, place, RAW] = raw = self.scorers[name].risk(vectors)
                scores[:, place, STATED] = platt(raw, *self._calibration(name))
        if MIX in self.names:
            place, members = self.names.index(MIX), self.members()
            risks = {name: scores[:, self.names.index(name), RAW] for name in members}
            risks[RULE] = platt(risks[RULE], self.rule.slope, self.rule.shift)
            scores[:, place, RAW] = mixed = pool(list(risks.values()), list(members.values()))
            scores[:, place, STATED] = platt(mixed, *self._calibration(MIX))
            scores[:, WHOLE] = self.mix.whole(mixed)
        return scores

    def _calibration(self, name: str) -> tuple[float, float, float]:
        """Return slope, shift and power for `online_models.scorer.platt`."""
        if name == MIX:
            return self.mix.calibration
        if name == RULE:
            return self.rule.slope, self.rule.shift, 1.0 if self.rule_nowcast is None else float(np.exp(self.rule_nowcast.shift))
        return 1.0, self.levels[name].shift, 1.0

    def members(self) -> dict[str, float]:
        """Return the members of the mix and their weights, which sum to 1: the rule, and evenly the learners that have learned something.

        A learner that no live trainer has by default is left out where there are others, so that a backtest of the whole catalog serves what a live
        trainer would. The rule counts as much as `RULE_COUNTS` labels, because learners know little at first.
        """
        learned = [name for name in self.candidates if name in self.scorers]
        learned = [name for name in learned if name in LIVE] or learned
        rule = RULE_COUNTS / (RULE_COUNTS + self.learned) if learned else 1.0
        return {RULE: rule} | {name: (1 - rule) / len(learned) for name in learned}

    def compiled(self, name: str) -> Scorer:
        """Return what a worker runs for one candidate, calibration included."""
        if name != MIX:
            return CalibratedScorer(self.scorers[name], *self._calibration(name))
        rule = CalibratedScorer(self.scorers[RULE], self.rule.slope, self.rule.shift)
        parts = [rule if member == RULE else self.scorers[member] for member in self.members()]
        return CalibratedScorer(MixScorer(MIX, parts, list(self.members().values())), *self._calibration(MIX))

    # -- learning ------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many labels wait for a full batch."""
        return sum(len(labels) for _, _, labels, _ in self._waiting)

    def hold(
        self, landmark_ms: npt.NDArray[np.int64], vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8], scores: Scores
    ) -> None:
        """Keep matured labels, (n,), until a batch is full, with their landmarks (ms), (n,), and the vectors, (n, F), and scores of these; NaN where no scores were kept."""
        self._waiting.append((landmark_ms, vectors, labels, scores))

    def early(self, landmark_ms: int, scores: npt.NDArray[np.float32], silent: bool) -> None:
        """Take in whether a user was silent in the time right after a landmark; `scores`, the kept scores of it, get it at `EARLY`."""
        scores[EARLY] = silent
        if MIX in self.names:
            self.mix.seen(landmark_ms, float(scores[self.names.index(MIX), RAW]), silent)
        if self.rule_nowcast is not None:
            self.rule_nowcast.seen(landmark_ms, float(scores[self.names.index(RULE), RAW]), silent)
        self.fresh += 1
        self.until_ms = max(self.until_ms, landmark_ms + AFTER_MS)

    @property
    def watched(self) -> bool:
        """Whether early outcomes are read."""
        return self.mix.nowcast is not None or self.rule_nowcast is not None

    def look(self, now_ms: int) -> bool:
        """Seek the shifts of the nowcasts anew if it is time; return whether that was done."""
        if not self.watched or (self.fresh < EVERY and now_ms < self.looked_ms + LOOK_MS):
            return False
        self.mix.look(now_ms, early=True)
        if self.rule_nowcast is not None:
            self.rule_nowcast.look(now_ms, self.rule.slope, self.rule.shift)
        self.looked_ms, self.fresh = now_ms, 0
        self.turns += 1
        return True

    def step(self, until_ms: int) -> None:
        """Grade and learn all labels that wait, as one batch; `until_ms` is when the newest of them matured."""
        landmark_ms, vectors, labels, scores = (np.concatenate(parts) for parts in zip(*self._waiting, strict=True))
        self._waiting, self.until_ms = [], max(self.until_ms, until_ms)
        known = ~np.isnan(scores[:, self.names.index(RULE), STATED])
        if not self.standing.begun:
            self._trial.push(labels, self.score(vectors)[:, :WHOLE, STATED], vectors, self.settings.window)
        self._grade(landmark_ms[known], vectors[known], labels[known], scores[known])
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

    def _grade(
        self, landmark_ms: npt.NDArray[np.int64], vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8], scores: Scores
    ) -> None:
        if not len(labels):
            return
        stated = scores[:, :WHOLE, STATED]
        self._window.push(labels, stated, vectors, self.settings.window)
        losses = log_loss(labels, stated)
        for place, name in enumerate(self.names):
            there = ~np.isnan(stated[:, place])
            if there.any():
                self.totals.setdefault(name, Tally()).add(labels[there], stated[there, place])
        self._relevel(landmark_ms, labels, scores)
        place = self.names.index(self.standing.champion)
        there = ~np.isnan(stated[:, place])
        self.progress.add(labels[there], stated[there, place], vectors[there])
        self.by_day.add(landmark_ms[there], stated[there, place], labels[there])
        changed = [of for of, watch, values in (
            ("loss", self.loss_watch, losses[there, place]), ("scores", self.score_watch, stated[there, place]),
        ) if watch.feed(values)]  # fmt: skip
        for of in changed:
            self._react(of)

    def _relevel(self, landmark_ms: npt.NDArray[np.int64], labels: npt.NDArray[np.uint8], scores: Scores) -> None:
        """Correct the levels of all candidates by matured labels and what was said at their landmarks."""
        raw, silent = scores[:, :WHOLE, RAW], scores[:, EARLY, RAW]
        rule = raw[:, self.names.index(RULE)]
        self.rule.learn(rule, labels, fit=self.steps % min(1 + self.steps // 64, 4) == 0)
        known = ~np.isnan(silent)
        if self.rule_nowcast is not None and known.any():
            self.rule_nowcast.matured(self.rule.slope * log_odds(rule[known]) + self.rule.shift, silent[known])
        learned = np.zeros(len(labels), np.bool_)
        for name, level in self.levels.items():
            one = raw[:, self.names.index(name)]
            there = ~np.isnan(one)
            learned |= there
            level.learn(landmark_ms[there], log_odds(one[there]), labels[there])
            level.look(self.until_ms)
        if MIX in self.names and learned.any():  # before that the mix was the rule, whose level is its own
            mixed = raw[learned, self.names.index(MIX)]
            self.mix.matured(landmark_ms[learned], mixed, scores[learned, WHOLE], silent[learned], labels[learned], self.until_ms)

    def _react(self, of: str) -> None:
        """React to a drift: make the candidates learn faster, and compare them on the newest labels only."""
        self.drifts.append(Drifted(self.name, of, self.until_ms))
        for candidate in self.candidates.values():
            candidate.hurry()
        self._window.cut(self.settings.window // 4)

    # -- choosing ------------------------------------------------------------------------------------------------

    def grades(self) -> Grades | None:
        """Return the losses of all candidates on the same labels of the window; None until there are enough labels of both classes.

        What a candidate said before it had learned anything cannot be graded, and labels of what it says now come a horizon later. So that the
        first change need not wait for these, it rests on what all candidates said of each batch just before they learned it (the trial). The trial
        flatters candidates that learn, so nothing else is decided by it.
        """
        if min(self.churned, self.learned - self.churned) < self.settings.min_labels:
            return None
        return (self._window if self.standing.begun else self._trial).grades(self.names)

    def check(self) -> Change | None:
        """Compare the candidates; return the change of champion if one has earned it, else None."""
        change = choose(self.standing, self.grades(), MIX if MIX in self.names else "", self.wanted)
        if change is not None:
            self.loss_watch.restart()
            self.score_watch.restart()
        return change

    def figures(self) -> dict[str, dict[str, float]]:
        """Return the figures of every candidate over the window, by name."""
        figures = {name: self._window.figures(place) for place, name in enumerate(self.names)}
        return {name: row for name, row in figures.items() if row is not None}

    def window_segments(self) -> dict[str, dict[str, float]]:
        """Return the champion's figures over the window, by segment."""
        return self._window.segments(self.names.index(self.standing.champion), self.settings.channels)

    def window_tenths(self) -> list[Judged]:
        """Return what the champion stated over the window against what came true, by tenths of the stated risk."""
        return self._window.tenths(self.names.index(self.standing.champion))

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
            rule=self.rule.state(),
            rule_nowcast=None if self.rule_nowcast is None else self.rule_nowcast.state(),
            levels={name: one.state() for name, one in self.levels.items()},
            mix=self.mix.state(),
            standing=(standing.champion, standing.challenger, standing.checks, standing.begun),
            watches=(self.loss_watch.state(), self.score_watch.state()),
            windows=(self._window.packed(), self._trial.packed()),
            waiting=[(at.astype("<i8").tobytes(), v.tobytes(), y.tobytes(), s.tobytes()) for at, v, y, s in self._waiting],
            newest=self._newest.tobytes(),
            progress={name: tally.state() for name, tally in self.progress.tallies.items()},
            totals={name: tally.state() for name, tally in self.totals.items()},
            days=self.by_day.days,
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
        parts: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
            (one.candidates, self.candidates if one.numbers.steps else {}),
            (one.levels, self.levels),
        )
        champion, challenger, *_ = one.standing
        if (
            any(saved.keys() != mine.keys() for saved, mine in parts)
            or (one.rule_nowcast is None) != (self.rule_nowcast is None)
            or not {champion, challenger} <= {*self.names, ""}
            or not champion
        ):
            raise ValueError("the checkpoint's parts are not those of its models")
        self.memory.restore(one.memory)
        for saved, mine in parts:
            for name, part in saved.items():
                mine[name].restore(part)
        self.rule.restore(one.rule)
        self.mix.restore(one.mix)
        if self.rule_nowcast is not None:
            self.rule_nowcast.restore(one.rule_nowcast)
        for name in Numbers.__struct_fields__:
            setattr(self, name, getattr(one.numbers, name))
        self.standing = Standing(*one.standing)
        self.loss_watch.restore(one.watches[0])
        self.score_watch.restore(one.watches[1])
        many = len(self.names)
        if not one.totals.keys() <= set(self.names):
            raise ValueError("the checkpoint's figures are not those of its models")
        self._window, self._trial = (Window.of(rows, many) for rows in one.windows)
        self._waiting = []
        for landmarks, vectors, labels, scores in one.waiting:
            known_labels, known_scores, known_vectors = unpack_rows(labels, scores, vectors, many + BEHIND, 2)
            self._waiting.append((array_of(landmarks, "<i8", len(known_labels)), known_vectors, known_labels, known_scores))
        self._newest = array_of(one.newest, "u1", -1, WIDTH)
        self.progress.tallies = {name: Tally.of(saved) for name, saved in one.progress.items()}
        self.totals = {name: Tally.of(saved) for name, saved in one.totals.items()}
        self.by_day.days = dict(one.days)
        if self.steps:  # a learner without a step has no scorers yet, and must have none after a restart either
            self._compile()
