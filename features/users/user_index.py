"""The slot of each user id: a compiled hash table with open addressing, which finds the users of a batch without an object for each.

An entry is one number: 32 bits of the id's hash, and the slot, which counts ids in the order in which they were added. The ids themselves stand
one after the other in one buffer, and are always compared, because two may have the same hash.
"""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from features.compiled.prefetch import prefetch
from features.compiled.texts import Texts, copied, equal

_SLOT = np.uint64(0xFFFFFFFF)
_HASH = np.uint64(32)
AHEAD = 8
"""How many users ahead an entry is fetched into the cache."""


class UserIndex:
    """Maps user ids to slots.

    >>> index = UserIndex()
    >>> index.add(Texts.of([b"ann", b"bob"]))
    >>> index.find(Texts.of([b"bob", b"eve", b"", None, b"ann"])).tolist()
    [1, -1, -1, -1, 0]
    """

    def __init__(self) -> None:
        # The seed is secret, above all the multiplier in it: who knows it can make ids that all collide.
        self._seed = np.array([secrets.randbits(64), secrets.randbits(64) | 1], np.uint64)
        self._count = 0
        self._table = np.zeros(1 << 11, np.uint64)
        self._texts = np.zeros(1 << 14, np.uint8)
        self._ends = np.zeros(1 << 10, np.int64)

    def __len__(self) -> int:
        return self._count

    def find(self, users: Texts) -> npt.NDArray[np.int32]:
        """Return the slot of each user, int32 (n,); -1 for an unknown one, for "" and for None."""
        slots = np.empty(len(users), np.int32)
        _find(self._table, self._texts, self._ends, self._seed, users.buffer, users.at, users.end, slots)
        return slots

    def ids(self, slots: npt.NDArray[np.intp]) -> Texts:
        """Return a copy of the ids of some slots.

        >>> index = UserIndex()
        >>> index.add(Texts.of([b"ann", b"bob"]))
        >>> list(index.ids(np.array([1])))
        [b'bob']
        """
        return Texts(self._texts, np.where(slots > 0, self._ends[slots - 1], 0), self._ends[slots])

    def add(self, users: Texts) -> None:
        """Give the next slots to users that are not here yet; none may be empty or come twice."""
        size = int((users.end - users.at).sum())
        used = int(self._ends[self._count - 1]) if self._count else 0
        self._ends = _with_room(self._ends, self._count + len(users))
        self._texts = _with_room(self._texts, used + size)
        _append(self._texts, self._ends, self._count, used, users.buffer, users.at, users.end)
        first, self._count = self._count, self._count + len(users)
        if 2 * self._count > len(self._table):
            self._table = np.zeros(1 << (4 * self._count - 1).bit_length(), np.uint64)
            first = 0
        _enter(self._table, self._texts, self._ends, self._seed, first, self._count)


def _with_room(array: npt.NDArray[Any], wanted: int) -> npt.NDArray[Any]:
    if wanted <= len(array):
        return array
    larger = np.zeros(max(wanted, 2 * len(array)), array.dtype)
    larger[: len(array)] = array
    return larger


@njit(cache=True, nogil=True)
def _hash(texts: Any, at: int, end: int, seed: Any) -> Any:
    """Return the hash of an id: its bytes are mixed as in FNV-1a, but with a secret multiplier, and the bits then as at the end of MurmurHash3."""
    mark, text = seed[0], texts[at:end]
    for i in range(text.shape[0]):
        mark = (mark ^ np.uint64(text[i])) * seed[1]
    mark = (mark ^ (mark >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    mark = (mark ^ (mark >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return mark ^ (mark >> np.uint64(33))


@njit(cache=True, nogil=True)
def _find(table: Any, texts: Any, ends: Any, seed: Any, buffer: Any, at: Any, end: Any, slots: Any) -> None:
    mask = np.uint64(len(table) - 1)
    marks = np.empty(at.shape[0], np.uint64)
    for i in range(at.shape[0]):
        marks[i] = _hash(buffer, at[i], end[i], seed) if at[i] >= 0 else np.uint64(0)
    for i in range(at.shape[0]):
        prefetch(table, np.intp(marks[min(i + AHEAD, at.shape[0] - 1)] & mask))
        slots[i] = -1
        if at[i] < 0 or at[i] == end[i]:
            continue
        mark = marks[i]
        place = mark & mask
        while table[place] != 0:
            if table[place] >> _HASH == mark >> _HASH:
                slot = np.int64(table[place] & _SLOT) - 1
                start = ends[slot - 1] if slot else 0
                if equal(buffer, at[i], end[i], texts, start, ends[slot]):
                    slots[i] = slot
                    break
            place = (place + np.uint64(1)) & mask


@njit(cache=True, nogil=True)
def _append(texts: Any, ends: Any, count: int, used: int, buffer: Any, at: Any, end: Any) -> None:
    for i in range(at.shape[0]):
        used = copied(texts, used, buffer, at[i], end[i])
        ends[count + i] = used


@njit(cache=True, nogil=True)
def _enter(table: Any, texts: Any, ends: Any, seed: Any, first: int, count: int) -> None:
    mask = np.uint64(len(table) - 1)
    for slot in range(first, count):
        mark = _hash(texts, ends[slot - 1] if slot else 0, ends[slot], seed)
        place = mark & mask
        while table[place] != 0:
            place = (place + np.uint64(1)) & mask
        table[place] = (mark >> _HASH) << _HASH | np.uint64(slot + 1)
