"""State that is not what was written, on real servers: said with shard and key, never guessed at, and one shard is made again from the log."""

from __future__ import annotations

import json
import re

import pytest

from features.store.keys import digest_of, shard_keys
from features.users.packed_state import read_states
from features.users.state import FLAG_ARMED
from tests.faults.bench_world import World, made_up_log
from tests.servers.process import Program, wait_until

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis, pytest.mark.timeout(600)]
KEY_EVENTS = ("click", "view", "purchase")


def an_armed_user(world: World, partition: int) -> tuple[str, int]:
    """One with timers, and their bucket."""
    stored = world.states(partition)
    rows = read_states(list(stored), list(stored.values()), len(world.settings.definitions))
    user, row = next((user, row) for user, row in zip(stored, rows, strict=True) if row["flags"] & FLAG_ARMED)
    return user, int(row["phase"])


def refused(worker: Program) -> tuple[int, str]:
    """Wait for a worker to end with 2; return the shard it names, and all that it said."""
    assert worker.process.wait(90) == 2, worker.text()
    text = worker.text()
    assert "Traceback" not in text
    [said] = re.findall(r"stopping: shard (\d+): ", text)
    assert f"start once with `churnwatch run --rebuild --partition {said}`" in text
    return int(said), text


def test_every_kind_of_damage_is_named_and_each_shard_made_again_by_itself(world: World) -> None:
    worker = world.start()
    log = list(made_up_log(40_000, 2_000, 7.0))
    sent = world.produce(log[:30_000])
    world.wait_taken(sent, 90)
    assert worker.terminate() == 0, worker.text()

    client = world.client
    users = [an_armed_user(world, partition) for partition in range(4)]
    keys = [shard_keys(world.app, partition) for partition in range(4)]
    states = [one.state(user) for one, (user, _) in zip(keys, users, strict=True)]
    byte = client.getrange(states[0], 30, 30)
    client.setrange(states[0], 30, bytes([byte[0] ^ 4]))
    client.delete(states[1])
    client.delete(states[2])
    client.rpush(states[2], "x")
    client.delete(keys[3].wheel(users[3][1]))

    command = world.start("state", "check")
    assert command.process.wait(60) == 2, command.text()
    for partition in range(4):
        assert f"shard {partition}: {digest_of(states[partition])} is {states[partition]}: " in command.text()

    # an event of each of them, for whom nobody would look otherwise until their next landmark
    ts = max(meta.max_ms for meta in world.metas().values())
    event = [(user, json.dumps({"user": user, "ts": ts, "type": "click"}).encode()) for user, _ in users]
    before = {partition: meta.next_offset for partition, meta in world.metas().items()}
    sent += world.produce([*event, *log[30_000:]])
    found: list[int] = []
    for _ in range(4):
        worker = world.start("run", *(["--rebuild", "--partition", str(found[-1])] if found else []))
        shard, text = refused(worker)
        if shard != 3:
            assert f"(key {digest_of(states[shard])})" in text
        assert not re.search(r"user-\d{7}", text)
        assert shard not in found, text
        found.append(shard)
        assert {
            partition: meta.next_offset >= before[partition] for partition, meta in world.metas().items() if partition not in found
        } == {partition: True for partition in range(4) if partition not in found}, "shards that are sound go on from where they stand"
    assert sorted(found) == [0, 1, 2, 3]

    workers = [world.start("run", "--rebuild", "--partition", str(found[-1])), world.start()]
    world.wait_taken(sent, 120)
    assert [one.terminate() for one in workers] == [0, 0], world.tails()
    assert sum(one.text().count("made again from the log") for one in workers) == 1
    command = world.start("state", "check")
    assert command.process.wait(60) == 0, command.text()
    assert world.check(KEY_EVENTS)["alerts"] > 100


def test_a_shard_is_made_again_while_its_neighbours_serve_and_one_that_is_not_there_is_refused(world: World) -> None:
    log = list(made_up_log(24_000, 1_500, 7.0))
    workers = [world.start(), world.start()]
    sent = world.produce(log[:16_000])
    world.wait_taken(sent, 90)
    strange = world.start("run", "--rebuild", "--partition", "9")
    assert strange.process.wait(60) == 2
    assert "there is no shard 9" in strange.text()
    alone = world.start("run", "--partition", "1")
    assert alone.process.wait(60) == 2
    assert "--partition goes with --rebuild" in alone.text()

    epoch = {number: world.client.hget(shard_keys(world.app, number).owner, "rebuild") for number in range(4)}
    assert set(epoch.values()) == {None}
    workers.append(world.start("run", "--rebuild", "--partition", "2"))
    wait_until(lambda: any("made again from the log" in one.text() for one in workers), 60, "whoever takes it begins anew", world.tails)
    sent += world.produce(log[16_000:])
    world.wait_taken(sent, 120)
    assert [one.terminate() for one in workers] == [0, 0, 0], world.tails()
    again = [line for one in workers for line in one.text().splitlines() if "made again from the log" in line]
    assert len(again) == 1
    assert "partition=2" in again[0]
    assert world.check(KEY_EVENTS)["alerts"] > 50
