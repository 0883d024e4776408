"""A user who is erased is in no table of the past, in whatever order the topics are read; what is counted of everybody stays."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select

from features.users.landmarks import phase_of
from insights.past.fold.batch import Batch
from insights.past.fold.landmarks import ENTRY, hash_of
from insights.past.hold import Source
from insights.past.past import Past
from insights.past.tables import ALERTS as ALERTS_TABLE
from insights.past.tables import LANDMARKS, READER
from insights.past.writer import Writer
from insights.store.store import Store
from online_models.example import ExampleBlock, empty_examples
from stream.alerts.message import decode_alert
from stream.kafka.origin import app_header
from tests.insights.past.history import ALERTS, APP, EXAMPLES, HORIZON_MS, NAMES, SPEC, USERS, WIDTH, Record, made_up

DAYS = range(20_000, 20_016)
ANN = "ann"
LATER_MS = DAYS[-1] * 86_400_000 + 2 * HORIZON_MS


def erasure(number: int, until_ms: int = LATER_MS) -> Record:
    block = ExampleBlock("0", phase_of(ANN) % 2, number, 0, SPEC.hash, NAMES, empty_examples(WIDTH), [(ANN, until_ms)])
    return Record(block.pack(), app_header(APP), 0)


@pytest.mark.parametrize("examples_first", [True, False])
def test_nothing_of_them_is_kept_or_taken_in_again(store: Store, *, examples_first: bool) -> None:
    topics = made_up(5, DAYS)
    topics.examples.append(erasure(10_000))
    places = sorted(topics.partitions().items(), key=lambda one: (one[0][0] == EXAMPLES) != examples_first)
    writer = Writer(store, Source(APP, "cluster", f"erased-{examples_first}", (ALERTS, EXAMPLES), SPEC.timezone), "one")
    standing = writer.take(0)
    assert standing is not None
    for (topic, partition), log in places:
        batch = Batch(APP, SPEC.hash, standing)
        for record in log:
            if topic == ALERTS:
                batch.add_alert(record.value, record.headers)
            else:
                batch.add_examples(record.value, record.headers, record.stamp_ms)
        batch.passed(topic, partition, len(log))
        writer.commit(batch, 1, {})
        standing = batch.standing
    past = Past(store, lambda: SPEC)
    assert past.alerts_of(ANN) == []
    assert [past.risk_line(ANN, name) for name in NAMES] == [[] for _ in NAMES]
    others = [user for user in USERS if user != ANN]
    assert any(past.alerts_of(user) for user in others)
    assert all(past.risk_line(user, NAMES[0]) for user in others)
    with store.read() as db:
        assert ANN not in db.execute(select(ALERTS_TABLE.c.user)).scalars().all()
        packed = b"".join(db.execute(select(LANDMARKS.c.packed)).scalars())
        assert db.execute(select(READER.c.salt)).scalar_one() is not None
    assert hash_of(ANN) not in np.frombuffer(packed, ENTRY)["user"].tolist()


def test_the_end_of_an_alert_by_erasure_stops_nothing_and_a_returned_user_is_taken_in(store: Store) -> None:
    topics = made_up(5, DAYS)
    said = [record for log in topics.alerts.values() for record in log if b"{broken" not in record.value]
    mine = [one for one in said if decode_alert(one.value).user == ANN]
    first = min((decode_alert(one.value) for one in mine if decode_alert(one.value).type == "opened"), key=lambda one: one.landmark_ms)
    writer = Writer(store, Source(APP, "cluster", "returned", (ALERTS, EXAMPLES), SPEC.timezone), "one")
    standing = writer.take(10_000_000)
    assert standing is not None
    batch = Batch(APP, SPEC.hash, standing)
    for one in mine:
        batch.add_alert(one.value, one.headers)
        batch.add_alert(one.value.replace(b'"returned"', b'"erased"').replace(b'"horizon"', b'"erased"'), one.headers)
    block = erasure(0, first.landmark_ms)
    batch.add_examples(block.value, block.headers, 0)
    writer.commit(batch, 10_000_001, {})
    kept = Past(store, lambda: SPEC).alerts_of(ANN)
    assert kept
    assert all(one.landmark_ms > first.landmark_ms for one in kept)
