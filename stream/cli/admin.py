"""`topics create`: the topics that are missing."""

from __future__ import annotations

from collections.abc import Iterator

from kafka.admin import NewTopic

from stream.kafka.topics import TOPICS, topic_names
from stream.processes.preflight import admin_client, look_at_kafka
from stream.settings import Settings


def create_topics(settings: Settings) -> Iterator[tuple[str, str]]:
    """Make the topics that are missing; yield the name of each and what was found or done."""
    names = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])
    there = look_at_kafka(settings).partitions
    clicks = there.get("clicks", settings["kafka.partitions"])
    admin = admin_client(settings)
    try:
        for topic in TOPICS:
            name, wanted = names[topic.logical], topic.partitions or clicks
            if topic.logical in there:
                same = there[topic.logical] == wanted
                yield (
                    name,
                    "exists"
                    if same
                    else f"exists with {there[topic.logical]} partitions, {wanted} are needed: delete it and run this again",
                )
                continue
            admin.create_topics([NewTopic(name, wanted, 1, topic_configs=topic.config)])
            yield name, f"made, {wanted} partition(s): {topic.purpose}"
    finally:
        admin.close()
