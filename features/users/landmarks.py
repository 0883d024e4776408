"""The landmark instants of a user, and the bitmap that says which of them were followed by an event.

The landmarks of a user are the instants ``day * DAY_MS + phase * PHASE_STEP_MS`` for every integer day (UTC). The phase is a hash of the user id,
so the landmarks of all users are spread over the day.
"""

from __future__ import annotations

import numpy as np
import xxhash
from numba import njit

from features.definitions.definition import DAY_MS

PHASE_STEP_MS = 300_000
BUCKETS = DAY_MS // PHASE_STEP_MS


def phase_of(user: str) -> int:
    """Return the user's bucket of the day, 0 to 287: xxh3_64 of the id modulo 288, so that every process finds the same.

    >>> 0 <= phase_of("ann") < BUCKETS
    True
    """
    return xxhash.xxh3_64_intdigest(user.encode()) % BUCKETS


@njit(cache=True, nogil=True)
def first_instant(phase: int, t_ms: int) -> int:
    """Return the first landmark instant (ms) of this phase at or after a time (ms).

    >>> first_instant(1, 0), first_instant(1, 300_000), first_instant(1, 300_001)
    (300000, 300000, 86700000)
    """
    shift = phase * PHASE_STEP_MS
    return -((shift - t_ms) // DAY_MS) * DAY_MS + shift


@njit(cache=True, nogil=True)
def hit_mask(phase: int, from_ms: int, until_ms: int) -> np.uint64:
    """Return the bits (day number modulo 64) of the landmark instants in ``[from_ms, until_ms)``; all 64 bits if there are 64 or more.

    >>> int(hit_mask(0, 0, 1)), int(hit_mask(0, 1, 1)), int(hit_mask(0, 0, 2 * DAY_MS + 1))
    (1, 0, 7)
    """
    shift = phase * PHASE_STEP_MS
    low = -((shift - from_ms) // DAY_MS)
    high = -((shift - until_ms) // DAY_MS)
    count = high - low
    if count <= 0:
        return np.uint64(0)
    if count >= 64:
        return np.uint64(0xFFFFFFFFFFFFFFFF)
    ones = (np.uint64(1) << np.uint64(count)) - np.uint64(1)
    turn = np.uint64(low & 63)
    if turn == 0:
        return ones
    return (ones << turn) | (ones >> (np.uint64(64) - turn))


@njit(cache=True, nogil=True)
def hit_bit(landmark_ms: int) -> np.uint64:
    """Return the bit of one landmark instant. Its phase is less than a day, so the whole days before it are its day number.

    >>> int(hit_bit(65 * DAY_MS + 300_000))
    2
    """
    return np.uint64(1) << np.uint64((landmark_ms // DAY_MS) & 63)
