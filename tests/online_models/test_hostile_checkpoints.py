"""What comes out of the registry is taken for hostile: bytes in, a refusal or a sound model out, and nothing of it runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from online_models.checkpoint import CheckpointRefused, Header, seal
from online_models.registry import MemoryRegistry, Save
from stream.processes.trainer import Training
from tests.online_models.test_learning import SETTINGS, make_blocks

WITH_TREE = replace(SETTINGS, models=(*SETTINGS.models, "tree"))
KEY = b"key"


def learned() -> Training:
    training = Training(WITH_TREE, MemoryRegistry(), "spec", KEY)
    for number, (_, block) in enumerate(make_blocks(seed=6)):
        training.feed(number, 0, block.pack())
    return training


def held(body: object) -> MemoryRegistry:
    """A registry whose trainer's checkpoint has this body, well signed."""
    registry = MemoryRegistry()
    registry.save(Save(registry.claim(), 0, seal(Header(kind="trainer", spec_hash="spec"), body, KEY)))
    return registry


def test_a_pickle_in_a_signed_checkpoint_is_refused_and_does_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "it ran"
    # module and dotted name as protocol 4 reads them: the module is one of River's, the name leads out of it
    evil = b"\x80\x04criver.tree.nodes.leaf\ntyping.contextlib.os.system\n(Vtouch '" + str(trace).encode() + b"'\ntR."
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(learned().trainer.state()))
    state["learners"]["gone"]["candidates"]["tree"] = {"river": "0.26.1", "pickle": evil, "usual": [0.0], "batches": 1, "seen": 1}
    with pytest.raises(CheckpointRefused):
        Training(WITH_TREE, held({"trainer": state, "next_offset": 1}), "spec", KEY)
    assert not trace.exists()
