"""Plain data: the only form in which anything learned leaves this process, and the only one that is read back.

A state is a `msgspec.Struct` of numbers, text, bytes and arrays. It is written as it stands, and read by its type, so what has another shape is
refused before any of it is used: nothing that is read names a class, a function or an attribute to set. An array carries its own type
and shape, but the reader says which it must be.

Errors::

    ValueError           the bytes are no such state (msgspec's own errors are among them)
        OutdatedState    they are one of an older build, in a form that is not read any more
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

MOST = 2**53
"""Largest count: up to here a float is exact too."""
Count = Annotated[int, Meta(ge=0, le=MOST)]
Finite = Annotated[float, Meta(ge=-sys.float_info.max, le=sys.float_info.max)]
NotNegative = Annotated[float, Meta(ge=0, le=sys.float_info.max)]
Share = Annotated[float, Meta(ge=0, le=1)]
Millis = Annotated[int, Meta(ge=-(2**62), le=2**62)]
"""A time since the epoch; far enough from the end of 64 bits that a horizon can be added."""
PackedArray = tuple[str, list[int], bytes]
"""numpy's name of the type, shape, bytes."""

T = TypeVar("T")


class OutdatedState(ValueError):
    """A state in a form that is not read any more."""


def read(state: Any, kind: type[T]) -> T:
    """Read a state as the type it must have.

    Parameters
    ----------
    state : msgspec.Raw, or the state itself
        The second is written and read again, so that whoever goes on from it shares nothing with who gave it.

    Raises
    ------
    ValueError
        It has another shape.

    >>> read([1, 2], list[Count])
    [1, 2]
    """
    packed = state if isinstance(state, msgspec.Raw) else msgspec.msgpack.encode(state)
    return msgspec.msgpack.decode(packed, type=kind)


def pack_array(array: npt.NDArray[Any]) -> PackedArray:
    """Return an array as plain data."""
    return array.dtype.str, list(array.shape), np.ascontiguousarray(array).tobytes()


def pack_each(*arrays: npt.NDArray[Any]) -> list[PackedArray]:
    """Return some arrays as plain data."""
    return [pack_array(array) for array in arrays]


def pack_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, PackedArray]:
    """Return arrays by name as plain data."""
    return {name: pack_array(array) for name, array in arrays.items()}


def unpack_array(packed: PackedArray, kind: str, *shape: int | None) -> npt.NDArray[Any]:
    """Read one array of finite numbers.

    Parameters
    ----------
    kind : str
        The type it must have, such as "u1" or "<f8".
    shape : int or None each
        The shape it must have; None for any length.

    Raises
    ------
    ValueError
        It is another one, or holds a number that is not finite.

    >>> unpack_array(pack_array(np.array([1.5])), "f8", None)
    array([1.5])
    """
    said, lengths, data = packed
    fits = len(lengths) == len(shape) and all(want in {None, have} for have, want in zip(lengths, shape, strict=True))
    if not fits or said != np.dtype(kind).str:
        raise ValueError(f"an array of {said[:20]} {lengths[:5]} in the place of one of {np.dtype(kind).str} {list(shape)}")
    return array_of(data, kind, *lengths)


def array_of(data: bytes, kind: str, *shape: int) -> npt.NDArray[Any]:
    """Read an array of finite numbers from its bytes; -1 in the shape for what follows from their length.

    Raises
    ------
    ValueError
    """
    array = np.frombuffer(data, kind).reshape(shape).copy()
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError("an array holds numbers that are not finite")
    return array


def labels_of(data: bytes) -> npt.NDArray[np.uint8]:
    """Read labels, uint8 (n,), each 0 or 1.

    Raises
    ------
    ValueError
    """
    labels = array_of(data, "u1", -1)
    if (labels > 1).any():
        raise ValueError("a label is neither 0 nor 1")
    return labels


def rng_state(rng: np.random.Generator) -> list[str]:
    """Return where a generator stands, half a drawn word included, as text: its numbers have 128 bits."""
    whole = rng.bit_generator.state
    return [str(one) for one in (whole["state"]["state"], whole["state"]["inc"], whole["has_uint32"], whole["uinteger"])]


RngState = Annotated[list[Annotated[str, Meta(pattern=r"^[0-9]{1,39}\Z")]], Meta(min_length=4, max_length=4)]


def set_rng(rng: np.random.Generator, state: RngState) -> None:
    """Put a generator where `rng_state` found one.

    Raises
    ------
    ValueError
        No generator of this kind stands there.
    """
    at, step, halves, half = (int(one) for one in state)
    if max(at, step) >= 2**128 or not step % 2 or halves > 1 or half >= 2**32:
        raise ValueError("no random generator stands there")
    rng.bit_generator.state = {
        "bit_generator": "PCG64", "state": {"state": at, "inc": step}, "has_uint32": halves, "uinteger": half,
    }  # fmt: skip
