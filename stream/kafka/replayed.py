"""Which dead letters have been sent again: notes on the topic `progress`, written in the same transaction as the records they are about.

A note is keyed by the application, the topic and the first offset it holds, so that compaction keeps every one of them. It stands on the
partition of its letters, between the markers of that shard, whose readers pass over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from stream.faults import UsageFault
from stream.kafka.clients import clicks_producer, reader
from stream.kafka.topics import topic_names
from stream.settings import Settings

if TYPE_CHECKING:
    from confluent_kafka import Producer

MOST = 5_000
"""Records of one transaction, and offsets of one note."""
PATIENCE_S = 30.0

Sent = tuple[str, int, int]
"""Logical topic, partition and offset of the rejected record."""


class Note(msgspec.Struct, array_like=True, frozen=True):
    """Offsets of one partition whose dead letters were sent again."""

    topic: str
    partition: int
    offsets: list[int]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Note)


def sent_again(settings: Settings) -> set[Sent]:
    """Return what every note of this application says was sent again. Raises UsageFault without a broker or the topic."""
    ours = _prefix(settings)
    consumer, partitions = reader(settings, "progress")
    found: set[Sent] = set()
    try:
        for place in partitions:
            consumer.assign([place])
            consumer.seek_to_beginning(place)
            end = consumer.end_offsets([place])[place]
            while consumer.position(place) < end:
                for record in consumer.poll(timeout_ms=500).get(place, []):
                    if record.key is not None and record.key.startswith(ours) and record.value is not None:
                        note = _decoder.decode(record.value)
                        found |= {(note.topic, note.partition, offset) for offset in note.offsets}
    finally:
        consumer.close()
    return found


class Replayer:
    """Sends records and the note about them in one transaction. An application has one replayer at a time: a newer one stops an older one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topics = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])
        self._producer: Producer = clicks_producer(settings, transactional_id=f"{settings['app.name']}-dlq-replay")[0]
        self._producer.init_transactions(PATIENCE_S)

    def send(self, records: Sequence[tuple[Sent, bytes | None, bytes]]) -> None:
        """Send each record, given as (where its letter came from, key, value), to the partition it came from.

        Raises
        ------
        UsageFault
            A newer replay of the same application has begun.
        """
        from confluent_kafka import KafkaException

        try:
            for start in range(0, len(records), MOST):
                self._send(records[start : start + MOST])
        except KafkaException as error:
            if error.args[0].fatal():
                raise UsageFault("another `dlq replay` of this application has begun: what this one had not sent is left to it") from error
            raise

    def _send(self, records: Sequence[tuple[Sent, bytes | None, bytes]]) -> None:
        producer, notes = self._producer, dict[tuple[str, int], list[int]]()
        producer.begin_transaction()
        for (topic, partition, offset), key, value in records:
            # to the partition it came from, because that shard has what is known of the record's user
            producer.produce(self._topics[topic], value, key, partition)
            notes.setdefault((topic, partition), []).append(offset)
        for (topic, partition), offsets in notes.items():
            key = _prefix(self._settings) + f"{topic}-{partition}-{offsets[0]}".encode()
            producer.produce(self._topics["progress"], _encoder.encode(Note(topic, partition, offsets)), key, partition)
        producer.commit_transaction(PATIENCE_S)


def _prefix(settings: Settings) -> bytes:
    return f"{settings['app.name']}-replayed-".encode()
