"""Many short texts, and rows of one size, woven into one buffer by a compiled pass. Python would need a `bytes` object for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from features.compiled.texts import Texts, copied

Matrix = npt.NDArray[np.uint8]


def weave(texts: Texts, matrix: Matrix) -> bytearray:
    """Return all rows in one buffer, each followed by its text.

    Parameters
    ----------
    matrix : uint8 (n, size)
        As many rows as texts.

    >>> weave(Texts.of([b"a", b"bc"]), np.array([[48], [49]], np.uint8))
    bytearray(b'0a1bc')
    """
    out = bytearray(int((texts.end - texts.at).sum()) + matrix.size)
    if len(texts):
        _weave(texts.buffer, texts.at, texts.end, matrix, np.frombuffer(out, np.uint8))
    return out


def ends_of(texts: Sequence[bytes | bytearray]) -> npt.NDArray[np.int64]:
    """Return where each text ends once all are joined, int64 (n,).

    >>> ends_of([b"a", b"bc"]).tolist()
    [1, 3]
    """
    return np.fromiter(map(len, texts), np.int64, len(texts)).cumsum()


def unravel(joined: bytes, ends: npt.NDArray[np.int64], size: int) -> tuple[Matrix, Texts, npt.NDArray[np.int64]]:
    r"""Take apart lists of (row, text) whose rows begin with the length of the text, 2 bytes, little-endian.

    Parameters
    ----------
    joined : bytes
        The lists, one after the other.
    ends : int64 (lists,)
        Where each list ends.
    size : int
        Bytes of a row without its text, at least 2.

    Returns
    -------
    matrix : uint8 (n, size)
    texts : Texts of n
        As they stand in `joined`.
    counts : int64 (lists,)
        How many rows each list has.

    Raises
    ------
    ValueError
        If a list ends in the middle of a row.

    >>> _, texts, counts = unravel(b"\x03\x00Xann\x02\x00Yal", np.array([6, 11]), 3)
    >>> list(texts), counts.tolist()
    ([b'ann', b'al'], [1, 1])
    """
    rows = np.empty((len(joined) // size, size), np.uint8)
    starts, counts = np.empty(len(rows), np.int64), np.zeros(len(ends), np.int64)
    stops, buffer = np.empty(len(rows), np.int64), np.frombuffer(joined, np.uint8)
    n = _unravel(buffer, ends, rows, starts, stops, counts)
    if n < 0:
        raise ValueError("a list of snapshots ends in the middle of a snapshot")
    return rows[:n], Texts(buffer, starts[:n], stops[:n]), counts


@njit(cache=True, nogil=True)
def _weave(texts: Any, begins: Any, ends: Any, matrix: Any, out: Any) -> None:
    at, size = 0, matrix.shape[1]
    for i in range(ends.shape[0]):
        at = copied(out, at, matrix[i], 0, size)
        at = copied(out, at, texts, begins[i], ends[i])


@njit(cache=True, nogil=True)
def _unravel(joined: Any, ends: Any, rows: Any, starts: Any, stops: Any, counts: Any) -> int:
    """Fill the arrays; return the number of rows found, or -1 if a list is cut off."""
    at, n = 0, 0
    size = rows.shape[1]
    for part in range(ends.shape[0]):
        while at < ends[part]:
            if at + size > ends[part]:
                return -1
            length = int(joined[at]) | (int(joined[at + 1]) << 8)
            if at + size + length > ends[part]:
                return -1
            row = joined[at : at + size]
            for j in range(size):
                rows[n, j] = row[j]
            at += size
            starts[n], stops[n] = at, at + length
            at += length
            n += 1
            counts[part] += 1
    return n
