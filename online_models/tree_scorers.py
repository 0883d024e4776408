"""Compiled trees: `TreesScorer` takes the mean leaf of trees of any shape, `BoostingScorer` sums the leaves of boosted trees, all of one depth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from features.users.catalog import WIDTH
from online_models.packed_scorers import PackedBoosting, PackedTrees
from online_models.plain import pack_arrays, pack_each
from online_models.scorer import occlusion


@njit(cache=True, nogil=True)
def _run_trees(vectors: Any, roots: Any, feature: Any, threshold: Any, left: Any, right: Any, value: Any, out: Any) -> None:
    for i in range(vectors.shape[0]):
        total = 0.0
        for r in range(roots.shape[0]):
            node = roots[r]
            while feature[node] >= 0:
                node = left[node] if vectors[i, feature[node]] <= threshold[node] else right[node]
            total += value[node]
        out[i] = total / roots.shape[0]


class TreesScorer:
    """The mean of the leaves that a vector reaches in some trees.

    Parameters
    ----------
    nodes : dict
        ``roots`` int64 (trees,). The others have one entry for each node: ``feature`` int64 (-1 in a leaf), ``threshold`` float64 (codes at or below
        it go left), ``left`` and ``right`` int64 (numbers of nodes), ``value`` float64 (share of churn in the leaf).
    usual : uint8 (F,)
        The crowd's usual codes, for `terms` by occlusion.

    Raises
    ------
    ValueError
        If a node names a feature or a node that is not there.
    """

    def __init__(self, name: str, nodes: Mapping[str, npt.NDArray[Any]], usual: npt.NDArray[np.uint8]) -> None:
        count = len(nodes["feature"])
        inside = nodes["feature"] >= 0
        later = all(
            (nodes[side][inside] > np.flatnonzero(inside)).all() and (nodes[side][inside] < count).all() for side in ("left", "right")
        )
        if not (
            later
            and (nodes["feature"] < WIDTH).all()
            and (nodes["roots"] >= 0).all()
            and (nodes["roots"] < count).all()
            and np.isfinite(nodes["value"]).all()
        ):
            raise ValueError(f"model {name!r} has nodes that lead nowhere: refused")
        self.name, self.nodes, self.usual = name, dict(nodes), usual

    def risk(self, vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """See `Scorer`."""
        out, one = np.empty(len(vectors), np.float32), self.nodes
        _run_trees(vectors, one["roots"], one["feature"], one["threshold"], one["left"], one["right"], one["value"], out)
        return out

    def terms(self, vector: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """See `Scorer`; by occlusion."""
        return occlusion(self, vector, self.usual)

    def pack(self) -> PackedTrees:
        """See `Scorer`."""
        return PackedTrees(self.name, **pack_arrays({**self.nodes, "usual": self.usual}))


@njit(cache=True, nogil=True)
def add_trees(vectors: Any, feature: Any, threshold: Any, value: Any, odds: Any) -> None:
    """Add the leaves of full trees to the log-odds of coded vectors, in place; see `BoostingScorer`."""
    inner, one = np.uintp(feature.shape[1]), np.uintp(1)  # unsigned, because a place that cannot be negative needs no check
    for i in range(vectors.shape[0]):
        row, total = vectors[i], odds[i]
        for tree in range(feature.shape[0]):
            features, thresholds, values = feature[tree], threshold[tree], value[tree]
            node = np.uintp(0)
            while node < inner:
                node = (node << one) + one + np.uintp(row[features[node]] > thresholds[node])
            total += values[node - inner]
        odds[i] = total


class BoostingScorer:
    """``sigmoid(bias + sum of the trees' leaves)``. All trees are full and of one depth, and stand as heaps.

    Parameters
    ----------
    feature, threshold : uint8 (trees, 2 ** depth - 1)
        Of each inner node; codes above the threshold go right.
    value : float32 (trees, 2 ** depth)
        Log-odds of each leaf.
    bias : float
        Log-odds that the leaves are added to.
    usual : uint8 (F,)
        The crowd's usual codes, for `terms` by occlusion.

    Raises
    ------
    ValueError
        If the arrays do not fit each other, or a node names a feature that is not there.
    """

    def __init__(
        self,
        name: str,
        feature: npt.NDArray[np.uint8],
        threshold: npt.NDArray[np.uint8],
        value: npt.NDArray[np.float32],
        bias: float,
        usual: npt.NDArray[np.uint8],
    ) -> None:
        trees, leaves = value.shape
        fits = leaves.bit_count() == 1 and feature.shape == threshold.shape == (trees, leaves - 1)
        if not (fits and (feature < WIDTH).all() and np.isfinite(value).all() and np.isfinite(bias)):
            raise ValueError(f"model {name!r} has trees that lead nowhere: refused")
        self.name, self.bias, self.usual = name, float(bias), usual
        self.feature, self.threshold, self.value = feature, threshold, value

    def risk(self, vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """See `Scorer`."""
        odds = np.full(len(vectors), self.bias)
        add_trees(vectors, self.feature, self.threshold, self.value, odds)
        return np.asarray(1 / (1 + np.exp(-odds)), np.float32)

    def terms(self, vector: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """See `Scorer`; by occlusion."""
        return occlusion(self, vector, self.usual)

    def pack(self) -> PackedBoosting:
        """See `Scorer`."""
        return PackedBoosting(self.name, self.bias, *pack_each(self.feature, self.threshold, self.value, self.usual))
