"""Coded vectors in, calibrated risks out: what a worker runs of a model.

Every scorer is a pure function of the coded vector (uint8, 0 = missing). Linear models, and anything that can be written as a sum of one
term a feature, run as one table look-up per feature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from numba import njit


class Scorer(Protocol):
    """A compiled model."""

    name: str

    def risk(self, vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Risks, float32 (n,) in [0, 1], of coded vectors, uint8 (n, F)."""
        ...

    def terms(self, vector: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """What each feature adds to the log-odds of one vector, against the usual: float64 (F,)."""
        ...


@dataclass(frozen=True, slots=True)
class Champion:
    """The scorer in charge of one definition, and its version in the registry (0 = the rule that needs no learning)."""

    version: int
    scorer: Scorer


@njit(cache=True, nogil=True)
def _sum_terms(vectors: Any, table: Any, bias: float, out: Any) -> None:
    for i in range(vectors.shape[0]):
        total = bias
        for f in range(vectors.shape[1]):
            total += table[f, vectors[i, f]]
        out[i] = 1.0 / (1.0 + np.exp(-total))


class AdditiveScorer:
    """``sigmoid(bias + sum_f table[f, code_f])``.

    Parameters
    ----------
    table : float64 (F, 256)
    bias : float
    usual : float64 (F,), optional
        Mean term of each feature in the crowd; reasons are told against it.

    >>> scorer = AdditiveScorer("demo", np.zeros((2, 256)), 0.0)
    >>> scorer.risk(np.zeros((1, 2), np.uint8)).tolist()
    [0.5]
    """

    def __init__(self, name: str, table: npt.NDArray[np.float64], bias: float, usual: npt.NDArray[np.float64] | None = None) -> None:
        if not (np.isfinite(table).all() and np.isfinite(bias)):
            raise ValueError(f"model {name!r} has weights that are not finite: refused")
        self.name, self.bias = name, float(bias)
        self.table = np.ascontiguousarray(table, np.float64)
        self.usual = np.zeros(len(table)) if usual is None else usual

    def risk(self, vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """See `Scorer`."""
        out = np.empty(len(vectors), np.float32)
        _sum_terms(vectors, self.table, self.bias, out)
        return out

    def terms(self, vector: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """See `Scorer`."""
        return np.asarray(self.table[np.arange(len(vector)), vector] - self.usual, np.float64)
