"""A bounded sample of matured examples, shared by all models that learn from past examples again.

At first every example is kept. Once the memory is full, a newcomer takes the place of a random example, with a chance that falls as in a
reservoir (Vitter 1985) but never below `FADE` (Aggarwal 2006). So the memory is first an even sample of all examples, and later one of about the
last ``size / FADE``, in which older ones grow rarer. To keep only the newest would forget how a past season looked, and to keep all would need
memory without a bound.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from features.users.catalog import WIDTH
from online_models.plain import Count, PackedArray, RngState, labels_of, pack_each, read, rng_state, set_rng, unpack_array

SIZE = 32_768
FADE = 0.25
NEWEST = 1_024
"""How many of the last examples `Memory.usual` looks at; only those of them that are remembered count."""


class MemoryArrays(msgspec.Struct, frozen=True):
    """Vectors (n, F), labels (n,) and running numbers (n,), as plain data."""

    vectors: PackedArray
    labels: PackedArray
    numbers: PackedArray


class MemoryState(msgspec.Struct, frozen=True):
    """What a `Memory` goes on from after a restart."""

    arrays: MemoryArrays
    seen: Count
    churned: Count
    rng: RngState


class Memory:
    """Remembered examples, in no order: vectors (n, F), labels (n,) and running numbers (n,). `seen` counts all that came, `churned` their labels 1.

    >>> memory = Memory(seed=1, size=4)
    >>> memory.push(np.zeros((9, WIDTH), np.uint8), np.ones(9, np.uint8))
    >>> memory.seen, len(memory.labels), int(memory.churned)
    (9, 4, 9)
    """

    def __init__(self, seed: int = 0, size: int = SIZE) -> None:
        self._rng = np.random.default_rng(seed)
        self._vectors, self._labels = np.zeros((size, WIDTH), np.uint8), np.zeros(size, np.uint8)
        self._numbers = np.zeros(size, np.int64)
        self.seen = 0
        self.churned = 0

    @property
    def size(self) -> int:
        """How many examples are remembered."""
        return min(self.seen, len(self._labels))

    @property
    def vectors(self) -> npt.NDArray[np.uint8]:
        """Coded vectors, (n, F)."""
        return self._vectors[: self.size]

    @property
    def labels(self) -> npt.NDArray[np.uint8]:
        """Their labels, (n,)."""
        return self._labels[: self.size]

    def newest(self, count: int) -> npt.NDArray[np.int64]:
        """Return the places of the last `count` examples, as far as they are remembered."""
        return np.flatnonzero(self._numbers[: self.size] >= self.seen - count)

    def usual(self) -> npt.NDArray[np.uint8]:
        """Return the median codes of the newest examples, uint8 (F,): the crowd's usual vector, which reasons compare a user with."""
        known = self._vectors[self.newest(NEWEST)]
        return np.median(known, axis=0).astype(np.uint8) if len(known) else np.zeros(WIDTH, np.uint8)

    def push(self, vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> None:
        """Take in examples in order of maturity: vectors, uint8 (n, F), and labels 0 or 1, (n,)."""
        room = len(self._labels)
        numbers = self.seen + np.arange(len(labels))
        taken = self._rng.random(len(labels)) < np.maximum(room / (numbers + 1), FADE)
        places = np.where(numbers < room, numbers, self._rng.integers(0, room, len(labels)))[taken]
        self._vectors[places], self._labels[places], self._numbers[places] = vectors[taken], labels[taken], numbers[taken]
        self.seen += len(labels)
        self.churned += int(labels.sum())

    def state(self) -> MemoryState:
        """Return all that a restarted memory goes on from."""
        arrays = MemoryArrays(*pack_each(self.vectors, self.labels, self._numbers[: self.size]))
        return MemoryState(arrays, self.seen, self.churned, rng_state(self._rng))

    def restore(self, state: Any) -> None:
        """Go on from a state.

        Raises
        ------
        ValueError
            If it is not the state of a memory, or its numbers contradict each other.
        """
        one = read(state, MemoryState)
        known = min(one.seen, len(self._labels))
        vectors = unpack_array(one.arrays.vectors, "u1", known, WIDTH)
        labels = labels_of(unpack_array(one.arrays.labels, "u1", known).tobytes())
        numbers = unpack_array(one.arrays.numbers, "<i8", known)
        # A user of `newest` must find some, so at least one of the last examples must be there.
        if one.churned > one.seen or (known and not (numbers.min() >= 0 and one.seen - NEWEST <= numbers.max() < one.seen)):
            raise ValueError("the memory's numbers do not fit each other")
        set_rng(self._rng, one.rng)
        self.seen, self.churned = one.seen, one.churned
        self._vectors[:known], self._labels[:known], self._numbers[:known] = vectors, labels, numbers
