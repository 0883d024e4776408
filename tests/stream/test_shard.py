"""The mirror, which is the one output of a step that the simulation does not check."""

from __future__ import annotations

import asyncio
import itertools
import json
from functools import partial

import numpy as np
import pytest

from features.definitions.definition import DAY_MS
from features.events.columns import ColumnReader
from features.store.memory import MemoryStore
from features.users.catalog import NAMES
from features.users.spec import FeatureSpec
from online_models.scorer import Champion
from stream.alerts.policy import PolicySettings
from stream.shard.records import Records
from stream.shard.settings import Mirror, ShardSettings
from stream.shard.step import Shard, answered
from tests.simulation.scenario import HashScorer


@pytest.mark.parametrize(("mirror", "expected"), [("none", set()), ("all", {"ann", "bob"}), ("alerted", {"ann"})])
def test_the_mirror_names_whom_it_should(mirror: Mirror, expected: set[str]) -> None:
    class Sure(HashScorer):
        def risk(self, vectors: np.ndarray) -> np.ndarray:
            return np.ones(len(vectors), np.float32)

    serial = itertools.count()
    store = MemoryStore(lambda: str(next(serial)))
    spec = FeatureSpec()
    settings = ShardSettings("app", 0, spec, PolicySettings(alert_max_age_ms=None), mirror=mirror)

    async def run() -> None:
        shard = Shard(settings, await store.take(0, 1), [Champion(1, Sure(1))])
        # ann is silent for two days while bob's clicks carry time; bob crosses landmarks of their own
        clicks = [("ann", 0), ("bob", 1), ("bob", DAY_MS), ("bob", 2 * DAY_MS)]
        values = [json.dumps({"user": user, "ts": 10**12 + ts, "type": "click"}).encode() for user, ts in clicks]
        columns = ColumnReader(spec).read(values, [10**12 + 3 * DAY_MS] * len(values))
        records = Records(columns, np.arange(len(values)), values, len(values))
        start = 0
        while start < columns.n:
            step = await answered(shard.advance(records, start), partial(store.read, 0))
            await store.commit(0, step.commit)
            shard.committed(step)
            start = step.taken

    asyncio.run(run())
    found = store.mirror(0)
    assert set(found) == expected
    assert all(set(fields) == set(NAMES) for fields in found.values())
