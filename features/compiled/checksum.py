"""A checksum for compiled passes: the low half of XXH64, which any program can compute again from the published algorithm.

Source: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.extending import intrinsic
from numba.np.arrayobj import make_array

_P1, _P2, _P3, _P4, _P5 = map(
    np.uint64, (11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579, 2870177450012600261)
)


@njit(cache=True, nogil=True)
def xxh64(source: Any, at: int, end: int, seed: Any) -> Any:
    """Return XXH64 of a stretch of bytes, uint64.

    Parameters
    ----------
    source : uint8 array
    at, end : int
        Where the stretch begins and ends, within `source`.
    seed : np.uint64

    >>> import xxhash
    >>> text = np.frombuffer(b"nobody inspects the spammish repetition", np.uint8)
    >>> int(xxh64(text, 0, 39, np.uint64(7))) == xxhash.xxh64_intdigest(text.tobytes(), 7)
    True
    """
    data = source[at:end]  # places counted from 0 cannot be negative, which saves the loop a check
    size = data.shape[0]
    i = 0
    if size >= 32:
        one, two, three, four = seed + _P1 + _P2, seed + _P2, seed, seed - _P1
        while i + 32 <= size:
            one = _round(one, _word(data, i))
            two = _round(two, _word(data, i + 8))
            three = _round(three, _word(data, i + 16))
            four = _round(four, _word(data, i + 24))
            i += 32
        found = _turned(one, 1) + _turned(two, 7) + _turned(three, 12) + _turned(four, 18)
        for lane in (one, two, three, four):
            found = (found ^ _round(np.uint64(0), lane)) * _P1 + _P4
    else:
        found = seed + _P5
    found += np.uint64(size)
    while i + 8 <= size:
        found = _turned(found ^ _round(np.uint64(0), _word(data, i)), 27) * _P1 + _P4
        i += 8
    if i + 4 <= size:
        half = np.uint64(data[i]) | np.uint64(data[i + 1]) << np.uint64(8)
        half |= np.uint64(data[i + 2]) << np.uint64(16) | np.uint64(data[i + 3]) << np.uint64(24)
        found = _turned(found ^ half * _P1, 23) * _P2 + _P3
        i += 4
    while i < size:
        found = _turned(found ^ np.uint64(data[i]) * _P5, 11) * _P1
        i += 1
    found = (found ^ found >> np.uint64(33)) * _P2
    found = (found ^ found >> np.uint64(29)) * _P3
    return found ^ found >> np.uint64(32)


@njit(cache=True, nogil=True)
def _turned(value: Any, bits: int) -> Any:
    return value << np.uint64(bits) | value >> np.uint64(64 - bits)


@njit(cache=True, nogil=True)
def _round(lane: Any, word: Any) -> Any:
    return _turned(lane + word * _P2, 31) * _P1


def _loading(_typing: Any, array: Any, _place: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = signature.args[0]
        held = make_array(kind)(context, builder, args[0])  # type: ignore[no-untyped-call]  # numba has no types there
        first = cgutils.get_item_pointer(context, builder, kind, held, [args[1]])  # type: ignore[no-untyped-call]
        return builder.load(builder.bitcast(first, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(array, types.intp), generate


_word: Any = intrinsic(_loading)
"""``_word(bytes, at)`` in a compiled pass: eight bytes as one word, read in one load. If the word were put together from single bytes, the
compiler would make eight loads of it."""
