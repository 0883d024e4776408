"""How sure is a share? Its interval of 95%."""

from __future__ import annotations

from statistics import NormalDist

SURE = 1.96
"""Standard deviations to each side."""


def sure_of_all(count: int) -> float:
    """Return the standard deviations to each side of so many intervals that are looked at together, so that all of them hold at 95% (Bonferroni).

    >>> round(sure_of_all(1), 2), round(sure_of_all(24), 2)
    (1.96, 3.08)
    """
    return NormalDist().inv_cdf(1 - 0.025 / max(1, count))


def interval_of(k: int, n: int, sure: float = SURE) -> tuple[float, float] | None:
    """Return the interval of a share of `k` in `n` (Wilson 1927), which stays within 0 to 1 and is right for small n; None for no n.

    >>> [round(end, 3) for end in interval_of(79, 100) or ()], interval_of(0, 0)
    ([0.7, 0.858], None)
    """
    if n <= 0:
        return None
    share, z2 = k / n, sure * sure
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = sure * (share * (1 - share) / n + z2 / (4 * n * n)) ** 0.5 / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def difference_of(k: int, n: int, k_before: int, n_before: int, sure: float = SURE) -> tuple[float, float, float] | None:
    """Return how much a share is above another one, and the interval of that (Newcombe 1998, method 10: from the two intervals of Wilson); None without people.

    >>> [round(part, 3) for part in difference_of(56, 70, 48, 80) or ()]
    [0.2, 0.052, 0.334]
    """
    now, before = interval_of(k, n, sure), interval_of(k_before, n_before, sure)
    if now is None or before is None:
        return None
    share, earlier = k / n, k_before / n_before
    down = ((share - now[0]) ** 2 + (before[1] - earlier) ** 2) ** 0.5
    up = ((now[1] - share) ** 2 + (earlier - before[0]) ** 2) ** 0.5
    return share - earlier, share - earlier - down, share - earlier + up
