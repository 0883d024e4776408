"""What the last day says of the risk, long before its labels are known.

A label comes a horizon late, and a term that ends or a course that begins moves everyone meanwhile. But whether a user came back within a day is
known after a day, for those who did and those who did not alike, so it can be used without bias. Where the label is silence, a risk p is a
cumulative hazard of return, ``-log p``, and a change of the times is taken to multiply everybody's (proportional hazards, Cox 1972)::

    stated = p ** ratio,      log ratio = shift

1. `Outcomes` takes down who was silent for `AFTER_MS` after each snapshot: their later snapshots say when they were last active.
2. A *bridge* says how much of the hazard falls into that first day: ``P(silent) = exp(-exp(start + rise * log(-log p)))``, p calibrated with
   hindsight. It begins as a Lomax law has it (pauses that are exponential, at rates that differ from user to user by a gamma law, as in Fader,
   Hardie and Lee 2005), ``start = log(log(1 + a) / log(1 + H))`` in days, and follows matured labels by one Newton step a batch, with a curvature
   that fades (McCormick, Raftery, Madigan and Burd 2012).
3. On the newest early outcomes the `shift` is sought at which the bridge explains what was seen. It is drawn towards 0: by itself a risk is right.

Nothing of it waits for a label: the rule is held against early outcomes from the second day on.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from features.definitions.definition import DAY_MS, ChurnDefinition
from features.users.catalog import INDEX, value_table
from online_models.catalog import MIX
from online_models.champion import RULE
from online_models.plain import Finite, Millis, Share, read
from online_models.scorer import log_odds

AFTER_MS = DAY_MS
SLACK = 0.97
"""A recency has one byte: activity counts as after the landmark only if it is so by 3 % of the time gone."""
EVERY, LOOK_MS = 256, DAY_MS // 2
"""The shift is sought anew after this many early outcomes, and after this time at the latest."""
LEAST, NEWEST, SPAN_MS = 256, 1_024, DAY_MS
"""Outcomes that the shift is sought on: those of landmarks in this span, but no fewer and no more than so many of the newest."""
PULL = 40.0
"""Strength of the pull of the shift towards 0, in units of the log-likelihood's curvature: about the returns seen."""
RISE = 1.2
"""Of the bridge at first: whoever is likely to return does so early (1 if all had pauses of one shape)."""
BRIDGE_PULL, BRIDGE_MEMORY = 400.0, 32_768
"""Strength of the pull of the bridge towards where it began, in the same units, and matured labels that count (with an even fade)."""
STEPS, MOST_STEP = 10, 0.5
MOST_SHIFT = 3.0
LEAST_RISE, MOST_RISE = 0.2, 3.0

_PLACE = INDEX["active_recency_s"]
_RECENCY_MS = np.nan_to_num(value_table()[_PLACE] * 1000, nan=np.inf)

Key = tuple[int, str]
"""Landmark and user."""


class OutcomesState(msgspec.Struct, frozen=True):
    """See `Outcomes`."""

    waiting: list[tuple[Millis, str]]
    active: list[tuple[str, Finite]]


class NowcastState(msgspec.Struct, frozen=True):
    """See `Nowcast`."""

    shift: Annotated[float, msgspec.Meta(ge=-MOST_SHIFT, le=MOST_SHIFT)]
    bridge: tuple[Finite, Annotated[float, msgspec.Meta(ge=LEAST_RISE, le=MOST_RISE)]]
    curvature: tuple[tuple[Finite, Finite], tuple[Finite, Finite]]
    newest: Annotated[list[tuple[Millis, Share, bool]], msgspec.Meta(max_length=NEWEST)]


def judged(definitions: Sequence[ChurnDefinition], *, daily: bool) -> dict[str, tuple[str, ...]]:
    """Return which candidates of which definitions are held against early outcomes.

    The label must be silence, of the activity that vectors tell the recency of (the first definition's), and users must not leave the crowd by
    anything but silence. Landmarks on active days are too few for the rule to be judged within a day or two.

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
    """Who came back soon after which snapshot.

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
        """Take down snapshots: n landmarks, users and coded vectors (n, F)."""
        silence = _RECENCY_MS[vectors[:, _PLACE]]
        for landmark, user, silent_ms in zip(landmark_ms, users, silence.tolist(), strict=True):
            heapq.heappush(self._waiting, (landmark, user))
            # drawn towards the landmark's past by what one byte may be wrong
            active_ms = landmark - silent_ms / SLACK
            if active_ms > self._active_ms.get(user, 0.0):
                self._active_ms[user] = active_ms

    def settle(self, before_ms: int) -> Iterable[tuple[Key, bool]]:
        """Yield each snapshot whose early outcome is known before this time, in order of time, and whether the user was silent."""
        while self._waiting and self._waiting[0][0] + AFTER_MS < before_ms:
            landmark, user = heapq.heappop(self._waiting)
            yield (landmark, user), self._active_ms.get(user, 0.0) <= landmark

    def forget(self, before_ms: int) -> None:
        """Forget activity that no snapshot still waiting can ask for."""
        self._active_ms = {user: at for user, at in self._active_ms.items() if at > before_ms - AFTER_MS}

    def state(self) -> OutcomesState:
        """All that a restarted book goes on from."""
        return OutcomesState(sorted(self._waiting), list(self._active_ms.items()))

    def restore(self, state: Any) -> None:
        """Go on from a state.

        Raises
        ------
        ValueError
        """
        one = read(state, OutcomesState)
        self._waiting, self._active_ms = sorted(one.waiting), dict(one.active)  # what is sorted is a heap


def log_hazard(odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return log(-log p) of log-odds.

    >>> log_hazard(np.array([0.0])).round(4).tolist()
    [-0.3665]
    """
    return np.asarray(np.log(np.logaddexp(0, -odds)))


def _slopes(silent: npt.NDArray[np.floating[Any]], at: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """First derivative of the loss of ``P(silent) = exp(-exp(at))`` by `at`, and what is expected of the second, each (n,)."""
    hazard = np.exp(np.clip(at, -12, 4))
    odds = 1 / np.expm1(hazard)  # P(silent) / P(returned)
    return hazard * (silent - (1 - silent) * odds), hazard * hazard * odds


class Nowcast:
    """The bridge and the shift, for the risks of one candidate.

    Parameters
    ----------
    horizon_ms : int

    Attributes
    ----------
    shift : float
        To be added to log(-log p).
    """

    def __init__(self, horizon_ms: int) -> None:
        self.shift = 0.0
        share = np.log1p(AFTER_MS / DAY_MS) / np.log1p(max(horizon_ms, AFTER_MS) / DAY_MS)
        self._first = np.array([np.log(share), RISE])
        self._bridge, self._curvature = self._first, np.zeros((2, 2))
        self._newest: deque[tuple[int, float, bool]] = deque(maxlen=NEWEST)

    def matured(self, odds: npt.NDArray[np.float64], silent: npt.NDArray[np.floating[Any]]) -> None:
        """Take in matured labels: log-odds of their landmarks, calibrated with them, (n,), and early outcomes (n,)."""
        columns = np.column_stack([np.ones(len(odds)), log_hazard(odds)])
        slopes, weights = _slopes(silent, columns @ self._bridge)
        kept = np.exp(-len(odds) / BRIDGE_MEMORY)
        # at the optimum of what is known the old slopes and the pull cancel: of both the same part has faded
        gradient = columns.T @ slopes + (1 - kept) * BRIDGE_PULL * (self._bridge - self._first)
        self._curvature = kept * self._curvature + (columns * weights[:, None]).T @ columns
        move = np.linalg.solve(self._curvature + BRIDGE_PULL * np.eye(2), gradient)
        self._bridge = self._bridge - np.clip(move, -MOST_STEP, MOST_STEP)
        self._bridge[1] = np.clip(self._bridge[1], LEAST_RISE, MOST_RISE)

    def seen(self, landmark_ms: int, raw: float, silent: bool) -> None:
        """Take in one early outcome, with the risk that was stated before."""
        self._newest.append((landmark_ms, raw, silent))

    def look(self, now_ms: int, slope: float = 1.0, shift: float = 0.0) -> None:
        """Seek the shift anew, of risks calibrated like this."""
        while len(self._newest) > LEAST and self._newest[0][0] <= now_ms - AFTER_MS - SPAN_MS:
            self._newest.popleft()
        if not self._newest:
            self.shift = 0.0
            return
        start, rise = self._bridge
        _, raw, silent = np.array(self._newest, np.float64).T
        at = start + rise * log_hazard(slope * log_odds(raw) + shift)
        for _ in range(STEPS):
            slopes, weights = _slopes(silent, at + rise * self.shift)
            move = (rise * slopes.sum() + PULL * self.shift) / (rise * rise * weights.sum() + PULL)
            self.shift = float(np.clip(self.shift - np.clip(move, -MOST_STEP, MOST_STEP), -MOST_SHIFT, MOST_SHIFT))
            if abs(move) < 1e-3:
                break

    def state(self) -> NowcastState:
        """All that a restarted nowcast goes on from."""
        (a, b), (c, d) = self._curvature.tolist()
        return NowcastState(self.shift, tuple(self._bridge.tolist()), ((a, b), (c, d)), list(self._newest))

    def restore(self, state: Any) -> None:
        """Go on from a state.

        Raises
        ------
        ValueError
        """
        one = read(state, NowcastState)
        curvature = np.array(one.curvature)
        if np.linalg.eigvalsh(curvature).min() < -1 or not np.allclose(curvature, curvature.T):
            raise ValueError("the curvature of a loss is symmetric, and negative nowhere")
        self.shift, self._bridge, self._curvature = one.shift, np.array(one.bridge), curvature
        self._newest = deque(one.newest, maxlen=NEWEST)
