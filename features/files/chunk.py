"""A stretch of rows as a form of file gives it, before any of it is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from features.files.cells import Cells

Path_ = tuple[str, ...]
"""Where a field stands: a column, or the keys down into nested JSON."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One row that is not usable, or many of one kind with the first as an example.

    Attributes
    ----------
    row : int
        Counted from 1, the header not.
    line : int
        Of a text file, counted from 1; 0 where there are no lines.
    value : str
        As written in the file, shortened.
    """

    reason: str
    field: str
    row: int
    line: int
    value: str
    count: int = 1


@dataclass(slots=True)
class Chunk:
    """Rows that have the right form, and faults of those that have not.

    Attributes
    ----------
    rows, lines : int64 (n,)
        Number and line of each row, counted from 1.
    cells : dict
        Of each place that was asked for.
    """

    rows: npt.NDArray[np.int64]
    lines: npt.NDArray[np.int64]
    cells: dict[Path_, Cells]
    faults: Sequence[Fault] = field(default_factory=list)
    lax: int = 0
    """Rows of JSON that hold a NaN or an Infinity, which is no JSON."""


SHOWN = 80


def shortened(text: str) -> str:
    """Cut a value for a message.

    >>> len(shortened("x" * 1000))
    80
    """
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
