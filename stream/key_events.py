"""Key event types when none are configured: the first 8 by frequency among the first 10,000 events of the topic, chosen once and stored."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable

from kafka import KafkaConsumer, TopicPartition

from features.event import Rejected, decode_event
from features.spec import KEY_SLOTS
from stream.settings import Settings
from stream.topics import topic_names

FIRST_EVENTS = 10_000
PATIENCE_S = 30.0


def choose(payloads: Iterable[bytes | None]) -> tuple[str, ...]:
    """Return the most frequent types, ties by name.

    >>> choose([b'{"user": "a", "ts": 1, "type": "x"}', b'{"user": "a", "ts": 1, "type": "b"}', b"{"])
    ('b', 'x')
    """
    counts: Counter[str] = Counter()
    for payload in payloads:
        try:
            counts[decode_event(payload).type] += 1
        except Rejected:
            continue
    return tuple(sorted(counts, key=lambda name: (-counts[name], name))[:KEY_SLOTS])


def first_payloads(settings: Settings, at_most: int = FIRST_EVENTS, patience_s: float = PATIENCE_S) -> list[bytes | None]:
    """Read the first events of every partition, an equal share of each; waits a while for a topic that is still empty."""
    topic = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])["clicks"]
    consumer = KafkaConsumer(bootstrap_servers=settings["kafka.bootstrap"], enable_auto_commit=False, isolation_level="read_committed")
    try:
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        share = -(-at_most // max(len(partitions), 1))
        found: dict[TopicPartition, list[bytes | None]] = {tp: [] for tp in partitions}
        deadline = time.monotonic() + patience_s
        quiet = 0
        while time.monotonic() < deadline and quiet < 5 and any(len(values) < share for values in found.values()):
            polled = consumer.poll(timeout_ms=200)
            for tp, records in polled.items():
                found[tp] += [record.value for record in records]
            quiet = 0 if polled or not any(found.values()) else quiet + 1
        return [value for values in found.values() for value in values[:share]]
    finally:
        consumer.close()
