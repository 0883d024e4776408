"""Compiles what a worker runs into the cache, or loads it from there: ``python -m stream.processes.warm``."""

from __future__ import annotations

import numpy as np
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from features.events.columns import ColumnReader
from features.store.contract import Commit, Need, Token
from features.store.keys import shard_keys
from features.store.packed_calls import pack_commit, pack_read
from features.users import kernel
from features.users.arena import Arena
from features.users.packed_state import read_states
from features.users.spec import FeatureSpec
from stream.intake.record_batches import unpack


def warm(definitions: int = 1) -> None:
    """Compile reading a fetched batch, finding its users, passing over states with this number of churn definitions, and packing a commit."""
    kernel.warm(definitions)
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 16)
    builder.append(0, 1, b"a", b'{"user":"a","ts":1,"type":"t","event_id":"e"}', [])
    data = bytes(builder.build())
    records = unpack([(DefaultRecordBatch(data), data)])
    users = ColumnReader(FeatureSpec()).read(records.values, records.append_ms, records.keys).users
    arena = Arena(definitions)
    arena.admit(users, [None])
    arena.slots(users)
    slots = np.zeros(1, np.intp)
    packed = arena.packed(slots)
    read_states(["a"], [one for one in packed if one], definitions)
    pack_read(shard_keys("a", 0), Need(users))
    pack_commit(shard_keys("a", 0), Commit(Token(0, ""), 0, b"", arena.ids(slots), packed))


if __name__ == "__main__":
    warm()
