"""Whatever a producer may send through a real Kafka: every codec, headers, tombstones, empty values, aborted transactions."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest
from confluent_kafka import Producer

from stream.shard.dead_letters import decode_dead_letter
from tests.faults.bench_world import World

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis]
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
EACH = 400


def event(user: str, number: int) -> bytes:
    ts = int(time.time() * 1000) - 7_200_000 + number
    return json.dumps({"user": user, "ts": ts, "type": "click", "event_id": f"{user}-{number}", "props": {"page": "home" * 20}}).encode()


@pytest.mark.timeout(180)
def test_every_codec_headers_tombstones_and_aborted_records(world: World) -> None:
    clicks = world.topics["clicks"]
    for codec in CODECS:
        producer = Producer({"bootstrap.servers": world.kafka, "compression.type": codec, "linger.ms": 50, "partitioner": "murmur2_random"})
        for number in range(EACH):
            producer.produce(clicks, event(f"{codec}-{number % 50}", number), f"{codec}-{number % 50}", headers=[("trace", b"\x00\xff")])
        producer.produce(clicks, None, f"{codec}-0")
        producer.produce(clicks, b"", f"{codec}-0")
        producer.flush()
    careful = Producer({"bootstrap.servers": world.kafka, "transactional.id": world.app, "partitioner": "murmur2_random"})
    careful.init_transactions()
    for commit in (False, True):
        careful.begin_transaction()
        for number in range(EACH):
            user = f"{'kept' if commit else 'aborted'}-{number % 50}"
            careful.produce(clicks, event(user, number), user)
        careful.flush()
        (careful.commit_transaction if commit else careful.abort_transaction)()
    worker = world.start()
    good = EACH * (len(CODECS) + 1)
    world.wait_taken(good + 2 * len(CODECS), 60)
    assert worker.terminate() == 0, worker.text()
    totals: Counter[str] = Counter()
    for meta in world.metas().values():
        totals.update(meta.totals)
    assert {name: count for name, count in totals.items() if count} == {"ok": good, "tombstone": len(CODECS), "empty": len(CODECS)}
    users = set().union(*(world.states(partition) for partition in range(4)))
    assert users == {f"{name}-{number}" for name in (*CODECS, "kept") for number in range(50)}
    letters = Counter(decode_dead_letter(message.value).reason for messages in world.log("dead_letters").values() for message in messages)
    assert letters == {"tombstone": len(CODECS), "empty": len(CODECS)}
