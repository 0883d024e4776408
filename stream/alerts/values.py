"""The numbers of a coded vector as reasons say them: by name, in the features' own units, and no more precise than a code is.

A code stands for a range of values. Where only one whole number lies in it, a count is that number; else the value is kept to four digits. That
is finer than a code, and coarse enough that every machine writes the same bytes, whatever its last digit of a logarithm is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.users.catalog import INDEX, NAMES, value_table
from stream.alerts.templates import TEMPLATES

DIGITS = 4


def kept(value: float) -> float:
    """Return a value to four digits.

    >>> kept(846_716.48), kept(0.12345), kept(3.0)
    (846700.0, 0.1235, 3.0)
    """
    return float(f"{value:.{DIGITS}g}")


def _exact_up_to(row: npt.NDArray[np.float64]) -> int:
    """Return the largest whole number that has a code of its own, as have all below it: there the next code is less than one away."""
    steps = np.diff(row[1:])
    return round(float(row[1:][np.argmax(steps >= 1) - 1])) if (steps >= 1).any() else round(float(row[-1]))


_TABLE = value_table()
COUNTED = tuple(dict.fromkeys(template.counts for template in TEMPLATES.values() if template.counts))
"""Features that are counts of whole things."""
EXACT_UP_TO: dict[str, int] = {name: _exact_up_to(_TABLE[INDEX[name]]) for name in COUNTED}
"""Counts up to this one are exact; larger ones are known to a few per cent."""


def _value(name: str, value: float) -> float:
    return float(round(value)) if value <= EXACT_UP_TO.get(name, -1) + 0.5 else kept(value)


_VALUES: list[list[float]] = [[_value(name, value) for value in row] for name, row in zip(NAMES, _TABLE.tolist(), strict=True)]


class Values:
    """A coded vector, uint8 (F,), by name; NaN is missing. Each value is looked up when it is asked for: a sentence needs a few of them."""

    __slots__ = ("_codes",)

    def __init__(self, vector: npt.NDArray[np.uint8]) -> None:
        self._codes = vector.tobytes()

    def __getitem__(self, name: str) -> float:
        at = INDEX[name]
        return _VALUES[at][self._codes[at]]
