"""Makes the topics of one test on a shared Kafka: a prefix of its own, the table of the product."""

from __future__ import annotations

from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from stream.kafka.topics import TOPICS, topic_names


def make_topics(bootstrap: str, prefix: str, partitions: int) -> dict[str, str]:
    """Return logical -> real names; all exist when it returns."""
    names = topic_names(prefix)
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.create_topics([NewTopic(names[one.logical], one.partitions or partitions, 1, topic_configs=one.config) for one in TOPICS])
    finally:
        admin.close()
    return names
