"""Plain data: what has been learned leaves this process only in this form, and only this form is read back.

A state is a `msgspec.Struct` of numbers, text, bytes and arrays. It is written as it stands and read by its type, so data of another shape are
refused before any of them is used. Nothing that is read can name a class, a function or an attribute to set. An array carries its own type
and shape, but the reader says which they must be.

Errors::

    ValueError           the bytes are no such state (msgspec's own errors are ValueErrors)
        OutdatedState    they are a state that an older build wrote, in a form that is no longer read
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
"""Largest count: up to here every integer is exact as a float too."""
Count = Annotated[int, Meta(ge=0, le=MOST)]
Finite = Annotated[float, Meta(ge=-sys.float_info.max, le=sys.float_info.max)]
NotNegative = Annotated[float, Meta(ge=0, le=sys.float_info.max)]
Share = Annotated[float, Meta(ge=0, le=1)]
Millis = Annotated[int, Meta(ge=-(2**62), le=2**62)]
"""Milliseconds since the epoch; far enough from the end of 64 bits that a horizon can be added."""
PackedArray = tuple[str, list[int], bytes]
"""numpy's name of the type, the shape, and the bytes."""

T = TypeVar("T")


class OutdatedState(ValueError):
    """The state is in a form that is no longer read."""


def read(state: Any, kind: type[T]) -> T:
    """Read a state as the type it must have.

    Parameters
    ----------
    state : msgspec.Raw, or the state itself
        A state itself is written and read again, so that the reader shares no object with the giver.

    Raises
    ------
    ValueError
        If it has another shape.

    >>> read([1, 2], list[Count])
    [1, 2]
    """
    packed = state if isinstance(state, msgspec.Raw) else msgspec.msgpack.encode(state)
    return msgspec.msgpack.decode(packed, type=kind)


def pack_array(array: npt.NDArray[Any]) -> PackedArray:
    """Return an array as plain data."""
    return array.dtype.str, list(array.shape), np.ascontiguousarray(array).tobytes()


def pack_each(*arrays: npt.NDArray[Any]) -> list[PackedArray]:
    """Return each of some arrays as plain data, in their order."""
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
        If it has another type or shape, or holds a number that is not finite.

    >>> unpack_array(pack_array(np.array([1.5])), "f8", None)
    array([1.5])
    """
    said, lengths, data = packed
    fits = len(lengths) == len(shape) and all(want in {None, have} for have, want in zip(lengths, shape, strict=True))
    if not fits or said != np.dtype(kind).str:
        raise ValueError(f"an array of type {said[:20]} and shape {lengths[:5]}, but it must be {np.dtype(kind).str} {list(shape)}")
    return array_of(data, kind, *lengths)


def array_of(data: bytes, kind: str, *shape: int) -> npt.NDArray[Any]:
    """Read an array of finite numbers from its bytes; -1 in the shape stands for the length that follows from them.

    Raises
    ------
    ValueError
        If the bytes do not fit the shape, or a number is not finite.
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
        If a label is neither.
    """
    labels = array_of(data, "u1", -1)
    if (labels > 1).any():
        raise ValueError("a label is neither 0 nor 1")
    return labels


def rng_state(rng: np.random.Generator) -> list[str]:
    """Return the state of a generator as text, because its numbers have 128 bits; half a word that is left of a draw is in it too."""
    whole = rng.bit_generator.state
    return [str(one) for one in (whole["state"]["state"], whole["state"]["inc"], whole["has_uint32"], whole["uinteger"])]


RngState = Annotated[list[Annotated[str, Meta(pattern=r"^[0-9]{1,39}\Z")]], Meta(min_length=4, max_length=4)]


def set_rng(rng: np.random.Generator, state: RngState) -> None:
    """Give a generator the state that `rng_state` returned.

    Raises
    ------
    ValueError
        If no generator of this kind can have it.
    """
    at, step, halves, half = (int(one) for one in state)
    if max(at, step) >= 2**128 or not step % 2 or halves > 1 or half >= 2**32:
        raise ValueError("no random generator can have this state")
    rng.bit_generator.state = {
        "bit_generator": "PCG64", "state": {"state": at, "inc": step}, "has_uint32": halves, "uinteger": half,
    }  # fmt: skip
