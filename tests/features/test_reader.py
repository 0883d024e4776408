"""The public reader against states that the store wrote."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import redis

from features.compiled.texts import ids_of
from features.definitions.definition import DAY_MS, ChurnDefinition
from features.reader import AppUnknown, UserReader
from features.store.app_spec import AppSpec
from features.store.contract import Commit, StoreUnavailable
from features.store.keys import shard_keys
from features.store.redis import RedisStore, connect, save_spec
from features.users.catalog import NAMES
from features.users.landmarks import phase_of
from features.users.named import RISK_STEPS, mirror_fields, named_features
from features.users.packed_state import FORM, pack_states
from features.users.spec import FeatureSpec
from features.users.state import FLAG_ARMED, LayoutError, init_state, state_dtype
from features.users.update import apply_event
from stream.demo.local_redis import LocalRedis

pytestmark = pytest.mark.real_redis

PARTITIONS = 3
SPEC = FeatureSpec(definitions=(ChurnDefinition(), ChurnDefinition(name="churn7", horizon_ms=7 * DAY_MS)), timezone="Europe/Berlin")
START = 1_700_000_000_000


@pytest.fixture
def client(redis_server: LocalRedis) -> Iterator[redis.Redis]:
    with connect(redis_server.url) as client:
        yield client


@pytest.fixture
def reader(client: redis.Redis, app_name: str) -> UserReader:
    save_spec(client, app_name, AppSpec(spec=SPEC, cluster_id="c", topic_id="t", partitions=PARTITIONS))
    return UserReader(client, app_name)


def states_of(users: Sequence[str]) -> npt.NDArray[np.void]:
    """Users with a few clicks each, armed, without a score."""
    states = np.zeros(len(users), state_dtype(2))
    for slot, user in enumerate(users):
        init_state(states, slot, phase_of(user))
        for n in range(3):
            apply_event(states[slot], START + n * DAY_MS, SPEC.type_word("click"), float("nan"), 3_600_000, SPEC.session_gap_ms)
    states["flags"] = FLAG_ARMED
    return states


async def write(client: redis.Redis, app: str, partition: int, users: Sequence[str], states: npt.NDArray[np.void], **parts: Any) -> None:
    store = RedisStore(client, app)
    taken = await store.take(partition, 1)
    armed: dict[int, list[str]] = {}
    for user, state in zip(users, states, strict=True):
        if state["flags"] & FLAG_ARMED:
            armed.setdefault(int(state["phase"]), []).append(user)
    packed = pack_states(states, np.arange(len(states)), ids_of(users))
    await store.commit(partition, Commit(taken.token, taken.commit_no, b"m", users, packed, armed=armed, **parts))
    store.close()


def test_an_app_nobody_started(client: redis.Redis, app_name: str) -> None:
    with pytest.raises(AppUnknown, match="is the name right"):
        UserReader(client, app_name).user("ann", START)


def test_no_server() -> None:
    with pytest.raises(StoreUnavailable):
        UserReader("redis://127.0.0.1:1", "shop").user("ann", START)


async def test_one_user(client: redis.Redis, app_name: str, reader: UserReader) -> None:
    states = states_of(["ann"])
    states["scored_ms"], states["risk"][0], states["model_version"][0] = START + 5, [RISK_STEPS, 13_107], [7, 8]
    states["alert_open"][0], states["opened_ms"][0, 0] = [1, 0], START + 4
    await write(client, app_name, 2, ["ann"], states)
    at_ms = START + 10 * DAY_MS
    view = reader.user("ann", at_ms)
    assert view is not None
    assert (view.user, view.partition, view.also_in, view.armed, view.as_of_ms) == ("ann", 2, (), True, at_ms)
    assert (view.first_ms, view.seen_ms, view.scored_ms) == (START, START + 2 * DAY_MS, START + 5)
    assert list(view.features) == list(NAMES)
    assert view.features["recency_s"] == 8 * 86_400
    assert view.features["count_total"] == 3
    assert view.features["session_last_s"] == 0
    assert view.features["purchase_recency_days"] is None
    assert view.features == named_features(states[0], at_ms, "Europe/Berlin")
    churn14, churn7 = view.definitions["churn14"], view.definitions["churn7"]
    assert (churn14.risk, churn14.model_version, churn14.alert_open, churn14.opened_ms) == (1.0, 7, True, START + 4)
    assert (churn7.risk, churn7.model_version, churn7.alert_open, churn7.opened_ms) == (0.2, 8, False, None)
    assert churn14.last_active_ms == START + 2 * DAY_MS


async def test_features_are_never_stated_for_a_time_before_the_newest_event(client: redis.Redis, app_name: str, reader: UserReader) -> None:
    await write(client, app_name, 0, ["ann"], states_of(["ann"]))
    view = reader.user("ann", START)
    assert view is not None
    assert (view.as_of_ms, view.features["recency_s"]) == (START + 2 * DAY_MS, 0)
    assert view.definitions["churn14"].risk is None


async def test_several_users_in_the_order_asked(client: redis.Redis, app_name: str, reader: UserReader) -> None:
    strange = ["{0}", "with space", "😀", "zoë"]
    for partition, user in enumerate(strange[:3]):
        await write(client, app_name, partition, [user], states_of([user]))
    found = reader.users([*reversed(strange), "nobody"], START)
    assert [view and (view.user, view.partition) for view in found] == [None, ("😀", 2), ("with space", 1), ("{0}", 0), None]
    assert reader.users([], START) == []


async def test_a_user_in_two_shards_is_said_to_be(client: redis.Redis, app_name: str, reader: UserReader) -> None:
    older, newer = states_of(["ann"]), states_of(["ann"])
    newer["seen_ms"] += 1
    await write(client, app_name, 0, ["ann"], older)
    await write(client, app_name, 2, ["ann"], newer)
    view = reader.user("ann", START)
    assert view is not None
    assert (view.partition, view.also_in) == (2, (0,))


async def test_users_at_risk(client: redis.Redis, app_name: str, reader: UserReader) -> None:
    rng = random.Random(1)
    wanted: dict[str, float] = {}
    for partition in range(PARTITIONS):
        users = [f"p{partition}u{n}" for n in range(3_000)]
        states = states_of(users)
        states["risk"][:, 1] = [rng.randrange(RISK_STEPS + 1) for _ in users]
        states["scored_ms"][10:] = START
        states["flags"][-20:] = 0
        states["alert_open"][::5, 1] = 1
        await write(client, app_name, partition, users, states)
        wanted |= {user: int(state["risk"][1]) / RISK_STEPS for user, state in zip(users[10:-20], states[10:-20], strict=True)}
    rows = list(reader.users_at_risk("churn7"))
    assert len(rows) == len(wanted)
    assert {row.user: row.risk for row in rows} == wanted
    high = list(reader.users_at_risk("churn7", at_least=0.9))
    assert {row.user for row in high} == {user for user, risk in wanted.items() if risk >= 0.9}
    assert all(row.partition == int(row.user[1]) and row.scored_ms == START and row.seen_ms == START + 2 * DAY_MS for row in high)
    open_ones = list(reader.users_at_risk("churn7", only_open=True))
    assert {row.user for row in open_ones} == {user for user in wanted if int(user.split("u")[1]) % 5 == 0}
    assert not any(row.view.alert_open for row in reader.users_at_risk())
    with pytest.raises(KeyError, match="there are: churn14, churn7"):
        reader.users_at_risk("churn30")


def test_nobody_at_risk(reader: UserReader) -> None:
    assert list(reader.users_at_risk()) == []


async def test_a_large_bucket_is_scanned_to_its_end(client: redis.Redis, app_name: str, reader: UserReader) -> None:
    users = [f"u{n}" for n in range(4_000)]
    states = states_of(users[:1]).repeat(len(users))
    states["scored_ms"] = START
    await write(client, app_name, 0, users, states)
    rows = [row.user for row in reader.users_at_risk()]
    assert sorted(rows) == sorted(users)


async def test_named_features_from_the_mirror(client: redis.Redis, app_name: str, reader: UserReader) -> None:
    states = states_of(["ann", "bob"])
    values = named_features(states[0], START + 3 * DAY_MS, "UTC")
    await write(client, app_name, 1, ["ann", "bob"], states, mirror={"ann": mirror_fields(values)})
    found = reader.named_features(["bob", "ann"], ["recency_s", "gap_mean_s", "purchase_recency_days", "no_such"])
    expected = {"recency_s": 86_400.0, "gap_mean_s": values["gap_mean_s"], "purchase_recency_days": None, "no_such": None}
    assert found == [None, expected]
    assert reader.named_features(["ann"], list(NAMES)) == [values]
    assert reader.named_features([], ["recency_s"]) == []
    assert reader.named_features(["ann"], []) == [None]


async def test_a_state_of_a_newer_layout_is_refused(client: redis.Redis, app_name: str, reader: UserReader) -> None:
    await write(client, app_name, 1, ["ann"], states_of(["ann"]))
    client.setrange(shard_keys(app_name, 1).state("ann"), 0, bytes([FORM + 1]))
    with pytest.raises(LayoutError):
        reader.user("ann", START)


async def test_a_state_from_before_a_definition_was_added(client: redis.Redis, app_name: str, reader: UserReader) -> None:
    old = np.zeros(1, state_dtype(1))
    init_state(old, 0, phase_of("ann"))
    apply_event(old[0], START, SPEC.type_word("click"), float("nan"), 0, SPEC.session_gap_ms)
    await write(client, app_name, 0, ["ann"], old)
    view = reader.user("ann", START)
    assert view is not None
    assert view.definitions["churn14"].last_active_ms == START
    assert view.definitions["churn7"].last_active_ms is None
