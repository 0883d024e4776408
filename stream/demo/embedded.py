"""Kafka's protocol in this process, for the demo and quick tests: librdkafka's mock cluster. It keeps everything in memory, has one broker, and does not fence."""

from __future__ import annotations

from stream.kafka.connection import mock_cluster


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
