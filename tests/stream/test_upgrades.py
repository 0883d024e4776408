"""What a start makes of an app that another build has run: it goes on, or is refused with the truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import redis

from features.reader import UserReader
from features.store.app_spec import STORAGE_VERSION, AppSpec, NewerStorage, OtherFeatures, unpack_app_spec
from features.store.keys import app_keys
from features.store.redis import connect, load_spec
from stream.demo.local_redis import LocalRedis
from stream.faults import as_new_app
from stream.processes.fitness import Cluster
from stream.processes.preflight import judge_spec
from stream.settings import Settings, load_settings

pytestmark = pytest.mark.real_redis
CLUSTER = Cluster("c", "t", {"clicks": 4})
KEYS = ("click",)


@pytest.fixture
def client(redis_server: LocalRedis) -> Iterator[redis.Redis]:
    with connect(redis_server.url) as client:
        yield client


@pytest.fixture
def settings(app_name: str, tmp_path: Path) -> Settings:
    return load_settings(None, {"CHURNWATCH_APP": app_name}, app__group="g")


def stored_by_the_first_build(client: redis.Redis, settings: Settings) -> bytes:
    """As it stored it: with these fields and no others."""
    spec = AppSpec(spec=settings.spec(KEYS), cluster_id="c", topic_id="t", partitions=4)
    fields = {name: value for name, value in json.loads(spec.pack()).items() if name in {"spec", "cluster_id", "topic_id", "partitions"}}
    packed = json.dumps({**fields, "prefix_version": 1}).encode()
    client.set(app_keys(settings["app.name"]).spec, packed)
    return packed


def test_an_app_of_the_first_build_goes_on_and_is_marked_so_that_that_build_refuses_it(client: redis.Redis, settings: Settings) -> None:
    stored_by_the_first_build(client, settings)
    assert judge_spec(client, settings, CLUSTER, KEYS) == []
    packed = client.get(app_keys(settings["app.name"]).spec)
    assert isinstance(packed, bytes)
    stored = json.loads(packed)
    assert stored["prefix_version"] == STORAGE_VERSION > 1, "the first build compares this field"
    assert stored["spec_hash"] == settings.spec(KEYS).hash
    assert judge_spec(client, settings, CLUSTER, KEYS) == []
    assert client.get(app_keys(settings["app.name"]).spec) == packed


def test_what_a_newer_build_has_stored_is_refused_by_every_process(client: redis.Redis, settings: Settings) -> None:
    assert judge_spec(client, settings, CLUSTER, KEYS) == []
    stored = load_spec(client, settings["app.name"])
    assert stored is not None
    client.set(app_keys(settings["app.name"]).spec, msgspec.structs.replace(stored, storage_version=STORAGE_VERSION + 1).pack())
    for reads in (
        lambda: judge_spec(client, settings, CLUSTER, KEYS),
        lambda: UserReader(client, settings["app.name"]).user("ann", 0),
        lambda: load_spec(client, settings["app.name"]),
    ):
        with pytest.raises(NewerStorage, match="Start that version again"):
            reads()


def test_a_build_with_other_features_is_told_that_they_are_the_matter_and_all_that_they_need(
    client: redis.Redis, settings: Settings
) -> None:
    assert judge_spec(client, settings, CLUSTER, KEYS) == []
    key = app_keys(settings["app.name"]).spec
    packed = client.get(key)
    assert isinstance(packed, bytes)
    client.set(key, msgspec.structs.replace(unpack_app_spec(packed), spec_hash="0123456789abcdef").pack())
    [finding] = judge_spec(client, settings, CLUSTER, KEYS)
    assert finding.fatal
    assert "was started by a build with other features" in str(finding)
    assert "restore the configuration" not in str(finding), "it is not to blame"
    assert as_new_app(settings["app.name"], "clicks") in str(finding)
    with pytest.raises(OtherFeatures, match="use the version that they run"):
        UserReader(client, settings["app.name"]).user("ann", 0)


def test_another_configuration_is_said_field_by_field_and_nothing_else(client: redis.Redis, settings: Settings, tmp_path: Path) -> None:
    assert judge_spec(client, settings, CLUSTER, KEYS) == []
    file = tmp_path / "other.toml"
    file.write_text('[features]\ntimezone = "Europe/Berlin"\n')
    other = load_settings(file, {"CHURNWATCH_APP": settings["app.name"]}, app__group="g")
    [finding] = judge_spec(client, other, CLUSTER, KEYS)
    assert "spec.timezone: stored 'UTC', now 'Europe/Berlin'" in str(finding)
    assert "spec_hash" not in str(finding)


def test_what_a_new_app_needs_is_said_whole() -> None:
    said = as_new_app("shop", "clicks")
    for part in (
        "CHURNWATCH_APP=",
        "CHURNWATCH_TOPIC_PREFIX=",
        "CHURNWATCH_CLICKS=clicks",
        "topics create",
        "churnwatch run",
        "churnwatch train",
    ):
        assert part in said
    for costs in ("learns its models anew", "its alerts have other ids", "stop the old app"):
        assert costs in said
    assert "CHURNWATCH_CLICKS" not in as_new_app("shop", partitions=8)
    assert "--partitions 8" in as_new_app("shop", partitions=8)
