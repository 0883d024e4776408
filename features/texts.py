"""Byte strings that stand in one buffer: what comes from a log as it lies there, made into `bytes` only where somebody looks at one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast, overload

import numpy as np
import numpy.typing as npt
from numba import njit

Places = npt.NDArray[np.int64]


class Texts(Sequence[bytes | None]):
    """A sequence of bytes or None.

    Parameters
    ----------
    buffer : uint8 (size,)
    at, end : int64 (n,)
        Where each begins and ends; None begins at -1.

    >>> texts = Texts.of([b"ann", None, b""])
    >>> len(texts), texts[0], texts[1], list(texts[1:])
    (3, b'ann', None, [None, b''])
    """

    __slots__ = ("at", "buffer", "end")

    def __init__(self, buffer: npt.NDArray[np.uint8], at: Places, end: Places) -> None:
        self.buffer, self.at, self.end = buffer, at, end

    @classmethod
    def of(cls, values: Sequence[bytes | None]) -> Texts:
        """Return them in one buffer; a `Texts` is one already."""
        if isinstance(values, Texts):
            return values
        present = [value or b"" for value in values]
        end = np.fromiter(map(len, present), np.int64, len(present)).cumsum()
        at = np.concatenate([np.zeros(min(1, len(end)), np.int64), end[:-1]])
        at[[value is None for value in values]] = -1
        return cls(np.frombuffer(b"".join(present), np.uint8), at, end)

    @classmethod
    def join(cls, parts: Sequence[Texts]) -> Texts:
        """One after the other; of each buffer only what its part covers.

        >>> list(Texts.join([Texts.of([b"a", b"b"])[1:], Texts.of([None, b"c"])]))
        [b'b', None, b'c']
        """
        pieces: list[npt.NDArray[np.uint8]] = []
        at, end = (np.concatenate([getattr(part, name) for part in parts]) for name in ("at", "end"))
        row = size = 0
        for part in parts:
            there = part.at[part.at >= 0]
            low, high = (int(there.min()), int(part.end.max())) if len(there) else (0, 0)
            rows = slice(row, row + len(part))
            at[rows][at[rows] >= 0] += size - low
            end[rows] += size - low
            pieces.append(part.buffer[low:high])
            row, size = row + len(part), size + high - low
        return cls(np.frombuffer(b"".join([piece.data for piece in pieces]), np.uint8), at, end)

    def __len__(self) -> int:
        return len(self.at)

    @overload
    def __getitem__(self, index: int) -> bytes | None: ...

    @overload
    def __getitem__(self, index: slice) -> Texts: ...

    def __getitem__(self, index: int | slice) -> bytes | Texts | None:
        if isinstance(index, slice):
            return Texts(self.buffer, self.at[index], self.end[index])
        at = self.at[index]
        return None if at < 0 else self.buffer[at : self.end[index]].tobytes()

    def __iter__(self) -> Iterator[bytes | None]:
        return map(self.__getitem__, range(len(self)))


def as_bytes(buffer: npt.NDArray[np.uint8], at: Places, end: Places) -> list[bytes]:
    """Return stretches of a buffer that do not end with a zero byte.

    >>> as_bytes(np.frombuffer(b"{ann|bob}", np.uint8), np.array([1, 5]), np.array([4, 8]))
    [b'ann', b'bob']
    """
    out = np.zeros((len(at), _widest(at, end)), np.uint8)
    _gather(buffer, at, end, out)
    return cast(list[bytes], out.view(f"S{out.shape[1]}")[:, 0].tolist())


def as_ascii(buffer: npt.NDArray[np.uint8], at: Places, end: Places) -> list[str]:
    """Return stretches of ASCII that do not end with a zero byte.

    >>> as_ascii(np.frombuffer(b"{ann|bob}", np.uint8), np.array([1, 5]), np.array([4, 8]))
    ['ann', 'bob']
    """
    out = np.zeros((len(at), _widest(at, end)), np.uint32)
    _gather(buffer, at, end, out)
    return cast(list[str], out.view(f"U{out.shape[1]}")[:, 0].tolist())


def _widest(at: Places, end: Places) -> int:
    return max(1, int((end - at).max(initial=1)))


@njit(cache=True, nogil=True)
def _gather(buffer: Any, at: Any, end: Any, out: Any) -> None:
    for i in range(at.shape[0]):
        for j in range(end[i] - at[i]):
            out[i, j] = buffer[at[i] + j]
