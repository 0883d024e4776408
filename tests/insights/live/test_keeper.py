"""The keeper's board follows the past, and says so to whoever waits; Redis only adds to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from features.definitions.definition import DAY_MS
from features.store.app_spec import AppSpec
from features.store.keys import META_FIELD, shard_keys
from features.store.redis import connect, save_spec
from insights.live.engine import Engine
from insights.live.keeper import Keeper
from insights.live.people import Known
from insights.web.at_risk.stream import RETRY_MS, News, events
from stream.demo.local_redis import LocalRedis
from stream.shard.meta import ShardMeta
from tests.features.test_reader import START, states_of, write
from tests.insights.live.alerts import alert
from tests.insights.live.told import SPEC, Told

NOWHERE = "redis://127.0.0.1:1"


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    told = Told(tmp_path)
    yield told
    told.store.close()


def users(keeper: Keeper) -> set[str]:
    return {row.alert.user for row in keeper.board.rows.values()}


def test_it_finds_what_is_open_and_then_what_changes(told: Told) -> None:
    told.tell(alert(1), alert(2), alert(2, cause="returned"))
    keeper = Keeper(told.past, Engine(connect(NOWHERE), "app"))
    keeper.look()
    assert users(keeper) == {"user-1"}
    seen = keeper.board
    told.tell(alert(3), alert(1, cause="returned"))
    keeper.look()
    assert users(keeper) == {"user-3"}
    since = keeper.board.since(seen.number, lambda _: True)
    assert (since.new, since.ended) == (1, {f"{1:032x}": "returned"})
    before = keeper.board
    keeper.look()
    assert keeper.board is before, "nothing has changed"


def test_a_page_from_before_a_restart_is_told_to_draw_itself_anew(told: Told) -> None:
    told.tell(alert(1))
    first = Keeper(told.past, Engine(connect(NOWHERE), "app"))
    first.look()
    told.tell(alert(1, cause="returned"))
    again = Keeper(told.past, Engine(connect(NOWHERE), "app"))
    again.look()
    assert not again.board.since(first.board.number, lambda _: True).whole


def test_a_new_store_begins_again(told: Told, tmp_path: Path) -> None:
    told.tell(alert(1), alert(2))
    keeper = Keeper(told.past, Engine(connect(NOWHERE), "app"))
    keeper.look()
    told.store.close()
    (tmp_path / "page.db").unlink()
    other = Told(tmp_path)
    other.tell(alert(5))
    keeper.look()
    assert users(keeper) == {"user-5"}
    other.store.close()


async def test_whoever_waits_is_woken_by_a_change(told: Told) -> None:
    with Keeper(told.past, Engine(connect(NOWHERE), "app")) as keeper:
        waiting = asyncio.create_task(keeper.changed(keeper.board.edition, 30))
        await asyncio.to_thread(told.tell, alert(1))
        assert await waiting
        assert users(keeper) == {"user-1"}
        assert not await keeper.changed(keeper.board.edition, 0.01), "nothing more has changed"
        assert await keeper.changed(keeper.board.edition - 1, 30), "it has already"
        waiting = asyncio.create_task(keeper.changed(keeper.board.edition, 30))
    assert await waiting, "it has stopped"


async def test_a_client_is_told_what_is_new_since_its_page_and_nothing_twice(told: Told) -> None:
    with Keeper(told.past, Engine(connect(NOWHERE), "app")) as keeper:
        page = keeper.board.number

        def wanted(board: object) -> News:
            since = keeper.board.since(page, lambda _: True)
            return News(since.new, len(since.ended), since.whole)

        heard = events(keeper, wanted)
        assert await anext(heard) == f"retry: {RETRY_MS}\n\n"
        assert await anext(heard) == 'event: changed\ndata: {"new":0,"ended":0,"whole":true}\n\n'
        await asyncio.to_thread(told.tell, alert(1), alert(2))
        assert await anext(heard) == 'event: changed\ndata: {"new":2,"ended":0,"whole":true}\n\n'
        await asyncio.to_thread(told.tell, alert(1, cause="returned"), alert(3))
        assert await anext(heard) == 'event: changed\ndata: {"new":2,"ended":1,"whole":true}\n\n'
    assert [one async for one in heard] == [], "it ends with the program"


@pytest.mark.real_redis
async def test_redis_says_who_they_are(told: Told, redis_server: LocalRedis, app_name: str) -> None:
    client = connect(redis_server.url)
    spec = msgspec.structs.replace(SPEC, definitions=(*SPEC.definitions, msgspec.structs.replace(SPEC.definitions[0], name="second")))
    save_spec(client, app_name, AppSpec(spec=spec, cluster_id="c", topic_id="t", partitions=1))
    row = alert(1, "ann")
    states = states_of(["ann"])
    states["alert_open"][:, 0], states["opened_ms"][:, 0], states["risk"][:, 0], states["revenue"] = 1, row.landmark_ms, 13_107, 56.0
    await write(client, app_name, 0, ["ann"], states)
    client.hset(shard_keys(app_name, 0).meta, META_FIELD, ShardMeta().pack())
    told.tell(row)
    keeper = Keeper(told.past, Engine(client, app_name))
    keeper.look()
    (listed,) = keeper.board.rows.values()
    assert listed.known == Known(0.2, "none", 2.0, START + 2 * DAY_MS)
    assert listed.risk == 0.2
    client.close()
