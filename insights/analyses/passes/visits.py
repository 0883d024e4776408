"""Visits as paths of nodes, and what came after; compiled.

An event is a node (-1: none) and marks. A visit ends where no event follows for `gap`. Nodes that repeat in a row are one, at the time of the first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from insights.analyses.passes.kinds import Int32s, Ints
from insights.analyses.passes.timelines import Timelines

ACTIVE, START, END = 1, 2, 4
"""Marks of an event: it is activity, the path may start here, the path may end here."""
ENDS = ("(end of visit)", "(silence)", "(not yet known)", "(goes on)")
"""How a path ends: they came again within the horizon; they did not, and it has passed; it has not; there is more of the path than is shown."""
GOES_ON = 3


class Walk(NamedTuple):
    """How paths are cut.

    Attributes
    ----------
    begin, end : int
        Only visits that begin in [begin, end) are shown.
    gap, horizon : int
        Microseconds of a pause that ends a visit, and of a silence.
    known_until : int
        The watermark.
    depth : int
        Most nodes of a path.
    starts, ends : bool
        Whether a path begins at its first start, ends at the first end from there.
    """

    begin: int
    end: int
    gap: int
    horizon: int
    known_until: int
    depth: int
    starts: bool
    ends: bool


class Links(NamedTuple):
    """One row a link of a visit; the last one leads to how it ended, as node `nodes + index in ENDS`.

    Attributes
    ----------
    line, step, source, target : int64[:]
        The user's place among the timelines, number of the source in its path (from 1), nodes.
    took : int64[:]
        Microseconds from one node to the next; 0 of the last.
    """

    line: Ints
    step: Ints
    source: Ints
    target: Ints
    took: Ints


def links_of(lines: Timelines, nodes: int, walk: Walk) -> Links:
    """Return the links of all visits.

    Parameters
    ----------
    lines : Timelines
        `code` is the node, `more["marks"]` the marks.
    nodes : int
        How many nodes there are.
    """
    return Links(*_links(lines.starts, lines.at, lines.code, lines.more["marks"], nodes, walk))


@njit(cache=True, nogil=True)
def visit_end(at: Ints, first: int, last: int, gap: int) -> int:
    """Return where the visit that begins with event `first` ends."""
    end = first + 1
    while end < last and at[end] - at[end - 1] < gap:
        end += 1
    return end


@njit(cache=True, nogil=True)
def outcome(at: Ints, marks: Int32s, end: int, last: int, walk: Walk) -> int:
    """Return what came after the event before `end`: index in `ENDS`."""
    left = at[end - 1]
    for k in range(end, last):
        if at[k] > left + walk.horizon:
            break
        if marks[k] & ACTIVE and at[k] > left:
            return 0
    return 1 if left + walk.horizon < walk.known_until else 2


@njit(cache=True, nogil=True)
def _links(starts: Ints, at: Ints, node: Int32s, marks: Int32s, nodes: int, walk: Walk) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    most = 0  # a link a shown node at most
    for user in range(starts.size - 1):
        k = starts[user]
        while k < starts[user + 1]:
            end = visit_end(at, k, starts[user + 1], walk.gap)
            most += min(end - k, walk.depth)
            k = end
    line, step, source = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    target, took = np.empty(most, np.int64), np.empty(most, np.int64)
    row = 0
    for user in range(starts.size - 1):
        k, last = starts[user], starts[user + 1]
        while k < last:
            end = visit_end(at, k, last, walk.gap)
            path = _path(node, marks, k, end)
            first, stop = _cut(path, walk) if walk.begin <= at[k] < walk.end else (0, 0)
            for n in range(first, stop):
                line[row], step[row], source[row] = user, n - first + 1, node[path[n, 0]]
                if n + 1 < stop:
                    target[row], took[row] = node[path[n + 1, 0]], at[path[n + 1, 0]] - at[path[n, 0]]
                else:
                    whole = stop == path.shape[0]
                    target[row], took[row] = nodes + (outcome(at, marks, end, last, walk) if whole else GOES_ON), 0
                row += 1
            k = end
    return line[:row], step[:row], source[:row], target[:row], took[:row]


def links_after(lines: Timelines, since: Ints, nodes: int, walk: Walk) -> Links:
    """Return the links of each user's visit after an instant; the first source is node `nodes + len(ENDS)`, what they did at it.

    Parameters
    ----------
    since : int64[:]
        The instant of each user, one at which they have an event; `NEVER` of who is not asked about.
    """
    return Links(*_links_after(lines.starts, lines.at, lines.code, lines.more["marks"], since, nodes, walk))


@njit(cache=True, nogil=True)
def _links_after(
    starts: Ints, at: Ints, node: Int32s, marks: Int32s, since: Ints, nodes: int, walk: Walk
) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    most = since.size * (walk.depth + 1)
    line, step, source = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    target, took = np.empty(most, np.int64), np.empty(most, np.int64)
    row = 0
    for user in range(starts.size - 1):
        a, b = starts[user], starts[user + 1]
        if since[user] < at[a]:
            continue
        first = a + np.searchsorted(at[a:b], since[user], side="right")
        end = visit_end(at, first - 1, b, walk.gap)
        path = _path(node, marks, first, end)
        before, began = nodes + len(ENDS), since[user]
        for n in range(min(path.shape[0], walk.depth)):
            here = path[n, 0]
            line[row], step[row], source[row], target[row], took[row] = user, n + 1, before, node[here], at[here] - began
            before, began = node[here], at[here]
            row += 1
        shown = min(path.shape[0], walk.depth)
        line[row], step[row], source[row], took[row] = user, shown + 1, before, 0
        target[row] = nodes + (outcome(at, marks, end, b, walk) if shown == path.shape[0] else GOES_ON)
        row += 1
    return line[:row], step[:row], source[:row], target[:row], took[:row]


@njit(cache=True, nogil=True)
def _path(node: Int32s, marks: Int32s, first: int, end: int) -> Ints:
    """Return the nodes of a visit: the first event of each, and the marks of all its events."""
    path, n = np.empty((end - first, 2), np.int64), 0
    before = -1
    for k in range(first, end):
        if node[k] < 0:
            continue
        if node[k] == before:
            path[n - 1, 1] |= marks[k]
        else:
            path[n, 0], path[n, 1] = k, marks[k]
            before = node[k]
            n += 1
    return path[:n]


@njit(cache=True, nogil=True)
def _cut(path: Ints, walk: Walk) -> tuple[int, int]:
    """Return which nodes of a path are shown: from the first start to the first end after it, as many as the depth allows; without a start those that lead to the end."""
    first, stop = 0, path.shape[0]
    if walk.starts:
        while first < stop and not path[first, 1] & START:
            first += 1
    if walk.ends:
        end = first
        while end < stop and not path[end, 1] & END:
            end += 1
        if end == stop:
            return 0, 0
        stop = end + 1
        if not walk.starts:
            first = max(first, stop - walk.depth)
    return first, min(stop, first + walk.depth)


def pairs_of(lines: Timelines, nodes: int, gap: int) -> tuple[Ints, Ints, Ints]:
    """Return how often each node followed each other one within a visit, by how many users, and the microseconds between them altogether; each of shape (nodes, nodes)."""
    return _pairs(lines.starts, lines.at, lines.code, nodes, gap)


@njit(cache=True, nogil=True)
def _pairs(starts: Ints, at: Ints, node: Int32s, nodes: int, gap: int) -> tuple[Ints, Ints, Ints]:
    times, users, took = np.zeros((nodes, nodes), np.int64), np.zeros((nodes, nodes), np.int64), np.zeros((nodes, nodes), np.int64)
    seen = np.full((nodes, nodes), -1, np.int32)
    for user in range(starts.size - 1):
        before, since = -1, 0
        for k in range(starts[user], starts[user + 1]):
            if k > starts[user] and at[k] - at[k - 1] >= gap:
                before = -1
            if node[k] < 0 or node[k] == before:
                continue
            if before >= 0:
                times[before, node[k]] += 1
                took[before, node[k]] += at[k] - since
                if seen[before, node[k]] != user:
                    seen[before, node[k]] = user
                    users[before, node[k]] += 1
            before, since = node[k], at[k]
    return times, users, took
