"""Kafka clients for commands that a person waits for: they answer within seconds, or say what is missing and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stream.faults import UsageFault
from stream.kafka import connection
from stream.kafka.reach import PATIENCE_S, reach
from stream.kafka.topics import topic_names
from stream.settings import Settings

if TYPE_CHECKING:
    from confluent_kafka import Producer
    from kafka import KafkaConsumer, TopicPartition


def _no_kafka(settings: Settings) -> UsageFault:
    return UsageFault(f"no Kafka at {settings['kafka.bootstrap']}: start it, or set CHURNWATCH_KAFKA")


def _no_topic(name: str) -> UsageFault:
    return UsageFault(f"there is no topic {name}: run `churnwatch topics create`, or set CHURNWATCH_TOPIC_PREFIX")


def reader(settings: Settings, logical: str) -> tuple[KafkaConsumer, list[TopicPartition]]:
    """Return a read_committed consumer that is assigned nothing yet, and the partitions of a topic.

    Raises
    ------
    UsageFault
        When there is no broker or no such topic.
    """
    from kafka import TopicPartition
    from kafka.errors import KafkaError

    place = connection.connection_of(settings)
    reach(place)
    topic = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])[logical]
    try:
        consumer = connection.consumer(
            place,
            isolation_level="read_committed",
            enable_auto_commit=False,
            bootstrap_timeout_ms=PATIENCE_S * 1000,
        )
        partitions = consumer.partitions_for_topic(topic)
    except KafkaError as error:
        raise _no_kafka(settings) from error
    if not partitions:
        consumer.close()
        raise _no_topic(topic)
    return consumer, [TopicPartition(topic, number) for number in sorted(partitions)]


def everything(consumer: KafkaConsumer, partitions: Sequence[TopicPartition]) -> Iterator[Any]:
    """Yield all records that some partitions hold now, one partition after the other; then close the consumer."""
    try:
        for place in partitions:
            consumer.assign([place])
            consumer.seek_to_beginning(place)
            end = consumer.end_offsets([place])[place]
            while consumer.position(place) < end:
                yield from consumer.poll(timeout_ms=500).get(place, [])
    finally:
        consumer.close()


def producer_to(
    settings: Settings, logical: str, transactional_id: str | None = None, options: Mapping[str, str | int] | None = None
) -> tuple[Producer, str]:
    """Return a producer for a topic, and the topic's name. It chooses partitions by murmur2, as Java's clients do, so all agree on a user's partition.

    Parameters
    ----------
    transactional_id : str, optional
        For a producer that sends in transactions.
    options : mapping, optional
        Of librdkafka, which win over those that are set here.

    Raises
    ------
    UsageFault
        When there is no broker or no such topic.
    """
    from confluent_kafka import KafkaException

    place = connection.connection_of(settings)
    reach(place)
    topic = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])[logical]
    made = connection.sender(
        place,
        {"compression.type": "lz4", "linger.ms": 20, "partitioner": "murmur2_random",
         "queue.buffering.max.messages": 500_000, "enable.idempotence": True, "log_level": 0}
        | ({} if transactional_id is None else {"transactional.id": transactional_id})
        | dict(options or {})
    )  # fmt: skip
    try:
        if made.list_topics(topic, timeout=PATIENCE_S).topics[topic].error is not None:
            raise _no_topic(topic)
    except KafkaException as error:
        raise _no_kafka(settings) from error
    return made, topic


def clicks_producer(settings: Settings, transactional_id: str | None = None) -> tuple[Producer, str]:
    """Return a producer for clicks, and the topic's name; see `producer_to`."""
    return producer_to(settings, "clicks", transactional_id)
