"""Coded vectors in, risks out: the part of a model that a worker runs, as plain arrays.

Every scorer is a pure function of one coded vector (uint8, 0 = missing). The rows of a batch never touch each other, so a score is the same to the
last bit wherever a batch is cut. Each kind of scorer packs to plain numbers and text (`pack`), from which `unpack` makes it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from numba import njit

from online_models.design import DESIGN, FEATURE_OF
from online_models.packed_scorers import PackedAdditive, PackedCalibrated, PackedMix, PackedNetwork, PackedScorer
from online_models.plain import pack_arrays, pack_each

EPSILON = 1e-6
"""Risks are kept this far from 0 and 1 before a logarithm is taken."""


def log_odds(risk: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return log(p / (1 - p)) of risks, which are clipped by `EPSILON` first.

    >>> log_odds(np.array([0.5])).tolist()
    [0.0]
    """
    p = np.clip(np.asarray(risk, np.float64), EPSILON, 1 - EPSILON)
    return np.asarray(np.log(p) - np.log1p(-p))


class Scorer(Protocol):
    """A compiled model."""

    name: str

    def risk(self, vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the risks, float32 (n,) in [0, 1], of coded vectors, uint8 (n, F)."""
        ...

    def terms(self, vector: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Return what each feature of one vector, uint8 (F,), adds to the log-odds in comparison with the crowd's usual: float64 (F,)."""
        ...

    def pack(self) -> PackedScorer:
        """Return the scorer as plain data; `online_models.unpacking.unpack` reads it."""
        ...


@dataclass(frozen=True, slots=True)
class Champion:
    """The scorer in charge of one definition, and its version in the registry (0 = the rule that needs no learning)."""

    version: int
    scorer: Scorer


def occlusion(scorer: Scorer, vector: npt.NDArray[np.uint8], usual: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Return terms for a model that is not a sum: how far the log-odds fall when one feature alone is set to the crowd's usual code, float64 (F,).

    Parameters
    ----------
    vector, usual : uint8 (F,)
    """
    rows = np.repeat(vector[None, :], len(vector) + 1, axis=0)
    np.fill_diagonal(rows, usual)
    odds = log_odds(scorer.risk(rows))
    return np.asarray(odds[-1] - odds[:-1])


@njit(cache=True, nogil=True)
def _sum_terms(vectors: Any, table: Any, bias: float, pairs: Any, cells: Any, cross: Any, out: Any) -> None:
    for i in range(vectors.shape[0]):
        total = bias
        for f in range(vectors.shape[1]):
            total += table[f, vectors[i, f]]
        for p in range(pairs.shape[0]):
            total += cross[p, cells[pairs[p, 0], vectors[i, pairs[p, 0]]], cells[pairs[p, 1], vectors[i, pairs[p, 1]]]]
        out[i] = 1.0 / (1.0 + np.exp(-total))


class AdditiveScorer:
    """``sigmoid(bias + sum_f table[f, code_f] + sum_p cross[p, cell(code_a), cell(code_b)])``.

    Parameters
    ----------
    table : float64 (F, 256)
        What each code of each feature adds to the log-odds.
    bias : float
    usual : float64 (F,), optional
        Mean term of each feature in the crowd; the terms of a user are compared with it.
    pairs : int64 (P, 2), optional
        Features a and b of each cross.
    cells : uint8 (F, 256), optional
        Coarse cell of each code of a feature that is in a cross.
    cross : float64 (P, cells, cells), optional
        What each cell of each cross adds to the log-odds.

    Raises
    ------
    ValueError
        If a weight is not finite.


    >>> scorer = AdditiveScorer("demo", np.zeros((2, 256)), 0.0)
    >>> scorer.risk(np.zeros((1, 2), np.uint8)).tolist()
    [0.5]
    """

    def __init__(
        self,
        name: str,
        table: npt.NDArray[np.float64],
        bias: float,
        usual: npt.NDArray[np.float64] | None = None,
        pairs: npt.NDArray[np.int64] | None = None,
        cells: npt.NDArray[np.uint8] | None = None,
        cross: npt.NDArray[np.float64] | None = None,
    ) -> None:
        if not (np.isfinite(table).all() and np.isfinite(bias)):
            raise ValueError(f"model {name!r} has weights that are not finite: refused")
        self.name, self.bias = name, float(bias)
        self.table = np.ascontiguousarray(table, np.float64)
        self.usual = np.zeros(len(table)) if usual is None else usual
        self.pairs = np.zeros((0, 2), np.int64) if pairs is None else pairs
        self.cells = np.zeros((len(table), 256), np.uint8) if cells is None else cells
        self.cross = np.zeros((len(self.pairs), 1, 1)) if cross is None else cross

    def risk(self, vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """See `Scorer`."""
        out = np.empty(len(vectors), np.float32)
        _sum_terms(vectors, self.table, self.bias, self.pairs, self.cells, self.cross, out)
        return out

    def shares(self, vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Return what each feature adds to the log-odds, float64 (n, F); each of its two features gets half of a cross."""
        terms = self.table[np.arange(len(self.table))[None, :], vectors]
        for p, (a, b) in enumerate(self.pairs.tolist()):
            half = self.cross[p, self.cells[a, vectors[:, a]], self.cells[b, vectors[:, b]]] / 2
            terms[:, a] += half
            terms[:, b] += half
        return np.asarray(terms, np.float64)

    def terms(self, vector: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """See `Scorer`."""
        return np.asarray(self.shares(vector[None, :])[0] - self.usual, np.float64)

    def pack(self) -> PackedAdditive:
        """See `Scorer`."""
        return PackedAdditive(self.name, self.bias, *pack_each(self.table, self.usual, self.pairs, self.cells, self.cross))


@njit(cache=True, nogil=True, fastmath=False)
def _run_network(vectors: Any, design: Any, feature_of: Any, w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any, out: Any) -> None:
    columns, first, second = w1.shape[0], w1.shape[1], w2.shape[1]
    h1 = np.empty(first, np.float32)
    h2 = np.empty(second, np.float32)
    for i in range(vectors.shape[0]):
        for j in range(first):
            h1[j] = b1[j]
        for c in range(columns):
            x = design[vectors[i, feature_of[c]], c]
            if x != 0:
                for j in range(first):
                    h1[j] += x * w1[c, j]
        for j in range(second):
            h2[j] = b2[j]
        for k in range(first):
            if h1[k] > 0:
                for j in range(second):
                    h2[j] += h1[k] * w2[k, j]
        total = b3[0]
        for k in range(second):
            if h2[k] > 0:
                total += h2[k] * w3[k]
        out[i] = 1.0 / (1.0 + np.exp(-total))


class NetworkScorer:
    """Two hidden layers of rectified units over the design's columns.

    Parameters
    ----------
    layers : dict
        float32 ``w1`` (C, h1), ``b1`` (h1,), ``w2`` (h1, h2), ``b2`` (h2,), ``w3`` (h2,), ``b3`` (1,); ``w1`` and ``b1`` include the columns' scaling.
    usual : uint8 (F,)
        The crowd's usual codes, for `terms` by occlusion.

    Raises
    ------
    ValueError
        If a weight is not finite, or the design has another number of columns.
    """

    def __init__(self, name: str, layers: Mapping[str, npt.NDArray[np.float32]], usual: npt.NDArray[np.uint8]) -> None:
        if not all(np.isfinite(layer).all() for layer in layers.values()):
            raise ValueError(f"model {name!r} has weights that are not finite: refused")
        if layers["w1"].shape[0] != DESIGN.shape[1]:
            raise ValueError(f"model {name!r} has {layers['w1'].shape[0]} columns, this code has {DESIGN.shape[1]}")
        self.name, self.layers, self.usual = name, dict(layers), usual

    def risk(self, vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """See `Scorer`."""
        out = np.empty(len(vectors), np.float32)
        one = self.layers
        _run_network(
            vectors, DESIGN, FEATURE_OF, one["w1"], one["b1"], one["w2"], one["b2"], one["w3"], one["b3"], out
        )  # fmt: skip
        return out

    def terms(self, vector: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """See `Scorer`; by occlusion."""
        return occlusion(self, vector, self.usual)

    def pack(self) -> PackedNetwork:
        """See `Scorer`."""
        return PackedNetwork(self.name, **pack_arrays({**self.layers, "usual": self.usual}))


def platt(raw: npt.NDArray[np.float32], slope: float, shift: float, power: float = 1.0) -> npt.NDArray[np.float32]:
    """Return ``sigmoid(slope * log_odds(raw) + shift) ** power``, float32 (n,).

    Slope and shift are those of Platt, "Probabilistic outputs for support vector machines" (1999), applied to log-odds. The power is a ratio of
    hazards (`online_models.nowcast`).

    >>> platt(np.array([0.5], np.float32), 2.0, 0.0).tolist(), platt(np.array([0.5], np.float32), 1.0, 0.0, 2.0).tolist()
    ([0.5], [0.25])
    """
    return np.asarray((1 + np.exp(-(slope * log_odds(raw) + shift))) ** -power, np.float32)


class CalibratedScorer:
    """Any scorer, calibrated by `platt`, so that a stated probability agrees with the observed share of churn."""

    def __init__(self, raw: Scorer, slope: float, shift: float, power: float = 1.0) -> None:
        self.name, self.raw, self.slope, self.shift, self.power = raw.name, raw, float(slope), float(shift), float(power)

    def risk(self, vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """See `Scorer`."""
        return platt(self.raw.risk(vectors), self.slope, self.shift, self.power)

    def terms(self, vector: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """See `Scorer`. The power is left out: it bends the log-odds only little, and without it terms have the order of the raw scorer's."""
        return self.slope * self.raw.terms(vector)

    def pack(self) -> PackedCalibrated:
        """See `Scorer`."""
        return PackedCalibrated(self.name, self.slope, self.shift, self.power, self.raw.pack())


class MixScorer:
    """A weighted mean of the members' risks (a linear pool).

    Parameters
    ----------
    members : sequence of Scorer
    weights : sequence of float
        None negative; they sum to 1.
    """

    def __init__(self, name: str, members: Sequence[Scorer], weights: Sequence[float]) -> None:
        self.name, self.members, self.weights = name, list(members), [float(w) for w in weights]

    def risk(self, vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """See `Scorer`."""
        return pool([member.risk(vectors) for member in self.members], self.weights)

    def terms(self, vector: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """See `Scorer`: the members' terms, weighted as their risks are."""
        parts = [w * member.terms(vector) for w, member in zip(self.weights, self.members, strict=True)]
        return np.asarray(np.sum(parts, axis=0), np.float64)

    def pack(self) -> PackedMix:
        """See `Scorer`."""
        return PackedMix(self.name, self.weights, [member.pack() for member in self.members])


def pool(risks: Sequence[npt.NDArray[np.float32]], weights: Sequence[float]) -> npt.NDArray[np.float32]:
    """Return the weighted mean of several arrays of risks, float32 (n,).

    >>> pool([np.array([0.25], np.float32), np.array([0.75], np.float32)], [0.5, 0.5]).tolist()
    [0.5]
    """
    total = np.zeros(len(risks[0]))
    for risk, weight in zip(risks, weights, strict=True):
        total += weight * risk
    return np.asarray(total, np.float32)
