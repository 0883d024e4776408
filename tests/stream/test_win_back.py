"""The example consumer, as it stands in the docs, on real servers."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest
from aiokafka import AIOKafkaProducer

from features.definitions.definition import DAY_MS
from features.store.app_spec import AppSpec
from features.store.contract import Commit
from features.store.redis import RedisStore, connect, save_spec
from features.users.landmarks import phase_of
from features.users.spec import FeatureSpec
from features.users.state import init_state, state_dtype
from stream.alerts.message import alert_id, entry_of
from stream.demo.local_redis import LocalRedis
from stream.kafka.shard_wire import ExamplesProducer, KafkaWire, WireSettings
from stream.kafka.wire import Marker
from stream.outbox import Entry
from stream.position import OPENED, Position
from tests.stream.test_alerts import ALERT
from tests.stream.topics import make_topics

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis]
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "win_back.py"


def opened(app: str, user: str, offset: int, landmark_ms: int) -> Entry:
    alert = msgspec.structs.replace(
        ALERT,
        alert_id=alert_id(app, "churn14", user, landmark_ms),
        user=user,
        landmark_ms=landmark_ms,
        valid_until_ms=landmark_ms + 14 * DAY_MS,
        event_time_ms=landmark_ms,
        partition=0,
        input_offset=offset,
    )
    return entry_of(app, Position(offset, landmark_ms, user, OPENED), alert)


def state_of(user: str, opened_ms: int, *, alert_open: bool) -> bytes:
    rows = np.zeros(1, state_dtype(1))
    init_state(rows, 0, phase_of(user))
    rows["first_ms"] = rows["seen_ms"] = rows["scored_ms"] = opened_ms - DAY_MS
    rows["opened_ms"], rows["alert_open"] = opened_ms, alert_open
    return rows.tobytes()


async def publish(wire: KafkaWire, *entries: Entry) -> None:
    await wire.publish(entries, Marker(entries[-1].position, entries[-1].position.offset + 1))


@contextmanager
def consumer(*arguments: str) -> Iterator[Iterator[str]]:
    """Run the example; yields its lines, kills it at the end."""
    child = subprocess.Popen([sys.executable, str(EXAMPLE), *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        yield iter(child.stdout.readline, "")
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def until(lines: Iterator[str], user: str) -> list[tuple[str, str]]:
    """(alert id, user) of each win-back, up to the one to `user`."""
    sent = []
    for line in lines:
        words = line.split()
        sent.append((words[1], words[3].rstrip(":")))
        if sent[-1][1] == user:
            return sent
    raise AssertionError(f"the consumer ended before {user}: {sent}")


async def test_only_open_alerts_are_acted_on_and_each_once(kafka: str, redis_server: LocalRedis, app_name: str) -> None:
    landmark_ms = time.time_ns() // 1_000_000 - DAY_MS
    long_ago_ms = landmark_ms - 30 * DAY_MS
    topics = make_topics(kafka, f"{app_name}.", 1)
    client = connect(redis_server.url)
    save_spec(client, app_name, AppSpec(spec=FeatureSpec(), cluster_id="c", topic_id="t", partitions=1))
    store = RedisStore(client, app_name)
    taken = await store.take(0, 1)
    stands = {
        "ann": state_of("ann", landmark_ms, alert_open=True),
        "back": state_of("back", landmark_ms, alert_open=False),
        "again": state_of("again", landmark_ms + 1, alert_open=True),
        "expired": state_of("expired", long_ago_ms, alert_open=True),
        "unsaid": state_of("unsaid", landmark_ms, alert_open=True),
        "last": state_of("last", landmark_ms, alert_open=True),
        "later": state_of("later", landmark_ms, alert_open=True),
    }
    await store.commit(0, Commit(taken.token, taken.commit_no, b"", list(stands), list(stands.values())))
    wires = WireSettings(kafka, app_name, "g", topics)
    examples = ExamplesProducer(wires)
    wire = KafkaWire(wires, 0, examples)
    await wire.open()
    try:
        await publish(wire, opened(app_name, "ann", 1, landmark_ms), opened(app_name, "back", 2, landmark_ms))
        await _publish_and_abort(wires, opened(app_name, "unsaid", 3, landmark_ms))
        await publish(wire, opened(app_name, "expired", 4, long_ago_ms), opened(app_name, "again", 5, landmark_ms))
        await publish(wire, opened(app_name, "ann", 6, landmark_ms), opened(app_name, "nobody", 7, landmark_ms))
        await publish(wire, opened(app_name, "last", 8, landmark_ms))
        arguments = (kafka, redis_server.url, app_name, topics["alerts"])
        with consumer(*arguments) as lines:
            assert [user for _, user in until(lines, "last")] == ["ann", "last"]
        await publish(wire, opened(app_name, "later", 9, landmark_ms))
        with consumer(*arguments) as lines:
            after = until(lines, "later")
        # it died somewhere after sending to "last": that one may come again, under the key it had
        assert [user for _, user in after] in (["later"], ["last", "later"])
        assert {key for key, _ in after} <= {alert_id(app_name, "churn14", user, landmark_ms) for user in ("last", "later")}
    finally:
        await wire.close()
        await examples.close()
        store.close()
        client.close()


async def _publish_and_abort(wires: WireSettings, entry: Entry) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=wires.bootstrap, transactional_id=f"{wires.app}-aborting")
    await producer.start()
    await producer.begin_transaction()
    await producer.send_and_wait(wires.topics[entry.topic], entry.value, key=entry.key, partition=0, headers=entry.headers)
    await producer.abort_transaction()
    await producer.stop()


def test_the_example_is_short() -> None:
    code = [line for line in EXAMPLE.read_text().splitlines() if line.strip()]
    assert len(code) <= 32
