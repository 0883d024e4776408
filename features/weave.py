"""Many short texts and rows of one size, woven into one buffer by a compiled pass: what Python would do with a `bytes` object each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Matrix = npt.NDArray[np.uint8]


def weave(texts: Sequence[bytes], matrix: Matrix) -> bytearray:
    """Each row, and its text after it.

    Parameters
    ----------
    matrix : uint8 (n, size)
        As many rows as texts.

    >>> weave([b"a", b"bc"], np.array([[48], [49]], np.uint8))
    bytearray(b'0a1bc')
    """
    joined = b"".join(texts)
    out = bytearray(len(joined) + matrix.size)
    if len(texts):
        _weave(np.frombuffer(joined, np.uint8), ends_of(texts), matrix, np.frombuffer(out, np.uint8))
    return out


def ends_of(texts: Sequence[bytes | bytearray]) -> npt.NDArray[np.int64]:
    """Where each text ends once all are joined, int64 (n,).

    >>> ends_of([b"a", b"bc"]).tolist()
    [1, 3]
    """
    return np.fromiter(map(len, texts), np.int64, len(texts)).cumsum()


def unravel(joined: bytes, ends: npt.NDArray[np.int64], size: int) -> tuple[Matrix, list[str], npt.NDArray[np.int64]]:
    r"""Take apart lists of (row, text) whose rows begin with the length of the text, 2 bytes, little-endian.

    Parameters
    ----------
    joined : bytes
        The lists, one after the other.
    ends : int64 (lists,)
        Where each ends.
    size : int
        Of a row, at least 2.

    Returns
    -------
    matrix : uint8 (n, size)
    texts : list of str
    counts : int64 (lists,)
        Rows of each list.

    Raises
    ------
    ValueError
        A list ends in the middle of a row.

    >>> unravel(b"\x03\x00Xann\x02\x00Yal", np.array([6, 11]), 3)[1:]
    (['ann', 'al'], array([1, 1]))
    """
    rows = np.empty((len(joined) // size, size), np.uint8)
    texts = np.empty(len(joined), np.uint8)
    stops, counts = np.empty(len(rows), np.int64), np.zeros(len(ends), np.int64)
    n = _unravel(np.frombuffer(joined, np.uint8), ends, rows, texts, stops, counts)
    if n < 0:
        raise ValueError("a list of snapshots ends in the middle of one")
    stops = stops[:n]
    raw = texts[: stops[-1] if n else 0].tobytes()
    starts = [0, *stops[:-1].tolist()] if n else []
    if raw.isascii():
        text = raw.decode()
        return rows[:n], [text[a:b] for a, b in zip(starts, stops.tolist(), strict=True)], counts
    return rows[:n], [raw[a:b].decode() for a, b in zip(starts, stops.tolist(), strict=True)], counts


@njit(cache=True, nogil=True)
def _weave(texts: Any, ends: Any, matrix: Any, out: Any) -> None:
    at, start, size = 0, 0, matrix.shape[1]
    for i in range(ends.shape[0]):
        for j in range(size):
            out[at + j] = matrix[i, j]
        at += size
        for j in range(ends[i] - start):
            out[at + j] = texts[start + j]
        at += ends[i] - start
        start = ends[i]


@njit(cache=True, nogil=True)
def _unravel(joined: Any, ends: Any, rows: Any, texts: Any, stops: Any, counts: Any) -> int:
    """Fill the arrays; return the rows found, -1 for a list that is cut off."""
    at, n, written = 0, 0, 0
    size = rows.shape[1]
    for part in range(ends.shape[0]):
        while at < ends[part]:
            if at + size > ends[part]:
                return -1
            length = int(joined[at]) | (int(joined[at + 1]) << 8)
            if at + size + length > ends[part]:
                return -1
            for j in range(size):
                rows[n, j] = joined[at + j]
            at += size
            for j in range(length):
                texts[written + j] = joined[at + j]
            at += length
            written += length
            stops[n] = written
            n += 1
            counts[part] += 1
    return n
