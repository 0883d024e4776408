"""A worker that is asked to stop does so within ten seconds with code 0, whatever its group, its broker and it are at just then."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Producer

from stream.demo.local_redis import LocalRedis
from stream.processes.program import STOP_DEADLINE_S
from tests.faults.bench_world import World, made_up_log
from tests.servers.kafka import KafkaServer
from tests.servers.process import Program, wait_until

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis]
KEY_EVENTS = ("click", "view", "purchase")
SERVING = "ConsumerThread]: Starting"
"""The handlers are in place, the group is not joined yet."""
SETTLED_S = 90.0
"""Patience with a condition that no deadline of the product is about; a busy machine may take its time."""


class Group:
    """The workers of one app; each way to stop some of them returns those it has stopped."""

    def __init__(self, world: World, kafka: KafkaServer, rng: random.Random) -> None:
        self.world, self.kafka, self.rng = world, kafka, rng
        self.live: list[Program] = []
        self.slowest_s = 0.0

    def grow(self, until: str) -> Program:
        worker = self.world.start()
        self.live.append(worker)
        self.says(worker, until)
        return worker

    def says(self, worker: Program, what: str, since: int = 0) -> None:
        wait_until(lambda: what in worker.text()[since:] or worker.code is not None, SETTLED_S, what, worker.text)

    def settle(self, count: int) -> None:
        """Have so many workers, each with shards."""
        while len(self.live) < count:
            self.live.append(self.world.start())
        for worker in self.live:
            self.says(worker, "shard taken")

    def stop(self, *workers: Program) -> None:
        """SIGTERM to all, then see them end."""
        for worker in workers:
            self.live.remove(worker)
            worker.signal(signal.SIGTERM)
        began = time.monotonic()
        for worker in workers:
            worker.process.wait(STOP_DEADLINE_S + 10)
            assert worker.code == 0, worker.text()[-6_000:]
            assert "Traceback" not in worker.text(), worker.text()[-6_000:]
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)

    def while_it_starts(self) -> int:
        """As soon as it listens to the signal, which is before it has looked at any server."""
        worker = self.world.start()
        self.live.append(worker)
        wait_until(worker.heeds_sigterm, SETTLED_S, "it heeds the signal", worker.text)
        self.stop(worker)
        return 1

    def before_it_joins(self) -> int:
        self.stop(self.grow(SERVING))
        return 1

    def while_it_joins(self) -> int:
        """A member that sleeps holds up the join of all others."""
        self.settle(2)
        awake, asleep = self.live
        since = len(awake.text())
        asleep.signal(signal.SIGSTOP)
        joining = self.grow(SERVING)
        self.says(awake, "because it is rebalancing", since)
        self.stop(joining, awake)
        asleep.signal(signal.SIGCONT)
        return 2

    def while_it_takes_shards(self) -> int:
        """Redis lets nobody write, so that the take stands still."""
        joining = self.grow(SERVING)
        self.world.client.client_pause(3_600_000, all=False)
        wait_until(lambda: self.waits_for_redis(joining), SETTLED_S, "a take that waits", joining.text)
        self.stop(joining)
        self.world.client.client_unpause()
        return 1

    def waits_for_redis(self, worker: Program) -> bool:
        ports = {str(one.laddr.port) for one in psutil.Process(worker.process.pid).net_connections() if one.laddr}
        held = [one for one in self.world.client.client_list() if "b" in str(one["flags"])]
        return any(str(one["addr"]).rpartition(":")[2] in ports for one in held)

    def while_another_leaves(self) -> int:
        self.settle(2)
        first, second = self.live
        self.live.remove(first)
        first.signal(signal.SIGTERM)
        threading.Event().wait(self.rng.random())  # anywhere in the second that a heartbeat may take to bring the news
        self.live.append(first)
        self.stop(second, first)
        return 2

    def just_after_it_was_assigned(self) -> int:
        self.stop(self.grow("shard taken"))
        return 1

    def when_the_broker_sleeps(self) -> int:
        self.settle(4)
        self.kafka.pause()
        self.stop(*self.live)
        self.kafka.resume()
        return 4

    def when_the_broker_was_killed(self) -> int:
        self.settle(3)
        self.kafka.kill()
        self.stop(*self.live)
        self.kafka.start()
        return 3

    def when_the_coordinator_is_marked_dead(self) -> int:
        self.settle(4)
        workers = list(self.live)
        since = [len(worker.text()) for worker in workers]
        self.kafka.kill()
        for worker, start in zip(workers, since, strict=True):
            self.says(worker, "marking coordinator dead", start)
        self.stop(*workers)
        self.kafka.start()
        return 4

    def when_it_starts_and_the_broker_sleeps(self) -> int:
        joining = self.grow(SERVING)
        self.kafka.pause()
        self.stop(joining)
        self.kafka.resume()
        return 1


PHASES: list[Callable[[Group], int]] = [
    Group.while_it_starts,
    Group.just_after_it_was_assigned,
    Group.while_another_leaves,
    Group.before_it_joins,
    Group.while_it_joins,
    Group.while_it_takes_shards,
    Group.when_it_starts_and_the_broker_sleeps,
    Group.when_the_broker_sleeps,
    Group.when_the_broker_was_killed,
    Group.when_the_coordinator_is_marked_dead,
]


@contextmanager
def clicks_go_on(world: World) -> Iterator[None]:
    """Somebody clicks all the time, so that there is work at hand and offsets to commit whenever the stop comes."""
    log = iter(made_up_log(1_000_000, 2_000, 5.0))
    over = threading.Event()

    def click() -> None:
        producer = Producer({"bootstrap.servers": world.kafka, "partitioner": "murmur2_random", "log_level": 0})
        while not over.wait(0.05):
            for user, value in islice(log, 15):
                producer.produce(world.topics["clicks"], value, user.encode())
            producer.poll(0)
        producer.flush(60)

    thread = threading.Thread(target=click)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.timeout(2400)
def test_a_stop_ends_within_ten_seconds_in_every_phase_of_a_rebalance(
    own_kafka: KafkaServer, own_redis: LocalRedis, app_name: str, tmp_path: Path, full: bool, say: Callable[[str], None]
) -> None:
    wanted = 200 if full else 20
    world = World(own_kafka.bootstrap, own_redis.url, app_name, tmp_path)
    group = Group(world, own_kafka, random.Random(3))
    done: Counter[str] = Counter()
    took_s: defaultdict[str, float] = defaultdict(float)
    try:
        with clicks_go_on(world):
            while done.total() < wanted:
                for phase in PHASES:
                    began = time.monotonic()
                    done[phase.__name__] += phase(group)
                    took_s[phase.__name__] += time.monotonic() - began
            group.settle(1)
        sent = sum(map(len, world.log("clicks").values()))
        world.wait_taken(sent, SETTLED_S)
        group.stop(*group.live)
        each = ", ".join(f"{count} {name} in {took_s[name]:.0f} s" for name, count in done.items())
        say(f"{done.total()} stops, the slowest in {group.slowest_s:.1f} s: {each}: {dict(world.check(KEY_EVENTS))}")
    finally:
        own_kafka.resume()
        world.stop_all()
