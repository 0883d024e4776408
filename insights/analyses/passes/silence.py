"""What somebody did last before each landmark, and whether silence followed; compiled.

A landmark is the end of a local day on which somebody was active: one a day, however often they came.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from insights.analyses.passes.kinds import Int32s, Ints
from insights.analyses.passes.timelines import Timelines
from insights.analyses.passes.visits import ACTIVE

ACTIVITY_DAYS = 28


class Landmarks(NamedTuple):
    """One row a landmark that has matured.

    Attributes
    ----------
    line : int64[:]
        The user's place among the timelines.
    path : int64[:]
        The last nodes, the newest in the last place, as digits of base `nodes + 1`; 0 where there are fewer, else node + 1.
    silent : int64[:]
        1 if no activity followed within the horizon, else 0.
    active_days : int64[:]
        Of the 28 days that end with the landmark, from 1.
    """

    line: Ints
    path: Ints
    silent: Ints
    active_days: Ints


def landmarks_of(lines: Timelines, nodes: int, last: int, day_ends: Ints, first_day: int, horizon: int, known_until: int) -> Landmarks:
    """Return all matured landmarks.

    Parameters
    ----------
    lines : Timelines
        `code` is the node (-1: none), `more["marks"]` says what is activity, `more["day"]` is the local day.
    last : int
        How many nodes before a landmark are told; of nodes that repeat in a row one.
    day_ends : int64[:]
        When each local day from `first_day` on ends, microseconds.
    """
    more = lines.more
    return Landmarks(
        *_all(lines.starts, lines.at, lines.code, more["marks"], more["day"], nodes, last, day_ends, first_day, horizon, known_until)
    )


@njit(cache=True, nogil=True)
def _all(
    starts: Ints,
    at: Ints,
    node: Int32s,
    marks: Int32s,
    day: Int32s,
    nodes: int,
    last: int,
    day_ends: Ints,
    first_day: int,
    horizon: int,
    known_until: int,
) -> tuple[Ints, Ints, Ints, Ints]:
    most = 0
    for user in range(starts.size - 1):
        before = np.int64(-1)
        for k in range(starts[user], starts[user + 1]):
            if marks[k] & ACTIVE and day[k] != before:
                before = day[k]
                most += 1
    line, path_of, silent, active = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    row = 0
    size = np.int64(nodes + 1) ** last
    days = np.empty(most, np.int64)  # active days of the user so far
    for user in range(starts.size - 1):
        a, b = starts[user], starts[user + 1]
        path, before, seen, oldest = np.int64(0), np.int64(-1), 0, 0
        ahead = a
        k = a
        while k < b:
            today, is_active = day[k], False
            while k < b and day[k] == today:
                if node[k] >= 0 and node[k] != before:
                    path = (path * (nodes + 1) + node[k] + 1) % size
                    before = node[k]
                is_active |= marks[k] & ACTIVE != 0
                k += 1
            if not is_active:
                continue
            days[seen] = today
            seen += 1
            while days[oldest] <= today - ACTIVITY_DAYS:
                oldest += 1
            mark = day_ends[today - first_day] - 1
            if mark + horizon >= known_until:
                continue
            ahead = max(ahead, k)
            while ahead < b and not marks[ahead] & ACTIVE:
                ahead += 1
            line[row], path_of[row], active[row] = user, path, seen - oldest
            silent[row] = ahead == b or at[ahead] > mark + horizon
            row += 1
    return line[:row], path_of[:row], silent[:row], active[:row]
