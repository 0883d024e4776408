"""Byte strings that stand in one buffer, as they come from a log. One becomes a `bytes` object only when somebody looks at it."""

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
        Where each string begins and ends in the buffer; for None both are -1.

    >>> texts = Texts.of([b"ann", None, b""])
    >>> len(texts), texts[0], texts[1], list(texts[1:])
    (3, b'ann', None, [None, b''])
    """

    __slots__ = ("at", "buffer", "end")

    def __init__(self, buffer: npt.NDArray[np.uint8], at: Places, end: Places) -> None:
        self.buffer, self.at, self.end = buffer, at, end

    @classmethod
    def of(cls, values: Sequence[bytes | None]) -> Texts:
        """Return the values in one buffer; a `Texts` is returned as it is."""
        if isinstance(values, Texts):
            return values
        present = [value or b"" for value in values]
        end = np.fromiter(map(len, present), np.int64, len(present)).cumsum()
        at = np.concatenate([np.zeros(min(1, len(end)), np.int64), end[:-1]])
        at[[value is None for value in values]] = -1
        return cls(np.frombuffer(b"".join(present), np.uint8), at, end)

    @classmethod
    def join(cls, parts: Sequence[Texts]) -> Texts:
        """Return all parts one after the other, in a new buffer; only the bytes that a part covers are copied.

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

    def take(self, rows: npt.NDArray[np.intp]) -> Texts:
        """Return the strings at some places, in the same buffer."""
        return Texts(self.buffer, self.at[rows], self.end[rows])

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
        there = self.at >= 0
        stops = np.where(there, self.end - self.at, 0).cumsum()
        together = np.empty(stops[-1] if len(stops) else 0, np.uint8)
        _pack(self.buffer, self.at, self.end, together)
        raw, ends = together.tobytes(), stops.tolist()
        return (raw[start:stop] if is_text else None for is_text, start, stop in zip(there.tolist(), [0, *ends[:-1]], ends, strict=False))


def ids_of(users: Sequence[str] | Texts) -> Texts:
    """Return user ids as bytes in one buffer.

    >>> list(ids_of(["ann"]))
    [b'ann']
    """
    return users if isinstance(users, Texts) else Texts.of(list(map(str.encode, users)))


def names_of(users: Sequence[str] | Texts) -> Sequence[str]:
    """Return user ids as text.

    >>> names_of(Texts.of([b"ann"]))
    ['ann']
    """
    return [one.decode() for one in users if one is not None] if isinstance(users, Texts) else users


def as_bytes(buffer: npt.NDArray[np.uint8], at: Places, end: Places) -> list[bytes]:
    """Return stretches of a buffer as bytes. None of them may end with a zero byte, which would be lost.

    >>> as_bytes(np.frombuffer(b"{ann|bob}", np.uint8), np.array([1, 5]), np.array([4, 8]))
    [b'ann', b'bob']
    """
    out = np.zeros((len(at), _widest(at, end)), np.uint8)
    _gather(buffer, at, end, out)
    return cast(list[bytes], out.view(f"S{out.shape[1]}")[:, 0].tolist())


def differing(some: Texts, others: Texts) -> int:
    """Count the rows in which neither is None and the two differ.

    >>> differing(Texts.of([b"ann", b"bob", None, b"x"]), Texts.of([b"ann", b"bo", b"eve", None]))
    1
    """
    return int(_differing(some.buffer, some.at, some.end, others.buffer, others.at, others.end))


def _widest(at: Places, end: Places) -> int:
    return max(1, int((end - at).max(initial=1)))


@njit(cache=True, nogil=True)
def _pack(buffer: Any, at: Any, end: Any, out: Any) -> None:
    to = 0
    for i in range(at.shape[0]):
        if at[i] >= 0:
            to = copied(out, to, buffer, at[i], end[i])


@njit(cache=True, nogil=True)
def _gather(buffer: Any, at: Any, end: Any, out: Any) -> None:
    for i in range(at.shape[0]):
        text = buffer[at[i] : end[i]]
        for j in range(text.shape[0]):
            out[i, j] = text[j]


@njit(cache=True, nogil=True)
def copied(out: Any, to: int, source: Any, at: int, end: int) -> int:
    """Copy a stretch of bytes to place `to` of `out`, and return where it ends there; for compiled passes."""
    target, wanted = out[to : to + end - at], source[at:end]  # places counted from 0 cannot be negative, which saves the loop a check
    for j in range(end - at):
        target[j] = wanted[j]
    return to + end - at


@njit(cache=True, nogil=True)
def equal(one: Any, at: int, end: int, other: Any, start: int, stop: int) -> bool:
    """Whether two stretches of bytes are the same; for compiled passes."""
    if end - at != stop - start:
        return False
    some, others = one[at:end], other[start:stop]
    for j in range(end - at):  # noqa: SIM110 - compiled
        if some[j] != others[j]:
            return False
    return True


@njit(cache=True, nogil=True)
def _differing(some: Any, at: Any, end: Any, others: Any, start: Any, stop: Any) -> int:
    count = 0
    for i in range(at.shape[0]):
        if at[i] >= 0 and start[i] >= 0 and not equal(some, at[i], end[i], others, start[i], stop[i]):
            count += 1
    return count
