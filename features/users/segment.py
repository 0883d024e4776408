"""The users that a churn definition is about: conditions on features at a landmark, read from text such as ``"purchases >= 1"``.

Conditions are judged on the coded vector, because a snapshot keeps nothing else, and a replay must judge alike. So the border of a condition lies
between two codes, near the value that was named; `as_judged` says where. A missing feature meets no condition.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from math import expm1, log1p
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from features.users.catalog import FEATURES, INDEX, scale_tables
from features.users.spec import OTHER_CHANNEL

_CONDITION = re.compile(r"\s*(\w+)\s*(>=|<=|=)\s*(.+?)\s*")


HIGHEST = 255


class Condition(NamedTuple):
    """One condition on the code of one feature: low <= code <= high."""

    feature: int
    low: int
    high: int


@lru_cache(maxsize=64)
def segment_of(texts: tuple[str, ...], channels: tuple[str, ...]) -> tuple[Condition, ...]:
    """Read the conditions of a segment; a user must meet all of them.

    Parameters
    ----------
    channels : tuple of str
        The known channels of the feature spec; ``channel = NAME`` takes one of them, or ``none``, or ``other``.

    Raises
    ------
    ValueError
        If a text is not a condition; the message says why.

    >>> [condition.low for condition in segment_of(("channel = ads", "active_days_total >= 2"), ("ads",))][0] > 1
    True
    """
    return tuple(_condition(text, channels) for text in texts)


def as_judged(texts: Sequence[str], channels: tuple[str, ...]) -> list[str]:
    """Say where the borders of conditions really lie, in each feature's own unit. Conditions on categories are exact, so they are left out.

    >>> as_judged(["revenue >= 100", "channel = ads"], ("ads",))
    ['revenue >= 100 lets in 98.55 and more']
    """
    found = []
    for text in texts:
        condition = _condition(text, channels)
        if FEATURES[condition.feature].scale == "category":
            continue
        least, below = _value_at(condition.feature, condition.low - 1.5), _value_at(condition.feature, condition.high - 0.5)
        borders = ([f"{least:.4g} and more"] if condition.low > 1 else []) + (
            [f"less than {below:.4g}"] if condition.high < HIGHEST else []
        )
        found.append(f"{' '.join(text.split())} lets in {', '.join(borders) or 'everybody'}")
    return found


def inside(segment: Sequence[Condition], vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Return which of some coded vectors, uint8 (n, F), meet every condition, bool (n,)."""
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
    return Condition(INDEX[name], 1 if sign == "<=" else code, HIGHEST if sign == ">=" else code)


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


def _value_at(feature: int, place: float) -> float:
    """Return the value at a place on the feature's scale, 0 to 254. Each code covers half a place to either side of its own."""
    is_log, per_knee, low, per_step = scale_tables()[feature].tolist()
    at = low + min(max(place, 0.0), 254.0) / per_step
    return float(expm1(at) / per_knee if is_log else at)


def _code(feature: int, value: float) -> int:
    """Code one value as `features.users.vector.code_vector` does. That one is compiled, and a command line should not wait for the compiler."""
    is_log, per_knee, low, per_step = scale_tables()[feature].tolist()
    place = ((log1p(max(value, 0.0) * per_knee) if is_log else value) - low) * per_step
    return 1 + int(min(max(place, 0.0), 254.0) + 0.5)
