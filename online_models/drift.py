"""Has the world changed? River's ADWIN over the champion's loss, and over the scores it states.

ADWIN (Bifet and Gavalda 2007) keeps a window of values, and drops its older part when the means of two parts differ by more than chance
allows. It assumes independent values, but the labels of one day depend on each other. So it is fed the means of small groups, which depend
on each other less.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt
from river import drift

from online_models.plain import Count, read

GROUP = 32
DELTA = 1e-4
"""Chance of a false alarm at one test, as ADWIN states it for independent values."""
MOST = 2_000
"""Most groups that are kept, so that a saved state stays small; beyond it the older half is forgotten, by the detector as well."""
_Value = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]


class WatchState(msgspec.Struct, frozen=True):
    """What a `DriftWatch` goes on from: fed the means since the last detection, a new detector stands where the old one stood."""

    values: Annotated[list[_Value], msgspec.Meta(max_length=GROUP)]
    history: Annotated[list[_Value], msgspec.Meta(max_length=MOST)]
    detections: Count


class DriftWatch:
    """Watches one stream of values for a change; after each detection it begins anew.

    Parameters
    ----------
    rises_only : bool
        Whether only a rise is an alarm. Right for a loss: one that falls only shows that the model learns.

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
        """Take in values, (n,); return whether a change was found in them."""
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
        """Forget all values, because what is watched is no longer the same thing."""
        self._values = []
        self._begin([])

    def _begin(self, history: list[float]) -> None:
        self._history = history
        self._detector = _detector()
        for mean in history:
            self._detector.update(mean)

    def state(self) -> WatchState:
        """Return all that a restarted watch goes on from."""
        return WatchState(self._values, self._history, self.detections)

    def restore(self, state: Any) -> None:
        """Go on from a state.

        Raises
        ------
        ValueError
            If it is not the state of a watch.
        """
        one = read(state, WatchState)
        self._values, self.detections = one.values, one.detections
        self._begin(one.history)


def _detector() -> drift.ADWIN:
    return drift.ADWIN(delta=DELTA, clock=1, min_window_length=10, grace_period=20)
