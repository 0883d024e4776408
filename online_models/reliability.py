"""Is a stated risk the observed share? The calibration error over bins of equally many scores, and how much of it is more than chance.

A perfect forecaster has a calibration error as well: about .03 on a thousand scores. So outcomes are drawn from the stated risks again and again, and
the mean error of these draws (the *floor*) is taken off. What is left, the *excess*, is about 0 for a perfect forecaster, however few scores there are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

BINS = 10
DRAWS = 200


class Reliability(NamedTuple):
    """The calibration error over bins of equally many scores, and those of draws of outcomes, (draws,)."""

    ece: float
    drawn: npt.NDArray[np.float64]

    @property
    def floor(self) -> float:
        """The mean error of the draws."""
        return float(self.drawn.mean())

    @property
    def excess(self) -> float:
        """How much of the error is more than chance."""
        return self.ece - self.floor

    def chance(self, most: float) -> float:
        """Return how often a perfect forecaster's excess would be above this: the share of the draws whose own is."""
        return float((self.drawn - self.floor > most).mean())


def reliability(
    labels: npt.NDArray[Any], scores: npt.NDArray[np.floating[Any]], users: npt.NDArray[Any] | None = None, draws: int = DRAWS
) -> Reliability:
    """Return the calibration error of scores in [0, 1], (n,), with labels 0 or 1, (n,).

    Parameters
    ----------
    users : (n,), optional
        Whose scores these are. Then all outcomes of a user are drawn together: by one number from 0 to 1, which each of their risks is compared with,
        since outcomes of one user that lie near each other are nearly one. Without it every outcome is drawn alone, so the floor is lower.
    draws : int
        How often outcomes are drawn, always with the same seed.

    >>> reliability(np.array([0, 1] * 50), np.full(100, 0.9)).ece.__round__(2)
    0.4
    """
    if not len(labels):
        return Reliability(float("nan"), np.full(1, np.nan))
    order = np.argsort(scores, kind="stable")
    stated = np.asarray(scores, np.float64)[order]
    starts = np.unique(np.linspace(0, len(stated), BINS, endpoint=False).astype(np.int64))
    sums = np.add.reduceat(stated, starts)

    def error(outcomes: npt.NDArray[Any]) -> float:
        return float(np.abs(sums - np.add.reduceat(outcomes.astype(np.float64), starts)).sum() / len(stated))

    rng = np.random.default_rng(0)
    whose = np.arange(len(stated)) if users is None else np.unique(users, return_inverse=True)[1][order]
    drawn = [error(rng.random(int(whose.max()) + 1)[whose] < stated) for _ in range(draws)]
    return Reliability(error(np.asarray(labels)[order]), np.array(drawn))
