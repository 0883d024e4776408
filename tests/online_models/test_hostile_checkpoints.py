"""What comes out of the registry is taken for hostile: bytes in, a refusal or a sound model out, and nothing of it runs."""

from __future__ import annotations

import gzip
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.users.catalog import WIDTH
from online_models.checkpoint import (
    CheckpointOutdated,
    CheckpointRefused,
    Header,
    ModelBody,
    seal,
    unseal,
    unseal_version,
)
from online_models.registry import MemoryRegistry, Save
from online_models.trainer import Trainer
from online_models.trainer_checkpoint import TrainerBody, unseal_trainer
from stream.processes.trainer import Training
from tests.online_models.test_learning import SETTINGS, make_blocks

GOLDEN = Path(__file__).parents[1] / "golden"
WITH_TREE = replace(SETTINGS, models=("cadence", "logistic", "boosting", "tree", "mix"), max_kept=64)
KEY = b"key"
BLOCKS = [block for _, block in make_blocks(seed=6, per_partition=220)]
VECTORS = np.random.default_rng(5).integers(0, 256, (20, WIDTH)).astype(np.uint8)
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def as_plain(value: Any) -> Any:
    """A state as the lists, dicts and bytes that it is on its way."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value))


def learned() -> tuple[Any, Any]:
    """The bodies of a trainer's checkpoint and of a served model, as plain lists and dicts."""
    registry = MemoryRegistry()
    training = Training(WITH_TREE, registry, "spec", KEY)
    for number, block in enumerate(BLOCKS[:8]):
        training.feed(number, 0, block.pack())
    training.save()
    sealed = registry.load("gone", max(registry.versions("gone")))
    assert sealed is not None
    assert training.trainer.learners["gone"].steps >= 2
    trainer = TrainerBody(training.trainer.state(), training.next_offset)
    return as_plain(trainer), as_plain(unseal(sealed, KEY, ModelBody)[1])


TRAINER, MODEL = learned()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a body that can be changed; of a long list its first few."""
    found = [path] if path else []
    if isinstance(value, dict):
        return found + [deeper for name, one in value.items() for deeper in places(one, (*path, name))]
    if isinstance(value, list):
        return found + [deeper for number, one in enumerate(value[:6]) for deeper in places(one, (*path, number))]
    return found


def changed(body: Any, path: tuple[Any, ...], to: Any) -> Any:
    """A copy of a body with another value at one place; `to` may be made from what stood there."""
    copy = as_plain(body)
    inside = copy
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = to(inside[path[-1]]) if callable(to) else to
    return copy


def torn(value: Any) -> Any:
    return value[: len(value) // 2] if isinstance(value, bytes | str | list) else None


def flipped(value: Any) -> Any:
    return bytes(255 - one for one in value) if isinstance(value, bytes) else value


def longer(value: Any) -> Any:
    return value * 3 if isinstance(value, bytes | str | list) else {"more": value}


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(width=32) | st.text(max_size=6) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
CHANGES = st.sampled_from([torn, flipped, longer]) | PLAIN


def sealed_body(kind: str, body: Any) -> bytes:
    return seal(Header(kind=kind, spec_hash="spec"), body, KEY)


def sound_or_refused(sealed: bytes) -> Trainer | None:
    """A trainer that goes on from these bytes, scores and learns; None if they are refused. Anything else fails the test."""
    trainer = Trainer(WITH_TREE)
    try:
        unseal_trainer(sealed, KEY, "spec", trainer)
    except CheckpointRefused:
        return None
    scores = trainer.learners["gone"].score(VECTORS)
    assert ((scores >= 0) & (scores <= 1) | np.isnan(scores)).all()
    return trainer


def test_a_pickle_in_a_signed_checkpoint_is_refused_and_does_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "it ran"
    # module and dotted name as protocol 4 reads them: the module is one of River's, the name leads out of it
    evil = b"\x80\x04criver.tree.nodes.leaf\ntyping.contextlib.os.system\n(Vtouch '" + str(trace).encode() + b"'\ntR."
    old = {"river": "0.26.1", "pickle": evil, "usual": [0.0], "batches": 1, "seen": 1}
    body = changed(TRAINER, ("trainer", "learners", "gone", "candidates", "tree"), old)
    registry = MemoryRegistry()
    registry.save(Save(registry.claim(), 0, sealed_body("trainer", body)))
    with pytest.raises(CheckpointOutdated, match="pickled"):
        Training(WITH_TREE, registry, "spec", KEY)
    assert not trace.exists()


def test_a_checkpoint_sets_no_attribute_but_those_it_has_names_for() -> None:
    body = changed(TRAINER, ("trainer", "learners", "gone", "numbers", "step"), 7)
    trainer = sound_or_refused(sealed_body("trainer", body))
    assert trainer is not None
    assert callable(trainer.learners["gone"].step)


def test_an_undisturbed_checkpoint_is_sound() -> None:
    trainer = sound_or_refused(sealed_body("trainer", TRAINER))
    assert trainer is not None
    for block in BLOCKS[8:]:
        trainer.feed(block, 0)
    assert trainer.learners["gone"].steps > TRAINER["trainer"]["learners"]["gone"]["numbers"]["steps"]


@given(st.binary(max_size=400) | st.binary(max_size=400).map(lambda tail: b"CWMODEL\x05" + tail))
@FUZZ
def test_any_bytes_are_refused(data: bytes) -> None:
    for kind in (TrainerBody, ModelBody):
        with pytest.raises(CheckpointRefused):
            unseal(data, KEY, kind, "spec")


@given(PLAIN)
@FUZZ
def test_any_signed_body_is_refused(body: Any) -> None:
    assert sound_or_refused(sealed_body("trainer", body)) is None
    with pytest.raises(CheckpointRefused):
        unseal_version(sealed_body("model", body), KEY, "spec")


@given(st.sampled_from(places(TRAINER)), CHANGES)
@FUZZ
def test_a_trainer_changed_anywhere_is_refused_or_sound_and_goes_on_learning(path: tuple[Any, ...], to: Any) -> None:
    trainer = sound_or_refused(sealed_body("trainer", changed(TRAINER, path, to)))
    if trainer is not None and "gone" in trainer.learners and path[:2] not in {("trainer", "last"), ("trainer", "watermarks")}:
        trainer.learners["gone"].hold(np.zeros(len(VECTORS), np.int64), VECTORS, VECTORS[:, 0] & 1, trainer.learners["gone"].score(VECTORS))
        trainer.learners["gone"].step(0)
        assert msgspec.msgpack.encode(trainer.state())


@given(st.sampled_from(places(MODEL)), CHANGES)
@FUZZ
def test_a_model_changed_anywhere_is_refused_or_sound(path: tuple[Any, ...], to: Any) -> None:
    try:
        _, scorer = unseal_version(sealed_body("model", changed(MODEL, path, to)), KEY, "spec")
    except CheckpointRefused:
        return
    risk = scorer.risk(VECTORS)
    assert ((risk >= 0) & (risk <= 1)).all()
    assert np.isfinite(scorer.terms(VECTORS[0])).all()


@pytest.mark.parametrize("inner", [b"\x91", b"\x81\xa1a"])
def test_what_is_nested_without_end_is_refused(inner: bytes) -> None:
    deep = msgspec.Raw(inner * 200_000 + b"\xc0")
    assert sound_or_refused(sealed_body("trainer", {"trainer": deep, "next_offset": 0})) is None
    with pytest.raises(CheckpointRefused):
        unseal_version(sealed_body("model", {"scorer": deep, "probe": b"", "sample": b""}), KEY, "spec")


def test_a_mix_within_a_mix_without_end_is_refused() -> None:
    scorer: Any = {"kind": "cadence", "name": "cadence", "horizon_ms": 1}
    for _ in range(50):
        scorer = {"kind": "mix", "name": "mix", "weights": [1.0], "members": [scorer]}
    with pytest.raises(CheckpointRefused, match="deep"):
        unseal_version(sealed_body("model", {"scorer": scorer, "probe": b"", "sample": b""}), KEY, "spec")


def test_what_says_it_is_huge_takes_no_memory() -> None:
    """A shape of 2 ** 40 rows, a million small lists in the place of numbers: memory stays within a few times the bytes."""
    usual = ("trainer", "learners", "gone", "candidates", "logistic", "weights")
    for body in (
        changed(TRAINER, ("trainer", "learners", "gone", "memory", "arrays", "numbers"), ["<i8", [2**40], b""]),
        changed(TRAINER, usual, [[]] * 1_000_000),
        changed(TRAINER, ("trainer", "told", "waiting"), [{}] * 1_000_000),
    ):
        sealed = sealed_body("trainer", body)
        del body
        trainer = Trainer(WITH_TREE)
        tracemalloc.start()
        with pytest.raises(CheckpointRefused):
            unseal_trainer(sealed, KEY, "spec", trainer)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 * len(sealed) + (4 << 20)


# -- from one build to the next ----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [4, 5])
def test_a_trainers_checkpoint_of_an_older_build_is_outdated_and_not_damaged(number: int) -> None:
    sealed = bytearray(sealed_body("trainer", TRAINER))
    sealed[7] = number
    with pytest.raises(CheckpointOutdated, match=f"format {number} of a trainer"):
        unseal_trainer(bytes(sealed), KEY, "spec", Trainer(WITH_TREE))


def test_a_checkpoint_that_an_older_build_wrote_is_outdated() -> None:
    """The trainer then learns all examples anew, by itself (`stream.processes.trainer`)."""
    registry = MemoryRegistry()
    registry.save(Save(registry.claim(), 0, gzip.decompress((GOLDEN / "trainer_format_4.bin.gz").read_bytes())))
    with pytest.raises(CheckpointOutdated):
        Training(SETTINGS, registry, "spec", KEY)


def test_a_model_that_an_older_build_serves_is_served_on() -> None:
    sealed = gzip.decompress((GOLDEN / "model_format_4.bin.gz").read_bytes())
    header, scorer = unseal_version(sealed, KEY, "spec")
    assert header.number == 3
    assert np.isfinite(scorer.risk(VECTORS)).all()


def test_a_served_model_keeps_the_format_that_workers_of_the_older_build_read() -> None:
    assert sealed_body("model", MODEL)[7] == 4
    assert sealed_body("trainer", TRAINER)[7] == 6


def test_a_checkpoint_of_a_newer_build_is_refused_with_what_to_do() -> None:
    sealed = bytearray(sealed_body("trainer", TRAINER))
    sealed[7] = 9
    with pytest.raises(CheckpointRefused, match="newer") as caught:
        unseal(bytes(sealed), KEY, TrainerBody, "spec")
    assert not isinstance(caught.value, CheckpointOutdated)
    assert "model rebuild" in str(caught.value)
