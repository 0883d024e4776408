"""Rules of rejection that change while an app lives, and dead letters sent again: on real servers, held against an undisturbed reading."""

from __future__ import annotations

import json
import time

import pytest

from features.definitions.rules import Rules, RulesSince, pack_history
from features.store.keys import META_FIELD, shard_keys
from stream.kafka.shard_wire import ExamplesProducer, KafkaWire
from stream.kafka.wire import Marker
from stream.position import Position
from stream.processes.fitness import judge_topics
from stream.processes.preflight import look_at_kafka
from stream.processes.worker import prepare, wire_settings
from stream.shard.meta import ShardMeta
from tests.faults.bench_world import World, made_up_log
from tests.servers.process import wait_until

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis, pytest.mark.timeout(480)]  # a dozen processes, on two cores that may be busy
KEYS = ("click", "view", "purchase")
STRICT = 'strict_types = ["click", "view"]\n'
TOML = f"""
[app]

[features]
key_events = ["click", "view", "purchase"]
{STRICT}
[alerts]
backfill = true
threshold = 0.5

[time]
ticks = false

[learning]
min_labels = 100000000

[[definitions]]
name = "gone"
active_window = "3d"
horizon = "2d"
"""


def said_by(world: World, *args: str) -> tuple[int, str]:
    command = world.start(*args)
    return command.process.wait(60), command.text()


def counted(world: World) -> dict[str, int]:
    totals: dict[str, int] = {}
    for meta in world.metas().values():
        for name, count in meta.totals.items():
            totals[name] = totals.get(name, 0) + count
    return totals


def test_a_rule_is_changed_letters_are_sent_again_once_and_a_rebuild_decides_alike(world: World) -> None:
    worker = world.start()
    sent = world.produce(made_up_log(6_000, 300, 9.0))
    world.wait_taken(sent, 60)
    rejected = counted(world)["unknown_type"]
    assert rejected > 1_500
    replay = ("dlq", "replay", "--reason", "unknown_type")
    code, text = said_by(world, *replay)
    assert (code, f"{rejected} would be rejected again (unknown_type, type)" in text) == (0, True), text
    assert worker.terminate() == 0

    world.config.write_text(world.config.read_text().replace(STRICT, 'not_users = ["user-0000000"]\n'))
    code, text = said_by(world, *replay, "--yes")
    assert (code, "restart the workers" in text) == (2, True), text

    worker = world.start()
    now_ms = int(time.time() * 1000)
    sent += world.produce((f"new-{n}", json.dumps({"user": f"new-{n}", "ts": now_ms, "type": "purchase"}).encode()) for n in range(100))
    world.wait_taken(sent, 60)
    assert "another spec" not in worker.text()
    code, text = said_by(world, *replay)
    assert code == 0, text
    assert "to send, to the partition each came from" in text
    assert "behind their shard's watermark" in text
    assert "would be rejected again (user_reserved, user)" in text
    assert world.taken() == sent
    code, text = said_by(world, *replay, "--yes")
    assert code == 0, text
    again = int(text.rpartition(" sent")[0].split()[-1])
    assert 1_000 < again < rejected
    world.wait_taken(sent := sent + again, 60)
    code, text = said_by(world, *replay, "--yes")
    assert code == 0, text
    assert f"{again} were sent by an earlier replay: left out" in text
    code, text = said_by(world, "dlq", "ls", "--show", "0")
    assert code == 0, text
    assert any(line.split()[:4] == ["unknown_type", "type", str(rejected), str(again)] for line in text.replace(",", "").splitlines()), text
    assert worker.terminate() == 0
    assert world.taken() == sent
    assert all(len(meta.rules) == 2 for meta in world.metas().values())
    before = world.check(KEYS)
    assert before["alerts"] > 10

    states = [world.states(partition) for partition in range(4)]
    world.client.flushall()
    rebuilt = world.start("run", "--rebuild")
    world.wait_taken(sent, 90)
    assert rebuilt.terminate() == 0
    assert all(len(meta.rules) == 2 for meta in world.metas().values())
    assert world.check(KEYS) == before
    assert [set(world.states(partition)) for partition in range(4)] == [set(one) for one in states]


async def test_a_shard_says_in_kafka_which_rules_it_follows_before_any_record_has_come(world: World) -> None:
    """On a quiet topic Redis has the older ones until the next click: a replay must not wait for that."""
    wait_until(lambda: not any(one.fatal for one in judge_topics(world.settings, look_at_kafka(world.settings))), 30, "the topics")
    prepare(world.settings)
    before, now = RulesSince(0, Rules(oldest_ms=5)), RulesSince(7, world.settings.rules())
    meta = ShardMeta(next_offset=7, rules=[before])
    world.client.hset(shard_keys(world.app, 1).meta, META_FIELD, meta.pack())
    replay = ("dlq", "replay", "--reason", "unknown_type")
    code, text = said_by(world, *replay)
    assert (code, "shard 1 still follows other rules" in text) == (2, True), text
    wires = wire_settings(world.settings)
    wire = KafkaWire(wires, 1, ExamplesProducer(wires))
    await wire.open()
    await wire.publish([], Marker(Position(-1, 0, "", 0), 0, pack_history([before, now])))
    await wire.close()
    code, text = said_by(world, *replay)
    assert (code, "nothing to send" in text) == (0, True), text


def test_an_app_whose_spec_holds_the_types_goes_on_and_may_change_them(world: World) -> None:
    """Earlier versions froze the types into the stored spec and its hash."""
    from features.store.app_spec import AppSpec, unpack_app_spec
    from features.store.keys import app_keys

    first = world.start()
    wait_until(lambda: world.client.get(app_keys(world.app).spec) is not None, 60, "the spec is stored", world.tails)
    first.kill()
    stored: AppSpec = unpack_app_spec(world.client.get(app_keys(world.app).spec))  # type: ignore[arg-type]  # bytes
    import msgspec

    old = msgspec.structs.replace(stored, spec=msgspec.structs.replace(stored.spec, strict_types=("click", "view")), spec_hash=None)
    world.client.set(app_keys(world.app).spec, old.pack())
    world.config.write_text(world.config.read_text().replace(STRICT, ""))
    worker = world.start()
    sent = world.produce(made_up_log(500, 50, 2.0))
    world.wait_taken(sent, 60)
    assert worker.terminate() == 0, worker.text()
    assert "unknown_type" not in counted(world)
    assert {meta.spec_hash for meta in world.metas().values()} == {old.spec.hash}
    assert old.spec.hash != stored.spec.hash
