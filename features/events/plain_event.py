"""A compiled pass over payloads of the usual shape, so that they need no object each. Every other payload is left to the decoder.

A payload is usual if it is one JSON object of ASCII whose fields are as follows. `user` and `event_id` have up to 256 bytes, `ts` is a positive
number of milliseconds, and `value` is a decimal number of at most 15 digits. Strings have no escapes, null stands only where a field may be
missing, and no name of the schema comes twice. `props`, and fields that the schema does not name, may be anything, nested up to 60 deep.

The pass never rejects a payload. What it reads, the decoder would read with the same outcome; a test holds the two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
"""How many texts have their place in the buffer kept: those before `SESSION`."""
_DETAILS = TS - SESSION
"""How many fields have their place in the payload kept. It takes only two bytes each, because most readers never look at them."""
_MOST_LEVELS = 60
"""How deep a value may be nested: one bit of an integer for each level, and fewer levels than the decoder allows."""
_MOST_KINDS = 64
"""Most different pairs (type, channel) in one batch; payloads with further ones are left to the decoder."""
_MOST_DIGITS = 15
_TENS = np.array([float(f"1e{power}") for power in range(_MOST_DIGITS + 1)])
_NEEDED = 1 << USER | 1 << TYPE | 1 << TS


@dataclass(frozen=True, slots=True)
class Plain:
    """What the pass found, with one row a payload; a row that is not `usual` means nothing.

    Attributes
    ----------
    usual : bool (n,)
        Whether the pass read the payload; the others are left to the decoder.
    at, end : int64 (n, 4)
        Where user, type, event id and channel begin and end in the buffer; -1 for a missing one, or null.
    inner_at, inner_end : uint16 (n, 3)
        Where session, item and the JSON of props begin and end in their payload; 0 for a missing one, or null.
    ts : int64 (n,)
        Milliseconds since the epoch, 1 to `MAX_TS_MS`.
    value : float64 (n,)
        NaN for none.
    kind : int64 (n,)
        The place of the payload's (type, channel) in `kinds`.
    kinds : int64 (at most 64,)
        For each different (type, channel), the number of a row that has it.
    """

    usual: npt.NDArray[np.bool_]
    at: Places
    end: Places
    inner_at: npt.NDArray[np.uint16]
    inner_end: npt.NDArray[np.uint16]
    ts: Places
    value: npt.NDArray[np.float64]
    kind: Places
    kinds: Places


def read_plain(payloads: Texts) -> Plain:
    """Read the payloads that have the usual shape.

    >>> found = read_plain(Texts.of([b'{"user": "ann", "ts": 5, "type": "click"}', b'{"user": "bob", "ts": 5, "type": null}']))
    >>> found.usual.tolist(), found.ts[0].item(), found.at[0].tolist()
    ([True, False], 5, [10, 34, -1, -1])
    """
    n = len(payloads)
    found = Plain(
        usual=np.zeros(n, np.bool_),
        at=np.full((n, _KEPT), -1, np.int64),
        end=np.full((n, _KEPT), -1, np.int64),
        inner_at=np.zeros((n, _DETAILS), np.uint16),
        inner_end=np.zeros((n, _DETAILS), np.uint16),
        ts=np.zeros(n, np.int64),
        value=np.full(n, np.nan),
        kind=np.zeros(n, np.int64),
        kinds=np.zeros(_MOST_KINDS, np.int64),
    )
    count = _read(
        payloads.buffer, payloads.at, payloads.end, found.usual, found.at, found.end, found.inner_at, found.inner_end,
        found.ts, found.value, found.kind, found.kinds,
    )  # fmt: skip
    return replace(found, kinds=found.kinds[:count])


def detail_places(found: Plain, payloads: Texts, of: int) -> tuple[Places, Places]:
    """Return where a detail (`SESSION`, `ITEM` or `PROPS`) begins and ends in the buffer, each (n,); -1 for a missing one.

    >>> payloads = Texts.of([b'{"user": "ann", "ts": 5, "type": "c", "item": "sku"}'])
    >>> [place.tolist() for place in detail_places(read_plain(payloads), payloads, ITEM)]
    [[47], [50]]
    """
    at, end = found.inner_at[:, of - SESSION], found.inner_end[:, of - SESSION]
    there = found.usual & (at > 0)
    return np.where(there, payloads.at + at, -1), np.where(there, payloads.at + end, -1)


@njit(cache=True, nogil=True)
def _read(
    buffer: Any,
    start: Any,
    stop: Any,
    usual: Any,
    at: Any,
    end: Any,
    inner_at: Any,
    inner_end: Any,
    ts: Any,
    value: Any,
    kind: Any,
    kinds: Any,
) -> int:
    """Fill the columns; return the number of kinds."""
    hashes = np.zeros(kinds.shape[0], np.uint64)
    count = 0
    for i in range(start.shape[0]):
        if start[i] < 0 or stop[i] - start[i] > MAX_PAYLOAD_BYTES:
            continue
        if not _row(buffer, start[i], stop[i], at[i], end[i], inner_at, inner_end, ts, value, i):
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
def _row(buffer: Any, start: int, stop: int, at: Any, end: Any, inner_at: Any, inner_end: Any, ts: Any, value: Any, row: int) -> bool:
    """Read one payload; return False if it is not of the usual shape, and then what was written means nothing."""
    i = _blank(buffer, start, stop)
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
        elif 0 <= field < PROPS:
            if buffer[i] != 34:
                return False
            close = _text(buffer, i + 1, stop)
            if close < 0:
                return False
            if field < _KEPT:
                at[field], end[field] = i + 1, close
            else:
                inner_at[row, field - SESSION], inner_end[row, field - SESSION] = i + 1 - start, close - start
            i = close + 1
        else:
            close = _value(buffer, i, stop)
            if close < 0:
                return False
            if field == PROPS:
                inner_at[row, PROPS - SESSION], inner_end[row, PROPS - SESSION] = i - start, close - start
            i = close
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
    """Return the first place from `i` on that is not blank."""
    while i < stop and (buffer[i] == 32 or buffer[i] == 9 or buffer[i] == 10 or buffer[i] == 13):
        i += 1
    return i


@njit(cache=True, nogil=True)
def _text(buffer: Any, i: int, stop: int) -> int:
    """Return where a string ends, or -1 if it is not a string of ASCII without escapes."""
    while i < stop:
        c = buffer[i]
        if c == 34:
            return i
        if c < 32 or c > 126 or c == 92:
            return -1
        i += 1
    return -1


@njit(cache=True, nogil=True)
def _value(buffer: Any, i: int, stop: int) -> int:
    """Return where the JSON value that begins at `i` ends, or -1 if there is none, or one that needs the decoder."""
    levels = 0
    objects = np.uint64(0)
    """Whether each level is an object: one bit a level, of which the lowest is the innermost."""
    while i < stop:
        c = buffer[i]
        if c == 34:
            i = _escaped(buffer, i + 1, stop)
        elif c in (123, 91):  # { [
            levels += 1
            if levels > _MOST_LEVELS:
                return -1
            objects = objects << np.uint64(1) | np.uint64(c == 123)
            i = _blank(buffer, i + 1, stop)
            if i >= stop:
                return -1
            if buffer[i] != c + 2:  # } ]
                i = _name(buffer, i, stop) if c == 123 else i
                if i < 0:
                    return -1
                continue
            levels -= 1
            objects >>= np.uint64(1)
            i += 1
        elif c == 45 or 48 <= c <= 57:
            i = _number(buffer, i, stop)
        else:
            i = _word(buffer, i, stop)
        if i < 0:
            return -1
        while levels > 0:
            i = _blank(buffer, i, stop)
            if i >= stop:
                return -1
            inner = bool(objects & np.uint64(1))
            if buffer[i] == 44:  # ,
                i = _blank(buffer, i + 1, stop)
                i = _name(buffer, i, stop) if inner else i
                if i < 0:
                    return -1
                break
            if buffer[i] != (125 if inner else 93):
                return -1
            levels -= 1
            objects >>= np.uint64(1)
            i += 1
        else:
            return i
    return -1


@njit(cache=True, nogil=True)
def _name(buffer: Any, i: int, stop: int) -> int:
    """Return where the value behind a name and its colon begins, or -1 if there is no name."""
    if i >= stop or buffer[i] != 34:
        return -1
    i = _escaped(buffer, i + 1, stop)
    if i < 0:
        return -1
    i = _blank(buffer, i, stop)
    if i >= stop or buffer[i] != 58:
        return -1
    return _blank(buffer, i + 1, stop)


@njit(cache=True, nogil=True)
def _escaped(buffer: Any, i: int, stop: int) -> int:
    """Return the place after the closing quote of a string of ASCII, or -1 if there is none. Escapes may be in it, except of surrogates."""
    while i < stop:
        c = buffer[i]
        if c == 34:
            return i + 1
        if c < 32 or c > 126:
            return -1
        i += 1
        if c != 92:
            continue
        if i >= stop:
            return -1
        c = buffer[i]
        i += 1
        if c == 117:  # u
            if i + 4 > stop or ((buffer[i] | 32) == 100 and (buffer[i + 1] | 32) >= 56):  # D8 to DF
                return -1
            for j in range(i, i + 4):
                if not (48 <= buffer[j] <= 57 or 97 <= (buffer[j] | 32) <= 102):
                    return -1
            i += 4
        elif c not in (34, 92, 47, 98, 102, 110, 114, 116):  # " \ / b f n r t
            return -1
    return -1


@njit(cache=True, nogil=True)
def _number(buffer: Any, i: int, stop: int) -> int:
    """Return where a number without an exponent ends, or -1 if there is none."""
    if buffer[i] == 45:
        i += 1
    first = i
    while i < stop and 48 <= buffer[i] <= 57:
        i += 1
    if i == first or (i - first > 1 and buffer[first] == 48):
        return -1
    if i < stop and buffer[i] == 46:
        first = i + 1
        i += 1
        while i < stop and 48 <= buffer[i] <= 57:
            i += 1
        if i == first:
            return -1
    return -1 if i < stop and (buffer[i] | 32) == 101 else i


@njit(cache=True, nogil=True)
def _word(buffer: Any, i: int, stop: int) -> int:
    """Return where true, false or null ends, or -1 if none of them is there."""
    if i + 4 > stop:
        return -1
    if _is_null(buffer, i, stop):
        return i + 4
    if buffer[i] == 116 and buffer[i + 1] == 114 and buffer[i + 2] == 117 and buffer[i + 3] == 101:
        return i + 4
    if (
        i + 5 <= stop
        and buffer[i] == 102
        and buffer[i + 1] == 97
        and buffer[i + 2] == 108
        and buffer[i + 3] == 115
        and buffer[i + 4] == 101
    ):
        return i + 5
    return -1


@njit(cache=True, nogil=True)
def _field(buffer: Any, at: int, end: int) -> int:
    """Return the number of the schema's field that has this name, or -1 for none."""
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
    """Return where digits end, the number they make, and how many they are; 0 digits where there are over 15, or several with a leading zero."""
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
    """Return where a decimal number ends, and the number; -1 where there is none, or one that a division would not read exactly."""
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
    # Both numbers are exact as doubles, so their quotient is the double nearest to what is written (Clinger 1990).
    decimal = number / _TENS[after]
    if minus and number == 0:
        return -1, 0.0
    return i, -decimal if minus else decimal


@njit(cache=True, nogil=True)
def _hash(buffer: Any, at: int, end: int, mark: Any) -> Any:
    """Go on with FNV-1a from `mark` over a stretch of bytes. Stretches with equal marks are compared byte by byte afterwards."""
    for i in range(at, end):
        mark = (mark ^ np.uint64(buffer[i])) * np.uint64(1099511628211)
    return mark


@njit(cache=True, nogil=True)
def _same_kind(buffer: Any, at: Any, end: Any, a: int, b: int) -> bool:
    if (at[a, CHANNEL] < 0) != (at[b, CHANNEL] < 0):
        return False
    same = equal(buffer, at[a, TYPE], end[a, TYPE], buffer, at[b, TYPE], end[b, TYPE])
    return same and equal(buffer, at[a, CHANNEL], end[a, CHANNEL], buffer, at[b, CHANNEL], end[b, CHANNEL])
