"""Kafka's protocol in this process, for the demo and quick tests: librdkafka's mock cluster. It keeps everything in memory, has one broker, and does not fence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.kafka.connection import admin, connection_of, mock_cluster
from stream.kafka.look import Look, Member
from stream.settings import Settings

if TYPE_CHECKING:
    from kafka.admin import KafkaAdminClient

VERSION = (2, 0)
"""kafka-python must be told: it does not understand what this broker answers to its question."""


class EmbeddedKafka:
    """A mock cluster on a loopback port; topics appear when first used, with four partitions. Lives as long as this object.

    >>> EmbeddedKafka().bootstrap.startswith("127.0.0.1:")
    True
    """

    def __init__(self) -> None:
        self._producer = mock_cluster()
        metadata = self._producer.list_topics(timeout=10)
        broker = next(iter(metadata.brokers.values()))
        self.bootstrap = f"127.0.0.1:{broker.port}"

    def make_topics(self, names: list[str]) -> None:
        """Make topics, so that they are there before anybody asks for their offsets."""
        for name in names:
            self._producer.list_topics(name, timeout=10)


class EmbeddedLooker:
    """Looks at the clicks as `stream.kafka.look.Looker` does. The broker does not say who takes them: it is one worker, in the broker's own process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: KafkaAdminClient | None = None

    def look(self, partitions: int, _group: str) -> Look:
        """See `stream.kafka.look.Looker.look`."""
        from kafka import TopicPartition
        from kafka.admin import OffsetSpec

        if self._client is None:
            self._client = admin(connection_of(self._settings), api_version=VERSION, request_timeout_ms=10_000, bootstrap_timeout_ms=5_000)
        places = [TopicPartition("clicks", number) for number in range(partitions)]
        ends = self._client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
        worker = Member(self._settings["app.name"], "127.0.0.1", tuple(range(partitions)))
        return Look({place.partition: ends[place].offset for place in places}, None, (worker,))

    def close(self) -> None:
        """Close the connection if there is one."""
        if self._client is not None:
            self._client.close()
            self._client = None
