"""What an operator sees of running workers: metrics, readiness, logs; and what a broker that goes away does to them."""

from __future__ import annotations

import os
import re
import time
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from features.store.redis import RedisStore
from online_models.registry_redis import RedisRegistry
from stream.demo.local_redis import LocalRedis, free_port
from stream.faults import Refused
from stream.processes.metrics import METRICS
from stream.processes.trainer import AUTOGROUP, NICENESS
from stream.processes.worker import Worker
from tests.faults.bench_world import DEFAULT_TOML, World, made_up_log
from tests.servers.kafka import KafkaServer
from tests.servers.process import Program, wait_until

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis, pytest.mark.timeout(300)]
CANARY = "canary-7f3a"
TICKED = {"churnwatch_clock_difference_seconds"}
"""Shown once a shard has ticked, which none does while an old log is loaded."""
LEARNED = {"churnwatch_model_labels", "churnwatch_model_champion", "churnwatch_model_quality", "churnwatch_model_segment_quality",
           "churnwatch_model_drifts", "churnwatch_model_calibration", "churnwatch_model_calibration_days"}  # fmt: skip
"""Shown once the trainer has made a version."""


class Watched:
    """A worker with a web address of its own."""

    def __init__(self, world: World) -> None:
        self.url = f"127.0.0.1:{free_port()}"
        world.environment |= {"CHURNWATCH_WEB": self.url, "CHURNWATCH_WEB_TOKEN": CANARY}
        self.program: Program = world.start(fresh=True)

    def get(self, path: str) -> tuple[int, str]:
        connection = HTTPConnection(self.url, timeout=5)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {CANARY}"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError as error:
            return 0, f"# {type(error).__name__}"
        finally:
            connection.close()

    def shown(self) -> dict[str, float]:
        lines = (line.rpartition(" ") for line in self.get("/metrics")[1].splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    def partitions(self) -> set[str]:
        return {match[1] for name in self.shown() if (match := re.match(r'churnwatch_lag_records\{partition="(\d+)"\}', name))}


def test_metrics_are_fed_and_follow_the_shards_and_nothing_secret_is_said(world: World, own_redis: LocalRedis) -> None:
    world.client.execute_command("ACL", "SETUSER", "worker", "on", f">{CANARY}", "~*", "+@all")
    world.environment |= {"CHURNWATCH_REDIS": f"redis://worker:{CANARY}@127.0.0.1:{own_redis.port}", "CHURNWATCH_MODEL_KEY": CANARY}
    first = Watched(world)
    wait_until(lambda: first.get("/live")[0] == 200, 60, "alive", world.tails)
    wait_until(lambda: first.get("/ready") == (200, "ok\n"), 60, "ready", world.tails)
    trainer = world.start("train", fresh=True)
    sent = world.produce(made_up_log(30_000, 1_000, 9.0))
    world.wait_taken(sent, 60)
    wait_until(lambda: first.shown().get('churnwatch_alerts_total{definition="gone",type="opened"}', 0) > 10, 30, "alerts", world.tails)
    for what in ("churnwatch_click_to_publish_seconds_count", 'churnwatch_dead_letters_total{reason="not_json"}'):
        wait_until(lambda what=what: first.shown().get(what, 0) > 10, 30, what, world.tails)  # an alert is decided before it is published
    shown = first.shown()
    present = {name.partition("{")[0] for name in shown}
    ending = {"counter": "_total", "gauge": "", "histogram": "_count"}
    assert {row.name + ending[row.kind] for row in METRICS if row.name not in LEARNED | TICKED} <= present
    assert shown['churnwatch_events_total{outcome="ok"}'] > 0.9 * sent
    assert shown["churnwatch_takes_total"] == 4
    assert shown["churnwatch_commit_seconds_count"] == shown["churnwatch_steps_total"] > 0
    assert shown["churnwatch_click_to_publish_seconds_count"] > 10
    assert shown['churnwatch_dead_letters_total{reason="not_json"}'] > 10
    assert shown['churnwatch_snapshots_oldest_seconds{partition="0"}'] > 1e9
    assert shown['churnwatch_timers_overdue{partition="0"}'] == 0
    assert first.partitions() == {"0", "1", "2", "3"}

    second = Watched(world)
    wait_until(lambda: len(second.partitions()) == 2, 60, "the second has its half", world.tails)
    wait_until(lambda: len(first.partitions()) == 2, 30, "the first shows its half only", world.tails)
    assert first.partitions() | second.partitions() == {"0", "1", "2", "3"}

    said = first.get("/metrics")[1] + second.get("/metrics")[1]
    assert psutil.Process(trainer.process.pid).nice() == min(19, os.nice(0) + NICENESS), "a trainer makes way"
    session = Path(f"/proc/{trainer.process.pid}/autogroup").read_text() if os.access(AUTOGROUP, os.W_OK) else ""
    if session:  # empty where Linux does not schedule by session
        assert session.endswith(f" nice {NICENESS}\n"), "to other sessions too"
    assert not Path(f"{world.app}-data").exists(), "nothing is left where a worker was started"
    commands = [world.start(*args) for args in (["config", "show"], ["at-risk", "--csv"], ["dlq", "ls", "--show", "0"], ["user", "nobody"])]
    for command in commands:
        command.process.wait(60)
    assert [program.terminate() for program in (first.program, second.program, trainer)] == [0, 0, 0], world.tails()
    logs = "".join(program.text() for program in (first.program, second.program, trainer))
    assert CANARY not in said + logs + "".join(command.text() for command in commands)
    assert not re.search(r"user-\d{7}", said + logs)
    assert "Traceback" not in logs


def test_a_user_in_two_shards_is_said_with_the_fix(world: World) -> None:
    watched = Watched(world)
    event = b'{"user": "ann", "ts": %d, "type": "click"}'
    sent = world.produce((f"visit-{n}", event % (1_700_000_000_000 + n)) for n in range(20))
    sent += world.produce(made_up_log(1_000, 100, 3.0))
    world.wait_taken(sent, 60)
    wait_until(lambda: watched.shown()["churnwatch_foreign_keys_total"] == 20, 10, "20 foreign keys", world.tails)
    command = world.start("user", "ann")
    assert command.process.wait(60) == 0
    assert "key clicks by user" in command.text()
    assert watched.program.terminate() == 0
    assert watched.program.text().count("not keyed by user") == 1


def test_time_goes_on_without_clicks_and_a_new_owner_decides_alike(
    kafka: str, own_redis: LocalRedis, app_name: str, tmp_path: Path
) -> None:
    toml = DEFAULT_TOML.replace("ticks = false", 'tick_interval = "200ms"\nmax_idle_hold = "1s"')
    world = World(kafka, own_redis.url, app_name, tmp_path, toml)
    try:
        watched = Watched(world)
        began_ms = int(time.time() * 1000)
        sent = world.produce((f"u{n}", b'{"user": "u%d", "ts": %d, "type": "click"}' % (n, began_ms - 60_000)) for n in range(40))
        world.wait_taken(sent, 60)
        ended = 'churnwatch_watermark_seconds{partition="%d"}'
        wait_until(
            lambda: all(watched.shown().get(ended % p, 0) * 1000 > began_ms - 3_600_000 for p in range(4)), 60, "time went on", world.tails
        )
        assert watched.shown()["churnwatch_ticks_total"] >= 4
        assert watched.program.terminate() == 0, world.tails()
        ticks = {p: messages[-1].offset + 1 for p, messages in world.log("time").items()}

        def stands_at_the_last_tick() -> bool:
            return {p: meta.time_offset for p, meta in world.metas().items()} == ticks

        world.config.write_text(world.config.read_text().replace('tick_interval = "200ms"', "ticks = false"))
        then = world.start()  # the first one may have been stopped between a tick and its commit
        wait_until(stands_at_the_last_tick, 60, "the log's end", world.tails)
        assert then.terminate() == 0, world.tails()
        before = world.metas()
        world.client.flushall()
        again = world.start()  # nothing was published, so this is a first start, which finds the ticks in the log
        wait_until(stands_at_the_last_tick, 60, "the log's end again", world.tails)
        assert again.terminate() == 0, world.tails()
        assert {p: meta.max_ms for p, meta in world.metas().items()} == {p: meta.max_ms for p, meta in before.items()}
    finally:
        world.stop_all()


async def test_a_redis_that_begins_to_evict_is_noticed_while_running(world: World, own_redis: LocalRedis) -> None:
    store = RedisStore(world.client, world.app)
    worker = Worker(world.settings, store, RedisRegistry(world.client, world.app), ())

    await worker._check_redis()
    world.client.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(Refused, match="noeviction"):
        await worker._check_redis()
    store.close()


@pytest.mark.skipif(bool(os.environ.get("CHURNWATCH_TEST_KAFKA")), reason="needs a broker of its own to kill")
def test_a_broker_that_is_killed_and_comes_back(own_redis: LocalRedis, app_name: str, tmp_path: Path) -> None:
    with KafkaServer(tmp_path / "kafka") as broker:
        world = World(broker.bootstrap, own_redis.url, app_name, tmp_path)
        try:
            worker = Watched(world)
            sent = world.produce(made_up_log(20_000, 1_000, 5.0))
            world.wait_taken(sent, 60)
            broker.kill()
            wait_until(lambda: worker.get("/ready")[0] != 200, 60, "not ready without a broker", world.tails)
            broker.start()
            sent += world.produce(made_up_log(20_000, 1_000, 5.0, seed=2))
            wait_until(lambda: worker.program.process.poll() is not None or world.taken() >= sent, 120, "goes on", world.tails)
            if worker.program.process.poll() is not None:  # it gave up while there was no broker, and its supervisor starts it again
                assert worker.program.process.returncode in {70, 81, 82, 83, 84}, world.tails()
                worker = Watched(world)
            world.wait_taken(sent, 90)
            assert worker.program.terminate() == 0, world.tails()
        finally:
            world.stop_all()
