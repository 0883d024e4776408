"""River's adaptive tree. It learns one example at a time, in the trainer only, and is compiled to arrays to be run.

An example costs a hundred times what it costs the other models. So the more have come, the fewer are learned: every second, fourth, eighth, and
at last sixteenth. A leaf states the share of churn among the examples it holds, drawn a little towards its parent's share. River grows
alternate trees beside an adaptive tree; these are not run until River has put them in place.
"""

from __future__ import annotations

from importlib.metadata import version as installed
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from river import tree
from river.tree.nodes.leaf import HTLeaf

from features.users.catalog import NAMES, WIDTH
from online_models.plain import Count, NotNegative, OutdatedState, read
from online_models.tree_scorers import TreesScorer
from online_models.tree_state import RiverTree, restore_tree, tree_state

RIVER = installed("river")
SMOOTHING = 20.0
"""How many examples of a leaf the share of its parent weighs as much as."""
STRIDES = ((30_000, 1), (60_000, 2), (120_000, 4), (240_000, 8), (2**62, 16))
"""A row each: up to how many examples it holds, and one in how many of them is learned."""
USUAL_RATE = 0.02


class TreeState(msgspec.Struct, frozen=True):
    """What an `AdaptiveTree` goes on from after a restart; `usual` has one number for each feature."""

    river: str
    tree: RiverTree
    usual: list[NotNegative]
    batches: Count
    seen: Count


class AdaptiveTree:
    """A Hoeffding tree that watches its branches for drift (Bifet and Gavalda 2009).

    Parameters
    ----------
    seed : int
        River asks for one, but draws nothing with these settings.
    """

    name = "tree"

    def __init__(self, seed: int = 0) -> None:
        self._model = tree.HoeffdingAdaptiveTreeClassifier(
            grace_period=200, delta=1e-3, leaf_prediction="mc", max_depth=8, bootstrap_sampling=False, seed=seed,
        )  # fmt: skip
        self._usual = np.zeros(WIDTH)
        self._batches = 0
        self._seen = 0

    def learn(self, vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> None:
        """See `Candidate`."""
        stride = next(stride for until, stride in STRIDES if self._seen < until)
        self._seen += len(vectors)
        for row, label in zip(vectors[::stride].tolist(), labels[::stride].tolist(), strict=True):
            self._model.learn_one(dict(zip(NAMES, row, strict=True)), bool(label))
        middle = np.median(vectors, axis=0)
        self._usual = middle if not self._batches else (1 - USUAL_RATE) * self._usual + USUAL_RATE * middle
        self._batches += 1

    def predict(self, vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return shares of churn as River itself computes them, float32 (n,); leaves are not smoothed."""
        said = [self._model.predict_proba_one(dict(zip(NAMES, row, strict=True))) for row in vectors.tolist()]
        return np.array([one.get(True, 0.0) for one in said], np.float32)

    def scorer(self) -> TreesScorer:
        """See `Candidate`."""
        root = self._model._root  # noqa: SLF001 - River has no public way to walk a tree
        return TreesScorer(self.name, compile_trees(root), np.rint(self._usual).astype(np.uint8))

    def hurry(self) -> None:
        """Do nothing: River's own detectors notice a drift and grow alternate trees by themselves."""

    def state(self) -> TreeState:
        """See `Candidate`."""
        return TreeState(RIVER, tree_state(self._model), self._usual.tolist(), self._batches, self._seen)

    def restore(self, state: Any) -> None:
        """See `Candidate`."""
        if "pickle" in read(state, dict[str, msgspec.Raw]):
            raise OutdatedState("the checkpoint's trees are pickled; they are not read, because a pickle can run code")
        one = read(state, TreeState)
        if one.river != RIVER:
            raise OutdatedState(f"the checkpoint's trees are of River {one.river[:20]}, this is {RIVER}")
        if len(one.usual) != WIDTH or max(one.usual, default=0) > 255:
            raise ValueError("the usual vector does not consist of codes")
        restore_tree(self._model, one.tree)
        self._usual, self._batches, self._seen = np.array(one.usual), one.batches, one.seen


def compile_trees(root: Any) -> dict[str, npt.NDArray[Any]]:
    """Flatten a tree of River's to the arrays of `TreesScorer`; a tree that has seen nothing states one half."""
    feature: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    value: list[float] = []
    index = {name: place for place, name in enumerate(NAMES)}

    def add(node: Any, parent_share: float) -> int:
        place = len(feature)
        stats = node.stats if node is not None else {}
        total = float(sum(stats.values()))
        share = (float(stats.get(True, 0.0)) + SMOOTHING * parent_share) / (total + SMOOTHING)
        for column in (feature, left, right):
            column.append(-1)
        threshold.append(0.0)
        value.append(share)
        if node is not None and not isinstance(node, HTLeaf):
            feature[place], threshold[place] = index[node.feature], float(node.threshold)
            left[place] = add(node.children[0], share)
            right[place] = add(node.children[1], share)
        return place

    first = add(root, 0.5)
    return {
        "roots": np.array([first], np.int64),
        "feature": np.array(feature, np.int64),
        "threshold": np.array(threshold, np.float64),
        "left": np.array(left, np.int64),
        "right": np.array(right, np.int64),
        "value": np.array(value, np.float64),
    }
