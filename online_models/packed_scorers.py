"""The forms in which scorers go through the registry: plain data, one type for each kind of scorer; the field `kind` says which."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from online_models.plain import MOST, Finite, PackedArray, Share

Name = Annotated[str, Meta(max_length=64)]


class PackedAdditive(msgspec.Struct, frozen=True, tag_field="kind", tag="additive"):
    """See `online_models.scorer.AdditiveScorer`."""

    name: Name
    bias: Finite
    table: PackedArray
    usual: PackedArray
    pairs: PackedArray
    cells: PackedArray
    cross: PackedArray


class PackedNetwork(msgspec.Struct, frozen=True, tag_field="kind", tag="network"):
    """See `online_models.scorer.NetworkScorer`."""

    name: Name
    w1: PackedArray
    b1: PackedArray
    w2: PackedArray
    b2: PackedArray
    w3: PackedArray
    b3: PackedArray
    usual: PackedArray


class PackedTrees(msgspec.Struct, frozen=True, tag_field="kind", tag="trees"):
    """See `online_models.tree_scorers.TreesScorer`."""

    name: Name
    roots: PackedArray
    feature: PackedArray
    threshold: PackedArray
    left: PackedArray
    right: PackedArray
    value: PackedArray
    usual: PackedArray


class PackedBoosting(msgspec.Struct, frozen=True, tag_field="kind", tag="boosting"):
    """See `online_models.tree_scorers.BoostingScorer`."""

    name: Name
    bias: Finite
    feature: PackedArray
    threshold: PackedArray
    value: PackedArray
    usual: PackedArray


class PackedCalibrated(msgspec.Struct, frozen=True, tag_field="kind", tag="calibrated"):
    """See `online_models.scorer.CalibratedScorer`."""

    name: Name
    slope: Annotated[float, Meta(ge=0, le=100)]
    shift: Annotated[float, Meta(ge=-100, le=100)]
    power: Annotated[float, Meta(ge=0, le=100)]
    raw: PackedScorer


class PackedMix(msgspec.Struct, frozen=True, tag_field="kind", tag="mix"):
    """See `online_models.scorer.MixScorer`."""

    name: Name
    weights: Annotated[list[Share], Meta(min_length=1, max_length=64)]
    members: Annotated[list[PackedScorer], Meta(min_length=1, max_length=64)]


class PackedCadence(msgspec.Struct, frozen=True, tag_field="kind", tag="cadence"):
    """See `online_models.cadence.CadenceScorer`."""

    name: Name
    horizon_ms: Annotated[int, Meta(ge=1, le=MOST)]


PackedScorer = PackedAdditive | PackedNetwork | PackedTrees | PackedBoosting | PackedCalibrated | PackedMix | PackedCadence
