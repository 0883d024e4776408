"""Saved as plain data and read again, every candidate goes on as if nothing had been: it says the same, and it learns the same."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.users.catalog import INDEX, WIDTH
from online_models.candidate import Candidate
from online_models.catalog import CATALOG
from online_models.memory import Memory
from online_models.trees import AdaptiveTree
from tests.online_models.test_hostile_checkpoints import CHANGES, as_plain, changed, places

LEARNERS = [model.name for model in CATALOG if model.make is not None]
PROBE = np.random.default_rng(9).integers(0, 256, (64, WIDTH)).astype(np.uint8)


def made(name: str, seed: int) -> tuple[Candidate, Memory]:
    memory = Memory(seed)
    make = next(model.make for model in CATALOG if model.name == name)
    assert make is not None
    return make(seed, memory), memory


def lesson(n: int, seed: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """What it learns turns round twice, so that detectors fire and trees grow beside others."""
    rng = np.random.default_rng(seed)
    vectors = rng.integers(0, 256, (n, WIDTH)).astype(np.uint8)
    known = vectors[:, INDEX["active_recency_s"]] > 128
    turned = (np.arange(n) * 3 // n) % 2 == 1
    return vectors, ((known ^ turned) ^ (rng.random(n) < 0.05)).astype(np.uint8)


def learn(candidate: Candidate, memory: Memory, vectors: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8], cuts: list[int]) -> None:
    for start, end in pairwise(cuts):
        memory.push(vectors[start:end], labels[start:end])
        candidate.learn(vectors[start:end], labels[start:end])


def written(state: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.msgpack.encode(state))


@pytest.mark.parametrize("name", LEARNERS)
@given(data=st.data())
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_n_examples_a_reload_and_m_more_are_n_and_m(name: str, data: st.DataObject) -> None:
    n, seed = data.draw(st.integers(200, 3_000), label="examples"), data.draw(st.integers(0, 1_000), label="seed")
    cuts = [*range(0, n, data.draw(st.sampled_from([50, 128, 300]), label="batch")), n]
    at = data.draw(st.integers(0, len(cuts) - 1), label="batches before the reload")
    hurries = data.draw(st.booleans(), label="hurries")
    vectors, labels = lesson(n, seed)
    (one, one_memory), (other, other_memory) = made(name, seed), made(name, seed)
    for candidate, memory in ((one, one_memory), (other, other_memory)):
        learn(candidate, memory, vectors, labels, cuts[: at + 1])
        if hurries:
            candidate.hurry()
    again, again_memory = made(name, seed + 1)
    again_memory.restore(written(other_memory.state()))
    again.restore(written(other.state()))
    assert said_by(again) == said_by(other)
    learn(one, one_memory, vectors, labels, cuts[at:])
    learn(again, again_memory, vectors, labels, cuts[at:])
    assert said_by(again) == said_by(one)
    # to the last bit: what is saved is all that learning goes on from
    assert written(again.state()) == written(one.state())


def said_by(candidate: Candidate) -> bytes | None:
    scorer = candidate.scorer()
    return None if scorer is None else scorer.risk(PROBE).tobytes()


# -- River's tree ------------------------------------------------------------------------------------------------


def grown(n: int) -> AdaptiveTree:
    """A tree that has learned `n` of the 6,000 examples of a lesson."""
    tree = AdaptiveTree(seed=1)
    vectors, labels = lesson(6_000, 3)
    for at in range(0, n, 100):
        tree.learn(vectors[at : at + 100], labels[at : at + 100])
    return tree


TREE = grown(4_200)
STATE = as_plain(TREE.state())


def kinds(node: Any) -> set[str]:
    if node is None:
        return set()
    if node["type"] == "leaf":
        return {"leaf" if node["observed"] is not None else "leaf that is done"}
    found = {"branch"} | kinds(node["left"]) | kinds(node["right"]) | kinds(node["beside"])
    return found | ({"beside"} if node["beside"] else set())


def test_the_tree_that_is_tried_has_all_parts_there_are() -> None:
    assert {"branch", "leaf", "beside"} <= kinds(STATE["tree"]["root"])
    assert TREE._model._n_alternate_trees


@pytest.mark.parametrize("part", ["leaf that is done", "pruned", "switched"])
def test_rarer_parts_of_a_tree_are_saved_too(part: str) -> None:
    tree, again = grown(3_000), AdaptiveTree()
    if part == "leaf that is done":
        for leaf in tree._model._find_leaves():
            leaf.deactivate()
    else:
        setattr(tree._model, {"pruned": "_n_pruned_alternate_trees", "switched": "_n_switch_alternate_trees"}[part], 3)
    again.restore(written(tree.state()))
    vectors, labels = lesson(1_000, 4)
    tree.learn(vectors, labels)
    again.learn(vectors, labels)
    assert written(tree.state()) == written(again.state())


@given(st.sampled_from(places(STATE)), CHANGES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_tree_changed_anywhere_is_refused_or_learns_on(path: tuple[Any, ...], to: Any) -> None:
    tree = AdaptiveTree()
    try:
        tree.restore(written(changed(STATE, path, to)))
    except ValueError:
        return
    vectors, labels = lesson(300, 5)
    tree.learn(vectors, labels)
    risk = tree.scorer().risk(PROBE)
    assert ((risk >= 0) & (risk <= 1)).all()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.lists(st.integers(0, 2**31), min_size=4, max_size=4))
@settings(max_examples=200, deadline=None)
def test_a_detector_with_rows_of_any_filling_is_refused_or_goes_on(used: list[int], counters: list[int]) -> None:
    """Its compiled code would end the process over a bucket that is not there."""
    from online_models.tree_state import AdwinState, Row, _adwin

    rows = [Row(one, (1.0,) * 6, (0.5,) * 6) for one in used]
    width = float(sum(one << place for place, one in enumerate(used)))
    state = AdwinState(False, width / 2, 1.0, width, width, (counters[0], counters[1], counters[2], counters[3]), rows)
    try:
        detector = _adwin(state)
    except ValueError:
        return
    for value in [0, 1] * 200:
        detector.update(value)
    assert detector.width >= 0
