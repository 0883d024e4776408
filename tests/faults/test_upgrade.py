"""An app that the first build made goes on: taken over one process at a time by this build, on real servers; and the way back is refused."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from features.store.keys import app_keys, shard_keys
from features.users.packed_state import FORM, read_states
from online_models.registry_redis import RedisRegistry
from stream.alerts.message import Alert, alert_id, decode_alert
from stream.faults import ServerMissing
from tests.faults.bench_world import DEFAULT_TOML, PARTITIONS, World, made_up_log
from tests.oracles.engine import comparable
from tests.servers.first_build import first_build
from tests.servers.process import Program, wait_until

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis, pytest.mark.slow, pytest.mark.timeout(900)]
KEY_EVENTS = ("click", "view", "purchase")
LEARNS = DEFAULT_TOML.replace("min_labels = 100000000", 'min_labels = 50\nwindow = 200\nmodels = ["logistic"]')


@pytest.fixture(scope="module")
def first() -> Path:
    try:
        return first_build()
    except ServerMissing as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs the history: {error}")
        pytest.skip(str(error))


def rolled(old: Program, start_new: Callable[[], Program]) -> Program:
    """Stop a process of the first build and start one of this build in its place, as an operator does."""
    # the first build's stop was cut short now and then, which loses nothing
    assert old.terminate() in {0, 75}, old.text()
    new = start_new()
    wait_until(lambda: new.at_work() or new.process.poll() is not None, 60, "the new one is at work", new.text)
    return new


def alerts_of(world: World) -> list[Alert]:
    """Every alert, in the order of its partition."""
    return [decode_alert(message.value) for messages in world.log("alerts").values() for message in messages]


def open_in(states: dict[str, bytes]) -> dict[str, int]:
    """Users with an open alert, and its landmark."""
    rows = read_states(list(states), list(states.values()), 1)
    return {user: int(row["opened_ms"][0]) for user, row in zip(states, rows, strict=True) if row["alert_open"][0]}


def forms(world: World) -> set[int]:
    return {packed[0] for partition in range(PARTITIONS) for packed in world.states(partition).values()}


def test_its_alerts_states_and_pending_snapshots_go_on(world: World, first: Path, say: Callable[[str], None]) -> None:
    """Scored by the rule, so that all of it is known: as if one build had read the log undisturbed."""
    log = list(made_up_log(60_000, 3_000, 9.0))
    old = [world.start(root=first), world.start(root=first)]
    sent = world.produce(log[:40_000])
    world.wait_taken(sent, 120)
    assert forms(world) == {2}
    was_open = {user: at for partition in range(PARTITIONS) for user, at in open_in(world.states(partition)).items()}
    pending = sum(1 for _ in world.client.scan_iter(f"{app_keys(world.app).prefix}*snap:*", count=1_000))
    assert len(was_open) > 10
    assert pending > 100
    before = {(alert.alert_id, alert.type) for alert in alerts_of(world)}

    new = [rolled(old[0], world.start)]
    sent += world.produce(log[40_000:47_000])
    world.wait_taken(sent, 90)
    new.append(rolled(old[1], world.start))
    sent += world.produce(log[47_000:])
    world.wait_taken(sent, 90)
    assert [worker.terminate() for worker in new] == [0, 0], world.tails()
    assert "Traceback" not in "".join(worker.text() for worker in new)

    totals = world.check(KEY_EVENTS)
    assert FORM in forms(world)
    after = alerts_of(world)
    assert before <= {(alert.alert_id, alert.type) for alert in after}
    ended = {(alert.user, alert.landmark_ms) for alert in after if alert.type == "resolved"}
    assert len(ended & was_open.items()) > 5, "alerts that the first build opened are ended by this one"
    say(f"{len(was_open)} open alerts and {pending} lists of pending snapshots taken over: {dict(totals)}")


@pytest.fixture
def learning(kafka: str, own_redis: Any, app_name: str, tmp_path: Path) -> Any:
    made = World(kafka, own_redis.url, app_name, tmp_path, LEARNS)
    yield made
    made.stop_all()


def test_its_models_are_learned_anew_and_the_way_back_is_refused(learning: World, first: Path, say: Callable[[str], None]) -> None:
    world = learning
    registry = RedisRegistry(world.client, world.app)
    log = list(made_up_log(24_000, 800, 12.0))
    old = [world.start(root=first), world.start(root=first)]
    teacher = world.start("train", root=first)
    sent = world.produce(log[:16_000])
    world.wait_taken(sent, 120)
    wait_until(lambda: bool(registry.versions("gone")), 120, "the first build has learned a model", world.tails)
    sent += world.produce(log[16_000:17_500])
    world.wait_taken(sent, 60)

    new = [rolled(old[0], world.start)]
    sent += world.produce(log[17_500:19_000])
    world.wait_taken(sent, 90)
    new.append(rolled(old[1], world.start))
    assert teacher.terminate() in {0, 75}, teacher.text()
    known = max(registry.versions("gone"))
    teacher = world.start("train")
    sent += world.produce(log[19_000:])
    world.wait_taken(sent, 90)
    wait_until(lambda: max(registry.versions("gone")) > known, 120, "this build has learned a model", world.tails)
    wait_until(lambda: "all examples read" in teacher.text(), 120, "it has learned from all", world.tails)
    fresh = f"model loaded definition=gone version={max(registry.versions('gone'))}"
    wait_until(lambda: all(fresh in worker.text() for worker in new), 30, "it serves", world.tails)
    assert [one.terminate() for one in (*new, teacher)] == [0, 0, 0], world.tails()
    assert "Traceback" not in "".join(one.text() for one in (*new, teacher))

    # what follows from the log alone is as it must be; what follows from models is whole: each alert opened once, ended once, and known
    totals = 0
    messages = world.log("alerts")
    for partition, (shard, store, _, _) in world.replay(KEY_EVENTS).items():
        expected, found = store.users(partition), world.states(partition)
        assert found.keys() == expected.keys()
        assert [user for user in expected if comparable(user, found[user], 1) != comparable(user, expected[user], 1)] == []
        meta = world.metas()[partition]
        assert (meta.totals, meta.example_no) == (shard.meta.totals, shard.meta.example_no)
        by_user: dict[str, list[Alert]] = defaultdict(list)
        for message in messages[partition]:
            alert = decode_alert(message.value)
            assert alert.alert_id == alert_id(world.app, "gone", alert.user, alert.landmark_ms)
            by_user[alert.user].append(alert)
            totals += 1
        for alerts in by_user.values():
            assert [alert.type for alert in alerts] == (["opened", "resolved"] * len(alerts))[: len(alerts)]
            assert [one.alert_id for one in alerts[0::2]][: len(alerts[1::2])] == [one.alert_id for one in alerts[1::2]]
        still_open = {user: alerts[-1].landmark_ms for user, alerts in by_user.items() if alerts[-1].type == "opened"}
        assert open_in(found) == still_open
    assert totals > 100

    stands = {partition: meta.next_offset for partition, meta in world.metas().items()}
    epochs = [world.client.hget(shard_keys(world.app, partition).owner, "epoch") for partition in range(PARTITIONS)]
    back = world.start(root=first)
    assert back.process.wait(90) == 2, back.text()
    assert "prefix_version: stored 2, now 1" in back.text()
    assert "Traceback" not in back.text()
    teacher = world.start("train", root=first)
    assert teacher.process.wait(90) == 2, teacher.text()
    reader = world.start("user", next(iter(world.states(0))), root=first)
    assert reader.process.wait(60) == 2, reader.text()
    assert "run the version that wrote it" in reader.text()
    assert {partition: meta.next_offset for partition, meta in world.metas().items()} == stands
    assert [world.client.hget(shard_keys(world.app, partition).owner, "epoch") for partition in range(PARTITIONS)] == epochs
    say(f"{totals} alerts over an upgrade with learned models, versions up to {max(registry.versions('gone'))}")
