"""The models that may serve, one row each. A new candidate is a new row.

A learner is imported only when it is made, so whoever only reads the names does not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from online_models.champion import RULE

if TYPE_CHECKING:
    from online_models.candidate import Candidate
    from online_models.memory import Memory

MIX = "mix"


def _logistic(_seed: int, _memory: Memory) -> Candidate:
    from online_models.logistic import Logistic

    return Logistic()


def _boosting(seed: int, memory: Memory) -> Candidate:
    from online_models.boosting import Boosting

    return Boosting(seed, memory)


def _network(seed: int, memory: Memory) -> Candidate:
    from online_models.network import Network

    return Network(seed, memory)


def _tree(seed: int, _memory: Memory) -> Candidate:
    from online_models.trees import AdaptiveTree

    return AdaptiveTree(seed)


class Model(msgspec.Struct, frozen=True):
    """One row.

    Attributes
    ----------
    name : str
    words : str
        What it is, for people.
    live : bool
        Whether a live trainer takes part in it by default: it must be fast enough for every label of a busy stream.
    make : callable or None
        Makes a fresh candidate from a seed and the learner's memory. None for the rule and the mix, which learn nothing themselves.
    """

    name: str
    words: str
    live: bool
    make: Callable[..., Candidate] | None = None


CATALOG: tuple[Model, ...] = (
    Model(RULE, "the user's own cadence: no learning, serves from day one", live=True),
    Model("logistic", "River's logistic regression with crosses, mini-batches", live=True, make=_logistic),
    Model("boosting", "gradient-boosted trees, grown anew as more is known", live=True, make=_boosting),
    Model("network", "multi-layer perceptron that rehearses", live=True, make=_network),
    Model("tree", "River's Hoeffding adaptive tree, one by one", live=False, make=_tree),
    Model(MIX, "the mean of the learners, its level followed", live=True),
)
NAMES = tuple(model.name for model in CATALOG)
LIVE = tuple(model.name for model in CATALOG if model.live)
