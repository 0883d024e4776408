"""Whatever way the topics are read, in whatever pieces, by which of two writers, with crashes in between: the past is what the oracle says it is."""

from __future__ import annotations

import itertools
import random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from insights.past.fold.batch import Batch
from insights.past.fold.standing import Standing
from insights.past.hold import Source
from insights.past.past import Past
from insights.past.rows import AlertRow
from insights.past.writer import Writer
from insights.store.store import Store
from tests.insights.past.comparing import compare, plain, plain_said
from tests.insights.past.history import ALERTS, APP, EXAMPLES, SPEC, Record, Topics, made_up
from tests.insights.past.oracle import Oracle

HOLD_MS = 1_000
_run = itertools.count(1)
"""Every run has topics of its own, so that each begins anew in the same store."""


class Reading:
    """Reads topics in pieces, as two processes that share a store do."""

    def __init__(self, store: Store, topics: Topics, rng: random.Random) -> None:
        self.partitions = topics.partitions()
        run = next(_run)
        self._rng, self._now = rng, run * 1_000_000
        source = Source(APP, "cluster", str(run), (ALERTS, EXAMPLES), SPEC.timezone)
        self._writers = [Writer(store, source, f"{source.topic_id}-{number}", HOLD_MS) for number in range(2)]

    def go(self) -> dict[tuple[str, int], int]:
        """Take the hold, read and commit a few times, and leave: by a crash, or in order. Return how far everything has been read."""
        self._now += HOLD_MS + 1
        writer = self._rng.choice(self._writers)
        standing = writer.take(self._now)
        assert standing is not None
        for _ in range(self._rng.randrange(1, 4)):
            batch = self._batch(standing)
            if self._rng.random() < 0.2:
                break  # a crash: what was not committed is gone
            self._now += 1
            writer.commit(batch, self._now, {})
            standing = batch.standing
        if self._rng.random() < 0.5:
            writer.release()
        return standing.positions

    def _batch(self, standing: Standing) -> Batch:
        batch = Batch(APP, SPEC.hash, standing)
        for (topic, partition), log in self.partitions.items():
            start = standing.positions.get((topic, partition), 0)
            stop = min(len(log), start + self._rng.choice((0, 1, 5, 40)))
            for record in log[start:stop]:
                if topic == ALERTS:
                    batch.add_alert(record.value, record.headers)
                else:
                    batch.add_examples(record.value, record.headers, record.stamp_ms)
            batch.passed(topic, partition, stop)
        return batch


def read_so_far(topics: Topics, positions: dict[tuple[str, int], int]) -> dict[tuple[str, int], list[Record]]:
    return {place: log[: positions.get(place, 0)] for place, log in topics.partitions().items()}


@settings(max_examples=15, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), long=st.booleans())
def test_the_past_is_what_the_oracle_says(store: Store, seed: int, long: bool) -> None:
    rng = random.Random(seed)
    days = range(20_000, 20_135, 15) if long else range(20_000, 20_016)
    topics = made_up(seed, days)
    reading = Reading(store, topics, rng)
    past = Past(store, lambda: SPEC)
    ends = {place: len(log) for place, log in reading.partitions.items()}
    followed, change_no = dict[str, AlertRow](), 0
    positions: dict[tuple[str, int], int] = {}
    while positions != ends:
        positions = reading.go()
        if rng.random() < 0.1:
            compare(past, Oracle().read(read_so_far(topics, positions)), days)
        while (said := past.changes_since(change_no, limit=rng.choice((3, 1_000))))[1] != change_no:
            followed |= {row.alert_id: row for row in said[0]}
            change_no = said[1]
    oracle = Oracle().read(reading.partitions)
    compare(past, oracle, days)
    # whoever follows the changes has the same
    assert {key: plain(row) for key, row in followed.items() if key in oracle.rows()} == {
        key: plain_said(*row) for key, row in oracle.rows().items()
    }
