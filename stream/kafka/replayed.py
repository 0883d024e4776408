"""What the topic `progress` says to a replay of dead letters: which were sent again, and by which rules each shard judges.

Which were sent again is said by notes, written in the same transaction as the records they are about.

A note is keyed by the application, the topic and the first offset it holds, so that compaction keeps every one of them. It stands on the
partition of its letters, between the markers of that shard, whose readers pass over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stream.faults import UsageFault
from stream.kafka.clients import clicks_producer, everything, reader
from stream.kafka.topics import topic_names
from stream.kafka.wire import Marker
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
_marker_decoder = msgspec.msgpack.Decoder(Marker)


class Progress(NamedTuple):
    """What an application has said on the topic.

    Attributes
    ----------
    sent : set of Sent
        Letters that were sent again.
    rules : dict of partition to bytes
        Every version of the rules that a shard has followed, packed; it says each before the first record that it judges by it. A shard that
        has said nothing yet is not there.
    """

    sent: set[Sent]
    rules: dict[int, bytes]


def read_progress(settings: Settings) -> Progress:
    """Read every note and the newest marker of each shard of this application.

    Raises
    ------
    UsageFault
        When there is no broker or no such topic.
    """
    notes, found = _prefix(settings), Progress(set(), {})
    for record in everything(*reader(settings, "progress")):
        if record.key is None or record.value is None:
            continue
        if record.key.startswith(notes):
            note = _decoder.decode(record.value)
            found.sent.update((note.topic, note.partition, offset) for offset in note.offsets)
        elif record.key == f"{settings['app.name']}-{record.partition}".encode():
            found.rules.pop(record.partition, None)
            if packed := _marker_decoder.decode(record.value).rules:
                found.rules[record.partition] = packed
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
