"""Has the world changed? River's ADWIN over the champion's loss, and over the scores it states.

ADWIN (Bifet and Gavalda 2007) keeps a window and drops its older part when the means of two parts differ by more than chance allows. It is
fed means of small groups, not single values: labels of one day depend on each other, and groups tame that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from river import drift

GROUP = 32
DELTA = 1e-4
"""Chance of a false alarm at one test, as ADWIN states it for independent values."""
MOST = 2_000
"""Groups after which the older half is forgotten, so that what is kept makes the same detector again."""


class DriftWatch:
    """Watches one stream of values; a detection starts it anew.

    Parameters
    ----------
    rises_only : bool
        Whether a fall is no alarm: a loss that falls is a model that learns.

    >>> watch = DriftWatch()
    >>> rng = np.random.default_rng(1)
    >>> watch.feed(rng.uniform(0.2, 0.4, 6400)), watch.feed(rng.uniform(0.6, 0.8, 3200))
    (False, True)
    """

    def __init__(self, *, rises_only: bool = False) -> None:
        self._rises_only = rises_only
        self._values: list[float] = []
        self._history: list[float] = []
        self._detector = _detector()
        self.detections = 0

    def feed(self, values: npt.NDArray[Any]) -> bool:
        """Take in values (n,); whether a change was found in them."""
        self._values.extend(np.asarray(values, np.float64).tolist())
        found = False
        while len(self._values) >= GROUP:
            mean = float(np.mean(self._values[:GROUP]))
            del self._values[:GROUP]
            self._history.append(mean)
            self._detector.update(mean)
            if self._detector.drift_detected:
                rose = self._detector.estimation > float(np.mean(self._history))
                if rose or not self._rises_only:
                    found = True
                    self.detections += 1
                self._begin([])
            elif len(self._history) == MOST:
                self._begin(self._history[MOST // 2 :])
        return found

    def restart(self) -> None:
        """Forget all: what is watched has become another thing."""
        self._values = []
        self._begin([])

    def _begin(self, history: list[float]) -> None:
        self._history = history
        self._detector = _detector()
        for mean in history:
            self._detector.update(mean)

    def state(self) -> dict[str, Any]:
        """Plain numbers: the means since the last detection make the detector again."""
        return {"values": self._values, "history": self._history, "detections": self.detections}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._values, self.detections = list(state["values"]), state["detections"]
        self._begin(list(state["history"]))


def _detector() -> drift.ADWIN:
    return drift.ADWIN(delta=DELTA, clock=1, min_window_length=10, grace_period=20)
