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


def difference(k: pl.Expr, n: pl.Expr, other_k: pl.Expr, other_n: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Return by how much the share `k` of `n` is larger than that of others, and the ends of its interval (Newcombe 1998, from those of the shares); null where one is of nobody.

    >>> frame = pl.DataFrame({"k": [56, 1], "n": [70, 2], "other_k": [48, 0], "other_n": [80, 0]})
    >>> value, low, high = difference(*map(pl.col, ("k", "n", "other_k", "other_n")))
    >>> frame.select(value.round(4).alias("value"), low.round(4).alias("low"), high.round(4).alias("high")).rows()
    [(0.2, 0.0524, 0.3339), (None, None, None)]
    """
    share, other = k / pl.when(n > 0).then(n), other_k / pl.when(other_n > 0).then(other_n)
    (low, high), (other_low, other_high) = wilson(k, n), wilson(other_k, other_n)
    value = share - other
    below = ((share - low) ** 2 + (other_high - other) ** 2).sqrt()
    above = ((high - share) ** 2 + (other - other_low) ** 2).sqrt()
    return value, value - below, value + above
