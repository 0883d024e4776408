"""River's adaptive tree as plain data and back. Only the few classes that such a tree is made of are known here.

River keeps a tree as objects and has no form of its own to save it in. This module knows each class that `tree.HoeffdingAdaptiveTreeClassifier`
uses with the settings of `online_models.trees`, and each number of it that learning goes on from:

- a branch: feature, threshold, weights by class, its own detector of drift, and perhaps an alternate tree that grows beside it;
- a leaf: weights by class, and while it may still split the moments and the ends of the codes it saw, by class and feature;
- a detector: River's ADWIN, whose window is a list of rows of buckets; a bucket of each row holds twice as many values as one of the row before.

River keeps classes in dicts, and sums and ties follow their order, so the order is saved too. The random generator is not saved: River draws from
it only to bootstrap, which is off here. ADWIN is compiled and gives its numbers as bytes (`__getstate__`), and its code trusts the bytes it is
given. So they are taken apart into numbers here, checked, and put together again.
"""

from __future__ import annotations

import struct
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from river import drift, proba, stats, tree
from river.tree.nodes.hatc_nodes import AdaLeafClassifier, AdaNumBinaryBranchClass
from river.tree.splitter import GaussianSplitter

from features.users.catalog import INDEX, NAMES, WIDTH
from online_models.plain import Finite, NotNegative, PackedArray, pack_array, unpack_array

BUCKETS = 5
"""Most buckets of a row in ADWIN's window; a row has room for one more."""
_MOST_ROWS = 32
_TALLEST = 64
"""Most branches above a leaf; the trees are far lower."""
_HEAD, _ROW, _TAIL = struct.Struct("<dIQ6d4IQ"), struct.Struct("<QQQ6dQ6d"), struct.Struct("<dIQII")
_SETTINGS = (0.002, 32, BUCKETS, 5, 10)
"""ADWIN's settings: delta, clock, buckets, least window, grace period."""
Counter = Annotated[int, Meta(ge=0, le=2**31)]
Weights = Annotated[list[tuple[bool, NotNegative]], Meta(max_length=2)]
"""Weight of each class, in the order in which the classes came."""
Error = tuple[NotNegative, Annotated[float, Meta(ge=0, le=1)]]
"""How many examples were predicted, and the share of them that was wrong."""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One row of ADWIN's window: buckets of 2 ** row values each."""

    used: Annotated[int, Meta(ge=0, le=BUCKETS)]
    totals: tuple[Finite, Finite, Finite, Finite, Finite, Finite]
    variances: tuple[NotNegative, NotNegative, NotNegative, NotNegative, NotNegative, NotNegative]


class AdwinState(msgspec.Struct, frozen=True):
    """A detector of drift."""

    found: bool
    total: NotNegative
    variance: NotNegative
    width: NotNegative
    total_width: NotNegative
    counters: tuple[Counter, Counter, Counter, Counter]
    """Two counts of its buckets, its ticks, and its detections."""
    rows: Annotated[list[Row], Meta(min_length=1, max_length=_MOST_ROWS)]


class Observed(msgspec.Struct, frozen=True):
    """What a leaf saw of one class, by feature: number of examples, mean and sum of squared deviations, (F, 3), least and largest code, (F, 2)."""

    of: bool
    moments: PackedArray
    ends: PackedArray


class LeafState(msgspec.Struct, frozen=True, tag="leaf"):
    """A leaf; `observed` is None in one that will never split."""

    depth: Annotated[int, Meta(ge=-1, le=_TALLEST)]
    weights: Weights
    tried_at: NotNegative
    majority_right: NotNegative
    bayes_right: NotNegative
    error: Error
    detector: AdwinState
    observed: Annotated[list[Observed], Meta(max_length=2)] | None


class BranchState(msgspec.Struct, frozen=True, tag="branch"):
    """A branch; codes at or below the threshold go left."""

    depth: Annotated[int, Meta(ge=-1, le=_TALLEST)]
    feature: str
    threshold: Annotated[float, Meta(ge=0, le=255)]
    weights: Weights
    error: Error
    detector: AdwinState
    left: Node
    right: Node
    beside: Node | None


Node = LeafState | BranchState


class TreeNumbers(msgspec.Struct, frozen=True):
    """The tree's own counts."""

    weight_seen: NotNegative
    active_leaves: Counter
    inactive_leaves: Counter
    active_size: NotNegative
    inactive_size: NotNegative
    overhead: NotNegative
    growing: bool
    alternate: Counter
    pruned: Counter
    switched: Counter
    classes: Annotated[list[bool], Meta(max_length=2)]


class RiverTree(msgspec.Struct, frozen=True):
    """A tree; `root` is None before the first example."""

    numbers: TreeNumbers
    root: Node | None


_NUMBERS = {
    "weight_seen": "_train_weight_seen_by_model",
    "active_leaves": "_n_active_leaves",
    "inactive_leaves": "_n_inactive_leaves",
    "active_size": "_active_leaf_size_estimate",
    "inactive_size": "_inactive_leaf_size_estimate",
    "overhead": "_size_estimate_overhead_fraction",
    "growing": "_growth_allowed",
    "alternate": "_n_alternate_trees",
    "pruned": "_n_pruned_alternate_trees",
    "switched": "_n_switch_alternate_trees",
}
"""River's attribute for each of the tree's counts."""


# -- writing -----------------------------------------------------------------------------------------------------


def tree_state(model: tree.HoeffdingAdaptiveTreeClassifier) -> RiverTree:
    """Return a tree as plain data."""
    numbers = {name: getattr(model, place) for name, place in _NUMBERS.items()}
    root = model._root  # noqa: SLF001 - River has no public way to walk a tree
    return RiverTree(TreeNumbers(**numbers, classes=sorted(model.classes)), None if root is None else _node_state(root))


def _node_state(node: Any) -> Node:
    error = (float(node._mean_error.n), float(node._mean_error._mean))  # noqa: SLF001 - as above, and below
    detector, weights = _adwin_state(node.drift_detector), [(bool(of), float(weight)) for of, weight in node.stats.items()]
    if type(node) is AdaNumBinaryBranchClass:
        left, right = node.children
        beside = node._alternate_tree  # noqa: SLF001
        return BranchState(
            node.depth, node.feature, float(node.threshold), weights, error, detector,
            _node_state(left), _node_state(right), None if beside is None else _node_state(beside),
        )  # fmt: skip
    if type(node) is AdaLeafClassifier:
        return LeafState(
            node.depth, weights, float(node._last_split_attempt_at), float(node._mc_correct_weight),  # noqa: SLF001
            float(node._nb_correct_weight), error, detector, _observed(node.splitters),  # noqa: SLF001
        )  # fmt: skip
    raise TypeError(f"a tree of River's holds a {type(node).__name__}, which cannot be saved here")


def _observed(splitters: dict[str, GaussianSplitter] | None) -> list[Observed] | None:
    if splitters is None:
        return None
    if not splitters:
        return []
    found = []
    for of in next(iter(splitters.values()))._att_dist_per_class:  # noqa: SLF001
        moments, ends = np.zeros((WIDTH, 3)), np.zeros((WIDTH, 2), np.uint8)
        for place, name in enumerate(NAMES):
            one = splitters[name]
            spread = one._att_dist_per_class[of]._var  # noqa: SLF001
            moments[place] = spread.mean.n, spread.mean._mean, spread._S  # noqa: SLF001
            ends[place] = one._min_per_class[of], one._max_per_class[of]  # noqa: SLF001
        found.append(Observed(bool(of), pack_array(moments), pack_array(ends)))
    return found


def _adwin_state(detector: drift.ADWIN) -> AdwinState:
    packed: bytes = detector._helper.__getstate__()  # noqa: SLF001
    head = _HEAD.unpack_from(packed)
    rows = []
    for at in range(_HEAD.size, len(packed) - _TAIL.size, _ROW.size):
        _, used, _, *totals, _ = (row := _ROW.unpack_from(packed, at))[:10]
        rows.append(Row(used, tuple(totals), row[10:]))
    total, variance, width, total_width = head[5:9]
    state = AdwinState(detector.drift_detected, total, variance, width, total_width, head[9:13], rows)
    if _adwin_bytes(state) != packed:
        raise TypeError("River's ADWIN gives its numbers in another form than this code knows")
    return state


# -- reading -----------------------------------------------------------------------------------------------------


def restore_tree(model: Any, state: RiverTree) -> None:
    """Turn a fresh tree into the one that was saved.

    Raises
    ------
    ValueError
        If no tree can have these numbers.
    """
    root = None if state.root is None else _node(model, state.root, _TALLEST)
    for name, place in _NUMBERS.items():
        setattr(model, place, getattr(state.numbers, name))
    model.classes = set(state.numbers.classes)
    model._root = root  # noqa: SLF001


def _node(model: Any, state: Node, tallest: int) -> Any:
    if not tallest:
        raise ValueError(f"a tree is more than {_TALLEST} branches high")
    node: Any
    weights = dict(state.weights)
    if isinstance(state, LeafState):
        node = AdaLeafClassifier(weights, state.depth, model.splitter, _adwin(state.detector), model._rng)  # noqa: SLF001
        node._last_split_attempt_at = state.tried_at  # noqa: SLF001
        node._mc_correct_weight, node._nb_correct_weight = state.majority_right, state.bayes_right  # noqa: SLF001
        node.splitters = _splitters(model, state.observed)
    else:
        if state.feature not in INDEX:
            raise ValueError(f"a tree asks for the feature {state.feature[:40]!r}, which does not exist")
        left, right = (_node(model, one, tallest - 1) for one in (state.left, state.right))
        node = AdaNumBinaryBranchClass(
            weights, state.feature, state.threshold, state.depth, left, right, drift_detector=_adwin(state.detector)
        )  # fmt: skip
        node._alternate_tree = None if state.beside is None else _node(model, state.beside, tallest - 1)  # noqa: SLF001
    node._mean_error.n, node._mean_error._mean = state.error  # noqa: SLF001
    return node


def _splitters(model: Any, observed: list[Observed] | None) -> dict[str, GaussianSplitter] | None:
    if observed is None:
        return None
    splitters: dict[str, GaussianSplitter] = {name: model.splitter.clone() for name in NAMES} if observed else {}
    for one in observed:
        moments = unpack_array(one.moments, "<f8", WIDTH, 3)
        ends = unpack_array(one.ends, "u1", WIDTH, 2)
        if (moments[:, 0] <= 0).any() or (moments[:, 2] < 0).any() or (ends[:, 0] > ends[:, 1]).any():
            raise ValueError("a leaf has moments that no examples can have")
        for splitter, (n, mean, squares), (low, high) in zip(splitters.values(), moments.tolist(), ends.tolist(), strict=True):
            spread = stats.Var(ddof=1)
            spread.mean.n, spread.mean._mean, spread._S = n, mean, squares  # noqa: SLF001
            gauss = proba.Gaussian()
            gauss._var = spread  # noqa: SLF001
            splitter._att_dist_per_class[one.of] = gauss  # noqa: SLF001
            splitter._min_per_class[one.of], splitter._max_per_class[one.of] = low, high  # noqa: SLF001
    return splitters


def _adwin(state: AdwinState) -> drift.ADWIN:
    """Make a detector. Its rows must hold as many values as it says, or its code would look for buckets that are not there."""
    held = sum(row.used << place for place, row in enumerate(state.rows))
    if held != state.width or (len(state.rows) > 1 and not state.rows[-1].used):
        raise ValueError(f"a detector's window holds {held} values, but says {state.width:g}")
    detector = drift.ADWIN()
    detector._helper.__setstate__(_adwin_bytes(state))  # noqa: SLF001
    detector._drift_detected = state.found  # noqa: SLF001
    return detector


def _adwin_bytes(state: AdwinState) -> bytes:
    """Return a detector as River's compiled ADWIN writes itself (bincode, little-endian): settings, sums, counters, rows, settings again."""
    delta, clock, buckets, window, grace = _SETTINGS
    sums = (state.total, state.variance, state.width, state.total_width)
    head = _HEAD.pack(delta, clock, buckets, window, grace, *sums, *state.counters, len(state.rows))
    rows = (_ROW.pack(BUCKETS, row.used, BUCKETS + 1, *row.totals, BUCKETS + 1, *row.variances) for row in state.rows)
    return head + b"".join(rows) + _TAIL.pack(delta, clock, buckets, window, grace)
