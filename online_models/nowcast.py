"""Correct the level of risks by what users did within a day, long before their labels are known.

A label comes a horizon late. Meanwhile a term that ends or a course that begins may change everybody's habits. But whether a user came back
within a day (the *early outcome*) is known after one day, alike for those who did and those who did not, so it can be used without bias. Where
the label is silence, a risk p is the same as a cumulative hazard of return, ``-log p``. We assume that a change of the times multiplies the
hazards of all users by one ratio (proportional hazards, Cox 1972)::

    stated = p ** ratio,      log ratio = shift

1. `Outcomes` records who was silent for `AFTER_MS` after each snapshot; a later snapshot of a user says when they were last active.
2. A *bridge* says how much of the hazard falls into that first day: ``P(silent) = exp(-exp(start + rise * log(-log p)))``. Here p is calibrated
   with the labels that came later. The bridge begins as if pauses followed a Lomax law: exponential pauses, whose rates differ between users by a
   gamma law (Fader, Hardie and Lee 2005). Then ``start = log(log(1 + a) / log(1 + H))``, with a = `AFTER_MS` and the horizon H in days. Each batch of
   matured labels moves the bridge by one Newton step, with a curvature that fades (McCormick, Raftery, Madigan and Burd 2012).
3. The `shift` is the one at which the bridge best explains the newest early outcomes. It is drawn towards 0, which leaves the risk as it is.

No step has to wait for a label, so the rule is corrected by early outcomes from the second day on.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from features.definitions.definition import DAY_MS, ChurnDefinition
from features.users.catalog import INDEX, value_table
from features.users.state import NEVER
from online_models.catalog import MIX
from online_models.champion import RULE
from online_models.plain import Finite, Millis, Share, read
from online_models.scorer import log_odds

AFTER_MS = DAY_MS
SLACK = 0.97
"""A recency is stored in one byte and so may be off by 3 %. It is divided by this, so that activity from before a landmark never seems to lie
after it."""
EVERY, LOOK_MS = 256, DAY_MS // 2
"""The shift is sought anew after this many early outcomes, and after this time at the latest."""
LEAST, NEWEST, SPAN_MS = 256, 3_072, 3 * DAY_MS
"""The shift is sought on the outcomes of landmarks in the last `SPAN_MS`, but on at least `LEAST` and at most `NEWEST` of the newest outcomes."""
PULL, WEAK_PULL = 40.0, 10.0
"""Strength of the pull of the shift towards 0, in units of the log-likelihood's curvature; one unit is about one return seen. The weak one is for
the mix, which takes only as much of the shift as it has been worth so far (`online_models.worth`)."""
RISE = 1.2
"""Rise of the bridge at first. It would be 1 if the pauses of all users had one shape; it is more, because users likely to return do so early."""
BRIDGE_PULL, BRIDGE_MEMORY = 400.0, 32_768
"""Strength of the pull of the bridge towards where it began, in the same units, and how many matured labels count (older ones fade evenly)."""
STEPS, MOST_STEP = 10, 0.5
MOST_SHIFT = 3.0
LEAST_RISE, MOST_RISE = 0.2, 3.0

_PLACE = INDEX["active_recency_s"]
_RECENCY_MS = np.nan_to_num(value_table()[_PLACE] * 1000, nan=np.inf)

Key = tuple[int, str]
"""Landmark (ms) and user."""


class OutcomesState(msgspec.Struct, frozen=True):
    """What `Outcomes` goes on from after a restart."""

    waiting: list[tuple[Millis, str]]
    active: list[tuple[str, Finite]]


class NowcastState(msgspec.Struct, frozen=True):
    """What a `Nowcast` goes on from after a restart."""

    shift: Annotated[float, msgspec.Meta(ge=-MOST_SHIFT, le=MOST_SHIFT)]
    bridge: tuple[Finite, Annotated[float, msgspec.Meta(ge=LEAST_RISE, le=MOST_RISE)]]
    curvature: tuple[tuple[Finite, Finite], tuple[Finite, Finite]]
    newest: Annotated[list[tuple[Millis, Share, bool]], msgspec.Meta(max_length=NEWEST)]


def judged(definitions: Sequence[ChurnDefinition], *, daily: bool) -> dict[str, tuple[str, ...]]:
    """Return which candidates are corrected by early outcomes, by definition name.

    The label must be silence, and the vectors must show when users were last active by this definition; they show it for the first definition's
    activity. Silence must also be the only way in which users leave the crowd, so a definition with a segment is left out. `daily` says
    whether users have a landmark every day: without that, snapshots come too seldom for the rule to be judged within a day or two.

    >>> judged([ChurnDefinition(name="gone"), ChurnDefinition(name="cancelled", kind="did_event", target=("cancel",))], daily=True)
    {'gone': ('cadence', 'mix')}
    """
    candidates = (RULE, MIX) if daily else (MIX,)
    return {
        one.name: candidates
        for one in definitions
        if one.kind == "inactivity" and not one.segment and one.activity == definitions[0].activity
    }


class Outcomes:
    """Records which users came back within `AFTER_MS` after each of their snapshots.

    >>> book, vector = Outcomes(), np.zeros((1, len(INDEX)), np.uint8)
    >>> vector[0, _PLACE] = 1  # active just now
    >>> book.arrived([0], ["ann"], vector), book.arrived([DAY_MS], ["ann"], vector)
    (None, None)
    >>> list(book.settle(AFTER_MS + 1)), list(book.settle(9 * DAY_MS))
    ([((0, 'ann'), False)], [((86400000, 'ann'), True)])
    """

    def __init__(self) -> None:
        self._waiting: list[Key] = []
        self._active_ms: dict[str, float] = {}

    def arrived(self, landmark_ms: list[int], users: list[str], vectors: npt.NDArray[np.uint8]) -> None:
        """Record snapshots: n landmarks (ms), n users, and coded vectors, uint8 (n, F)."""
        silence = _RECENCY_MS[vectors[:, _PLACE]]
        for landmark, user, silent_ms in zip(landmark_ms, users, silence.tolist(), strict=True):
            heapq.heappush(self._waiting, (landmark, user))
            # moved into the past by as much as one byte may be wrong
            active_ms = landmark - silent_ms / SLACK
            if active_ms > self._active_ms.get(user, 0.0):
                self._active_ms[user] = active_ms

    def settle(self, before_ms: int) -> Iterable[tuple[Key, bool]]:
        """Yield, in order of time, each snapshot whose early outcome is known before this time (ms), and whether its user was silent."""
        while self._waiting and self._waiting[0][0] + AFTER_MS < before_ms:
            landmark, user = heapq.heappop(self._waiting)
            yield (landmark, user), self._active_ms.get(user, 0.0) <= landmark

    def forget(self, before_ms: int) -> None:
        """Forget activity that no waiting snapshot can need any more, once `settle` was called with this time (ms)."""
        self._active_ms = {user: at for user, at in self._active_ms.items() if at > before_ms - AFTER_MS}

    def erase(self, erased: Mapping[str, int]) -> None:
        """Forget users, each up to a time (ms)."""
        self._waiting = [key for key in self._waiting if key[0] > erased.get(key[1], NEVER)]
        heapq.heapify(self._waiting)
        self._active_ms = {user: at for user, at in self._active_ms.items() if at > erased.get(user, NEVER)}

    def state(self) -> OutcomesState:
        """Return all that a restarted `Outcomes` goes on from."""
        return OutcomesState(sorted(self._waiting), list(self._active_ms.items()))

    def restore(self, state: Any) -> None:
        """Go on from a state.

        Raises
        ------
        ValueError
            If it is not such a state.
        """
        one = read(state, OutcomesState)
        self._waiting, self._active_ms = sorted(one.waiting), dict(one.active)  # a sorted list is a heap


def log_hazard(odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return log(-log p), where p is the risk with these log-odds; float64 (n,).

    >>> log_hazard(np.array([0.0])).round(4).tolist()
    [-0.3665]
    """
    return np.asarray(np.log(np.logaddexp(0, -odds)))


def _slopes(silent: npt.NDArray[np.floating[Any]], at: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the first derivative by `at` of the log-loss of ``P(silent) = exp(-exp(at))``, and the expected second derivative, each (n,)."""
    hazard = np.exp(np.clip(at, -12, 4))
    odds = 1 / np.expm1(hazard)  # P(silent) / P(returned)
    return hazard * (silent - (1 - silent) * odds), hazard * hazard * odds


class Nowcast:
    """The bridge and the shift for the risks of one candidate (see the module).

    Parameters
    ----------
    horizon_ms : int
        The definition's horizon, ms.
    pull : float
        See `PULL`.

    Attributes
    ----------
    shift : float
        What is to be added to log(-log p).
    """

    def __init__(self, horizon_ms: int, pull: float = PULL) -> None:
        self.shift, self._pull = 0.0, pull
        share = np.log1p(AFTER_MS / DAY_MS) / np.log1p(max(horizon_ms, AFTER_MS) / DAY_MS)
        self._first = np.array([np.log(share), RISE])
        self._bridge, self._curvature = self._first, np.zeros((2, 2))
        self._newest: deque[tuple[int, float, bool]] = deque(maxlen=NEWEST)

    def matured(self, odds: npt.NDArray[np.float64], silent: npt.NDArray[np.floating[Any]]) -> None:
        """Take in matured labels: the log-odds stated at their landmarks, calibrated with these labels too, (n,), and the early outcomes, (n,)."""
        columns = np.column_stack([np.ones(len(odds)), log_hazard(odds)])
        slopes, weights = _slopes(silent, columns @ self._bridge)
        kept = np.exp(-len(odds) / BRIDGE_MEMORY)
        # At the present optimum the old slopes and the pull cancel out. The slopes have faded by `kept`, so the same part of the pull stands alone.
        gradient = columns.T @ slopes + (1 - kept) * BRIDGE_PULL * (self._bridge - self._first)
        self._curvature = kept * self._curvature + (columns * weights[:, None]).T @ columns
        move = np.linalg.solve(self._curvature + BRIDGE_PULL * np.eye(2), gradient)
        self._bridge = self._bridge - np.clip(move, -MOST_STEP, MOST_STEP)
        self._bridge[1] = np.clip(self._bridge[1], LEAST_RISE, MOST_RISE)

    def seen(self, landmark_ms: int, raw: float, silent: bool) -> None:
        """Take in one early outcome, with the raw risk that was stated at its landmark."""
        self._newest.append((landmark_ms, raw, silent))

    def look(self, now_ms: int, slope: float = 1.0, shift: float = 0.0) -> None:
        """Seek the shift anew, for raw risks that are calibrated by this slope and shift first."""
        while len(self._newest) > LEAST and self._newest[0][0] <= now_ms - AFTER_MS - SPAN_MS:
            self._newest.popleft()
        if not self._newest:
            self.shift = 0.0
            return
        start, rise = self._bridge
        raw, silent = (np.array(column, np.float64) for column in list(zip(*self._newest, strict=True))[1:])
        at = start + rise * log_hazard(slope * log_odds(raw) + shift)
        for _ in range(STEPS):
            slopes, weights = _slopes(silent, at + rise * self.shift)
            move = (rise * slopes.sum() + self._pull * self.shift) / (rise * rise * weights.sum() + self._pull)
            self.shift = float(np.clip(self.shift - np.clip(move, -MOST_STEP, MOST_STEP), -MOST_SHIFT, MOST_SHIFT))
            if abs(move) < 1e-3:
                break

    def state(self) -> NowcastState:
        """Return all that a restarted nowcast goes on from."""
        (a, b), (c, d) = self._curvature.tolist()
        return NowcastState(self.shift, tuple(self._bridge.tolist()), ((a, b), (c, d)), list(self._newest))

    def restore(self, state: Any) -> None:
        """Go on from a state.

        Raises
        ------
        ValueError
            If it is not the state of a nowcast.
        """
        one = read(state, NowcastState)
        curvature = np.array(one.curvature)
        if np.linalg.eigvalsh(curvature).min() < -1 or not np.allclose(curvature, curvature.T):
            raise ValueError("the curvature of a nowcast's loss is not symmetric, or negative")
        self.shift, self._bridge, self._curvature = one.shift, np.array(one.bridge), curvature
        self._newest = deque(one.newest, maxlen=NEWEST)
