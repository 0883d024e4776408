"""`churnwatch erase` on real servers, with everything killed meanwhile: then no byte of Redis and none of the history's files names an erased user."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest

from features.events import __file__ as events_room
from features.reader import UserReader
from insights.history.reader import open_log
from stream.alerts.message import decode_alert
from tests.faults.bench_world import World, made_up_log
from tests.insights.history.test_erasures import found_in
from tests.servers.process import wait_until

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis, pytest.mark.timeout(600)]
KEYS = ("click", "view", "purchase")
TOML = """
[app]

[features]
key_events = ["click", "view", "purchase"]

[worker]
mirror = "all"

[alerts]
backfill = true
threshold = 0.25

[time]
ticks = false

[learning]
min_labels = 100000000

[history]
interval = "100ms"
web = ""

[[definitions]]
name = "gone"
active_window = "3d"
horizon = "2d"
"""


def keys_and_values(world: World) -> Iterator[bytes]:
    """Yield each key of Redis with all that it holds."""
    client = world.client
    for key in client.scan_iter(count=1_000):
        yield key
        yield client.dump(key)  # type: ignore[misc]  # redis-py types this for its asynchronous client as well
        match client.type(key):
            case b"string":
                yield client.get(key) or b""
            case b"hash":
                yield repr(client.hgetall(key)).encode()
            case b"set":
                yield repr(client.smembers(key)).encode()
            case b"list":
                yield from client.lrange(key, 0, -1)
            case b"stream":
                yield repr(client.xrange(key)).encode()


def files_of_redis(folder: Path) -> Iterator[bytes]:
    yield from (one.read_bytes() for one in folder.rglob("*") if one.is_file() and one.suffix != ".log")


def clicks_of(users: list[str], ts_ms: int, event_id: str) -> Iterator[tuple[str, bytes]]:
    for user in users:
        yield user, json.dumps({"user": user, "ts": ts_ms, "type": "click", "event_id": f"{event_id}-{user}"}).encode()


def test_nothing_of_an_erased_user_is_left_whatever_is_killed_meanwhile(world: World, tmp_path: Path, say: Callable[[str], None]) -> None:
    world.environment["CHURNWATCH_HISTORY"] = str(history := tmp_path / "history")
    workers, writer = [world.start(), world.start()], world.start("history", "run")
    sent = world.produce(made_up_log(5_000, 400, 9.0))
    world.wait_taken(sent, 90)
    reader = UserReader(world.redis, world.app)
    flagged = sorted({row.user for row in reader.users_at_risk(only_open=True)})[:3]
    victims = [*flagged, *sorted({row.user for row in reader.users_at_risk()} - set(flagged))[-3:]]
    assert len(flagged) == 3
    found = [one for one in keys_and_values(world) if any(user.encode() in one for user in victims)]
    assert len(found) > 12
    ids = tmp_path / "ids.txt"
    ids.write_text("\n".join([*victims, ""]))
    asked = ("erase", "--file", str(ids), "--now", "--patience", "0")
    said = world.start(*asked)
    assert said.process.wait(60) == 0, said.text()
    assert "say --yes" in said.text()
    assert any(user.encode() in one for one in keys_and_values(world) for user in victims)

    chance, kills = random.Random(7), 0
    for _ in range(3):
        command = world.start(*asked, "--yes", "--wait", "1")
        pause_until = time.monotonic() + chance.random() * 3
        wait_until(lambda until=pause_until: time.monotonic() > until, 10, "some moment")  # type: ignore[misc]  # mypy cannot type a default
        for victim in (command, workers.pop(0), writer):
            victim.kill()
            kills += 1
        workers.append(world.start())
        writer = world.start("history", "run")
    command = world.start(*asked, "--yes", "--wait", "5")  # without ticks nothing is committed after the last click
    command.process.wait(240)
    assert not [user for user in victims if user in command.text()]

    now_ms = int(time.time() * 1000)
    others = ["user-0000000", *(f"new-{number}" for number in range(40))]
    late = [user for user in victims for _ in range(2)]
    world.produce(
        [*clicks_of(late, now_ms - 9 * 86_400_000, "late"), *clicks_of(victims, now_ms, "again"), *clicks_of(others, now_ms, "o")]
    )
    total = sum(map(len, world.log("clicks").values()))
    world.wait_taken(total, 90)
    last = world.start("erase", "--file", str(ids), "--check")
    wait_until(lambda: last.process.poll() is not None, 60, "an answer", last.text)
    # what was confirmed leaves Redis with the next commit of its shard
    for turn in range(10):
        world.produce(clicks_of(others, now_ms + turn, f"t{turn}"))
        total += len(others)
        world.wait_taken(total, 60)
        if not any(user.encode() in one for one in keys_and_values(world) for user in victims):
            break
    assert not [user for one in keys_and_values(world) for user in victims if user.encode() in one]
    world.client.bgrewriteaof()
    wait_until(lambda: not world.client.info("persistence")["aof_rewrite_in_progress"], 30, "rewritten")
    wait_until(
        lambda: not any(user.encode() in one for one in files_of_redis(tmp_path / "redis") for user in victims), 30, "no byte on disk"
    )
    wait_until(lambda: read_by(history) >= total, 60, "all in the history", writer.text)
    done = world.start(*asked, "--yes", "--wait", "60")
    assert done.process.wait(120) == 0, done.text()
    assert [one for user in victims for one in found_in(history, user)] == []
    assert [program.terminate() for program in (*workers, writer)] == [0, 0, 0]
    assert not [user for user in victims for program in world.programs if user in program.text()]

    counts = world.check(KEYS)
    ends = [decode_alert(message.value) for messages in world.log("alerts").values() for message in messages]
    assert {one.user for one in ends if one.cause == "erased"} >= set(flagged)
    schema = json.loads((Path(events_room or "").parent / "erase.schema.json").read_text())
    records = [json.loads(one.value) for messages in world.log("clicks").values() for one in messages if b'"erase"' in one.value]
    for record in records:
        jsonschema.validate(record, schema)
    recount = world.start("history", "verify", "--json")
    assert recount.process.wait(120) == 0, recount.text()
    assert json.loads(recount.text())["erased"] >= len(records) + 3 * len(victims)
    log = open_log(history)
    held = log.con.execute('select count(*), count(distinct "user") from events').fetchall()[0]
    log.con.close()
    say(
        f"erasing: {len(victims)} users, {kills} kills, {len(records)} records, then {counts['users']} users and {held} in the history: nothing left"
    )


def read_by(history: Path) -> int:
    log = open_log(history)
    try:
        return sum((log.as_of.offsets or {}).values())
    finally:
        log.con.close()


def test_a_consent_lets_a_user_be_known_again(world: World) -> None:
    worker = world.start()
    now_ms = int(time.time() * 1000)
    world.produce(clicks_of(["ann"], now_ms, "1"))
    world.wait_taken(1, 60)
    command = world.start("erase", "ann", "--yes", "--wait", "1")
    assert command.process.wait(90) in {0, 1}, command.text()
    others, sent = [f"new-{number}" for number in range(20)], 0
    for turn in range(10):  # what was told of them leaves Redis with the next commit of their shard
        sent += world.produce(clicks_of(others, now_ms, f"o{turn}"))
        world.wait_taken(2 + sent, 60)
        check = world.start("erase", "ann", "--check")
        if check.process.wait(60) == 0:
            break
    assert check.code == 0, check.text()
    reader = UserReader(world.redis, world.app)
    world.produce(clicks_of(["ann"], int(time.time() * 1000), "2"))
    world.wait_taken(3 + sent, 60)
    assert reader.user("ann", now_ms) is None
    consent = json.dumps({"user": "ann", "ts": int(time.time() * 1000), "type": "consent"}).encode()
    world.produce([("ann", consent), *clicks_of(["ann"], int(time.time() * 1000), "3"), *clicks_of(["ann"], now_ms, "4")])
    world.wait_taken(6 + sent, 60)
    view = reader.user("ann", now_ms)
    assert view is not None
    totals = sum((one.totals.get("erased", 0) for one in world.metas().values()), 0)
    assert totals == 2
    assert worker.terminate() == 0
    again = world.start("erase", "ann", "--check")
    assert again.process.wait(60) == 1, again.text()
