"""The best chain of one user from one entry, and the entry it starts from; compiled.

Times are microseconds. Events of one user lie in `at[a:b]` in order of time; those of one instant may be taken in either order (`matching.py`).
A chain of n steps is told by its n times. It is *open* while it may go on, and *final* while nothing so far would have taken it further.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from insights.analyses.passes.kinds import Bools, Int32s, Ints
from insights.analyses.passes.matching import one_more, steps_filled

NEVER = -(2**62)
FOREVER = 2**62


@njit(cache=True, nogil=True)
def instant_end(at: Ints, first: int, last: int) -> int:
    """Return where the events of the instant of `at[first]` end."""
    end = first + 1
    while end < last and at[end] == at[first]:
        end += 1
    return end


@njit(cache=True, nogil=True)
def earlier(times: Ints, than: Ints, steps: int) -> bool:
    """Whether the first `steps` times are earlier than others, compared one by one."""
    for k in range(steps):
        if times[k] != than[k]:
            return bool(times[k] < than[k])
    return False


@njit(cache=True, nogil=True)
def longest(at: Ints, mask: Int32s, a: int, b: int, begin: int, end: int, window: int, limit: int, steps: int) -> tuple[int, int]:
    """Return the most steps that any entry in [begin, end) leads to, and the earliest entry that leads to as many; one pass, for funnels without exclusions.

    `latest[k]` is the latest entry of a chain with k steps done: of two entries that have come as far, the later one has more of its window left.
    Let T be when most steps are first done. An earlier entry gets no later to each step, so every entry from T - window on makes the same chain in time, and
    none before it does.
    """
    latest = np.full(steps + 1, NEVER, np.int64)
    most, when = 0, 0
    g = a
    while g < b and most < steps and at[g] <= limit:
        h = instant_end(at, g, b)
        now = at[g]
        for done in range(steps - 1, 0, -1):
            if latest[done] > NEVER and now <= latest[done] + window:
                for reached in range(done + 1, steps_filled(mask, g, h, done, steps) + 1):
                    latest[reached] = max(latest[reached], latest[done])
                    if reached > most:
                        most, when = reached, now
        if begin <= now < end:
            for reached in range(1, steps_filled(mask, g, h, 0, steps) + 1):
                latest[reached] = now
                if reached > most:
                    most, when = reached, now
        g = h
    for k in range(a, b):
        if at[k] >= begin and at[k] >= when - window and mask[k] & 1:
            return most, at[k]
    return 0, 0


@njit(cache=True, nogil=True)
def follow(at: Ints, mask: Int32s, spoil: Int32s, g: int, b: int, deadline: int, steps: int, exclude: Ints, times: Ints) -> int:
    """Write the times of the best unspoiled chain of one entry; return its steps, 0 if every chain is spoiled.

    A chain is spoiled by an event of exclusion x strictly between its steps `exclude[x, 0]` and `exclude[x, 1]` (0 is the first), or before the deadline if the
    latter was not reached. For chains with equally many steps done the future is the same, so the earliest of them is kept, apart for open and final ones.

    Parameters
    ----------
    g : int
        The first event of the instant of the entry.
    """
    is_open, final = np.zeros(steps + 1, np.bool_), np.zeros(steps + 1, np.bool_)
    open_times, final_times = np.zeros((steps + 1, steps), np.int64), np.zeros((steps + 1, steps), np.int64)
    h = instant_end(at, g, b)
    reach = steps_filled(mask, g, h, 0, steps)
    for k in range(1, reach + 1):
        is_open[k] = True
        open_times[k, :k] = at[g]
    final[reach] = True
    final_times[reach, :reach] = at[g]
    while not final[steps] and h < b and at[h] <= deadline:
        g, h = h, instant_end(at, h, b)
        kills = 0
        if exclude.size and at[g] < deadline:
            for k in range(g, h):
                kills |= spoil[k]
        _step(mask, at[g], g, h, steps, kills, exclude, is_open, final, open_times, final_times)
    for k in range(steps, 0, -1):
        if final[k]:
            times[:k] = final_times[k, :k]
            return k
    return 0


@njit(cache=True, nogil=True)
def _step(
    mask: Int32s,
    now: int,
    g: int,
    h: int,
    steps: int,
    kills: int,
    exclude: Ints,
    is_open: Bools,
    final: Bools,
    open_times: Ints,
    final_times: Ints,
) -> None:
    """Take chains over one instant, the longest first, so that no chain takes the instant twice."""
    for done in range(steps, 0, -1):
        if not is_open[done]:
            continue
        reach = steps_filled(mask, g, h, done, steps) if done < steps else done
        times = open_times[done].copy()
        if reach > done:
            final[done] = False
        if _killed(kills, exclude, done, done):
            is_open[done] = final[done] = False
        for k in range(done + 1, reach + 1):
            times[k - 1] = now
            if _killed(kills, exclude, done, k):
                continue
            if not is_open[k] or earlier(times, open_times[k], k):
                is_open[k] = True
                open_times[k, :k] = times[:k]
            if k == reach and (not final[k] or earlier(times, final_times[k], k)):
                final[k] = True
                final_times[k, :k] = times[:k]


@njit(cache=True, nogil=True)
def _killed(kills: int, exclude: Ints, before: int, after: int) -> bool:
    """Whether an instant spoils a chain with `before` steps done before it and `after` after it: begun before, and not ended by now."""
    for x in range(exclude.shape[0]):  # noqa: SIM110 - compiled: a generator would be a function of its own
        if kills >> x & 1 and before > exclude[x, 0] and after <= exclude[x, 1]:
            return True
    return False


@njit(cache=True, nogil=True)
def follow_strict(at: Ints, mask: Int32s, g: int, b: int, deadline: int, steps: int, times: Ints) -> int:
    """Write the times of the best chain of one entry in which no other event lies between; return its steps.

    Some order of the events of each instant must do: the entry's instant may have others before it, the last one others after it, and every instant between
    must be used whole.
    """
    going = np.zeros(steps + 1, np.bool_)
    going_times, best = np.zeros((steps + 1, steps), np.int64), 0
    h = instant_end(at, g, b)
    reach = steps_filled(mask, g, h, 0, steps)
    for k in range(1, reach + 1):
        going[k] = True
        going_times[k, :k] = at[g]
    best = reach
    times[:reach] = at[g]
    while best < steps and h < b and at[h] <= deadline:
        g, h = h, instant_end(at, h, b)
        after, after_times = np.zeros(steps + 1, np.bool_), np.zeros((steps + 1, steps), np.int64)
        for done in range(1, steps):
            if not going[done]:
                continue
            line = going_times[done].copy()
            for k in range(done + 1, steps_filled(mask, g, h, done, steps) + 1):
                line[k - 1] = at[g]
                if k > best or (k == best and earlier(line, times, k)):
                    best = k
                    times[:k] = line[:k]
                if k - done == h - g and (not after[k] or earlier(line, after_times[k], k)):
                    after[k] = True
                    after_times[k, :k] = line[:k]
        going, going_times = after, after_times
        if not going.any():
            break
    return best


@njit(cache=True, nogil=True)
def follow_any(at: Ints, mask: Int32s, g: int, b: int, deadline: int, most: int, steps: int, times: Ints) -> int:
    """Write the times at which one step more was done, whichever, from one entry on; return how many steps that makes, at most `most`."""
    holder = np.zeros(steps, np.int64)
    done = 0
    for k in range(g, b):
        if done == most or at[k] > deadline:
            break
        if mask[k] and one_more(mask[k], holder):
            times[done] = at[k]
            done += 1
    return done
