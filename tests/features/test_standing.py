"""Risks and alerts without features: the same as the whole view says, and nobody who came back is at risk."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
import redis

from features.reader import UserReader
from features.store.app_spec import AppSpec
from features.store.keys import shard_keys
from features.store.redis import connect, save_spec
from features.users.named import RISK_STEPS, DefinitionView
from features.users.packed_state import FORM
from features.users.standing import Standing, together
from features.users.state import LayoutError
from stream.demo.local_redis import LocalRedis
from tests.features.test_reader import PARTITIONS, SPEC, START, states_of, write


@pytest.fixture
def client(redis_server: LocalRedis) -> Iterator[redis.Redis]:
    with connect(redis_server.url) as client:
        yield client


@pytest.fixture
def reader(client: redis.Redis, app_name: str) -> UserReader:
    save_spec(client, app_name, AppSpec(spec=SPEC, cluster_id="c", topic_id="t", partitions=PARTITIONS))
    return UserReader(client, app_name)


def view(*, alert_open: bool, opened_ms: int | None, active_ms: int | None) -> DefinitionView:
    return DefinitionView(risk=0.5, model_version=1, last_active_ms=active_ms, alert_open=alert_open, opened_ms=opened_ms)


def standing(partition: int, seen_ms: int | None, one: DefinitionView) -> Standing:
    return Standing("ann", partition, seen_ms, None, (one,))


@pytest.mark.real_redis
async def test_it_says_what_the_whole_view_says(client: redis.Redis, app_name: str, reader: UserReader) -> None:
    users = [f"{kind}{n}" for n in range(40) for kind in ("a", "😀", "with space ", "{0}")]
    for partition in range(PARTITIONS):
        mine = users[partition::PARTITIONS]
        states = states_of(mine)
        states["scored_ms"][::2] = START + 5
        states["risk"][:, 0] = range(0, 1000 * len(mine), 1000)
        states["risk"][:, 1] = RISK_STEPS
        states["model_version"][:, 1] = partition
        states["alert_open"][::3, 1], states["opened_ms"][::3, 1] = 1, START + 3 * 86_400_000
        await write(client, app_name, partition, mine, states)
    asked = ["nobody", *reversed(users), "", "nobody", users[0]]
    views, stand = reader.users(asked, START), reader.standings(asked)
    assert [one is None for one in stand] == [one is None for one in views]
    assert sum(one is not None for one in stand) == len(users) + 1
    for whole, lean in zip(views, stand, strict=True):
        if whole is not None and lean is not None:
            names = tuple(whole.definitions.values())
            assert (lean.user, lean.partition, lean.seen_ms, lean.scored_ms) == (
                whole.user,
                whole.partition,
                whole.seen_ms,
                whole.scored_ms,
            )
            assert lean.definitions == names
    assert reader.standings([]) == []


@pytest.mark.real_redis
async def test_a_state_that_cannot_be_read_is_refused(client: redis.Redis, app_name: str, reader: UserReader) -> None:
    await write(client, app_name, 1, ["ann"], states_of(["ann"]))
    client.setrange(shard_keys(app_name, 1).state("ann"), 0, bytes([FORM + 1]))
    with pytest.raises(LayoutError):
        reader.standings(["bob", "ann"])


@pytest.mark.real_redis
async def test_whoever_came_back_in_another_shard_is_not_at_risk(client: redis.Redis, app_name: str, reader: UserReader) -> None:
    silent, back = states_of(["ann"]), states_of(["ann"])
    opened_ms = int(silent["seen_ms"][0]) + 86_400_000
    silent["alert_open"][0, 0], silent["opened_ms"][0, 0] = 1, opened_ms
    back["seen_ms"] -= 5  # what it brought was late there
    back["last_active_ms"] = opened_ms + 1
    await write(client, app_name, 0, ["ann"], silent)
    await write(client, app_name, 2, ["ann"], back)
    (lean,) = reader.standings(["ann"])
    assert lean is not None
    assert (lean.partition, lean.definitions[0].alert_open) == (0, False)


def test_the_shard_that_saw_them_last_tells() -> None:
    old = standing(1, 10, view(alert_open=True, opened_ms=20, active_ms=10))
    new = standing(2, 30, view(alert_open=False, opened_ms=None, active_ms=30))
    never = standing(0, None, view(alert_open=False, opened_ms=None, active_ms=None))
    assert together([old]) is old
    assert together([old, new, never]) == new
    assert together([never, old]) == old


def test_an_alert_holds_while_nobody_knows_of_activity_after_it() -> None:
    here = standing(1, 10, view(alert_open=True, opened_ms=20, active_ms=10))
    before = standing(0, 9, view(alert_open=False, opened_ms=None, active_ms=20))
    after = standing(0, 9, view(alert_open=False, opened_ms=None, active_ms=21))
    assert together([before, here]) == here
    closed = msgspec.structs.replace(here.definitions[0], alert_open=False)
    assert together([after, here]).definitions == (closed,)
