"""A user's record as it is stored: the words that are zero are left out, which is half of it.

Rings of counters are mostly empty, and Redis pays by the byte: to receive it, keep it and write it to its file. A stored record::

    0    1      form: 2. Form 1, written by older versions, is the record of `features.users.state` itself
    1    7      bytes 1 to 7 of the record; the last one is the number of churn definitions D, which gives its size
    8    2 m    which of the record's further 2-byte words are there: bit (i mod 16) of mask i // 16, little-endian
    ..   2 k    those words, in order

Errors: `features.users.state.LayoutError` for bytes of a newer form, or of none: refused, never misread.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from features.compiled.prefetch import prefetch
from features.compiled.texts import Texts
from features.users.state import NEVER, POLICY_FIELDS, LayoutError, state_dtype

FORM = 2
"""That records are written in."""
LAYOUT_OF = {1: 1, FORM: 1}
"""`LAYOUT_VERSION` of the record that each form holds."""
_HEAD = 4
"""Words of the head."""
_PER_DEFINITION = {*POLICY_FIELDS, "last_active_ms", "hit"}


def pack_states(states: npt.NDArray[np.void], slots: npt.NDArray[np.intp]) -> Texts:
    """Return some records as they are stored.

    Parameters
    ----------
    states : array of `features.users.state.state_dtype`, contiguous
    slots : int (n,)
    """
    words = states.view(np.uint16).reshape(len(states), states.itemsize // 2)
    out = np.empty(len(slots) * (words.shape[1] + _masks(words.shape[1])), np.uint16)
    ends = np.empty(len(slots), np.int64)
    _pack(states, words, slots, out, ends)
    ends *= 2
    return Texts(out.view(np.uint8), np.append(0, ends)[: len(ends)], ends)


def read_states(packed: Sequence[bytes], definitions: int) -> npt.NDArray[np.void]:
    """Decode stored records; a record written with fewer definitions gets the new ones empty.

    Parameters
    ----------
    packed : sequence of bytes
        Each 1 record as stored.
    definitions : int
        Definitions of today.

    Returns
    -------
    array of `features.users.state.state_dtype`, a row a record

    Raises
    ------
    LayoutError
        Another form, a length that does not fit, or more definitions than today.
    """
    joined, sizes = _together(packed)
    heads = sizes.cumsum() - sizes
    if (sizes >= 2 * _HEAD).all() and (joined[heads] == FORM).all() and (joined[heads + 2 * _HEAD - 1] == definitions).all():
        return _unpacked(joined, sizes, definitions)
    rows = np.empty(len(packed), state_dtype(definitions))
    first = 0
    for (form, had), group in groupby(packed, _form_of):
        some = list(group)
        if not 0 < had <= definitions:
            raise LayoutError(f"state record for {had} definitions, this configuration has {definitions}: restore the removed definition")
        read = _unpacked(*_together(some), had) if form == FORM else _as_they_are(some, had)
        rows[first : first + len(some)] = _widened(read, definitions)
        first += len(some)
    return rows


def _together(packed: Sequence[bytes]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """All records in one buffer, and the size of each."""
    return np.frombuffer(b"".join(packed), np.uint8), np.fromiter(map(len, packed), np.int64, len(packed))


def _form_of(one: bytes) -> tuple[int, int]:
    """Form, and number of definitions."""
    form = one[0] if len(one) >= 2 * _HEAD else None
    if form not in LAYOUT_OF:
        raise LayoutError(
            f"state record of form {one[0] if one else 'none'}, {len(one)} bytes; this code reads 1 to {FORM}: run the version that wrote it"
        )
    return form, one[2 * _HEAD - 1]


def _as_they_are(packed: Sequence[bytes], had: int) -> npt.NDArray[np.void]:
    layout = state_dtype(had)
    if any(len(one) != layout.itemsize for one in packed):
        raise LayoutError(f"state record of form 1 for {had} definitions that is not {layout.itemsize} bytes long: it is damaged")
    return np.frombuffer(b"".join(packed), layout)


def _unpacked(joined: npt.NDArray[np.uint8], sizes: npt.NDArray[np.int64], had: int) -> npt.NDArray[np.void]:
    rows = np.zeros(len(sizes), state_dtype(had))
    words = rows.view(np.uint16).reshape(len(sizes), rows.itemsize // 2)
    fits = (sizes % 2 == 0) & (sizes >= 2 * (_HEAD + _masks(words.shape[1])))
    if not fits.all() or not _unpack(joined.view(np.uint16), sizes.cumsum() // 2, words):
        raise LayoutError(f"state record of form {FORM} for {had} definitions whose length is not what its masks say: it is damaged")
    rows["version"] = LAYOUT_OF[FORM]
    return rows


def _widened(old: npt.NDArray[np.void], definitions: int) -> npt.NDArray[np.void]:
    """The same with room for more definitions, which are empty."""
    layout = state_dtype(definitions)
    if old.dtype == layout:
        return old
    rows = np.zeros(len(old), layout)
    for name in set(old.dtype.names or ()) - {"pad"}:
        if name in _PER_DEFINITION:
            had = old[name].shape[1]
            rows[name][:, had:] = NEVER if name in {"last_active_ms", "opened_ms"} else 0
            rows[name][:, :had] = old[name]
        else:
            rows[name] = old[name]
    rows["definitions"] = definitions
    return rows


def _masks(words: int) -> int:
    """Words that say which of a record's words are there."""
    return -(-(words - _HEAD) // 16)


@njit(cache=True, nogil=True)
def _pack(states: Any, words: Any, slots: Any, out: Any, ends: Any) -> None:
    size = words.shape[1]
    masks = (size - _HEAD + 15) // 16
    at: Any = 0
    for i in range(slots.shape[0]):
        prefetch(states, slots[min(i + 2, slots.shape[0] - 1)])
        row = words[slots[i]]
        target = out[at : at + size + masks]
        for j in range(_HEAD):
            target[j] = row[j]
        target[0] = (row[0] & 0xFF00) | FORM
        to = np.uintp(_HEAD + masks)
        for group in range(masks):
            part = row[_HEAD + 16 * group : _HEAD + 16 * group + 16]
            mask = np.uint32(0)
            for j in range(part.shape[0]):
                mask |= np.uint32(part[j] != 0) << np.uint32(j)
            target[_HEAD + group] = mask
            if mask:
                for j in range(part.shape[0]):
                    target[to] = part[j]  # written over by the next one if it is zero
                    to += np.uintp((mask >> np.uint32(j)) & np.uint32(1))
        at += np.intp(to)
        ends[i] = at


@njit(cache=True, nogil=True)
def _unpack(joined: Any, ends: Any, words: Any) -> bool:
    """Fill rows of zeros; whether every record is as long as its masks say."""
    size = words.shape[1]
    masks = (size - _HEAD + 15) // 16
    at = 0
    for i in range(ends.shape[0]):
        for j in range(_HEAD):
            words[i, j] = joined[at + j]
        source = at + _HEAD + masks
        if masks and joined[source - 1] >> ((size - _HEAD - 1) % 16 + 1):
            return False  # words beyond the record
        for j in range(_HEAD, size):
            mask = joined[at + _HEAD + (j - _HEAD) // 16]
            if (mask >> ((j - _HEAD) % 16)) & 1:
                if source >= ends[i]:
                    return False
                words[i, j] = joined[source]
                source += 1
        if source != ends[i]:
            return False
        at = ends[i]
    return True
