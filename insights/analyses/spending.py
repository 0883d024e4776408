"""How much is a purchase of each customer worth? Gamma-Gamma: what somebody spends varies around a mean of their own, and means vary between customers.

Fader, Hardie (2013): The Gamma-Gamma model of monetary value, brucehardie.com/notes/025. Spending must not depend on how often somebody buys.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from insights.analyses.fits import Fit, most_likely

Floats = NDArray[np.float64]
PARAMETERS = ("p", "q", "v")


def log_likelihood(parameters: Floats, x: Floats, mean: Floats) -> Floats:
    """Return the log-likelihood of each customer (equation 1a of the note): `x` purchases of `mean` on average, both above 0."""
    p, q, v = parameters
    several = p * x
    return np.asarray(
        gammaln(several + q)
        - gammaln(several)
        - gammaln(q)
        + q * np.log(v)
        + (several - 1) * np.log(mean)
        + several * np.log(x)
        - (several + q) * np.log(x * mean + v)
    )


def fit(x: Floats, mean: Floats) -> Fit:
    """Return the most likely p, q, v of customers with repeat purchases."""
    return most_likely(lambda parameters: float(log_likelihood(parameters, x, mean).sum()), len(PARAMETERS), float(x.size))


def expected_spending(parameters: Floats, x: Floats, mean: Floats) -> Floats:
    """Return what a purchase of each customer is expected to be worth: between their own mean and that of all, the nearer to their own the more they bought.

    >>> expected_spending(np.array([6.25, 3.74, 15.44]), np.array([2.0, 1, 0]), np.array([22.35, 11.77, 0])).round(2).tolist()
    [24.66, 18.92, 35.22]
    """
    p, q, v = parameters
    return np.asarray(p * (v + x * mean) / (p * x + q - 1))
