"""From plain data back to a scorer. All that comes out of the registry is read here.

Compiled code runs a scorer without checking where it reads. So every array is checked here: it must have the type and the shape of its kind,
and every place that it names in another array must be there.
"""

from __future__ import annotations

from typing import Any

from features.users.catalog import WIDTH
from online_models.cadence import CadenceScorer
from online_models.design import DESIGN
from online_models.packed_scorers import (
    PackedAdditive,
    PackedBoosting,
    PackedCadence,
    PackedCalibrated,
    PackedMix,
    PackedNetwork,
    PackedScorer,
    PackedTrees,
)
from online_models.plain import unpack_array
from online_models.scorer import AdditiveScorer, CalibratedScorer, MixScorer, NetworkScorer, Scorer
from online_models.tree_scorers import BoostingScorer, TreesScorer

DEEPEST = 6
"""How deep scorers may stand within scorers; the members of a calibrated mix of calibrated members are 4 deep."""
MOST_TREES, MOST_NODES = 64, 65_536
"""Bounds for trees of any shape, because such a tree may be as deep as it has nodes."""


def unpack(packed: PackedScorer, deepest: int = DEEPEST) -> Scorer:  # noqa: PLR0911 - a row of a table each
    """Make a scorer from what its `pack` returned.

    Raises
    ------
    ValueError
        If it is not the data of a scorer.
    """
    if not deepest:
        raise ValueError(f"scorers stand within scorers more than {DEEPEST} deep")
    match packed:
        case PackedAdditive():
            return _additive(packed)
        case PackedNetwork():
            return _network(packed)
        case PackedTrees():
            return _trees(packed)
        case PackedBoosting():
            return _boosting(packed)
        case PackedCalibrated():
            return CalibratedScorer(unpack(packed.raw, deepest - 1), packed.slope, packed.shift, packed.power)
        case PackedMix():
            if len(packed.members) != len(packed.weights) or abs(sum(packed.weights) - 1) > 1e-6:
                raise ValueError(f"model {packed.name!r}: the weights do not fit its members")
            return MixScorer(packed.name, [unpack(member, deepest - 1) for member in packed.members], packed.weights)
        case PackedCadence():
            return CadenceScorer(packed.horizon_ms)


def _additive(packed: PackedAdditive) -> AdditiveScorer:
    pairs, cells = unpack_array(packed.pairs, "<i8", None, 2), unpack_array(packed.cells, "u1", WIDTH, 256)
    cross = unpack_array(packed.cross, "<f8", len(pairs), None, None)
    if ((pairs < 0) | (pairs >= WIDTH)).any() or (len(pairs) and cells.max() >= min(cross.shape[1:])):
        raise ValueError(f"model {packed.name!r} has crosses that lead nowhere: refused")
    table, usual = unpack_array(packed.table, "<f8", WIDTH, 256), unpack_array(packed.usual, "<f8", WIDTH)
    return AdditiveScorer(packed.name, table, packed.bias, usual, pairs, cells, cross)


def _network(packed: PackedNetwork) -> NetworkScorer:
    w1 = unpack_array(packed.w1, "<f4", DESIGN.shape[1], None)
    w2 = unpack_array(packed.w2, "<f4", w1.shape[1], None)
    layers = {
        "w1": w1, "b1": unpack_array(packed.b1, "<f4", w1.shape[1]), "w2": w2, "b2": unpack_array(packed.b2, "<f4", w2.shape[1]),
        "w3": unpack_array(packed.w3, "<f4", w2.shape[1]), "b3": unpack_array(packed.b3, "<f4", 1),
    }  # fmt: skip
    return NetworkScorer(packed.name, layers, unpack_array(packed.usual, "u1", WIDTH))


def _trees(packed: PackedTrees) -> TreesScorer:
    roots = unpack_array(packed.roots, "<i8", None)
    feature = unpack_array(packed.feature, "<i8", None)
    if not (0 < len(roots) <= MOST_TREES and 0 < len(feature) <= MOST_NODES):
        raise ValueError(f"model {packed.name!r} has {len(roots)} trees of {len(feature)} nodes: refused")
    columns: dict[str, tuple[Any, str]] = {
        "threshold": (packed.threshold, "<f8"), "left": (packed.left, "<i8"), "right": (packed.right, "<i8"), "value": (packed.value, "<f8"),
    }  # fmt: skip
    nodes = {name: unpack_array(column, kind, len(feature)) for name, (column, kind) in columns.items()}
    return TreesScorer(packed.name, {"roots": roots, "feature": feature, **nodes}, unpack_array(packed.usual, "u1", WIDTH))


def _boosting(packed: PackedBoosting) -> BoostingScorer:
    value = unpack_array(packed.value, "<f4", None, None)
    feature, threshold = (unpack_array(one, "u1", None, None) for one in (packed.feature, packed.threshold))
    return BoostingScorer(packed.name, feature, threshold, value, packed.bias, unpack_array(packed.usual, "u1", WIDTH))
