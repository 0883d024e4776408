"""Which positive parameters make the data most likely? The best of five starts, sought in logarithms, without any penalty.

Each start goes up the slope; the best one is then polished without slopes, since a likelihood summed over many is too rough for its last digits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]

STARTS = (1.0, 0.1, 10.0)
"""All parameters alike; two more starts alternate."""
FAR = 12.0
"""A logarithm beyond which a parameter has run away: the likelihood rises for ever."""


class Fit(NamedTuple):
    """Parameters in the order of the model, their log-likelihood, and whether they are where it is largest."""

    parameters: Floats
    log_likelihood: float
    converged: bool


def most_likely(log_likelihood: Callable[[Floats], float], parameters: int, weight: float) -> Fit:
    """Return the parameters with the largest log-likelihood.

    Parameters
    ----------
    log_likelihood : callable
        Of parameters, all positive; summed over the data.
    parameters : int
        How many.
    weight : float
        How many cases the sum is over.
    """
    alternating = np.where(np.arange(parameters) % 2, 3.0, 0.3)
    starts = [*(np.full(parameters, start) for start in STARTS), alternating, 1 / alternating]

    def loss(logs: Floats) -> float:
        value = -log_likelihood(np.exp(np.clip(logs, -FAR - 1, FAR + 1))) / weight
        return value if np.isfinite(value) else 1e6

    found = [
        minimize(loss, np.log(start), method="Nelder-Mead", options={"maxiter": 4000, "maxfev": 4000, "xatol": 1e-7, "fatol": 1e-11})
        for start in starts
    ]
    best = min(found, key=lambda one: float(one.fun))
    converged = bool(best.success and np.abs(best.x).max() < FAR - 1)
    return Fit(np.exp(best.x), -float(best.fun) * weight, converged)
