"""How sure is a share? Its interval of 95%."""

from __future__ import annotations

SURE = 1.96
"""Standard deviations to each side."""


def interval_of(k: int, n: int) -> tuple[float, float] | None:
    """Return the interval of a share of `k` in `n` (Wilson 1927), which stays within 0 to 1 and is right for small n; None for no n.

    >>> [round(end, 3) for end in interval_of(79, 100) or ()], interval_of(0, 0)
    ([0.7, 0.858], None)
    """
    if n <= 0:
        return None
    share, z2 = k / n, SURE * SURE
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = SURE * (share * (1 - share) / n + z2 / (4 * n * n)) ** 0.5 / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)
