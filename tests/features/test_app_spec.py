"""The deployment's spec: first start wins, differences are told field by field."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
import redis

from features.definitions.definition import DAY_MS, ChurnDefinition
from features.store.app_spec import AppSpec, SpecMismatch, differences, unpack_app_spec
from features.store.redis import connect, load_spec, replace_spec, save_spec
from features.users.spec import FeatureSpec
from stream.demo.local_redis import LocalRedis

CHURN7 = ChurnDefinition(name="churn7", horizon_ms=7 * DAY_MS)


def app_spec(partitions: int = 4, topic_id: str = "topic", **spec: object) -> AppSpec:
    return AppSpec(spec=msgspec.convert(spec, FeatureSpec), cluster_id="cluster", topic_id=topic_id, partitions=partitions)


def with_definitions(*definitions: ChurnDefinition) -> AppSpec:
    return AppSpec(spec=FeatureSpec(definitions=definitions), cluster_id="cluster", topic_id="topic", partitions=4)


@pytest.fixture
def client(redis_server: LocalRedis) -> Iterator[redis.Redis]:
    with connect(redis_server.url) as client:
        yield client


def test_equal_specs_do_not_differ() -> None:
    assert differences(app_spec(), app_spec()) == []
    assert unpack_app_spec(app_spec(key_events=["a", "b"]).pack()) == app_spec(key_events=["a", "b"])


def test_each_field_that_differs_is_named() -> None:
    changed = app_spec(8, "another", lateness_ms=0, key_events=["click"])
    assert [one.field for one in differences(app_spec(), changed)] == ["spec.key_events", "spec.lateness_ms", "topic_id", "partitions"]
    assert str(differences(app_spec(), changed)[1]) == "spec.lateness_ms: stored 3600000, now 0"


def test_definitions_are_compared_by_name() -> None:
    one = ChurnDefinition()
    longer = ChurnDefinition(horizon_ms=30 * DAY_MS)
    [changed] = differences(with_definitions(one), with_definitions(longer))
    assert (changed.field, changed.stored, changed.given) == ("spec.definitions[churn14].horizon_ms", 14 * DAY_MS, 30 * DAY_MS)
    added = differences(with_definitions(one), with_definitions(one, CHURN7))
    assert added[0].field == "spec.definitions (order)"
    assert {one.field.split(".")[1] for one in added[1:]} == {"definitions[churn7]"}
    assert all(one.stored is None for one in added[1:] if one.given is not None)
    [moved] = differences(with_definitions(one, CHURN7), with_definitions(CHURN7, one))
    assert (moved.stored, moved.given) == (["churn14", "churn7"], ["churn7", "churn14"])


@pytest.mark.real_redis
def test_the_first_start_wins(client: redis.Redis, app_name: str) -> None:
    assert load_spec(client, app_name) is None
    save_spec(client, app_name, app_spec())
    save_spec(client, app_name, app_spec())
    with pytest.raises(SpecMismatch, match="partitions: stored 4, now 8") as mismatch:
        save_spec(client, app_name, app_spec(8))
    assert mismatch.value.stored == app_spec()
    assert load_spec(client, app_name) == app_spec()


@pytest.mark.real_redis
def test_a_spec_is_replaced_only_if_it_is_still_the_one_that_was_judged(client: redis.Redis, app_name: str) -> None:
    old, new = with_definitions(ChurnDefinition()), with_definitions(ChurnDefinition(), CHURN7)
    save_spec(client, app_name, old)
    replace_spec(client, app_name, old, new)
    assert load_spec(client, app_name) == new
    with pytest.raises(SpecMismatch):
        replace_spec(client, app_name, old, app_spec(8))
    assert load_spec(client, app_name) == new
