"""One look at a real Kafka: how far the clicks reach, when the newest one came, who takes them; and the letters that stand there."""

from __future__ import annotations

import time

import pytest
from aiokafka import AIOKafkaConsumer
from confluent_kafka import Producer

from features.definitions.reason import Reason
from insights.live.letters import Letters
from stream.faults import UsageFault
from stream.kafka.look import Looker
from stream.kafka.origin import client_id
from stream.settings import Settings, load_settings
from stream.shard.dead_letters import dead_letter
from tests.servers.process import wait_until
from tests.stream.topics import make_topics

pytestmark = pytest.mark.real_kafka
PARTITIONS = 3


def settings_of(kafka: str, app: str) -> Settings:
    return load_settings(None, {}, kafka__bootstrap=kafka, app__name=app, kafka__topic_prefix=f"{app}-")


def send(kafka: str, topic: str, *values: tuple[int, bytes]) -> None:
    producer = Producer({"bootstrap.servers": kafka})
    for partition, value in values:
        producer.produce(topic, value, partition=partition)
    assert producer.flush(10) == 0


def test_ends_and_the_newest_stamp(kafka: str, app_name: str) -> None:
    names = make_topics(kafka, f"{app_name}-", PARTITIONS)
    looker = Looker(settings_of(kafka, app_name))
    before = looker.look(PARTITIONS, app_name)
    assert (dict(before.ends), before.newest_ms, before.members) == ({0: 0, 1: 0, 2: 0}, None, ())
    sent_ms = int(time.time() * 1000)
    send(kafka, names["clicks"], (0, b"{}"), (2, b"{}"), (2, b"{}"))
    after = looker.look(PARTITIONS, app_name)
    assert dict(after.ends) == {0: 1, 1: 0, 2: 2}
    assert after.newest_ms is not None
    assert abs(after.newest_ms - sent_ms) < 60_000
    looker.close()


async def test_members_say_whose_they_are_and_what_they_were_given(kafka: str, app_name: str) -> None:
    names = make_topics(kafka, f"{app_name}-", PARTITIONS)
    looker = Looker(settings_of(kafka, app_name))
    consumer = AIOKafkaConsumer(names["clicks"], bootstrap_servers=kafka, group_id=app_name, client_id=client_id(app_name))
    await consumer.start()
    try:
        members = looker.look(PARTITIONS, app_name).members
        assert members is not None
        (member,) = members
        assert (member.app, member.partitions) == (app_name, (0, 1, 2))
        assert not member.host.startswith("/")
    finally:
        await consumer.stop()
        looker.close()


def test_before_the_first_worker_nothing_is_asked_of_partitions(kafka: str, app_name: str) -> None:
    make_topics(kafka, f"{app_name}-", PARTITIONS)
    looker = Looker(settings_of(kafka, app_name))
    assert looker.look(0, app_name) == ({}, None, ())
    looker.close()


def test_a_kafka_that_is_not_there_is_said_and_asked_again(kafka: str, app_name: str) -> None:
    looker = Looker(settings_of("127.0.0.1:1", app_name))
    for _ in range(2):
        with pytest.raises(UsageFault, match="no Kafka"):
            looker.look(PARTITIONS, app_name)


def test_letters_are_read_as_they_come(kafka: str, app_name: str) -> None:
    names = make_topics(kafka, f"{app_name}-", PARTITIONS)
    letters = Letters(settings_of(kafka, app_name))

    def is_open() -> bool:
        try:
            letters.read()
        except UsageFault:  # the broker may take a moment to know its new topics
            return False
        return True

    wait_until(is_open, 20, "the topic of dead letters")
    assert letters.tally.groups == {}
    entries = [dead_letter(0, n, Reason.not_json, 7, b"{") for n in range(3)]
    send(kafka, names["dead_letters"], *((n % PARTITIONS, one.value) for n, one in enumerate(entries)), (0, b"no letter"))

    def read() -> bool:
        letters.read()
        return sum(one.n for one in letters.tally.groups.values()) == 3

    wait_until(read, 20, "three letters")
    assert letters.tally.groups["not_json", None].cause == "JSON that was cut off"
    letters.close()
    letters.read()
    assert letters.tally.groups["not_json", None].n == 3  # it goes on where it was
    letters.close()
