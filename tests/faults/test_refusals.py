"""Starts that must be refused, each with what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.structs import TopicPartition

from online_models.example import LEFT_CENSORED, SNAPSHOT, unpack_block
from stream.demo.local_redis import LocalRedis
from tests.faults.bench_world import World, made_up_log
from tests.servers.process import wait_until

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis, pytest.mark.timeout(180)]


def run_once(world: World) -> int:
    worker = world.start()
    sent = world.produce(made_up_log(2_000, 200, 5.0))
    world.wait_taken(sent, 60)
    assert worker.terminate() == 0
    return sent


def test_redis_that_evicts(kafka: str, app_name: str, tmp_path: Path) -> None:
    with LocalRedis(tmp_path / "redis", policy="allkeys-lru") as server:
        world = World(kafka, server.url, app_name, tmp_path)
        worker = world.start()
        assert worker.process.wait(60) == 2
        assert "maxmemory-policy noeviction" in worker.text()
        assert "Traceback" not in worker.text()


def test_missing_topics_and_servers_are_all_said(kafka: str, app_name: str, tmp_path: Path) -> None:
    with LocalRedis(tmp_path / "redis") as server:
        world = World(kafka, server.url, app_name, tmp_path)
        world.environment["CHURNWATCH_TOPIC_PREFIX"] = "nowhere."
        worker = world.start()
        assert worker.process.wait(60) == 2
        assert "churnwatch topics create" in worker.text()
        world.environment |= {"CHURNWATCH_KAFKA": "127.0.0.1:1", "CHURNWATCH_REDIS": "redis://127.0.0.1:1"}
        nobody = world.start()
        assert nobody.process.wait(60) == 70  # for a supervisor that starts it again: nothing is set wrong
        assert "CHURNWATCH_KAFKA" in nobody.text()
        assert "CHURNWATCH_REDIS" in nobody.text()


def test_another_configuration_and_another_topic(world: World) -> None:
    run_once(world)
    text = world.config.read_text()
    world.config.write_text(text.replace('"purchase"', '"refund"'))
    changed = world.start()
    assert changed.process.wait(60) == 2
    assert "key_events" in changed.text()
    world.config.write_text(text)
    admin = KafkaAdminClient(bootstrap_servers=world.kafka)
    clicks = world.topics["clicks"]
    admin.delete_topics([clicks])
    wait_until(lambda: clicks not in admin.list_topics(), 30, "the topic is gone")
    admin.create_topics([NewTopic(clicks, 4, 1, topic_configs={"message.timestamp.type": "LogAppendTime"})])
    admin.close()
    other = world.start()
    assert other.process.wait(60) == 2
    assert "topic_id" in other.text() or "topic id" in other.text()


def test_an_empty_redis_after_alerts_were_published(world: World) -> None:
    worker = world.start()
    sent = world.produce(made_up_log(30_000, 1_000, 9.0))
    world.wait_taken(sent, 60)
    assert worker.terminate() == 0
    before = world.check(("click", "view", "purchase"))
    assert before["alerts"] > 10
    world.client.flushall()
    refused = world.start()
    assert refused.process.wait(90) == 2
    assert "--rebuild" in refused.text()
    assert "Traceback" not in refused.text()
    rebuilt = world.start("run", "--rebuild")
    world.wait_taken(sent, 90)
    assert rebuilt.terminate() == 0
    assert world.check(("click", "view", "purchase")) == before


def test_retention_past_the_stored_offset(world: World) -> None:
    run_once(world)
    admin = KafkaAdminClient(bootstrap_servers=world.kafka)
    sent = world.produce(made_up_log(4_000, 200, 5.0, seed=2))
    assert sent
    ends = {partition: records[-1].offset for partition, records in world.log("clicks").items()}
    admin.delete_records({TopicPartition(world.topics["clicks"], partition): end for partition, end in ends.items()})
    admin.close()
    worker = world.start()
    assert worker.process.wait(90) == 2
    assert "Retention deleted" in worker.text()
    assert "Traceback" not in worker.text()


def test_key_events_are_chosen_once_the_first_events_are_there(kafka: str, app_name: str, tmp_path: Path) -> None:
    with LocalRedis(tmp_path / "redis") as server:
        world = World(kafka, server.url, app_name, tmp_path, "[app]\n")
        first = world.start()
        wait_until(lambda: "waiting for its first events" in first.text(), 60, "it says that it waits", world.tails)
        sent = world.produce(made_up_log(3_000, 200, 5.0))
        world.wait_taken(sent, 90)
        second = world.start()  # takes over what the first has chosen and stored
        assert first.terminate() == 0
        assert second.terminate() == 0
        assert "key events chosen" in first.text()
        assert "key events chosen" not in second.text()


def test_a_log_whose_beginning_is_gone(world: World) -> None:
    """A first start takes what is left and marks whom it may know too little of; a lost Redis is made again from it only when told so."""
    sent = world.produce(made_up_log(30_000, 1_000, 9.0))
    admin = KafkaAdminClient(bootstrap_servers=world.kafka)
    cut = {partition: records[len(records) // 4].offset for partition, records in world.log("clicks").items()}
    admin.delete_records({TopicPartition(world.topics["clicks"], partition): offset for partition, offset in cut.items()})
    admin.close()
    left = sent - sum(cut.values())
    worker = world.start()
    world.wait_taken(left, 60)
    assert worker.terminate() == 0
    before = world.check(("click", "view", "purchase"))
    assert before["alerts"] > 10
    blocks = [unpack_block(message.value) for message in world.log("examples")[0]]
    assert {(block.partition, block.lineage) for block in blocks} == {(partition, str(offset)) for partition, offset in cut.items()}
    flags = np.concatenate([block.items.flags[block.items.kind == SNAPSHOT] for block in blocks])
    assert 0 < np.count_nonzero(flags & LEFT_CENSORED) < len(flags)

    states = {partition: world.states(partition).keys() for partition in cut}
    world.client.flushall()
    refused = world.start("run", "--rebuild")
    assert refused.process.wait(90) == 2
    assert "--rebuild --partial" in refused.text()
    rebuilt = world.start("run", "--rebuild", "--partial")
    world.wait_taken(left, 90)
    assert rebuilt.terminate() == 0
    assert {partition: world.states(partition).keys() for partition in cut} == states
    assert sum(map(len, world.log("alerts").values())) == before["alerts"]
    again = [unpack_block(message.value) for message in world.log("examples")[0]][len(blocks) :]
    assert sum(len(block.items) for block in again) < 0.2 * before["examples"], "what was told is not told again"
