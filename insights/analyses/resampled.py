"""How sure is a share, or a difference of shares, when one person counts many times? The bootstrap over people (Efron 1979), with Poisson weights in place of draws.

A fixed seed makes the same data give the same interval.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS = 500
SEED = 20_260_301
_ENDS = (0.025, 0.975)
_AT_A_TIME = 4_000_000
"""Weights that are held at once."""


def interval_over_people(sums: Floats, value: Callable[[Floats], Floats]) -> Floats:
    """Return the ends of intervals of 95 % (percentiles): ``float64[2, values]``, NaN where a value is not known in any draw.

    Parameters
    ----------
    sums : float64[people, columns]
        What each person adds.
    value : callable
        From sums over people, ``float64[draws, columns]``, to what is asked, ``float64[draws, values]``.

    >>> ends = interval_over_people(np.array([[1.0, 1.0], [0.0, 1.0]] * 50), lambda sums: sums[:, :1] / sums[:, 1:])
    >>> bool(0.35 < ends[0, 0] < 0.45 and 0.55 < ends[1, 0] < 0.65)
    True
    """
    random = np.random.default_rng(SEED)
    block = max(1, min(DRAWS, _AT_A_TIME // max(1, len(sums))))
    drawn = [random.poisson(1.0, (min(block, DRAWS - done), len(sums))).astype(np.float64) @ sums for done in range(0, DRAWS, block)]
    with np.errstate(divide="ignore", invalid="ignore"):
        values = value(np.concatenate(drawn))
    ends = np.full((2, values.shape[1]), np.nan)
    for column in range(values.shape[1]):
        known = values[np.isfinite(values[:, column]), column]
        if len(known):
            ends[:, column] = np.quantile(known, _ENDS)
    return ends
