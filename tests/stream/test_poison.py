"""Five in a hundred records of the real job are poison, of every kind: they are counted exactly by reason, and nothing stops."""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest

from stream.shard.dead_letters import decode_dead_letter
from tests.faults.bench_world import World, made_up_log
from tests.poison import each

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis]


@pytest.mark.timeout(180)
def test_five_in_a_hundred_are_poison(world: World) -> None:
    rng = random.Random(1)
    strict = {"unknown_type", "user_reserved"}  # only with features.strict_types and features.not_users
    bad = [(reason.name, payload) for reason, payload in each(int(time.time() * 1000) + 3_600_000) if reason.name not in strict]
    assert len({name for name, _ in bad}) >= 12
    expected: Counter[str] = Counter()
    log: list[tuple[str, bytes]] = []
    for user, value in made_up_log(40_000, 4_000, 5.0):
        if value == b"{broken":
            expected["not_json"] += 1
        log.append((user, value))
        if rng.random() < 0.05:
            name, payload = bad[len(expected) % len(bad)] if rng.random() < 0.1 else rng.choice(bad)
            expected[name] += 1
            log.append((user, payload))  # type: ignore[arg-type]  # a tombstone is None
    worker = world.start()
    sent = world.produce(log)
    world.wait_taken(sent, 90)
    assert worker.terminate() == 0, worker.text()
    found = Counter(decode_dead_letter(message.value).reason for messages in world.log("dead_letters").values() for message in messages)
    late = found.pop("late", 0)
    assert found == expected
    assert late == sum(meta.totals.get("late", 0) for meta in world.metas().values())
    assert sum(sum(meta.totals.values()) for meta in world.metas().values()) == sent
