"""What was said of each user at each landmark, and what came true: packed, and merged with what comes next. Pure.

A user's landmarks are a day apart at a phase of their own, so the users of a phase share all their landmark instants. A row of the store holds
one instant of one definition: an *entry* for each user of that phase, sorted by the hash of the user. To keep rows small, a phase is cut in
`PARTS` by that hash. A batch of examples therefore touches few rows, and a person's line is one row a day, at places that the id tells.

An entry is made of *items*, in whatever order they come: a snapshot (a risk was stated), a label (the time is up; what came true, unless that is told
from outside), or a label from outside. Of several risks the first counts, since that was stated then; of several outcomes the last.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from features.definitions.definition import DAY_MS
from features.users.landmarks import BUCKETS, PHASE_STEP_MS

PARTS = 8
STATED, MATURED, STAYED, LEFT = 1, 2, 4, 8
"""Flags of an entry: a risk was stated; the time is up; the user stayed, or left. What came true counts once all but one of them are set."""
OUTCOME = STAYED | LEFT
MOST_RISK = 65_535
"""A stated risk of 1."""

ENTRY = np.dtype([("user", "<u8"), ("risk", "<u2"), ("version", "<u4"), ("flags", "u1")])
_ITEM = np.dtype([("place", "<i8"), *((name, ENTRY[name]) for name in ENTRY.names or ())])
Entries = npt.NDArray[np.void]
"""Rows of `ENTRY`, or with their place before them."""


def hash_of(user: str) -> int:
    """Return the number that stands for a user, 64 bits; the phase comes from it too (`features.users.landmarks.phase_of`).

    >>> hash_of("ann") == hash_of("ann") != hash_of("bob")
    True
    """
    return xxhash.xxh3_64_intdigest(user.encode())


def hashes_of(users: Iterable[str]) -> npt.NDArray[np.uint64]:
    """Return the hash of each user, uint64 (n,)."""
    return np.array([xxhash.xxh3_64_intdigest(user.encode()) for user in users], np.uint64)


def place_of(hashed: int, landmark_ms: int) -> int:
    """Return the place of the row that has a user's entry for a landmark (ms). Places are in order of time.

    >>> first_place(landmark_ms_of(place_of(hash_of("ann"), 86_400_000))) <= place_of(hash_of("ann"), 86_400_000)
    True
    """
    return landmark_ms * PARTS + hashed // BUCKETS % PARTS


def first_place(time_ms: int) -> int:
    """Return the first place of a time: those of all earlier landmarks are below it."""
    return time_ms * PARTS


def landmark_ms_of(place: int) -> int:
    """Return the landmark (ms) of a place.

    >>> landmark_ms_of(place_of(hash_of("ann"), 86_700_000))
    86700000
    """
    return place // PARTS


def landmarks_of(hashed: int, after_ms: int, until_ms: int) -> list[int]:
    """Return the landmarks (ms) of a user in (after, until], oldest first.

    >>> [one // 86_400_000 for one in landmarks_of(0, 0, 2 * 86_400_000)]
    [1, 2]
    """
    shift = hashed % BUCKETS * PHASE_STEP_MS
    return [day * DAY_MS + shift for day in range((after_ms - shift) // DAY_MS + 1, (until_ms - shift) // DAY_MS + 1)]


def items(
    hashed: npt.NDArray[np.uint64],
    landmark_ms: npt.NDArray[np.int64],
    risk: npt.NDArray[np.uint16] | int,
    version: npt.NDArray[np.uint32] | int,
    flags: npt.NDArray[np.uint8],
) -> Entries:
    """Return items as rows, in order; columns of length n, `hashed` by `hashes_of`."""
    made = np.zeros(len(landmark_ms), _ITEM)
    made["user"], made["risk"], made["version"], made["flags"] = hashed, risk, version, flags
    made["place"] = landmark_ms * PARTS + (hashed // np.uint64(BUCKETS) % np.uint64(PARTS)).astype(np.int64)
    return made


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge changes.

    Attributes
    ----------
    rows : dict of place to bytes
        The rows as they are now.
    was, now : rows of items
        Entries whose outcome became known, or changed: before and after, row by row.
    """

    rows: dict[int, bytes]
    was: Entries
    now: Entries


def merge(before: Mapping[int, bytes], new: Entries) -> Merged:
    """Merge items into rows.

    Parameters
    ----------
    before : mapping of place to bytes
        The rows at the places of the items, as far as there are any.
    new : rows of items
        In the order in which they were said.

    >>> said = lambda flags: items(hashes_of(["ann"]), np.array([5], np.int64), 9, 1, np.array([flags], np.uint8))
    >>> once = merge({}, said(STATED))
    >>> twice = merge(once.rows, said(STATED | MATURED | LEFT))
    >>> len(once.now), twice.now["risk"].tolist(), once.rows.keys() == twice.rows.keys()
    (0, [9], True)
    """
    old = unpack(before)
    every = np.concatenate([old, new])
    order = np.lexsort((np.arange(len(every)), every["user"], every["place"]))
    every = every[order]
    starts = np.ones(len(every), np.bool_)
    starts[1:] = (every["place"][1:] != every["place"][:-1]) | (every["user"][1:] != every["user"][:-1])
    heads = np.flatnonzero(starts)
    if not len(heads):
        return Merged({}, every, every)
    now = _folded(every, heads)
    was = every[heads]
    was["flags"][order[heads] >= len(old)] = 0  # it begins with a new item: there was no entry
    changed = counts(now) & (~counts(was) | (was["flags"] != now["flags"]))
    return Merged(pack(now), was[changed], now[changed])


def _folded(every: Entries, heads: npt.NDArray[np.intp]) -> Entries:
    """Return one entry for each group of rows, which begin at `heads`; the rows of a group are in the order in which they were said."""
    at, n = np.arange(len(every)), len(every)
    flags = every["flags"]
    stated = np.minimum.reduceat(np.where(flags & STATED, at, n), heads)
    told = np.maximum.reduceat(np.where(flags & OUTCOME, at, -1), heads)
    now = every[heads]
    now["flags"] = np.bitwise_or.reduceat(flags & (STATED | MATURED), heads)
    now["flags"][told >= 0] |= flags[told[told >= 0]] & OUTCOME
    now["risk"][stated < n] = every["risk"][stated[stated < n]]
    now["version"][stated < n] = every["version"][stated[stated < n]]
    return now


def counts(entries: Entries) -> npt.NDArray[np.bool_]:
    """Whether each entry's outcome counts: a risk was stated, the time is up, and it is known what came true."""
    flags = entries["flags"]
    counts: npt.NDArray[np.bool_] = (flags & (STATED | MATURED) == STATED | MATURED) & (flags & OUTCOME != 0)
    return counts


def unpack(rows: Mapping[int, bytes]) -> Entries:
    """Return the entries of rows, with their places, sorted by place and user."""
    places = sorted(rows)
    entries = np.frombuffer(b"".join(rows[place] for place in places), ENTRY)
    found = np.zeros(len(entries), _ITEM)
    found["place"] = np.repeat(np.array(places, np.int64), [len(rows[place]) // ENTRY.itemsize for place in places])
    for name in ENTRY.names or ():
        found[name] = entries[name]
    return found


def pack(entries: Entries) -> dict[int, bytes]:
    """Return entries, sorted by place and user, as rows."""
    packed = np.zeros(len(entries), ENTRY)
    for name in ENTRY.names or ():
        packed[name] = entries[name]
    places, starts = np.unique(entries["place"], return_index=True)
    data, ends = packed.tobytes(), [*starts[1:].tolist(), len(entries)]
    size = ENTRY.itemsize
    return {place: data[start * size : end * size] for place, start, end in zip(places.tolist(), starts.tolist(), ends, strict=True)}


class Entry(NamedTuple):
    """One entry, as plain numbers."""

    user: int
    risk: int
    version: int
    flags: int


_PACKED = struct.Struct("<QHIB")


def entry_of(packed: bytes, hashed: int) -> Entry | None:
    """Return a user's entry in a row; None if it has none. A search of the bytes is ten times as fast as one of the entries.

    >>> rows = merge({}, items(hashes_of(["ann"]), np.array([5], np.int64), 9, 1, np.array([STATED], np.uint8))).rows
    >>> [entry_of(row, hash_of("ann"))[1:] for row in rows.values()], [entry_of(row, hash_of("bob")) for row in rows.values()]
    ([(9, 1, 1)], [None])
    """
    wanted = hashed.to_bytes(8, "little")
    at = packed.find(wanted)
    while at > 0 and at % _PACKED.size:  # found across the border of two entries
        at = packed.find(wanted, at + 1)
    return None if at < 0 else Entry(*_PACKED.unpack_from(packed, at))


def outcome_of(flags: int) -> bool | None:
    """Return whether a user left, by the flags of their entry; None while that does not count.

    >>> outcome_of(STATED | MATURED | LEFT), outcome_of(STATED | MATURED | STAYED), outcome_of(STATED | LEFT)
    (True, False, None)
    """
    return bool(flags & LEFT) if flags & STATED and flags & MATURED and flags & OUTCOME else None
