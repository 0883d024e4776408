"""What the first build stored is read as it was meant: its app goes on.

`tests/golden/first_build.json` was written by that build, in November 2026, and never changes: bytes in hex beside what they mean. A new
form of anything stored gets a file of its own beside it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from features.store.app_spec import unpack_app_spec
from features.users.catalog import WIDTH, catalog_fingerprint
from features.users.landmarks import phase_of
from online_models.example import unpack_block, unpack_lists
from online_models.example_blocks import unpack_record
from stream.alerts.message import alert_id
from stream.outbox import unpack_entry
from stream.shard.meta import ShardMeta, unpack_meta

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "first_build.json").read_text())


@pytest.mark.parametrize("name", GOLDEN["specs"])
def test_an_apps_spec_has_the_hash_that_its_states_examples_and_models_carry(name: str) -> None:
    of = GOLDEN["specs"][name]
    spec = unpack_app_spec(of["stored"].encode())
    assert (spec.cluster_id, spec.topic_id, spec.partitions) == ("a-cluster", "a-topic", 4)
    assert spec.spec.hash == of["hash"], "a running app would be refused by every take"
    assert [one.hash for one in spec.spec.definitions] == of["definitions"]


def test_the_names_of_facts_and_the_places_of_users_stay() -> None:
    names = GOLDEN["names"]
    assert alert_id(*names["alert_id"]["of"]) == names["alert_id"]["is"]
    assert {user: phase_of(user) for user in names["phase"]} == names["phase"]
    assert catalog_fingerprint() == names["catalog"]


def test_a_shards_meta() -> None:
    stored = GOLDEN["meta"]
    meta = unpack_meta(bytes.fromhex(stored["stored"]))
    read = json.loads(msgspec.json.encode(meta))
    assert read[: len(stored["read"])] == stored["read"]
    began = ShardMeta()
    assert read[len(stored["read"]) :] == json.loads(msgspec.json.encode(began))[len(stored["read"]) :]
    assert unpack_meta(bytes.fromhex(stored["of a shard that began"])) == began


def test_what_waits_in_the_outbox_leaves_as_it_was_decided() -> None:
    for stored in GOLDEN["outbox"]:
        entry = unpack_entry(bytes.fromhex(stored["stored"]))
        assert list(entry.position) == stored["position"]
        assert (entry.topic, entry.key.decode(), entry.value.decode()) == (stored["topic"], stored["key"], stored["value"])
        assert [[name, value.decode()] for name, value in entry.headers] == stored["headers"]
        assert entry.cause_ms == stored["cause_ms"]


def test_pending_snapshots() -> None:
    stored = GOLDEN["snapshots"]
    snapshots, [count] = unpack_lists([[bytes.fromhex(stored["stored"])]], WIDTH)
    assert count == len(stored["users"])
    assert [one.decode() for one in snapshots.users if one is not None] == stored["users"]
    for name in ("risk", "model_version", "flags", "vectors"):
        assert getattr(snapshots, name).tolist() == stored[name]


def test_a_block_of_examples_and_one_of_labels() -> None:
    stored = GOLDEN["examples"]
    block = unpack_block(bytes.fromhex(stored["stored"]))
    for name in ("lineage", "partition", "first_number", "watermark_ms", "spec_hash", "definitions"):
        assert getattr(block, name) == stored[name]
    assert block.items.users == stored["users"]
    assert block.items.label.tolist() == stored["label"]
    assert block.items.landmark_ms.tolist() == stored["landmark_ms"]
    np.testing.assert_array_equal(block.items.vectors, GOLDEN["snapshots"]["vectors"])
    said = unpack_record(bytes.fromhex(GOLDEN["labels"]["stored"]))
    assert json.loads(msgspec.json.encode(said))["labels"] == GOLDEN["labels"]["read"][1]
