"""What the last days say of the risk, long before their labels are known.

A label comes a horizon late, and a term that ends or a feature that is launched moves everyone meanwhile. But whether a user came back within two
days is known after two days, for those who did and those who did not alike, so it can be used without bias. Three steps:

1. `Outcomes` takes down who was silent for `AFTER_MS` after each snapshot: his later snapshots say when he was last active.
2. On matured labels, a *bridge* is fitted: the chance of early silence, given the risk that hindsight states (calibrated on those labels).
3. On the newest early outcomes, one number is sought: the `shift` of all log-odds at which the bridge explains what was seen.

The shift is drawn towards 0, and where silence of two days says nothing of the label the bridge is flat and the shift stays 0.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from features.catalog import INDEX, value_table
from features.definition import DAY_MS

AFTER_MS = 2 * DAY_MS
SLACK = 0.97
"""A recency has one byte: activity counts as after the landmark only if it is so by 3 % of the time gone."""
EVERY = 256
"""Early outcomes after which the shift is sought anew."""
MATURED, NEWEST = 2_048, 1_024
"""Outcomes that the bridge and the shift are fitted on."""
LEAST = 200
PULL = 150.0
"""Strength of the pull of the shift towards 0, in units of the log-likelihood's curvature."""
STEPS, MOST_STEP = 20, 0.5
MOST_SHIFT = 1.0

_PLACE = INDEX["active_recency_s"]
_RECENCY_MS = np.nan_to_num(value_table()[_PLACE] * 1000, nan=np.inf)

Key = tuple[int, str]
"""Landmark and user."""


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

    def state(self) -> dict[str, Any]:
        """Plain numbers and text."""
        return {"waiting": [list(key) for key in self._waiting], "active": list(self._active_ms.items())}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._waiting = [(landmark, user) for landmark, user in state["waiting"]]
        self._active_ms = dict(state["active"])


class Nowcast:
    """The bridge and the shift.

    Attributes
    ----------
    shift : float
        To be added to log-odds calibrated on matured labels.
    """

    def __init__(self) -> None:
        self.shift = 0.0
        self._bridge = np.array([0.0, 1.0])
        self._matured = np.zeros((0, 2), np.float32)
        self._newest: deque[tuple[float, bool]] = deque(maxlen=NEWEST)
        self._fresh = 0

    def matured(self, odds: npt.NDArray[np.floating[Any]], silent: npt.NDArray[np.floating[Any]], slope: float, shift: float) -> None:
        """Take in matured labels: log-odds at their landmarks (n,), early outcomes (n,), and their calibration, made with them."""
        rows = np.column_stack([odds, silent]).astype(np.float32)
        self._matured = np.concatenate([self._matured, rows])[-MATURED:]
        self._fit_bridge(slope, shift)

    def seen(self, odds: float, silent: bool) -> bool:
        """Take in one early outcome; whether it is time to `look`."""
        self._newest.append((odds, silent))
        self._fresh += 1
        return self._fresh >= EVERY

    def look(self, slope: float, shift: float) -> None:
        """Seek the shift anew."""
        self._fresh = 0
        if min(len(self._matured), len(self._newest)) < LEAST:
            return
        start, rise = self._bridge
        newest = np.array(self._newest, np.float64)
        odds, silent = slope * newest[:, 0] + shift, newest[:, 1]
        for _ in range(STEPS):
            p = 1 / (1 + np.exp(-(start + rise * (odds + self.shift))))
            gradient = rise * (p - silent).sum() + PULL * self.shift
            move = float(np.clip(gradient / (rise * rise * (p * (1 - p)).sum() + PULL), -MOST_STEP, MOST_STEP))
            self.shift = float(np.clip(self.shift - move, -MOST_SHIFT, MOST_SHIFT))
            if abs(move) < 1e-3:
                break

    def _fit_bridge(self, slope: float, shift: float) -> None:
        odds, silent = slope * self._matured[:, 0].astype(np.float64) + shift, self._matured[:, 1]
        columns = np.column_stack([np.ones(len(odds)), odds])
        for _ in range(STEPS):
            p = 1 / (1 + np.exp(-columns @ self._bridge))
            gradient = columns.T @ (p - silent) + self._bridge
            curvature = (columns * (p * (1 - p))[:, None]).T @ columns + np.eye(2)
            move = np.clip(np.linalg.solve(curvature, gradient), -MOST_STEP, MOST_STEP)
            self._bridge = self._bridge - move
            if abs(move).max() < 1e-3:
                break
        self._bridge[1] = max(self._bridge[1], 0.0)

    def state(self) -> dict[str, Any]:
        """Plain numbers and bytes."""
        return {
            "shift": self.shift, "bridge": self._bridge.tolist(), "fresh": self._fresh,
            "matured": self._matured.tobytes(), "newest": [list(one) for one in self._newest],
        }  # fmt: skip

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.shift, self._bridge, self._fresh = state["shift"], np.array(state["bridge"]), state["fresh"]
        self._matured = np.frombuffer(state["matured"], np.float32).reshape(-1, 2)
        self._newest = deque(((odds, silent) for odds, silent in state["newest"]), maxlen=NEWEST)
