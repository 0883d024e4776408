"""From plain numbers and text back to a scorer: the only way in for what comes out of the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from online_models.cadence import CadenceScorer
from online_models.scorer import ADDITIVE_ARRAYS, AdditiveScorer, CalibratedScorer, MixScorer, NetworkScorer, Scorer, unpack_array
from online_models.tree_scorers import BoostingScorer, TreesScorer

_LAYERS = ("w1", "b1", "w2", "b2", "w3", "b3")
_NODES = ("roots", "feature", "threshold", "left", "right", "value")


def _arrays(packed: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: unpack_array(packed[name]) for name in names}


_KINDS: dict[str, Callable[[Mapping[str, Any]], Scorer]] = {
    "additive": lambda p: AdditiveScorer(p["name"], bias=p["bias"], **_arrays(p, "table", *ADDITIVE_ARRAYS)),
    "network": lambda p: NetworkScorer(p["name"], _arrays(p, *_LAYERS), **_arrays(p, "usual")),
    "trees": lambda p: TreesScorer(p["name"], _arrays(p, *_NODES), **_arrays(p, "usual")),
    "boosting": lambda p: BoostingScorer(p["name"], bias=p["bias"], **_arrays(p, "feature", "threshold", "value", "usual")),
    "calibrated": lambda p: CalibratedScorer(unpack(p["raw"]), p["slope"], p["shift"], p["power"]),
    "mix": lambda p: MixScorer(p["name"], [unpack(member) for member in p["members"]], p["weights"]),
    "cadence": lambda p: CadenceScorer(p["horizon_ms"]),
}


def unpack(packed: Mapping[str, Any]) -> Scorer:
    """Make a scorer from what its `pack` gave.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is none.
    """
    make = _KINDS.get(packed["kind"])
    if make is None:
        raise ValueError(f"{packed['kind']!r} is no kind of scorer")
    return make(packed)
