"""`topics create`: the topics that are missing."""

from __future__ import annotations

from collections.abc import Iterator

import redis
from kafka.admin import NewTopic

from features.store.app_spec import AppSpec
from features.store.redis import connect, load_spec
from stream.kafka.topics import TOPICS, topic_names
from stream.processes.fitness import judge_clicks, judge_place
from stream.processes.preflight import NotReady, admin_client, look_at_kafka
from stream.settings import Settings


def create_topics(settings: Settings) -> Iterator[tuple[str, str]]:
    """Make the topics that are missing; yield the name of each and what was found or done.

    Raises
    ------
    NotReady
        No broker answers, or the app was started with another prefix or other clicks than these.
    """
    names = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])
    cluster = look_at_kafka(settings)
    # an app whose clicks are not what they were needs another remedy than topics
    stored = _stored(settings)
    if found := judge_place(settings, stored) or judge_clicks(settings, stored, cluster):
        raise NotReady(found)
    there = cluster.partitions
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
                    else f"exists with {there[topic.logical]} partitions, {wanted} are needed: delete it if nothing of this app is in it, and run this again",
                )
                continue
            admin.create_topics([NewTopic(name, wanted, settings["kafka.replication"], topic_configs=topic.config)])
            yield name, f"made, {wanted} partition(s): {topic.purpose}"
    finally:
        admin.close()


def _stored(settings: Settings) -> AppSpec | None:
    """Return what the app was started with; None where it never was, or Redis is not there yet."""
    client = connect(settings["redis.url"], timeout_s=2.0)
    try:
        return load_spec(client, settings["app.name"])
    except (redis.ConnectionError, redis.TimeoutError):
        return None
    finally:
        client.close()
