"""A compiled pass over payloads of the usual shape, so that these take no object each; every other payload is left to the decoder.

Usual is one flat JSON object of ASCII: `user` and `event_id` (up to 256 bytes), `ts` (a positive number of milliseconds) and `type`, strings without escapes,
`value` a decimal number of at most 15 digits, null only for what may be missing, no name of the schema twice, nothing nested. What this takes,
the decoder takes too, with the same outcome (by test); it never judges a payload bad.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from features.compiled.texts import Places, Texts, equal
from features.events.event import MAX_PAYLOAD_BYTES, MAX_TS_MS, MAX_USER_BYTES

USER, TYPE, EVENT_ID, CHANNEL, SESSION, ITEM, PROPS, TS, VALUE = range(9)
_NAMES = (b"user", b"type", b"event_id", b"channel", b"session", b"item", b"props", b"ts", b"value")
_LENGTHS = np.array([len(name) for name in _NAMES], np.int64)
_LETTERS = np.array([list(name.ljust(8, b" ")) for name in _NAMES], np.uint8)
_KEPT = 4
"""Texts that are kept: those before `SESSION`."""
_MOST_KINDS = 64
"""Different (type, channel) of one batch; payloads of further ones are left to the decoder."""
_MOST_DIGITS = 15
_TENS = np.array([float(f"1e{power}") for power in range(_MOST_DIGITS + 1)])
_NEEDED = 1 << USER | 1 << TYPE | 1 << TS


@dataclass(frozen=True, slots=True)
class Plain:
    """What the pass found, one row a payload; rows that are not `usual` hold nothing.

    Attributes
    ----------
    usual : bool (n,)
    at, end : int64 (n, 4)
        Where user, type, event id and channel stand in the buffer; -1 for one that is not there.
    ts : int64 (n,)
        Milliseconds, 1 to `MAX_TS_MS`.
    value : float64 (n,)
        NaN for none.
    kind : int64 (n,)
        Place in `kinds`.
    kinds : int64 (at most 64,)
        For each different (type, channel), a row that has it.
    """

    usual: npt.NDArray[np.bool_]
    at: Places
    end: Places
    ts: Places
    value: npt.NDArray[np.float64]
    kind: Places
    kinds: Places


def read_plain(payloads: Texts) -> Plain:
    """Read those of the usual shape.

    >>> found = read_plain(Texts.of([b'{"user": "ann", "ts": 5, "type": "click"}', b'{"user": "bob", "ts": 5, "type": null}']))
    >>> found.usual.tolist(), found.ts[0].item(), found.at[0].tolist()
    ([True, False], 5, [10, 34, -1, -1])
    """
    n = len(payloads)
    found = Plain(
        usual=np.zeros(n, np.bool_),
        at=np.full((n, _KEPT), -1, np.int64),
        end=np.full((n, _KEPT), -1, np.int64),
        ts=np.zeros(n, np.int64),
        value=np.full(n, np.nan),
        kind=np.zeros(n, np.int64),
        kinds=np.zeros(_MOST_KINDS, np.int64),
    )
    count = _read(
        payloads.buffer, payloads.at, payloads.end, found.usual, found.at, found.end, found.ts, found.value, found.kind, found.kinds
    )
    return Plain(found.usual, found.at, found.end, found.ts, found.value, found.kind, found.kinds[:count])


@njit(cache=True, nogil=True)
def _read(buffer: Any, start: Any, stop: Any, usual: Any, at: Any, end: Any, ts: Any, value: Any, kind: Any, kinds: Any) -> int:
    """Fill the columns; return the number of kinds."""
    hashes = np.zeros(kinds.shape[0], np.uint64)
    count = 0
    for i in range(start.shape[0]):
        if start[i] < 0 or stop[i] - start[i] > MAX_PAYLOAD_BYTES or not _row(buffer, start[i], stop[i], at[i], end[i], ts, value, i):
            continue
        mark = _hash(buffer, at[i, TYPE], end[i, TYPE], np.uint64(14695981039346656037))
        mark = _hash(buffer, at[i, CHANNEL], end[i, CHANNEL], mark + np.uint64(at[i, CHANNEL] >= 0))
        k = 0
        while k < count and not (hashes[k] == mark and _same_kind(buffer, at, end, kinds[k], i)):
            k += 1
        if k == count:
            if count == kinds.shape[0]:
                continue
            hashes[k], kinds[k] = mark, i
            count += 1
        kind[i], usual[i] = k, True
    return count


@njit(cache=True, nogil=True)
def _row(buffer: Any, i: int, stop: int, at: Any, end: Any, ts: Any, value: Any, row: int) -> bool:
    """Take one payload; False where it is not of the usual shape, and then what was written means nothing."""
    i = _blank(buffer, i, stop)
    if i >= stop or buffer[i] != 123:  # {
        return False
    seen = 0
    i = _blank(buffer, i + 1, stop)
    while True:
        if i >= stop or buffer[i] != 34:  # "
            return False
        close = _text(buffer, i + 1, stop)
        if close < 0:
            return False
        field = _field(buffer, i + 1, close)
        i = _blank(buffer, close + 1, stop)
        if i >= stop or buffer[i] != 58:  # :
            return False
        i = _blank(buffer, i + 1, stop)
        if i >= stop:
            return False
        if field >= 0:
            if seen & (1 << field):
                return False
            seen |= 1 << field
        if field >= 0 and _NEEDED & 1 << field == 0 and _is_null(buffer, i, stop):
            i += 4
        elif field == TS:
            i, number, digits = _digits(buffer, i, stop)
            if digits == 0 or number == 0 or number > MAX_TS_MS:
                return False
            ts[row] = number
        elif field == VALUE:
            i, decimal = _decimal(buffer, i, stop)
            if i < 0:
                return False
            value[row] = decimal
        else:
            if buffer[i] != 34:
                return False
            close = _text(buffer, i + 1, stop)
            if close < 0:
                return False
            if 0 <= field < _KEPT:
                at[field], end[field] = i + 1, close
            i = close + 1
        i = _blank(buffer, i, stop)
        if i >= stop:
            return False
        if buffer[i] == 125:  # }
            break
        if buffer[i] != 44:  # ,
            return False
        i = _blank(buffer, i + 1, stop)
    if _blank(buffer, i + 1, stop) != stop or seen & _NEEDED != _NEEDED:
        return False
    return bool(0 < end[USER] - at[USER] <= MAX_USER_BYTES and end[EVENT_ID] - at[EVENT_ID] <= MAX_USER_BYTES)


@njit(cache=True, nogil=True)
def _is_null(buffer: Any, i: int, stop: int) -> bool:
    return i + 4 <= stop and buffer[i] == 110 and buffer[i + 1] == 117 and buffer[i + 2] == 108 and buffer[i + 3] == 108


@njit(cache=True, nogil=True)
def _blank(buffer: Any, i: int, stop: int) -> int:
    """Skip blanks."""
    while i < stop and (buffer[i] == 32 or buffer[i] == 9 or buffer[i] == 10 or buffer[i] == 13):
        i += 1
    return i


@njit(cache=True, nogil=True)
def _text(buffer: Any, i: int, stop: int) -> int:
    """Return where a string of ASCII without escapes ends, -1 if it is none."""
    while i < stop:
        c = buffer[i]
        if c == 34:
            return i
        if c < 32 or c > 126 or c == 92:
            return -1
        i += 1
    return -1


@njit(cache=True, nogil=True)
def _field(buffer: Any, at: int, end: int) -> int:
    """Return which name of the schema this is, -1 for none."""
    for field in range(_LENGTHS.shape[0]):
        if end - at == _LENGTHS[field]:
            j = 0
            while at + j < end and buffer[at + j] == _LETTERS[field, j]:
                j += 1
            if at + j == end:
                return field
    return -1


@njit(cache=True, nogil=True)
def _digits(buffer: Any, i: int, stop: int) -> tuple[int, int, int]:
    """Return where digits end, their number, and how many; none where there are over 15, or more than one and a leading zero."""
    number, first = 0, i
    while i < stop and 48 <= buffer[i] <= 57:
        if i - first == _MOST_DIGITS:
            return i, 0, 0
        number = number * 10 + (int(buffer[i]) - 48)
        i += 1
    if i - first > 1 and buffer[first] == 48:
        return i, 0, 0
    return i, number, i - first


@njit(cache=True, nogil=True)
def _decimal(buffer: Any, i: int, stop: int) -> tuple[int, float]:
    """Return where a number ends, and the number; -1 where there is none, or one that needs more care than a division."""
    minus = buffer[i] == 45
    if minus:
        i += 1
    i, number, digits = _digits(buffer, i, stop)
    if digits == 0:
        return -1, 0.0
    after = 0
    if i < stop and buffer[i] == 46:
        i += 1
        while i < stop and 48 <= buffer[i] <= 57:
            number = number * 10 + (int(buffer[i]) - 48)
            after += 1
            i += 1
            if digits + after > _MOST_DIGITS:
                return -1, 0.0
        if after == 0:
            return -1, 0.0
    # both are exact, so the quotient is the double nearest to what is written (Clinger 1990)
    decimal = number / _TENS[after]
    if minus and number == 0:
        return -1, 0.0
    return i, -decimal if minus else decimal


@njit(cache=True, nogil=True)
def _hash(buffer: Any, at: int, end: int, mark: Any) -> Any:
    """FNV-1a; equal marks are compared byte by byte after it."""
    for i in range(at, end):
        mark = (mark ^ np.uint64(buffer[i])) * np.uint64(1099511628211)
    return mark


@njit(cache=True, nogil=True)
def _same_kind(buffer: Any, at: Any, end: Any, a: int, b: int) -> bool:
    if (at[a, CHANNEL] < 0) != (at[b, CHANNEL] < 0):
        return False
    same = equal(buffer, at[a, TYPE], end[a, TYPE], buffer, at[b, TYPE], end[b, TYPE])
    return same and equal(buffer, at[a, CHANNEL], end[a, CHANNEL], buffer, at[b, CHANNEL], end[b, CHANNEL])
