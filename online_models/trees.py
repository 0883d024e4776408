"""River's trees: they learn one example at a time, in the trainer only, and are compiled to arrays to be run.

One example costs a hundred times what it costs the others, so the more they know, the fewer they take: every second, fourth, eighth ...
A leaf states the share of churn among the examples it holds, drawn a little towards its parent's. Alternate trees that River grows in the
background of an adaptive tree are not run until River has put them in place.
"""

from __future__ import annotations

import io
import pickle
from importlib.metadata import version as installed
from typing import Any

import numpy as np
import numpy.typing as npt
from river import tree
from river.tree.nodes.leaf import HTLeaf

from features.users.catalog import NAMES, WIDTH
from online_models.tree_scorers import TreesScorer

RIVER = installed("river")
SMOOTHING = 20.0
"""Examples that the parent's share counts for in a leaf."""
STRIDES = ((30_000, 1), (60_000, 2), (120_000, 4), (240_000, 8), (2**62, 16))
"""Until so many examples have come: one in how many is learned."""
USUAL_RATE = 0.02
_SAFE = (
    "river.tree.",
    "river.drift.",
    "river._river_rust.drift",
    "river.stats.",
    "river.proba.gaussian",
    "river.metrics.",
)
_SAFE_TOO = {("collections", "defaultdict"), ("functools", "partial"), ("random", "Random"), ("builtins", "float"), ("builtins", "int")}


class _River:
    """What both have in common; subclasses say which of River's models they are."""

    name = ""

    def __init__(self, model: Any) -> None:
        self._model = model
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
        """Shares by River itself, float32 (n,), without the smoothing of leaves."""
        said = [self._model.predict_proba_one(dict(zip(NAMES, row, strict=True))) for row in vectors.tolist()]
        return np.array([one.get(True, 0.0) for one in said], np.float32)

    def roots(self) -> list[Any]:
        """Return the root nodes of all trees."""
        raise NotImplementedError

    def scorer(self) -> TreesScorer:
        """See `Candidate`."""
        return TreesScorer(self.name, compile_trees(self.roots()), np.rint(self._usual).astype(np.uint8))

    def hurry(self) -> None:
        """See `Candidate`: River's own detectors grow other trees in the background already."""

    def state(self) -> dict[str, Any]:
        """See `Candidate`: River keeps its trees as objects, so this is a pickle; see `read_pickle`."""
        return {
            "river": RIVER,
            "pickle": pickle.dumps(self._model),
            "usual": self._usual.tolist(),
            "batches": self._batches,
            "seen": self._seen,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """See `Candidate`."""
        if state["river"] != RIVER:
            raise ValueError(f"the checkpoint's trees are of River {state['river']}, this is {RIVER}: churnwatch model rebuild")
        self._model = read_pickle(state["pickle"])
        self._usual, self._batches, self._seen = np.array(state["usual"]), state["batches"], state["seen"]


class AdaptiveTree(_River):
    """A Hoeffding tree that watches its branches for drift (Bifet and Gavalda 2009)."""

    name = "tree"

    def __init__(self, seed: int = 0) -> None:
        super().__init__(
            tree.HoeffdingAdaptiveTreeClassifier(
                grace_period=200, delta=1e-3, leaf_prediction="mc", max_depth=8, bootstrap_sampling=False, seed=seed,
            )
        )  # fmt: skip

    def roots(self) -> list[Any]:
        """See `_River`."""
        return [self._model._root]  # noqa: SLF001 - River has no public way to walk a tree


def compile_trees(roots: list[Any]) -> dict[str, npt.NDArray[Any]]:
    """Flatten trees to the arrays of `TreesScorer`; a tree that has seen nothing says one half."""
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

    firsts = [add(root, 0.5) for root in roots]
    return {
        "roots": np.array(firsts, np.int64),
        "feature": np.array(feature, np.int64),
        "threshold": np.array(threshold, np.float64),
        "left": np.array(left, np.int64),
        "right": np.array(right, np.int64),
        "value": np.array(value, np.float64),
    }


class _Reader(pickle.Unpickler):
    """Knows the classes that River's trees are made of, and nothing that could act."""

    def find_class(self, module: str, name: str) -> Any:
        if not module.startswith(_SAFE) and (module, name) not in _SAFE_TOO:
            raise ValueError(f"the checkpoint asks for {module}.{name}: refused")
        return super().find_class(module, name)


def read_pickle(packed: bytes) -> Any:
    """Read one of River's models; the signature of the checkpoint around it has been checked before.

    Raises
    ------
    ValueError
        It asks for anything but the classes of River's trees.
    """
    return _Reader(io.BytesIO(packed)).load()
