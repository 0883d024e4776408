"""What the list says of people is what the store wrote of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from features.definitions.definition import DAY_MS, ChurnDefinition
from features.store.app_spec import AppSpec
from features.store.keys import shard_keys
from features.store.redis import connect
from features.users.named import RISK_STEPS
from features.users.spec import FeatureSpec
from insights.live.people import Asked, Known, look_up
from stream.demo.local_redis import LocalRedis
from tests.features.test_reader import START, states_of, write

pytestmark = pytest.mark.real_redis
SPEC = FeatureSpec(definitions=(ChurnDefinition(), ChurnDefinition(name="churn7", horizon_ms=7 * DAY_MS)), channels=("ads", "mail"))
STORED = AppSpec(spec=SPEC, cluster_id="c", topic_id="t", partitions=2)
OPENED = START + 10 * DAY_MS


@pytest.fixture
def client(redis_server: LocalRedis) -> Iterator[redis.Redis]:
    with connect(redis_server.url) as client:
        yield client


async def test_people_of_two_shards_in_the_order_asked_for(client: redis.Redis, app_name: str) -> None:
    users = [f"u{n}" for n in range(6)]
    for partition in (0, 1):
        its = users[partition::2]
        states = states_of(its)
        states["alert_open"][:, 0], states["opened_ms"][:, 0], states["risk"][:, 0] = 1, OPENED, RISK_STEPS
        states["channel"], states["revenue"] = [1, 2, 15], [0.0, 100.0, 280.0]
        await write(client, app_name, partition, its, states)
    asked = [Asked(user, n % 2, "churn14", OPENED) for n, user in enumerate(users)]
    found = look_up(client, app_name, STORED, [*reversed(asked), Asked("nobody", 0, "churn14", OPENED), Asked("u0", 0, "gone", OPENED)])
    assert found[-2:] == [None, None], "a state that is not there, and a definition that is not"
    assert [one.channel for one in found[:6] if one] == ["other", "other", "mail", "mail", "ads", "ads"]
    assert [one.money for one in found[:6] if one] == [10.0, 10.0, 100 / 28, 100 / 28, 0.0, 0.0], "spread over 28 days at least"
    assert {one.last_active_ms for one in found[:6] if one} == {START + 2 * DAY_MS}


async def test_a_risk_counts_only_while_that_alert_is_open(client: redis.Redis, app_name: str) -> None:
    users = ["open", "closed", "again"]
    states = states_of(users)
    states["alert_open"][:, 0], states["opened_ms"][:, 0], states["risk"][:, 0] = [1, 0, 1], [OPENED, OPENED, OPENED + 1], 13_107
    await write(client, app_name, 0, users, states)
    found = look_up(client, app_name, STORED, [Asked(user, 0, "churn14", OPENED) for user in users])
    assert [one.risk for one in found if one] == [0.2, None, None]


async def test_one_damaged_state_does_not_hide_the_others(client: redis.Redis, app_name: str) -> None:
    users = ["a", "b", "c"]
    await write(client, app_name, 0, users, states_of(users))
    client.set(shard_keys(app_name, 0).state("b"), b"\x03damaged")
    found = look_up(client, app_name, STORED, [Asked(user, 0, "churn14", OPENED) for user in users])
    assert [one is None for one in found] == [False, True, False]


async def test_money_is_unknown_where_no_event_brings_any(client: redis.Redis, app_name: str) -> None:
    await write(client, app_name, 0, ["a"], states_of(["a"]))
    stored = AppSpec(spec=FeatureSpec(definitions=SPEC.definitions, revenue_events=()), cluster_id="c", topic_id="t", partitions=2)
    assert look_up(client, app_name, stored, [Asked("a", 0, "churn14", OPENED)]) == [Known(None, "none", None, START + 2 * DAY_MS)]


def test_nobody_is_no_question(client: redis.Redis, app_name: str) -> None:
    assert look_up(client, app_name, STORED, []) == []
