"""Follow the level of one model's risks by matured labels: one number that is added to its log-odds.

``p = sigmoid(log_odds(raw) + shift)``. Labels of one day depend on each other: a holiday or an outage moves them all. So a day counts as one
observation of the level, whose error has two parts (the random effects of DerSimonian and Laird 1986)::

    level of day d = shift + effect of the day + noise,    variances SPREAD ** 2 and 1 / sum p (1 - p)

The shift is the mean of the days' levels, each with the inverse of its variance as weight, which fades with its age: a label is a horizon
old when it comes, so the memory is counted in horizons. It is drawn towards 0, which leaves the risk as it is. After a long time without labels it is 0 again.

A slope is not fitted on purpose. On logs where it was not chosen it did harm on all (docs/learning.md).
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from features.definitions.definition import DAY_MS
from online_models.plain import Finite, NotNegative, read
from online_models.scorer import EPSILON

MEMORY = 3.0
"""After so many horizons the weight of a day has fallen by a factor of e."""
KEPT = 6
"""Days are forgotten after this many memories, when their weight is 1/400."""
SPREAD = 0.2
"""Standard deviation of the effect of a day, in log-odds."""
PRIOR = 0.3
"""Standard deviation of the shift before anything is known, in log-odds: how strongly it is drawn towards 0."""
MOST_SHIFT = 3.0
MOST_DAYS = 20_000

Day = Annotated[int, msgspec.Meta(ge=-(10**8), le=10**8)]


class LevelState(msgspec.Struct, frozen=True):
    """What a `Level` goes on from after a restart."""

    shift: Annotated[float, msgspec.Meta(ge=-MOST_SHIFT, le=MOST_SHIFT)]
    days: Annotated[list[tuple[Day, NotNegative, Finite]], msgspec.Meta(max_length=MOST_DAYS)]
    """Day of the landmarks since the epoch, sum of p (1 - p), and that sum times the day's level."""


class Level:
    """The level of one model (see the module).

    Parameters
    ----------
    horizon_ms : int
        The definition's horizon, ms.

    Attributes
    ----------
    shift : float
        What is to be added to the log-odds.

    >>> level = Level(DAY_MS)
    >>> for day in range(9):
    ...     level.learn(np.full(400, day * DAY_MS), np.zeros(400), np.arange(400) % 4 > 0)
    >>> level.look(9 * DAY_MS)
    >>> bool(0.7 < level.shift < np.log(3))  # three of four churned where one of two was said
    True
    """

    def __init__(self, horizon_ms: int) -> None:
        self.shift = 0.0
        self._memory_days = MEMORY * max(horizon_ms / DAY_MS, 1.0)
        self._days: dict[int, tuple[float, float]] = {}

    def learn(self, landmark_ms: npt.NDArray[np.int64], odds: npt.NDArray[np.float64], labels: npt.NDArray[Any]) -> None:
        """Take in matured labels, 0 or 1, (n,), with their landmarks (ms), (n,), and the uncorrected log-odds stated there, (n,)."""
        if not len(labels):
            return
        days, row = np.unique(landmark_ms // DAY_MS, return_inverse=True)
        p = 1 / (1 + np.exp(-(odds + self.shift)))
        weight = np.maximum(p * (1 - p), EPSILON)
        weights = np.bincount(row, weight).tolist()
        levels = np.bincount(row, weight * self.shift + labels - p).tolist()  # one step of Newton's method from the present shift
        for day, more, level in zip(days.tolist(), weights, levels, strict=True):
            known, before = self._days.get(day, (0.0, 0.0))
            self._days[day] = (known + more, before + level)
        oldest = max(self._days) - KEPT * self._memory_days
        self._days = {day: one for day, one in self._days.items() if day > oldest}

    def look(self, now_ms: int) -> None:
        """Set the shift anew, as of this time (ms)."""
        if not self._days:
            self.shift = 0.0
            return
        days = np.array(sorted(self._days))
        weight, level = np.array([self._days[day] for day in days.tolist()]).T
        told = np.exp(-np.maximum(now_ms / DAY_MS - days, 0) / self._memory_days) / (SPREAD**2 + 1 / weight)
        shift = float((told * level / weight).sum() / (told.sum() + PRIOR**-2))
        self.shift = float(np.clip(shift, -MOST_SHIFT, MOST_SHIFT))

    def state(self) -> LevelState:
        """Return all that a restarted level goes on from."""
        return LevelState(self.shift, [(day, *self._days[day]) for day in sorted(self._days)])

    def restore(self, state: Any) -> None:
        """Go on from a state.

        Raises
        ------
        ValueError
            If it is not the state of a level.
        """
        one = read(state, LevelState)
        if any(weight < EPSILON for _, weight, _ in one.days):
            raise ValueError("a day of a level has no weight")
        self.shift, self._days = one.shift, {day: (weight, level) for day, weight, level in one.days}
