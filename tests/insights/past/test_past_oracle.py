"""Whatever way the topics are read, in whatever pieces, by which of two writers, with crashes in between: the past is what the oracle says it is."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.definitions.definition import DAY_MS
from insights.past.batch import Batch
from insights.past.hold import Source
from insights.past.past import Past
from insights.past.rows import AlertRow
from insights.past.standing import Standing
from insights.past.writer import Writer
from insights.store.store import Store
from tests.insights.past.history import ALERTS, APP, EXAMPLES, NAMES, SPEC, USERS, Record, Topics, made_up
from tests.insights.past.oracle import Oracle, local_day

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


def compare(past: Past, oracle: Oracle, days: range) -> Counter[str]:
    """Check every read; return how much was compared."""
    done: Counter[str] = Counter()
    rows = oracle.rows()
    found = [row for user in USERS for row in past.alerts_of(user)]
    assert {row.alert_id: plain(row) for row in found} == {key: plain_said(*row) for key, row in rows.items()}
    assert len(found) == len(rows)
    for key in list(oracle.alerts)[:3]:
        one = past.alert(key)
        assert (None if one is None else plain(one)) == (plain_said(*rows[key]) if key in rows else None)
    done["alerts"] += len(found)
    done["outcomes of alerts"] += sum(row.really_left is not None for row in found)
    for name in NAMES:
        still = [said.alert_id for said, ended, _, _ in rows.values() if said.definition == name and ended is None]
        assert sorted(one.alert_id for one in past.open_alerts(name)) == sorted(still)
        for user, line in past.risk_lines(USERS, name).items():
            newest = max(oracle.watermarks.values(), default=0)
            assert line == [(at, risk) for at, risk, _, _ in oracle.line(user, name) if at > newest - 14 * DAY_MS]
        for user in USERS:
            line = [(one.landmark_ms, one.risk, one.model_version, one.really_left) for one in past.risk_line(user, name)]
            assert line == oracle.line(user, name)
            done["risks"] += len(line)
        known = oracle.known(name)
        assert [(one.day, one.n, one.left, round(one.said * one.n * 65_535)) for one in past.calibration(name, "day")] == [
            (day, len(some), sum(left for _, left in some), sum(risk for risk, _ in some))
            for day in sorted({day for day, _, _ in known})
            for some in [[(risk, left) for at, risk, left in known if at == day]]
        ]
        tenths = [(min(9, risk * 20 // 65_535 // 2), left) for _, risk, left in known]
        assert [(round(one.low * 10), one.n, one.left) for one in past.calibration(name, "risk")] == [
            (tenth, sum(at == tenth for at, _ in tenths), sum(left for at, left in tenths if at == tenth))
            for tenth in sorted({at for at, _ in tenths})
        ]
        labels = past.labels_known(name)
        assert (labels.left, labels.stayed) == (sum(left for *_, left in known), sum(not left for *_, left in known))
        done["outcomes"] += len(known)
        for first, last in ((0, 1 << 60), (days[0] * DAY_MS, days[len(days) // 2] * DAY_MS)):
            bands = {one.band: (one.n, pytest.approx(one.said), one.left) for one in past.how_right(name, first, last)}
            assert bands == oracle.by_band(name, first, last)
            share = past.came_back_share(name, first, last)
            assert (share.n, share.came_back) == oracle.came_back(name, first, last)
        since = local_day(oracle.kept_from)
        until = local_day(max(oracle.watermarks.values(), default=0)) + 20
        for one in past.open_by_day(name, since, until):
            assert (one.open_at_end, one.flagged, one.came_back, one.expired) == oracle.day(name, one.day), one.day
            done["days with alerts"] += one.open_at_end > 0
    assert past.as_of_ms == oracle.as_of
    return done


def plain(row: AlertRow) -> tuple[Any, ...]:
    said = (row.alert_id, row.user, row.definition, row.partition, row.risk, row.threshold, row.landmark_ms, row.valid_until_ms)
    return *said, row.scored_ms, row.model, row.model_version, row.reasons, row.ended_ms, row.cause, row.really_left


def plain_said(said: Any, ended_ms: int | None, cause: str | None, left: bool | None) -> tuple[Any, ...]:
    fields = (said.alert_id, said.user, said.definition, said.partition, said.risk, said.threshold, said.landmark_ms, said.valid_until_ms)
    return *fields, said.scored_ms, said.model, said.model_version, said.reasons, ended_ms, cause, left


def read_so_far(topics: Topics, positions: dict[tuple[str, int], int]) -> dict[tuple[str, int], list[Record]]:
    return {place: log[: positions.get(place, 0)] for place, log in topics.partitions().items()}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), long=st.booleans())
def test_the_past_is_what_the_oracle_says(store: Store, seed: int, long: bool) -> None:
    rng = random.Random(seed)
    days = range(20_000, 20_135, 15) if long else range(20_000, 20_016)
    topics = made_up(seed, days)
    reading = Reading(store, topics, rng)
    past = Past(store, SPEC)
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
