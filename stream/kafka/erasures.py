"""Puts erasures into the log: a record of type `erase` for each user, where the shard that knows them reads it (`features/events/erase.schema.json`)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from stream.faults import UsageFault
from stream.kafka.clients import clicks_producer
from stream.settings import Settings

PATIENCE_S = 30.0
FLUSH_EVERY = 10_000


@dataclass(frozen=True, slots=True)
class Sent:
    """One record, and where the broker put it: when it arrived (the broker's stamp) and its own time, ms since the epoch."""

    user: str
    partition: int
    offset: int
    arrived_ms: int
    ts_ms: int


def send_erasures(settings: Settings, users: Mapping[str, Sequence[int]]) -> list[Sent]:
    """Send a record for each user to each of the given partitions.

    Raises
    ------
    UsageFault
        If there is no broker or no topic, or a record was not taken within `PATIENCE_S`.
    """
    producer, topic = clicks_producer(settings)
    sent: list[Sent] = []
    failed: list[str] = []
    waiting = 0
    for user, partitions in users.items():
        ts_ms, event_id = time.time_ns() // 1_000_000, uuid.uuid4().hex
        value = msgspec.json.encode({"user": user, "ts": ts_ms, "type": "erase", "event_id": event_id})

        def taken(error: Any, message: Any, user: str = user, ts_ms: int = ts_ms) -> None:
            if error is not None:
                failed.append(str(error))
            else:
                sent.append(Sent(user, message.partition(), message.offset(), message.timestamp()[1], ts_ms))

        for partition in partitions:
            producer.produce(topic, value, user.encode(), partition, on_delivery=taken)
            waiting += 1
        if waiting >= FLUSH_EVERY:
            producer.flush(PATIENCE_S)
            waiting = 0
    if producer.flush(PATIENCE_S) or failed:
        raise UsageFault(
            f"Kafka took {len(sent)} erasures and not the others ({failed[0] if failed else 'no answer'}): say the same command again, "
            "to erase somebody twice does no harm"
        )
    return sent
