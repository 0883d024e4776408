"""A stretch of rows of a file, before any of them is judged; every form of file gives its rows so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from features.files.cells import Cells

Path_ = tuple[str, ...]
"""Where a field stands: the name of a column, or the keys that lead down into nested JSON."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One row that is not usable, or many rows with the same fault, of which the first is the example.

    Attributes
    ----------
    row : int
        Number of the row, counted from 1 without the header.
    line : int
        Line in a text file, counted from 1; 0 where a file has no lines.
    value : str
        The value as written in the file, shortened.
    """

    reason: str
    field: str
    row: int
    line: int
    value: str
    count: int = 1


@dataclass(slots=True)
class Chunk:
    """Rows that have the right form, and the faults of those that do not.

    Attributes
    ----------
    rows, lines : int64 (n,)
        Number and line of each row, counted from 1.
    cells : dict of Path_ to Cells
        One column for each place that was asked for.
    """

    rows: npt.NDArray[np.int64]
    lines: npt.NDArray[np.int64]
    cells: dict[Path_, Cells]
    faults: Sequence[Fault] = field(default_factory=list)
    lax: int = 0
    """How many rows hold a NaN or an Infinity, which JSON does not allow."""


SHOWN = 80


def shortened(text: str) -> str:
    """Cut a value for a message.

    >>> len(shortened("x" * 1000))
    80
    """
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
