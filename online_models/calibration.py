"""Online Platt scaling: two numbers that turn a model's log-odds into a probability that agrees with the observed share of churn.

``p = sigmoid(slope * log_odds(raw) + shift)`` (Platt 1999) is fitted by Newton's method to the newest matured labels and the raw scores that
the model gave at their landmarks. Only the rule needs it: it never learns, so nothing else corrects it. Of what learns only the level is followed (`online_models.level`). Slope and shift are drawn towards (1, 0), which changes nothing, so that few labels have little effect.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from online_models.plain import array_of, labels_of, read
from online_models.scorer import log_odds

WINDOW, PULL = 4_096, 10.0
"""How many labels count, and the strength of the pull towards (1, 0), in units of the log-likelihood's curvature."""
STEPS = 8
LEAST, MOST = 0.2, 3.0
"""Bounds of the slope. It stays positive, so calibration never reverses the order of users."""
MOST_SHIFT = 5.0


class CalibratorState(msgspec.Struct, frozen=True):
    """What a `Calibrator` goes on from after a restart."""

    slope: Annotated[float, msgspec.Meta(ge=LEAST, le=MOST)]
    shift: Annotated[float, msgspec.Meta(ge=-MOST_SHIFT, le=MOST_SHIFT)]
    raw: bytes
    labels: bytes


class Calibrator:
    """One model's two numbers and the window they are fitted on.

    Parameters
    ----------
    window : int
        How many of the newest matured labels count.
    pull : float
        See `PULL`.

    >>> calibrator = Calibrator()
    >>> calibrator.learn(np.full(2000, 0.9, np.float32), np.tile([0, 1], 1000))
    >>> bool(abs(calibrator.slope * log_odds(np.array([0.9]))[0] + calibrator.shift) < 0.2)
    True
    """

    def __init__(self, window: int = WINDOW, pull: float = PULL) -> None:
        self._window, self._pull = window, pull
        self.slope, self.shift = 1.0, 0.0
        self._raw = np.zeros(0, np.float32)
        self._labels = np.zeros(0, np.uint8)

    def learn(self, raw: npt.NDArray[np.float32], labels: npt.NDArray[Any], *, fit: bool = True) -> None:
        """Take in matured labels, 0 or 1, (n,), with the raw scores of their landmarks, (n,); `fit` says whether to fit anew."""
        self._raw = np.concatenate([self._raw, raw.astype(np.float32)])[-self._window :]
        self._labels = np.concatenate([self._labels, labels.astype(np.uint8)])[-self._window :]
        if fit and len(self._raw):
            self._fit()

    def _fit(self) -> None:
        x, y = log_odds(self._raw), self._labels
        slope, shift = self.slope, self.shift
        for _ in range(STEPS):
            p = 1 / (1 + np.exp(-(slope * x + shift)))
            miss, weight = p - y, p * (1 - p)
            gradient = np.array([(miss * x).sum() + self._pull * (slope - 1), miss.sum() + self._pull * shift])
            cross = (weight * x).sum()
            curvature = np.array([[(weight * x * x).sum() + self._pull, cross], [cross, weight.sum() + self._pull]])
            move = np.linalg.solve(curvature, gradient)
            slope, shift = float(np.clip(slope - move[0], LEAST, MOST)), float(np.clip(shift - move[1], -MOST_SHIFT, MOST_SHIFT))
            if abs(move).max() < 1e-4:
                break
        self.slope, self.shift = slope, shift

    def state(self) -> CalibratorState:
        """Return all that a restarted calibrator goes on from."""
        return CalibratorState(self.slope, self.shift, self._raw.tobytes(), self._labels.tobytes())

    def restore(self, state: Any) -> None:
        """Go on from a state.

        Raises
        ------
        ValueError
            If it is not the state of a calibrator.
        """
        one = read(state, CalibratorState)
        raw, labels = array_of(one.raw, "<f4", -1), labels_of(one.labels)
        if len(raw) != len(labels):
            raise ValueError(f"a calibrator has {len(raw)} scores for {len(labels)} labels")
        self.slope, self.shift, self._raw, self._labels = one.slope, one.shift, raw, labels
