"""Which steps can the events of one instant fill, each event at most one? Bipartite matching by augmenting paths, compiled.

Events of an instant may be taken in either order, so that no answer depends on the order of arrival. An event is the set of steps it fits, as bits.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from insights.analyses.passes.kinds import Int32s, Ints

MOST_STEPS = 20


@njit(cache=True, nogil=True)
def steps_filled(mask: Int32s, first: int, last: int, done: int, steps: int) -> int:
    """Return how many steps can be done after an instant, when `done` were before.

    Parameters
    ----------
    mask : int32[:]
        Steps each event fits; bit 0 is step 1.
    first, last : int
        The events of the instant: `mask[first:last]`.
    done : int
        Steps done before; the next one is bit `done`.
    steps : int
        Steps of the funnel.
    """
    if last - first == 1:
        return done + 1 if done < steps and mask[first] >> done & 1 else done
    holder = np.full(steps, -1, np.int64)  # step -> the event that fills it
    filled = np.full(last - first, -1, np.int64)  # event -> its step
    while done < steps and _augment(mask, first, last, done, holder, filled):
        done += 1
    return done


@njit(cache=True, nogil=True)
def _augment(mask: Int32s, first: int, last: int, step: int, holder: Ints, filled: Ints) -> bool:
    """Fill one step more, moving events to other steps where need be: breadth first from the step to an event that is free."""
    came = np.full(last - first, -1, np.int64)  # event -> the step that reached it
    queue = np.empty(holder.size, np.int64)
    queue[0] = step
    head, tail = 0, 1
    while head < tail:
        at = queue[head]
        head += 1
        for event in range(last - first):
            if came[event] < 0 and mask[first + event] >> at & 1:
                came[event] = at
                if filled[event] >= 0:
                    queue[tail] = filled[event]
                    tail += 1
                    continue
                free = event
                while True:  # back along the path, each event to the step that reached it
                    taker = came[free]
                    before = holder[taker]
                    holder[taker], filled[free] = free, taker
                    if taker == step:
                        return True
                    free = before
    return False


@njit(cache=True, nogil=True)
def one_more(mask: int, holder: Ints) -> bool:
    """Give one more event a step, moving earlier ones to other steps where need be.

    Parameters
    ----------
    mask : int
        Steps the event fits.
    holder : int64[:]
        For each step the mask of the event that fills it, 0 while none does; changed in place when there is room.
    """
    steps = holder.size
    came = np.full(steps, -2, np.int64)  # step -> the step whose event would move here; -1: the new event
    queue = np.empty(steps, np.int64)
    head, tail = 0, 0
    for step in range(steps):
        if mask >> step & 1:
            came[step] = -1
            queue[tail] = step
            tail += 1
    while head < tail:
        at = queue[head]
        head += 1
        if holder[at] == 0:
            while came[at] >= 0:
                holder[at] = holder[came[at]]
                at = came[at]
            holder[at] = mask
            return True
        for step in range(steps):
            if came[step] == -2 and holder[at] >> step & 1:
                came[step] = at
                queue[tail] = step
                tail += 1
    return False
