"""A user's record as it is stored: without its zero words, which are half of it, and with a checksum.

Rings of counters are mostly empty, and every byte costs Redis: it must be received, kept and written to a file. A stored record is::

    0    1      form: 3
    1    7      bytes 1 to 7 of the record; the last one is the number of churn definitions D, which with the form gives its size
    8    2 m    which of the record's further 2-byte words are there: bit (i mod 16) of mask i // 16, little-endian
    ..   2 k    those words, in order
    ..   4      low half of XXH64 over all bytes before it, seeded with XXH64 of the user id, little-endian

Form 2 is the same without the checksum; form 1 is the record of `features.users.state` itself. Both are still read, and are written anew as form 3
when their user is next active. The user id is in the checksum, so a record under another user's key is noticed.

Errors: `features.users.state.LayoutError` for a record of a newer form, `features.users.state.DamagedRecord` for bytes that are not what was
written. Such bytes are refused, never misread.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from features.compiled.checksum import xxh64
from features.compiled.prefetch import prefetch
from features.compiled.texts import Texts, ids_of
from features.definitions.definition import MAX_DEFINITIONS
from features.users.state import FIELDS, LAYOUT_VERSION, DamagedRecord, LayoutError, state_dtype


class Form(NamedTuple):
    """How a record is stored: the layout of the record that it holds, whether zero words are left out, and whether a checksum stands at the end."""

    layout: int
    sparse: bool = True
    checked: bool = True


FORMS = {1: Form(1, sparse=False, checked=False), 2: Form(1, checked=False), 3: Form(1)}
"""The forms by their number, which is the first byte of a stored record. A form never changes; a new layout of the record needs a new form."""
FORM = max(FORMS)
"""The form that records are written in."""
_HEAD = 4
"""How many 2-byte words the head has."""
_CHECK = 2
"""How many 2-byte words the checksum has."""
_WELL, _LENGTH, _SUM = 0, 1, 2
_WHY = {_LENGTH: "its length is not what its masks say", _SUM: "its checksum is that of other bytes or of another user"}


def pack_states(states: npt.NDArray[np.void], slots: npt.NDArray[np.intp], users: Texts) -> Texts:
    """Return some records as they are stored.

    Parameters
    ----------
    states : array of `features.users.state.state_dtype`, contiguous
    slots : int (n,)
        Rows of the records.
    users : Texts of n
        The users whose records these are.
    """
    words = states.view(np.uint16).reshape(len(states), states.itemsize // 2)
    out = np.empty(len(slots) * (words.shape[1] + _masks(words.shape[1]) + _CHECK), np.uint16)
    ends = np.empty(len(slots), np.int64)
    _pack(states, words, slots, users.buffer, users.at, users.end, out, out.view(np.uint8), ends)
    ends *= 2
    return Texts(out.view(np.uint8), np.append(0, ends)[: len(ends)], ends)


def read_states(users: Sequence[str] | Texts, packed: Sequence[bytes], definitions: int) -> npt.NDArray[np.void]:
    """Decode stored records. A record of an older layout, or of fewer definitions, gets the values of a new user for what it lacks.

    Parameters
    ----------
    users : n user ids
        The users whose records these are.
    packed : sequence of n bytes
        One stored record each.
    definitions : int
        How many definitions there are today.

    Returns
    -------
    array of `features.users.state.state_dtype`, (n,)

    Raises
    ------
    LayoutError
        At the first record of a newer form, or of more definitions than there are today.
    DamagedRecord
        At the first record that is not what was written: it has no form, or its length or its checksum does not fit.
    """
    ids = ids_of(users)
    joined, sizes = _together(packed)
    heads = sizes.cumsum() - sizes
    if (sizes >= 2 * _HEAD).all() and (joined[heads] == FORM).all() and (joined[heads + 2 * _HEAD - 1] == definitions).all():
        return _unpacked(ids, joined, sizes, FORM, definitions)
    rows = np.empty(len(packed), state_dtype(definitions))
    first = 0
    for (form, had), group in groupby(enumerate(packed), lambda one: _form_of(*one)):
        some = [one for _, one in group]
        try:
            read = (_unpacked if FORMS[form].sparse else _as_they_are)(ids[first : first + len(some)], *_together(some), form, had)
        except DamagedRecord as error:
            raise DamagedRecord(str(error), first + error.row) from None
        if had > definitions:
            raise LayoutError(
                f"state record for {had} definitions, this configuration has {definitions}: restore the removed definition", first
            )
        rows[first : first + len(some)] = _brought_up(read, definitions)
        first += len(some)
    return rows


def _together(packed: Sequence[bytes]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return all records in one buffer, and the size of each in bytes."""
    return np.frombuffer(b"".join(packed), np.uint8), np.fromiter(map(len, packed), np.int64, len(packed))


def _form_of(row: int, one: bytes) -> tuple[int, int]:
    """Return the form of a stored record, and its number of definitions."""
    if len(one) < 2 * _HEAD or not one[0] or not 0 < one[2 * _HEAD - 1] <= MAX_DEFINITIONS:
        raise DamagedRecord(f"{len(one)} bytes in the place of a state record: it is damaged", row)
    if one[0] not in FORMS:
        raise LayoutError(
            f"state record of form {one[0]}, {len(one)} bytes; this code reads forms 1 to {FORM}: run the version that wrote it; "
            "if no version did, it is damaged",
            row,
        )
    return one[0], one[2 * _HEAD - 1]


def _as_they_are(_ids: Texts, joined: npt.NDArray[np.uint8], sizes: npt.NDArray[np.int64], form: int, had: int) -> npt.NDArray[np.void]:
    layout = state_dtype(had, FORMS[form].layout)
    wrong = (sizes != layout.itemsize).nonzero()[0]
    if len(wrong):
        raise _damaged(form, had, _LENGTH, int(wrong[0]))
    return joined.view(layout)


def _unpacked(ids: Texts, joined: npt.NDArray[np.uint8], sizes: npt.NDArray[np.int64], form: int, had: int) -> npt.NDArray[np.void]:
    rows = np.zeros(len(sizes), state_dtype(had, FORMS[form].layout))
    words = rows.view(np.uint16).reshape(len(sizes), rows.itemsize // 2)
    check = _CHECK if FORMS[form].checked else 0
    short = ((sizes % 2 != 0) | (sizes < 2 * (_HEAD + _masks(words.shape[1]) + check))).nonzero()[0]
    if len(short):
        raise _damaged(form, had, _LENGTH, int(short[0]))
    row, why = _unpack(joined.view(np.uint16), joined, sizes.cumsum() // 2, check, ids.buffer, ids.at, ids.end, words)
    if why != _WELL:
        raise _damaged(form, had, why, row)
    rows["version"] = FORMS[form].layout
    return rows


def _damaged(form: int, had: int, why: int, row: int) -> DamagedRecord:
    return DamagedRecord(f"state record of form {form} for {had} definitions is damaged: {_WHY[why]}", row)


def _brought_up(old: npt.NDArray[np.void], definitions: int) -> npt.NDArray[np.void]:
    """Return records in today's layout and with today's definitions; what they lack gets the values of a new user."""
    layout = state_dtype(definitions)
    if old.dtype == layout:
        return old
    rows = np.zeros(len(old), layout)
    for field in FIELDS:
        if field.name not in (old.dtype.names or ()):
            rows[field.name] = field.fresh
        elif field.values is None:
            had = old[field.name].shape[1]
            rows[field.name][:, had:] = field.fresh
            rows[field.name][:, :had] = old[field.name]
        else:
            rows[field.name] = old[field.name]
    rows["version"], rows["definitions"] = LAYOUT_VERSION, definitions
    return rows


def _masks(words: int) -> int:
    """Return how many 2-byte masks are needed to say which of a record's words are stored."""
    return -(-(words - _HEAD) // 16)


@njit(cache=True, nogil=True)
def _pack(states: Any, words: Any, slots: Any, users: Any, begins: Any, stops: Any, out: Any, out_bytes: Any, ends: Any) -> None:
    size = words.shape[1]
    masks = (size - _HEAD + 15) // 16
    at: Any = 0
    for i in range(slots.shape[0]):
        prefetch(states, slots[min(i + 2, slots.shape[0] - 1)])
        row = words[slots[i]]
        target = out[at : at + size + masks + _CHECK]
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
                    target[to] = part[j]  # if the word is zero, the next one is written over it
                    to += np.uintp((mask >> np.uint32(j)) & np.uint32(1))
        stop = at + np.intp(to)
        check = _checksum(users, begins[i], stops[i], out_bytes, 2 * at, 2 * stop)
        out[stop], out[stop + 1] = check & np.uint64(0xFFFF), check >> np.uint64(16)
        at = stop + _CHECK
        ends[i] = at


@njit(cache=True, nogil=True)
def _unpack(joined: Any, joined_bytes: Any, ends: Any, check: int, users: Any, begins: Any, stops: Any, words: Any) -> Any:
    """Fill `words`, which are zero; return the first record that is not what was written, and why (`_WELL` if all are)."""
    size = words.shape[1]
    masks = (size - _HEAD + 15) // 16
    at = 0
    for i in range(ends.shape[0]):
        end = ends[i] - check
        if check:
            expected = np.uint64(joined[end]) | np.uint64(joined[end + 1]) << np.uint64(16)
            if _checksum(users, begins[i], stops[i], joined_bytes, 2 * at, 2 * end) != expected:
                return i, _SUM
        for j in range(_HEAD):
            words[i, j] = joined[at + j]
        source = at + _HEAD + masks
        if masks and joined[source - 1] >> ((size - _HEAD - 1) % 16 + 1):
            return i, _LENGTH  # the masks name words beyond the record's end
        for j in range(_HEAD, size):
            mask = joined[at + _HEAD + (j - _HEAD) // 16]
            if (mask >> ((j - _HEAD) % 16)) & 1:
                if source >= end:
                    return i, _LENGTH
                words[i, j] = joined[source]
                source += 1
        if source != end:
            return i, _LENGTH
        at = ends[i]
    return 0, _WELL


@njit(cache=True, nogil=True)
def _checksum(users: Any, begin: int, stop: int, record: Any, at: int, end: int) -> Any:
    seed = xxh64(users, begin, stop, np.uint64(0))
    return xxh64(record, at, end, seed) & np.uint64(0xFFFFFFFF)
