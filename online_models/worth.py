"""How much corrections have been worth so far: one number from 0 to 1 for each, by which it is multiplied before it is used.

A correction of the level is known when a risk is stated; whether it was right, when the label comes. So the record of each is kept::

    log-odds of the outcome = uncorrected + worth[0] * correction[0] + worth[1] * correction[1]

and the worth is fitted to matured labels by ridge regression (one step of Newton's method a batch). As in `online_models.level`, a day counts as
one observation, and the memory is counted in horizons. Worth is drawn towards 1: what is laid over the learners is trusted at first, and less once it has been wrong.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from features.definitions.definition import DAY_MS
from online_models.level import MEMORY, MOST_DAYS, Day
from online_models.plain import Finite, NotNegative, Share, read
from online_models.scorer import EPSILON

LEAST_DAYS = 14
"""Shortest memory: a day is one observation, and fewer tell nothing."""
KEPT = 6
"""Days are forgotten after this many memories."""
SPREAD = 0.5
"""Standard deviation of the effect of a day, in log-odds. It is larger than that of a level: a day that breaks all habits must not alone say what a correction is worth."""
PRIOR = 0.5
"""Standard deviation of a worth around 1 before anything is known."""
CORRECTIONS = 2
Sums = tuple[NotNegative, tuple[NotNegative, Finite, NotNegative], tuple[Finite, Finite]]
"""Sum of p (1 - p); the same times the products of the corrections, first with first, first with second, second with second; slopes."""


class WorthState(msgspec.Struct, frozen=True):
    """What a `Worth` goes on from after a restart."""

    worth: tuple[Share, Share]
    days: Annotated[list[tuple[Day, Sums]], msgspec.Meta(max_length=MOST_DAYS)]


class Worth:
    """The record of two corrections (see the module).

    Parameters
    ----------
    horizon_ms : int
        The definition's horizon, ms.

    Attributes
    ----------
    worth : float64 (2,)
        Each from 0 to 1.

    >>> record, rng = Worth(DAY_MS), np.random.default_rng(1)
    >>> for day in range(30):
    ...     right, wrong = rng.normal(size=2)
    ...     labels = rng.random(500) < 1 / (1 + np.exp(-right))
    ...     record.learn(np.full(500, day * DAY_MS), np.zeros(500), np.tile([right, wrong], (500, 1)), labels)
    >>> bool(record.worth[0] > 0.8 and record.worth[1] < 0.3)
    True
    """

    def __init__(self, horizon_ms: int) -> None:
        self._memory_days = max(MEMORY * horizon_ms / DAY_MS, LEAST_DAYS)
        self.worth = np.ones(CORRECTIONS)
        self._days: dict[int, npt.NDArray[np.float64]] = {}

    def learn(
        self,
        landmark_ms: npt.NDArray[np.int64],
        odds: npt.NDArray[np.float64],
        corrections: npt.NDArray[np.float64],
        labels: npt.NDArray[Any],
    ) -> None:
        """Take in matured labels, 0 or 1, (n,), with their landmarks (ms), (n,), the uncorrected log-odds, (n,), and the corrections known there, (n, 2)."""
        if not len(labels):
            return
        days, row = np.unique(landmark_ms // DAY_MS, return_inverse=True)
        first, second = corrections.T
        corrected = corrections @ self.worth
        p = 1 / (1 + np.exp(-(odds + corrected)))
        weight = np.maximum(p * (1 - p), EPSILON)
        slope = weight * corrected + labels - p
        columns = (weight, weight * first**2, weight * first * second, weight * second**2, slope * first, slope * second)
        sums = np.column_stack([np.bincount(row, column) for column in columns])
        for day, more in zip(days.tolist(), sums, strict=True):
            self._days[day] = self._days[day] + more if day in self._days else more
        newest = max(self._days)
        self._days = {day: one for day, one in self._days.items() if day > newest - KEPT * self._memory_days}
        self._fit(newest)

    def _fit(self, newest: int) -> None:
        days = np.array(sorted(self._days))
        sums = np.array([self._days[day] for day in days.tolist()])
        told = np.exp(-(newest - days) / self._memory_days) / (1 + SPREAD**2 * sums[:, 0])
        _, a, b, c, g, h = told @ sums
        pull = PRIOR**-2
        self.worth = np.clip(np.linalg.solve([[a + pull, b], [b, c + pull]], [g + pull, h + pull]), 0.0, 1.0)

    def state(self) -> WorthState:
        """Return all that a restarted record goes on from."""
        days = []
        for day in sorted(self._days):
            weight, a, b, c, g, h = self._days[day].tolist()
            days.append((day, (weight, (a, b, c), (g, h))))
        first, second = self.worth.tolist()
        return WorthState((first, second), days)

    def restore(self, state: Any) -> None:
        """Go on from a state.

        Raises
        ------
        ValueError
            If it is not the state of a record.
        """
        one = read(state, WorthState)
        if any(b * b > a * c * (1 + 1e-9) + 1e-9 for _, (_, (a, b, c), _) in one.days):
            raise ValueError("the products of two corrections contradict each other")
        self.worth = np.array(one.worth)
        self._days = {day: np.array([weight, *products, *slopes]) for day, (weight, products, slopes) in one.days}
