"""A bounded sample of matured examples that all learners who look back share.

Every example at first. Once it is full a newcomer takes the place of a random one, with a chance that falls as in a reservoir (Vitter 1985)
but never below `FADE` (Aggarwal 2006): so it is a sample of all that ever came, then of the last ``size / FADE`` with an even fade. The newest
alone would forget what a season long ago looked like; all of it would never end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from features.users.catalog import WIDTH
from online_models.scorer import pack_arrays, unpack_array

SIZE = 32_768
FADE = 0.25


class Memory:
    """Vectors (n, F), labels (n,) and running numbers (n,) of what is remembered, in no order.

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
        """Examples that are remembered."""
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
        """Places of those among the last `count` examples that are remembered."""
        return np.flatnonzero(self._numbers[: self.size] >= self.seen - count)

    def usual(self) -> npt.NDArray[np.uint8]:
        """Median codes of the newest, (F,): the crowd's usual vector, against which reasons are told."""
        known = self._vectors[self.newest(1_024)]
        return np.median(known, axis=0).astype(np.uint8) if len(known) else np.zeros(WIDTH, np.uint8)

    def push(self, vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> None:
        """Take in examples, in order of maturity."""
        room = len(self._labels)
        numbers = self.seen + np.arange(len(labels))
        taken = self._rng.random(len(labels)) < np.maximum(room / (numbers + 1), FADE)
        places = np.where(numbers < room, numbers, self._rng.integers(0, room, len(labels)))[taken]
        self._vectors[places], self._labels[places], self._numbers[places] = vectors[taken], labels[taken], numbers[taken]
        self.seen += len(labels)
        self.churned += int(labels.sum())

    def state(self) -> dict[str, Any]:
        """Plain numbers and bytes."""
        arrays: dict[str, npt.NDArray[Any]] = {"vectors": self.vectors, "labels": self.labels, "numbers": self._numbers[: self.size]}
        return {"arrays": pack_arrays(arrays), "seen": self.seen, "churned": self.churned, "rng": rng_state(self._rng)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.seen, self.churned = state["seen"], state["churned"]
        arrays = {name: unpack_array(packed) for name, packed in state["arrays"].items()}
        known = self.size
        self._vectors[:known], self._labels[:known], self._numbers[:known] = arrays["vectors"], arrays["labels"], arrays["numbers"]
        set_rng(self._rng, state["rng"])


def rng_state(rng: np.random.Generator) -> list[str]:
    """Return where a generator stands, half a drawn word included, as text: its numbers have 128 bits."""
    whole = rng.bit_generator.state
    return [str(one) for one in (whole["state"]["state"], whole["state"]["inc"], whole["has_uint32"], whole["uinteger"])]


def set_rng(rng: np.random.Generator, state: list[str]) -> None:
    """Put a generator where `rng_state` found one."""
    at, step, halves, half = (int(one) for one in state)
    rng.bit_generator.state = {
        "bit_generator": "PCG64", "state": {"state": at, "inc": step}, "has_uint32": halves, "uinteger": half,
    }  # fmt: skip
