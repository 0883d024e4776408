"""How sure is a share? Its interval of 95 %, for whole columns."""

from __future__ import annotations

import polars as pl

Z = 1.959963984540054
"""Standard deviations to each side: the 97.5 % quantile of the normal distribution."""


def wilson(k: pl.Expr, n: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the ends of the interval of the share `k` of `n` (Wilson 1927), which stays within 0 to 1 and is right for small n; null without n.

    >>> frame = pl.DataFrame({"k": [79, 0], "n": [100, 0]})
    >>> low, high = wilson(pl.col("k"), pl.col("n"))
    >>> frame.select(low.round(3).alias("low"), high.round(3).alias("high")).rows()
    [(0.7, 0.858), (None, None)]
    """
    known = pl.when(n > 0).then(n.cast(pl.Float64))
    share = k / known
    middle = (share + Z * Z / (2 * known)) / (1 + Z * Z / known)
    half = Z * (share * (1 - share) / known + Z * Z / (4 * known * known)).sqrt() / (1 + Z * Z / known)
    # the ends of none and of all are 0 and 1 by the formula; rounding must not put them elsewhere
    low = pl.when(k == 0).then(pl.when(n > 0).then(0.0)).otherwise((middle - half).clip(0, 1))
    high = pl.when(k == n).then(pl.when(n > 0).then(1.0)).otherwise((middle + half).clip(0, 1))
    return low, high
