"""When the shard's timers are due: how many, in which bucket, and how far time may move within one step.

There are two kinds of timers: landmarks of armed users (a wheel of 288 buckets) and maturities of pending snapshots (lists by landmark). What
is due is read from the store. The counts here decide only how large a step is, so a count may be an estimate.

Time is cut into cells of one phase step. Landmarks are due at the start of a cell. The labels of a definition are due at one place inside it,
which follows from how long they wait. So a cell has a few *instants* at which anything can be due, and between them time moves freely.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from itertools import repeat

import numpy as np
import numpy.typing as npt

from features.users.landmarks import BUCKETS, PHASE_STEP_MS


def grid_at_or_after(t_ms: int) -> int:
    """Return the first multiple of the phase step (ms) at or after a time.

    >>> grid_at_or_after(1), grid_at_or_after(300_000)
    (300000, 300000)
    """
    return -(-t_ms // PHASE_STEP_MS) * PHASE_STEP_MS


def next_slice(
    due_ms: npt.NDArray[np.int64], users: Sequence[str], budget: int, after: tuple[int, str] | None
) -> tuple[npt.NDArray[np.bool_], tuple[int, str] | None]:
    """Choose the next of n timers in order of (due time, user); return which, and where to go on, or None when these are the last.

    Parameters
    ----------
    due_ms : int64 (n,)
    users : sequence of str, n
        In no particular order; a user's timers of one due time stay together.
    budget : int
        How many to choose, at least 1. More are chosen only where the last pair has several timers.
    after : (int, str) or None
        The last pair of the slice before.

    >>> chosen, place = next_slice(np.array([5, 5, 5]), ["cleo", "ann", "bob"], 1, after=(5, "ann"))
    >>> chosen.tolist(), place
    ([False, False, True], (5, 'bob'))
    """
    order = sorted(set(users))
    place = {user: number for number, user in enumerate(order)}
    rank = np.fromiter(map(place.__getitem__, users), np.int64, len(users))
    waiting = np.ones(len(due_ms), np.bool_)
    if after is not None:
        waiting = (due_ms > after[0]) | ((due_ms == after[0]) & (rank >= bisect_right(order, after[1])))
    rows = waiting.nonzero()[0]
    if len(rows) <= budget:
        return waiting, None
    last = rows[np.lexsort((rank[rows], due_ms[rows]))[budget - 1]]
    chosen = waiting & ((due_ms < due_ms[last]) | ((due_ms == due_ms[last]) & (rank <= rank[last])))
    if chosen.sum() == len(rows):
        return chosen, None
    return chosen, (int(due_ms[last]), users[last])


class Timers:
    """Counts of due timers over time.

    Parameters
    ----------
    wheel : mapping of bucket to int
        Number of armed users per bucket.
    waits_ms : sequence of int
        H + G of each definition: how long a snapshot waits for its label.
    """

    def __init__(self, wheel: Mapping[int, int], waits_ms: Sequence[int]) -> None:
        self.waits_ms = tuple(waits_ms)
        self.span_ms = min(waits_ms)
        self._wheel = np.zeros(BUCKETS, np.int64)
        for bucket, count in wheel.items():
            self._wheel[bucket] = count
        self._ring = max(waits_ms) // PHASE_STEP_MS + 2 * BUCKETS
        self._instants = np.unique([0, *(wait % PHASE_STEP_MS for wait in waits_ms)])
        self._row = [int(self._instants.searchsorted(wait % PHASE_STEP_MS)) for wait in waits_ms]
        self._maturing = np.zeros((len(self._instants), self._ring), np.int64)
        self._pending: dict[tuple[int, int], int] = {}

    def assume_pending(self, swept_ms: int, newest_ms: int) -> None:
        """Assume that every list exists which may, each as long as an average bucket of the wheel: after a take nobody knows which there are."""
        estimate = int(self._wheel.sum()) // BUCKETS
        for k, wait in enumerate(self.waits_ms):
            landmarks = range(grid_at_or_after(swept_ms - wait), newest_ms + 1, PHASE_STEP_MS)
            self._pending.update(zip(zip(repeat(k), landmarks, strict=False), repeat(estimate), strict=False))
            np.add.at(self._maturing[self._row[k]], (np.array(landmarks, np.int64) + wait) // PHASE_STEP_MS % self._ring, estimate)

    def arm(self, bucket: int, count: int) -> None:
        """Add users to a bucket, or remove them with a negative count."""
        self._wheel[bucket] += count

    def add_pending(self, k: int, landmark_ms: int, count: int) -> None:
        """Note that snapshots of a landmark wait for their label."""
        key = (k, landmark_ms)
        self._pending[key] = self._pending.get(key, 0) + count
        self._maturing[self._row[k], (landmark_ms + self.waits_ms[k]) // PHASE_STEP_MS % self._ring] += count

    def drop_pending(self, k: int, landmark_ms: int) -> None:
        """Note that a landmark's snapshots have all matured."""
        count = self._pending.pop((k, landmark_ms))
        if count:
            self._maturing[self._row[k], (landmark_ms + self.waits_ms[k]) // PHASE_STEP_MS % self._ring] -= count

    def lose_pending(self, k: int, landmark_ms: int, count: int) -> None:
        """Note that some of a landmark's snapshots are no more, or with -1 all of them. What is known of a list may be an estimate."""
        key = (k, landmark_ms)
        if count < 0:
            self.drop_pending(*key)
        else:
            self.add_pending(*key, -min(count, self._pending.get(key, 0)))

    def lists_of(self, buckets: Collection[int]) -> list[tuple[int, int]]:
        """Return the lists that may hold snapshots of users of some buckets, as (definition index, landmark)."""
        wanted = set(buckets)
        return [(k, landmark) for k, landmark in self._pending if landmark // PHASE_STEP_MS % BUCKETS in wanted]

    @property
    def pending(self) -> int:
        """Number of snapshots that wait for their label."""
        return sum(self._pending.values())

    @property
    def oldest_pending_ms(self) -> int | None:
        """Landmark of the oldest pending snapshot, ms since the epoch; None without one."""
        return min((landmark for (_, landmark), count in self._pending.items() if count), default=None)

    def overdue(self, from_ms: int, until_ms: int) -> int:
        """Return how many timers are due in ``[from_ms, until_ms)``; of the landmarks, at most one day's are counted.

        >>> timers = Timers({3: 5}, [86_400_000])
        >>> timers.overdue(0, 3 * PHASE_STEP_MS), timers.overdue(0, 4 * PHASE_STEP_MS)
        (0, 5)
        """
        first, after = grid_at_or_after(from_ms) // PHASE_STEP_MS, grid_at_or_after(until_ms) // PHASE_STEP_MS
        index = np.arange(first, max(first, min(after, first + self._ring)))
        return int(self._wheel[index[:BUCKETS] % BUCKETS].sum() + self._maturing[:, index % self._ring].sum())

    @property
    def armed(self) -> int:
        """Number of armed users."""
        return int(self._wheel.sum())

    def stop_ms(self, from_ms: int, budget: int) -> int:
        """Return the latest time T such that at most `budget` timers are due in ``[from_ms, T)``.

        Never more than one horizon ahead, so that no snapshot is made and matures in the same step. Equal to `from_ms` only when
        the instant `from_ms` itself holds more than the budget: then nothing but its timers can be next.

        >>> timers = Timers({0: 5, 1: 5}, [86_400_000])
        >>> [timers.stop_ms(from_ms, budget=4) for from_ms in (0, 1, PHASE_STEP_MS, PHASE_STEP_MS + 1)]
        [0, 300000, 300000, 86400000]
        """
        cells = self.span_ms // PHASE_STEP_MS + 1
        if (1 + cells // BUCKETS) * self.armed + int(self._maturing.sum()) <= budget:  # everything there is fits
            return from_ms + self.span_ms
        place = int(self._due(from_ms, cells).cumsum().searchsorted(budget, side="right"))
        cell, instant = divmod(place, len(self._instants))
        at = self._instants[instant] + (from_ms // PHASE_STEP_MS + cell) * PHASE_STEP_MS
        return min(int(at), from_ms + self.span_ms)

    def _due(self, from_ms: int, cells: int) -> npt.NDArray[np.int64]:
        """Return how many timers are due from a time on, int64 (cells, instants of a cell). Those before it in its own cell have fired, and count as 0."""
        first = from_ms // PHASE_STEP_MS
        index = np.arange(first, first + cells)
        due = self._maturing[:, index % self._ring]
        due[0] += self._wheel[index % BUCKETS]
        due[self._instants < from_ms % PHASE_STEP_MS, :1] = 0
        return due.T

    def buckets_due(self, from_ms: int, until_ms: int) -> list[int]:
        """Return the non-empty buckets that have an instant in ``[from_ms, until_ms)``."""
        first = grid_at_or_after(from_ms) // PHASE_STEP_MS
        count = min(BUCKETS, -(-until_ms // PHASE_STEP_MS) - first)
        if count <= 0:
            return []
        index = np.arange(first, first + count) % BUCKETS
        buckets: list[int] = index[self._wheel[index] > 0].tolist()
        return buckets

    def any_due(self, from_ms: int, until_ms: int) -> bool:
        """Whether a bucket or a list is due in ``[from_ms, until_ms)``."""
        return until_ms > from_ms and bool(self.buckets_due(from_ms, until_ms) or self.lists_due(from_ms, until_ms))

    def lists_due(self, from_ms: int, until_ms: int) -> list[tuple[int, int]]:
        """Return the lists that mature in ``[from_ms, until_ms)``, as (definition index, landmark) in order of due time."""
        due = []
        for k, wait in enumerate(self.waits_ms):
            window = range(grid_at_or_after(from_ms - wait), until_ms - wait, PHASE_STEP_MS)
            if len(window) < len(self._pending):
                due += [(landmark + wait, k, landmark) for landmark in window if (k, landmark) in self._pending]
            else:  # after a jump in time there are fewer pending lists than landmarks in the window
                due += [(landmark + wait, k, landmark) for other, landmark in self._pending if other == k and landmark in window]
        return [(k, landmark) for _, k, landmark in sorted(due)]
