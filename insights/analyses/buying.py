"""How often will each customer buy, and are they still there? BG/NBD: buying goes on at a rate of one's own, and after each purchase some leave for good.

Fader, Hardie, Lee (2005): "Counting your customers" the easy way, Marketing Science 24. A customer is x repeat purchases (days with a purchase after the first), the time t_x of the last one and the
time T that they were watched, both since their first purchase, in weeks. Rates are Gamma(r, alpha) over customers, chances of leaving Beta(a, b).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln, hyp2f1

from insights.analyses.fits import Fit, most_likely

Floats = NDArray[np.float64]
PARAMETERS = ("r", "alpha", "a", "b")


class Buyers(NamedTuple):
    """Customers, an entry each: repeat purchases, weeks from the first to the last purchase, weeks watched."""

    x: Floats
    t_x: Floats
    T: Floats


def log_likelihood(parameters: Floats, buyers: Buyers) -> Floats:
    """Return the log-likelihood of each customer (equation 6 of the paper)."""
    r, alpha, a, b = parameters
    x, t_x, T = buyers  # noqa: N806 - the paper's name
    both = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
    alive = betaln(a, b + x) - (r + x) * np.log(alpha + T)
    left = betaln(a + 1, b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + t_x)
    each: Floats = both + np.where(x > 0, np.logaddexp(alive, left), alive)
    return each


def fit(buyers: Buyers) -> Fit:
    """Return the most likely r, alpha, a, b."""
    alike, counts = np.unique(np.column_stack(buyers), axis=0, return_counts=True)
    some = Buyers(*alike.T)
    return most_likely(lambda parameters: float(counts @ log_likelihood(parameters, some)), len(PARAMETERS), float(counts.sum()))


def p_alive(parameters: Floats, buyers: Buyers) -> Floats:
    """Return the chance that each customer is still there; 1 by construction for who never came again."""
    r, alpha, a, b = parameters
    x, t_x, T = buyers  # noqa: N806 - the paper's name
    odds = np.log(a) - np.log(b + np.maximum(x, 1) - 1) + (r + x) * (np.log(alpha + T) - np.log(alpha + t_x))
    return np.where(x > 0, 1 / (1 + np.exp(odds)), 1.0)


def expected_purchases(parameters: Floats, buyers: Buyers, weeks: float) -> Floats:
    """Return how many purchases each customer is expected to make in the next weeks (equation 10 of the paper).

    >>> published = np.array([0.243, 4.414, 0.793, 2.426])
    >>> one = Buyers(np.array([2.0]), np.array([30.43]), np.array([38.86]))
    >>> round(float(expected_purchases(published, one, 39)[0]), 3), round(float(p_alive(published, one)[0]), 4)
    (1.226, 0.7266)
    """
    r, alpha, a, b = parameters
    x, _, T = buyers  # noqa: N806 - the paper's name
    if abs(a - 1) < 1e-6:  # the formula is 0 / 0 there, and smooth
        a = 1 + 1e-6
    z = weeks / (alpha + T + weeks)
    series = hyp2f1(r + x, b + x, a + b + x - 1, z)
    grown = 1 - np.exp((r + x) * np.log1p(-z)) * series
    never_left: Floats = (a + b + x - 1) / (a - 1) * grown
    return never_left * p_alive(parameters, buyers)
