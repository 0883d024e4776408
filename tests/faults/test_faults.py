"""Real Kafka, real Redis, real processes: killed, stopped, restarted; afterwards everything equals an undisturbed run."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Callable

import pytest

from stream.demo.local_redis import LocalRedis
from tests.faults.bench_world import World, made_up_log
from tests.servers.process import Program, wait_until

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis]
KEY_EVENTS = ("click", "view", "purchase")


@pytest.mark.timeout(1500)
def test_kill_minus_nine_of_workers_while_events_flow(world: World, full: bool, say: Callable[[str], None]) -> None:
    """`kill -9` at random; states, alerts and dead letters equal the undisturbed run."""
    kills, events = (50, 1_000_000) if full else (4, 100_000)
    rng = random.Random(5)
    workers = [world.start(), world.start()]
    parts = kills + 1
    log = list(made_up_log(events, events // 10, 6.0))
    sent = 0
    for number in range(parts):
        sent += world.produce(log[len(log) * number // parts : len(log) * (number + 1) // parts])
        target = world.taken() + (sent - world.taken()) // rng.choice([2, 4, 8])
        world.wait_taken(target, 60)
        if number < kills:
            victim = rng.randrange(len(workers))
            workers[victim].kill()
            workers[victim] = world.start()
    world.wait_taken(sent, 120)
    codes = [worker.terminate() for worker in workers]
    assert codes == [0, 0], world.tails()
    totals = world.check(KEY_EVENTS)
    say(f"{kills} kills, {sent} events: {dict(totals)}")
    assert totals["alerts"] > 100
    assert totals["dead letters"] > 10


@pytest.mark.timeout(1500)
def test_a_worker_that_sleeps_past_its_session_writes_nothing_stale(world: World, full: bool, say: Callable[[str], None]) -> None:
    """SIGSTOP past the session timeout, then SIGCONT: a zombie's writes are refused, on both sides."""
    zombies = 10 if full else 1
    workers = [world.start(), world.start()]
    log = list(made_up_log(60_000 * zombies, 8_000, 5.0))
    parts = 3 * zombies
    sent = 0

    def send() -> int:
        at = send.part  # type: ignore[attr-defined]
        send.part += 1  # type: ignore[attr-defined]
        return world.produce(log[len(log) * at // parts : len(log) * (at + 1) // parts])

    send.part = 0  # type: ignore[attr-defined]
    for number in range(zombies):
        sent += send()
        world.wait_taken(sent, 90)
        sleeper = workers[number % 2]
        sent += send()
        sleeper.signal(signal.SIGSTOP)
        # the other takes over everything once the session has timed out
        world.wait_taken(sent, 60)
        sleeper.signal(signal.SIGCONT)
        sent += send()
        world.wait_taken(sent, 90)
    codes = [worker.terminate() for worker in workers]
    assert codes == [0, 0], world.tails()
    say(f"{zombies} zombies, {sent} events: {dict(world.check(KEY_EVENTS))}")


@pytest.mark.timeout(1500)
def test_redis_killed_and_restarted_on_its_file(world: World, own_redis: LocalRedis, full: bool, say: Callable[[str], None]) -> None:
    kills = 10 if full else 2
    rng = random.Random(3)
    workers = [world.start(), world.start()]
    log = list(made_up_log(50_000 * (kills + 1), 20_000, 5.0))
    parts = kills + 1
    sent = 0
    for number in range(parts):
        sent += world.produce(log[len(log) * number // parts : len(log) * (number + 1) // parts])
        if number < kills:
            world.wait_taken(sent - rng.randrange(5_000, 40_000), 90)
            own_redis.kill()
            own_redis.start()
    world.wait_taken(sent, 120)
    codes = [worker.terminate() for worker in workers]
    assert codes == [0, 0], world.tails()
    say(f"{kills} kills of Redis, {sent} events: {dict(world.check(KEY_EVENTS))}")


@pytest.mark.timeout(300)
def test_sigterm_ends_soon_with_the_work_committed(world: World) -> None:
    worker = world.start()
    sent = world.produce(made_up_log(30_000, 3_000, 5.0))
    world.wait_taken(sent // 3, 60)
    assert worker.terminate() == 0, worker.text()  # 75 had it taken ten seconds
    assert "Traceback" not in worker.text()
    again = world.start()
    world.wait_taken(sent, 60)
    assert again.terminate() == 0
    world.check(KEY_EVENTS)


@pytest.mark.timeout(300)
def test_workers_join_and_leave(world: World) -> None:
    """2 -> 3 -> 2 workers while events flow."""
    workers = [world.start(), world.start()]
    log = list(made_up_log(90_000, 9_000, 5.0))
    sent = world.produce(log[:30_000])
    world.wait_taken(sent // 2, 60)
    workers.append(world.start())
    sent += world.produce(log[30_000:60_000])
    wait_until(lambda: world.taken() >= sent, 60, "taken with three", world.tails)
    wait_until(lambda: "ConsumerThread]: Starting" in workers[-1].text(), 60, "the third has joined", world.tails)
    assert workers.pop(0).terminate() == 0
    sent += world.produce(log[60_000:])
    world.wait_taken(sent, 60)
    assert [worker.terminate() for worker in workers] == [0, 0]
    world.check(KEY_EVENTS)


@pytest.mark.timeout(1500)
def test_a_storm_of_rebalances(world: World, full: bool, say: Callable[[str], None]) -> None:
    """Workers come and go by SIGTERM, SIGKILL and SIGSTOP, faster than the group settles, more of them than partitions at times."""
    rounds = 60 if full else 8
    rng = random.Random(11)
    events = 6_000 * rounds
    log = list(made_up_log(events, events // 10, 5.0))
    workers = [world.start(), world.start()]
    leaving: list[Program] = []
    sent = 0
    done: Counter[str] = Counter()
    for number in range(rounds):
        sent += world.produce(log[events * number // rounds : events * (number + 1) // rounds])
        world.wait_taken(sent - rng.randrange(9_000), 120)
        what = rng.choice(["grow", "shrink", "kill", "sleep"])
        done[what] += 1
        if what == "grow" or len(workers) < 2:
            workers.append(world.start())
        elif what == "sleep":
            workers[0].signal(signal.SIGSTOP)
            world.wait_taken(min(sent, world.taken() + 1), 60)  # all may have been taken already
            workers[0].signal(signal.SIGCONT)
        else:
            one = workers.pop(rng.randrange(len(workers)))
            if what == "kill":
                one.kill()
            else:
                one.signal(signal.SIGTERM)
                leaving.append(one)
    if len(workers) < 2:
        workers.append(world.start())
    world.wait_taken(sent, 120)
    assert {worker.terminate() for worker in workers} == {0}, world.tails()
    # one that was asked to stop before its handlers were in place ends by the signal itself
    assert {one.process.wait(30) for one in leaving} <= {0, -signal.SIGTERM}, world.tails()
    say(f"storm of {rounds} rounds {dict(done)}, {sent} events: {dict(world.check(KEY_EVENTS))}")
