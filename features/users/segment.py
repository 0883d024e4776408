"""The users a churn definition is about: conditions on the catalog's features at a landmark, read from text such as ``"purchases >= 1"``.

They are judged on the coded vector, which is all that a snapshot keeps, so a replay judges alike. A missing feature meets no condition.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from math import log1p
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from features.users.catalog import FEATURES, INDEX, scale_tables
from features.users.spec import OTHER_CHANNEL

_CONDITION = re.compile(r"\s*(\w+)\s*(>=|<=|=)\s*(.+?)\s*")


class Condition(NamedTuple):
    """One condition on the code of one feature, low <= code <= high."""

    feature: int
    low: int
    high: int


@lru_cache(maxsize=64)
def segment_of(texts: tuple[str, ...], channels: tuple[str, ...]) -> tuple[Condition, ...]:
    """Read conditions; all of them must hold.

    Parameters
    ----------
    channels : tuple of str
        The spec's known channels: ``channel = NAME`` takes one of them, or ``none``, or ``other``.

    Raises
    ------
    ValueError
        If one is none, says why.

    >>> [condition.low for condition in segment_of(("channel = ads", "active_days_total >= 2"), ("ads",))][0] > 1
    True
    """
    return tuple(_condition(text, channels) for text in texts)


def inside(segment: Sequence[Condition], vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Whether every condition holds, bool (n,), of coded vectors (n, F)."""
    found = np.ones(len(vectors), np.bool_)
    for feature, low, high in segment:
        code = vectors[:, feature]
        found &= (low <= code) & (code <= high)
    return found


def _condition(text: str, channels: tuple[str, ...]) -> Condition:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise ValueError(f'must be like "purchases >= 1", with >=, <= or =, got {text!r}')
    name, sign, said = match.groups()
    if name not in INDEX:
        raise ValueError(f"no feature {name!r} in {text!r}; docs/features.md lists them")
    code = _code(INDEX[name], _value(name, said, channels))
    return Condition(INDEX[name], 1 if sign == "<=" else code, 255 if sign == ">=" else code)


def _value(name: str, said: str, channels: tuple[str, ...]) -> float:
    if name == "channel":
        codes = {channel: place for place, channel in enumerate(channels, 1)} | {"none": 0, "other": OTHER_CHANNEL}
        if said not in codes:
            raise ValueError(f"no channel {said!r}; there are {', '.join(codes)} (features.channels)")
        return codes[said]
    try:
        value = float(said)
    except ValueError:
        raise ValueError(f"{said!r} is no number") from None
    feature = FEATURES[INDEX[name]]
    if not feature.low <= value <= feature.high:
        raise ValueError(f"{name} lies between {feature.low:g} and {feature.high:g}, got {said}")
    return value


def _code(feature: int, value: float) -> int:
    """Code one value as `features.users.vector.code_vector` does, which needs a compiler that a command line should not wait for."""
    is_log, per_knee, low, per_step = scale_tables()[feature].tolist()
    place = ((log1p(max(value, 0.0) * per_knee) if is_log else value) - low) * per_step
    return 1 + int(min(max(place, 0.0), 254.0) + 0.5)
