"""The design matrix: what linear models and the network see of a coded vector.

A feature becomes two columns, its position on its scale (0 to 1) and the square of that; one that can be missing has a flag as well. A
category has one column for each of its values. So every column depends on one feature alone. A cross looks at two features together, mostly
at a history and a silence: each feature is cut into coarse cells, and the cross has one cell for each pair of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from features.users.catalog import FEATURES, INDEX, WIDTH, decode_table

MISSING_AS = 0.5
"""Position that stands for a missing value; the flag beside it says that it is missing."""


def _columns() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return the value of each column for each code of its feature, (256, C), and the feature of each column, (C,)."""
    place = decode_table().astype(np.float64)
    blocks: list[npt.NDArray[np.float64]] = []
    owners: list[npt.NDArray[np.int64]] = []
    for index, feature in enumerate(FEATURES):
        missing = np.isnan(place[index])
        x = np.where(missing, MISSING_AS, place[index])
        columns = [x, x * x]
        if feature.missing:
            columns.append(missing.astype(np.float64))
        if feature.scale == "category":
            level = np.rint(x * (feature.high - feature.low)).astype(int)
            columns += [(level == value).astype(np.float64) for value in range(int(feature.high - feature.low) + 1)]
        blocks.append(np.stack(columns, axis=1))
        owners.append(np.full(len(columns), index))
    return np.concatenate(blocks, axis=1).astype(np.float32), np.concatenate(owners)


DESIGN, FEATURE_OF = _columns()
"""float32 (256, C): value of a column by the code of its feature; int64 (C,): that feature."""
_OF_COLUMN = np.ascontiguousarray(DESIGN.T)


@njit(cache=True, nogil=True)
def _look_up(vectors: Any, of_column: Any, feature_of: Any, out: Any) -> None:
    for i in range(vectors.shape[0]):
        for c in range(feature_of.shape[0]):
            out[i, c] = of_column[c, vectors[i, feature_of[c]]]


def design(vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the design matrix, float32 (n, C), of coded vectors, uint8 (n, F).

    >>> design(np.zeros((2, WIDTH), np.uint8)).shape[0]
    2
    """
    out = np.empty((len(vectors), len(FEATURE_OF)), np.float32)
    _look_up(vectors, _OF_COLUMN, FEATURE_OF, out)
    return out


CELLS = 6
CROSSES = (
    ("active_days_total", "active_recency_s"),
    ("active_days_28", "active_recency_s"),
    ("active_days_28", "active_days_7"),
    ("gap_mean_s", "active_recency_s"),
    ("gap_z", "gaps"),
    ("tenure_days", "active_days_total"),
    ("tenure_days", "count_total"),
    ("count_24h", "count_28d"),
    ("session_last_s", "sessions"),
    ("trend_7d_28d", "active_share"),
)
"""Pairs of features of which one says how to read the other."""
PAIRS = np.array([(INDEX[a], INDEX[b]) for a, b in CROSSES], np.int64)


def _cells() -> npt.NDArray[np.uint8]:
    """Return the coarse cell of each code, (F, 256): 0 for missing, then five cells of even width on the feature's scale."""
    row = np.minimum(1 + (np.arange(256) - 1) * (CELLS - 1) // 255, CELLS - 1)
    row[0] = 0
    return np.tile(row.astype(np.uint8), (WIDTH, 1))


CELL_OF = _cells()


def crosses(vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Return the cell of each cross, int64 (n, P), each from 0 to ``CELLS ** 2 - 1``, of coded vectors, uint8 (n, F)."""
    a, b = PAIRS[:, 0], PAIRS[:, 1]
    return np.asarray(CELL_OF[a, vectors[:, a]].astype(np.int64) * CELLS + CELL_OF[b, vectors[:, b]])
