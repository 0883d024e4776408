"""Who is compared with whom? People who were active on about as many days: the idle leave by every way, so that each way of theirs would look like a cause.

Ratios are pooled over these groups by Mantel and Haenszel (1959), and their intervals are by jackknife over people: somebody with many landmarks is one person.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FROM_DAYS = (1, 2, 5, 13)
"""Fewest active days of 28 of each group: once, now and then, weekly and more, every other day and more."""
FOLDS = 20
"""People are put into as many parts for the jackknife."""
_T = 2.093024054408263
"""97.5 % quantile of Student's t with 19 degrees of freedom."""


def group_of(active_days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the group of each number of active days.

    >>> group_of(np.array([1, 4, 5, 28])).tolist()
    [0, 1, 2, 3]
    """
    return np.searchsorted(FROM_DAYS, active_days, side="right") - 1


def pooled_ratio(ones: Floats, of_ones: Floats, noughts: Floats, of_noughts: Floats) -> Floats:
    """Return how many times as large a share is among ones as among noughts, pooled over groups.

    Half a case is added on either side, spread over the groups as all cases are, so that a ratio with none on one side is finite and few cases say little.

    Parameters
    ----------
    ones, noughts : float64[..., groups]
        Cases.
    of_ones, of_noughts : float64[..., groups]
        Out of how many.

    >>> float(pooled_ratio(np.array([3.5]), np.array([10.0]), np.array([1.5]), np.array([10.0])))
    2.0
    """
    whole = np.maximum(of_ones + of_noughts, 1)
    ones = ones + 0.5 * of_ones / np.maximum(of_ones.sum(-1, keepdims=True), 1)
    noughts = noughts + 0.5 * of_noughts / np.maximum(of_noughts.sum(-1, keepdims=True), 1)
    above, below = (ones * of_noughts / whole).sum(-1), (noughts * of_ones / whole).sum(-1)
    ratio: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return ratio


def ratio_with_interval(cases: Floats, of: Floats) -> tuple[Floats, Floats, Floats]:
    """Return ratios and the ends of their intervals of 95 %; NaN where no group has both.

    Parameters
    ----------
    cases : float64[things, folds, groups, 2]
        Cases by part of the people, group, and nought or one.
    of : float64[folds, groups, 2]
        Out of how many.
    """
    every, out_of = cases.sum(1), of.sum(0)
    ratio = pooled_ratio(every[..., 1], out_of[..., 1], every[..., 0], out_of[..., 0])
    rest, out_of_rest = every[:, None] - cases, out_of - of
    deviation = jackknife_deviation(np.log(pooled_ratio(rest[..., 1], out_of_rest[..., 1], rest[..., 0], out_of_rest[..., 0])))
    return ratio, ratio * np.exp(-_T * deviation), ratio * np.exp(_T * deviation)


def pooled_difference(kept: Floats, used: Floats, kept_others: Floats, others: Floats) -> Floats:
    """Return by how much the share of who was kept is larger among users of something than among others, pooled over groups (Greenland and Robins 1985).

    Parameters
    ----------
    kept, kept_others : float64[..., groups]
        Cases.
    used, others : float64[..., groups]
        Out of how many.

    >>> float(pooled_difference(np.array([5.0]), np.array([10.0]), np.array([5.0]), np.array([20.0])))
    0.25
    """
    whole = np.maximum(used + others, 1)
    above, below = ((kept * others - kept_others * used) / whole).sum(-1), (used * others / whole).sum(-1)
    difference: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return difference


def difference_with_interval(used: Floats, of: Floats) -> tuple[Floats, Floats, Floats]:
    """Return differences in the share of who came again, and the ends of their intervals of 95 %; NaN where no group has both users and others.

    Parameters
    ----------
    used : float64[things, folds, groups, 2]
        Landmarks at which a thing had been used, by part of the people, group, and whether silence followed (0 or 1).
    of : float64[folds, groups, 2]
        All landmarks.
    """

    def pooled(cases: Floats, whole: Floats) -> Floats:
        rest = whole - cases
        return pooled_difference(cases[..., 0], cases.sum(-1), rest[..., 0], rest.sum(-1))

    every, out_of = used.sum(1), of.sum(0)
    difference = pooled(every, np.broadcast_to(out_of, every.shape))
    one_out = pooled(every[:, None] - used, np.broadcast_to(out_of - of, used.shape))
    return difference, *sure_within(difference, jackknife_deviation(one_out))


def jackknife_deviation(one_out: Floats) -> Floats:
    """Return the standard deviation of values, from what each is without one part of the people after the other (Tukey 1958).

    Parameters
    ----------
    one_out : float64[things, folds]
    """
    deviation: Floats = np.sqrt((FOLDS - 1) / FOLDS * ((one_out - one_out.mean(1, keepdims=True)) ** 2).sum(1))
    return deviation


def sure_within(value: Floats, deviation: Floats) -> tuple[Floats, Floats]:
    """Return the ends of intervals of 95 % whose deviations are by jackknife."""
    return value - _T * deviation, value + _T * deviation
