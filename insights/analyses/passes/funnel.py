"""Best chains of all users, by period of entry; compiled. Which chains there are says `chains.py`; this chooses among the entries of a user."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from insights.analyses.passes.chains import FOREVER, follow, follow_any, follow_strict, instant_end, longest
from insights.analyses.passes.kinds import Int32s, Ints
from insights.analyses.passes.timelines import Timelines

ORDERS = ("ordered", "strict", "any")


class Shape(NamedTuple):
    """What is asked, as numbers.

    Attributes
    ----------
    steps : int
    order : int
        Index in `ORDERS`.
    window : int
        Microseconds from the entry in which the chain must be done; `FOREVER` where only the period's end counts.
    cuts : int64[:]
        Borders of the periods: an entry in [cuts[i], cuts[i + 1]) is of period i.
    within_period : bool
        Whether the chain must be done before its period ends.
    first_entry : bool
        Try only the first entry of a period.
    exclude : int64[:, 2]
        Steps between which an event of each exclusion spoils, 0 is the first.
    value_step : int
        The step (0 is the first) whose value is told.
    """

    steps: int
    order: int
    window: int
    cuts: Ints
    within_period: bool
    first_entry: bool
    exclude: Ints
    value_step: int


class Chains(NamedTuple):
    """One row a user and period with an entry.

    Attributes
    ----------
    line, period : int64[:]
        The user's place among the timelines; index of the period.
    reached : int64[:]
        Steps done; 0: excluded, every chain is spoiled.
    times : int64[:, steps]
        When each step was done, microseconds; of excluded ones the first is their first entry. Rest: undefined.
    deadline : int64[:]
        Until when the last entry tried can still go on.
    value : int64[:]
        Code of the value at the step asked, the smallest of that instant's events that fit; -1 without one.
    """

    line: Ints
    period: Ints
    reached: Ints
    times: Ints
    deadline: Ints
    value: Ints


def best_chains(lines: Timelines, spoil: Int32s, value: Int32s, shape: Shape) -> Chains:
    """Return the best chain of each user and period: most steps, then earliest entry, then earliest times.

    Parameters
    ----------
    lines : Timelines
        Events of users in order; `code` has the steps each fits as bits.
    spoil : int32[:]
        Exclusions each is an event of, as bits; empty without exclusions.
    value : int32[:]
        Codes of the values to break down by, -1 without one; empty without a breakdown.
    """
    return Chains(*_all(lines.starts, lines.at, lines.code, spoil, value, shape))


@njit(cache=True, nogil=True)
def _all(starts: Ints, at: Ints, mask: Int32s, spoil: Int32s, value: Int32s, shape: Shape) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
    most = 0  # rows at most: a change of period at an entry makes one
    cuts = shape.cuts
    for user in range(starts.size - 1):
        last = -1
        for k in range(starts[user], starts[user + 1]):
            if is_entry(mask[k], shape.order) and cuts[0] <= at[k] < cuts[-1]:
                period = np.searchsorted(cuts, at[k], side="right") - 1
                most += period != last
                last = period
    line, period_of, reached = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    times, deadline, code = np.zeros((most, shape.steps), np.int64), np.empty(most, np.int64), np.full(most, -1, np.int64)
    row = 0
    for user in range(starts.size - 1):
        k, b = starts[user], starts[user + 1]
        while k < b and at[k] < cuts[-1]:
            if not is_entry(mask[k], shape.order) or at[k] < cuts[0]:
                k += 1
                continue
            while k > starts[user] and at[k - 1] == at[k]:  # others of this instant may be steps beside the entry
                k -= 1
            period = np.searchsorted(cuts, at[k], side="right") - 1
            limit = cuts[period + 1] - 1 if shape.within_period else FOREVER
            reached[row], deadline[row] = _one(at, mask, spoil, k, b, cuts[period + 1], limit, shape, times[row])
            line[row], period_of[row] = user, period
            if value.size:
                code[row] = _value(at, mask, value, k, b, times[row], reached[row], shape)
            row += 1
            while k < b and at[k] < cuts[period + 1]:
                k += 1
    return line, period_of, reached, times, deadline, code


@njit(cache=True, nogil=True)
def is_entry(mask: int, order: int) -> bool:
    """Whether an event enters: by the first step, in any order by any."""
    return bool(mask != 0) if order == 2 else bool(mask & 1)


@njit(cache=True, nogil=True)
def _one(at: Ints, mask: Int32s, spoil: Int32s, a: int, b: int, end: int, limit: int, shape: Shape, times: Ints) -> tuple[int, int]:
    """Write the times of the best chain of the entries from event `a` (one of them) to `end`; return its steps, and the deadline of the last entry."""
    steps, window = shape.steps, shape.window
    last = at[a]
    for k in range(a, b):
        if at[k] >= end or shape.first_entry:
            break
        if is_entry(mask[k], shape.order):
            last = at[k]
    deadline = min(last + window, limit)
    bound = steps
    entry, until = at[a], last
    if shape.order == 0:
        bound, first = longest(at, mask, a, b, at[a], last + 1, window, deadline, steps)
        if not shape.exclude.size:
            entry = until = first
    elif shape.order == 2:
        fits = 0
        for k in range(a, b):
            if at[k] > deadline:
                break
            fits |= mask[k]
        bound = min(steps, _bits(fits))
    best, tried = 0, np.zeros(steps, np.int64)
    times[0] = at[a]
    g = a
    while g < b and at[g] <= until and best < bound:
        h = instant_end(at, g, b)
        enters = False
        for k in range(g, h):
            enters |= is_entry(mask[k], shape.order)
        if enters and at[g] >= entry:
            ends = min(at[g] + window, limit)
            if shape.order == 0:
                done = follow(at, mask, spoil, g, b, ends, steps, shape.exclude, tried)
            elif shape.order == 1:
                done = follow_strict(at, mask, g, b, ends, steps, tried)
            else:
                done = follow_any(at, mask, g, b, ends, bound, steps, tried)
            if done > best:
                best = done
                times[:done] = tried[:done]
        g = h
    return best, deadline


@njit(cache=True, nogil=True)
def _bits(mask: int) -> int:
    n = 0
    while mask:
        n += mask & 1
        mask >>= 1
    return n


@njit(cache=True, nogil=True)
def _value(at: Ints, mask: Int32s, value: Int32s, a: int, b: int, times: Ints, reached: int, shape: Shape) -> int:
    """Return the smallest code of the events that can be the step asked at its time; -2 if it was not reached."""
    step = shape.value_step
    if step >= max(reached, 1):
        return -2
    found = -1
    for k in range(a + np.searchsorted(at[a:b], times[step]), b):
        if at[k] != times[step]:
            break
        if (shape.order == 2 and mask[k]) or mask[k] >> step & 1:
            found = value[k] if found < 0 else (min(found, value[k]) if value[k] >= 0 else found)
    return found
