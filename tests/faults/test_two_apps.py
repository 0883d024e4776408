"""Two apps on one Kafka: each gets all clicks, and none gets what is the other's."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from features.store.keys import app_keys
from features.store.redis import connect, load_spec
from stream.demo.local_redis import LocalRedis
from stream.kafka.claims import claim, read_claims
from stream.kafka.origin import app_header, app_of
from stream.kafka.replayed import Replayer, read_progress
from stream.kafka.shard_wire import ExamplesProducer, KafkaWire, WireSettings
from stream.processes.preflight import NotReady
from stream.processes.worker import prepare
from stream.settings import Settings, load_settings
from tests.faults.bench_world import DEFAULT_TOML, World, made_up_log
from tests.servers.process import wait_until
from tests.stream.test_wire_contract import marker, opened
from tests.stream.topics import make_topics

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis, pytest.mark.timeout(180)]

NO_GROUP = DEFAULT_TOML.replace("[app]\n", "")


def test_two_apps_on_one_clicks_topic_both_get_all_clicks_and_what_they_may_not_share_is_refused(
    kafka: str, own_redis: LocalRedis, app_name: str, tmp_path: Path
) -> None:
    first = World(kafka, own_redis.url, app_name, tmp_path, NO_GROUP)
    (tmp_path / "beside").mkdir()
    second = World(kafka, own_redis.url, f"{app_name}-b", tmp_path / "beside", NO_GROUP)
    second.environment["CHURNWATCH_CLICKS"] = first.topics["clicks"]
    workers = [first.start(), second.start()]
    try:
        sent = first.produce(made_up_log(4_000, 300, 5.0))
        first.wait_taken(sent, 60)
        second.wait_taken(sent, 60)
        groups = [found.group for world in (first, second) if (found := load_spec(world.client, world.app)) is not None]
        assert groups == [first.app, second.app]
        # each says on its own topics whose they are
        wait_until(lambda: bool(second.log("examples")[0]), 30, "examples of the second")
        assert {app_of(record.headers) for record in second.log("examples")[0]} == {second.app}
        assert {app_of(record.headers) for records in first.log("alerts").values() for record in records} == {first.app}

        third = f"{app_name}-c"
        shared = {"CHURNWATCH_APP": third, "CHURNWATCH_CLICKS": first.topics["clicks"]}
        first.environment |= shared
        same_prefix = first.start()
        second.config.write_text(f'[app]\ngroup = "{app_name}"\n{NO_GROUP}')
        second.environment |= {"CHURNWATCH_APP": f"{app_name}-d"}
        same_group = second.start()
        assert [same_prefix.process.wait(60), same_group.process.wait(60)] == [2, 2]
        assert f"is that of app '{app_name}'" in same_prefix.text()
        fix = f"CHURNWATCH_TOPIC_PREFIX={third}. CHURNWATCH_CLICKS={first.topics['clicks']} churnwatch topics create"
        assert fix in same_prefix.text()
        assert f"the consumer group '{app_name}' is that of app '{app_name}'" in same_group.text()
        assert "remove app.group" in same_group.text()
        assert "Traceback" not in same_prefix.text() + same_group.text()
        assert load_spec(first.client, third) is None, "nothing is stored of an app that was refused"
        assert [worker.terminate() for worker in workers] == [0, 0]
    finally:
        first.stop_all()
        second.stop_all()


def test_an_app_of_an_earlier_build_keeps_its_group_and_its_spec_is_completed(kafka: str, redis_server: LocalRedis, app_name: str) -> None:
    """A spec stored before groups were: the workers of a rolling upgrade must be in the group that the old ones are in."""
    prefix = f"{app_name}."
    make_topics(kafka, prefix, 1)
    client = connect(redis_server.url)

    def settings(**overrides: object) -> Settings:
        environment = {"CHURNWATCH_KAFKA": kafka, "CHURNWATCH_REDIS": redis_server.url, "CHURNWATCH_APP": app_name}
        return load_settings(None, environment, kafka__topic_prefix=prefix, features__key_events=("click",), **overrides)

    prepared, _ = prepare(settings())
    assert prepared["app.group"] == app_name
    spec = load_spec(client, app_name)
    assert spec is not None
    old = {name: value for name, value in msgspec.to_builtins(spec).items() if name not in {"app", "group", "topic_prefix"}}
    client.set(app_keys(app_name).spec, msgspec.json.encode(old))
    prepared, _ = prepare(settings())
    assert prepared["app.group"] == "churnwatch"
    assert load_spec(client, app_name) == msgspec.structs.replace(spec, group="churnwatch")
    # nobody is in the old group: another one may be taken up
    prepared, _ = prepare(settings(app__group="other"))
    assert load_spec(client, app_name) == msgspec.structs.replace(spec, group="other")
    with pytest.raises(NotReady, match=f"set kafka.topic_prefix .* to '{prefix}'"):
        prepare(load_settings(None, {"CHURNWATCH_KAFKA": kafka, "CHURNWATCH_REDIS": redis_server.url, "CHURNWATCH_APP": app_name}))


def test_the_first_claim_in_the_log_has_the_prefix(kafka: str, app_name: str) -> None:
    prefix = f"{app_name}."
    make_topics(kafka, prefix, 1)
    one, two = (
        load_settings(None, {"CHURNWATCH_KAFKA": kafka, "CHURNWATCH_TOPIC_PREFIX": prefix, "CHURNWATCH_APP": name})
        for name in ("one", "two")
    )
    assert read_claims(one).holder("one") is None
    assert [claim(one), claim(two), claim(one)] == ["one", "one", "one"]
    assert read_claims(two).claimed == ["one"]


async def test_a_prefix_where_only_an_earlier_build_published_is_that_app_s(kafka: str, app_name: str) -> None:
    prefix = f"{app_name}."
    wires = WireSettings(kafka, "old-one", "g", make_topics(kafka, prefix, 1))
    wire = KafkaWire(wires, 0, ExamplesProducer(wires))
    await wire.open()
    await wire.publish([opened(1)], marker(opened(1)))
    await wire.close()
    two = load_settings(None, {"CHURNWATCH_KAFKA": kafka, "CHURNWATCH_TOPIC_PREFIX": prefix, "CHURNWATCH_APP": "two"})
    assert (read_claims(two).holder("two"), read_claims(two).holder("old-one")) == ("old-one", "old-one")


def test_notes_of_a_replay_are_no_claim(kafka: str, app_name: str) -> None:
    prefix = f"{app_name}."
    make_topics(kafka, prefix, 1)
    one = load_settings(None, {"CHURNWATCH_KAFKA": kafka, "CHURNWATCH_TOPIC_PREFIX": prefix, "CHURNWATCH_APP": "one"})
    Replayer(one).send([(("labels", 0, 5), None, b"{}")])
    assert read_progress(one).sent == {("labels", 0, 5)}
    assert read_claims(one).holder("one") is None


async def test_ticks_and_alerts_of_another_app_are_not_read_for_ours(kafka: str, app_name: str) -> None:
    topics = make_topics(kafka, f"{app_name}.", 1)
    ours = WireSettings(kafka, app_name, "g", topics)
    wire = KafkaWire(ours, 0, ExamplesProducer(ours))
    await wire.open()
    stranger = AIOKafkaProducer(bootstrap_servers=kafka)
    await stranger.start()
    try:
        first = await wire.tick(3, 2**62)
        await stranger.send_and_wait(topics["time"], b"99", partition=0, headers=app_header("other"))
        position = dict(opened(7).headers)["cw-position"]
        await stranger.send_and_wait(
            topics["alerts"], b"7", b"ann", 0, headers=[("ce_source", b"/churnwatch/other/0"), ("cw-position", position)]
        )
        await wire.publish([opened(9)], marker(opened(9)))
        assert list(await wire.ticks_from(0)) == [first]
        assert [entry.value for entry in await wire.alerts_after(0)] == [b"9"]
    finally:
        await stranger.stop()
        await wire.close()
