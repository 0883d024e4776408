"""The personal-cadence rule: it takes the risk from nothing but the user's own habit. It needs no labels, so it serves from the first day.

The pauses of a user are assumed to be log-normal. Their mean and spread are those of the user's pauses so far, shrunk towards a pause of two
days, the crowd's. As in BG/NBD (Fader, Hardie and Lee 2005), users may drop out after each visit, with a chance q that falls with every pause
they came back from. H is the horizon, s the present silence, and S(x) the chance that a pause of a live user lasts longer than x::

    q = 1 / (11 + pauses)
    gone = q / (q + (1 - q) S(s))
    risk = gone + (1 - gone) S(s + H) / S(s),    S(x) = 1 - Phi((log(1 + x / 1 h) - mean) / spread)

The risk is kept between a floor and a ceiling, because the rule knows one thing only. A user seen on one day only has no habit yet, so the
prior decides.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.users.catalog import INDEX, WIDTH, value_table
from online_models.packed_scorers import PackedCadence

PRIOR_PAUSE_H = 48.0
PRIOR_WEIGHT = 2.0
"""How many pauses the prior weighs as much as."""
PRIOR_SPREAD = 1.6
PRIOR_RETURNS = 11.0
FLOOR, CEILING = 0.02, 0.98


def _normal_tail(z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return 1 - Phi(z) by Abramowitz and Stegun 26.2.17 (absolute error below 7.5e-8); at least 1e-12, so that ratios stay finite."""
    a = np.abs(z)
    t = 1 / (1 + 0.2316419 * a)
    poly = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    tail = np.exp(-a * a / 2) / np.sqrt(2 * np.pi) * poly
    return np.asarray(np.maximum(np.where(z >= 0, tail, 1 - tail), 1e-12))


class CadenceScorer:
    """The rule for one horizon.

    Parameters
    ----------
    horizon_ms : int
        H in milliseconds, positive.

    >>> vector = np.zeros((2, WIDTH), np.uint8)
    >>> vector[:, INDEX["active_recency_s"]] = [50, 220]
    >>> low, high = CadenceScorer(14 * 86_400_000).risk(vector)
    >>> bool(low < high)
    True
    """

    name = "cadence"

    def __init__(self, horizon_ms: int) -> None:
        self._horizon_ms, self._horizon_h = horizon_ms, horizon_ms / 3_600_000
        self._values = value_table()

    def risk(self, vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """See `online_models.scorer.Scorer`."""
        silence_h, mean, spread, pauses = self._habit(vectors)
        now = _normal_tail((np.log1p(silence_h) - mean) / spread)
        later = _normal_tail((np.log1p(silence_h + self._horizon_h) - mean) / spread)
        dropout = 1 / (PRIOR_RETURNS + pauses)
        gone = dropout / (dropout + (1 - dropout) * now)
        return np.clip(gone + (1 - gone) * later / now, FLOOR, CEILING).astype(np.float32)

    def _habit(self, vectors: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float64], ...]:
        def column(name: str, otherwise: float) -> npt.NDArray[np.float64]:
            values = self._values[INDEX[name], vectors[:, INDEX[name]]]
            return np.where(np.isnan(values), otherwise, values)

        silence_h = column("active_recency_s", 0.0) / 3600
        count = column("gaps", 0.0)
        own_mean = np.log1p(column("gap_mean_s", 0.0) / 3600)
        own_spread = column("gap_spread", PRIOR_SPREAD)
        weight = count + PRIOR_WEIGHT
        mean = (count * own_mean + PRIOR_WEIGHT * np.log1p(PRIOR_PAUSE_H)) / weight
        spread = np.maximum((count * own_spread + PRIOR_WEIGHT * PRIOR_SPREAD) / weight, 0.3)
        return silence_h, mean, spread, count

    def pack(self) -> PackedCadence:
        """See `online_models.scorer.Scorer`."""
        return PackedCadence(self.name, self._horizon_ms)

    def terms(self, vector: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """See `Scorer`. The rule compares the silence with the habit and nothing else, so the term of the silence has all of the log-odds."""
        risk = float(self.risk(vector[None, :])[0])
        terms = np.zeros(WIDTH)
        terms[INDEX["gap_z" if vector[INDEX["gap_z"]] else "active_recency_s"]] = np.log(risk / (1 - risk)) + 2.0
        return terms
