"""The page Data: what it counts is what the shards counted, and what Kafka does not say is said not to be known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import msgspec
import pytest
from starlette.testclient import TestClient

from features.store.keys import META_FIELD, shard_keys
from insights.live.clicks import Intake
from insights.live.engine import Engine
from insights.live.letters import Rejected
from insights.web.app import make_app
from insights.web.data.processes import processes_of
from insights.web.data.view import Asked, page_of
from insights.web.parts import parts_over
from insights.web.saying import Saying
from insights.words import DASH, words
from stream.demo.local_redis import LocalRedis
from stream.kafka.look import Look, Member
from tests.web.world import WebWorld, make_world

pytestmark = pytest.mark.real_redis


@pytest.fixture(scope="module")
def world(redis_server: LocalRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebWorld]:
    made = make_world("warming", redis_server, tmp_path_factory.mktemp("data"), app_name="data-warming")
    yield made
    made.close()


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html)))


def saying(world: WebWorld) -> Saying:
    view = world.parts.engine.view()
    assert view.spec is not None
    return Saying(words("en"), view.spec.spec, world.zone, "USD", view.as_of_ms or 0)


def asked(world: WebWorld, intake: Intake | None) -> Asked:
    return Asked(world.parts.engine.view(), intake, [], world.parts.past.positions(), world.now_ms)


def test_what_was_taken_is_what_the_shards_counted(world: WebWorld) -> None:
    view = world.parts.engine.view()
    shown = text_of(world.browser().get("/data").text)
    assert f"of {sum(view.totals.values()):,} records since the beginning" in shown
    for meta in view.metas.values():
        assert f"{sum(meta.totals.values()):,}" in shown


def test_what_waits_is_the_end_of_the_log_less_what_was_committed(world: WebWorld) -> None:
    ends = {number: meta.next_offset + 5 for number, meta in world.parts.engine.view().metas.items()}
    page = page_of(asked(world, Intake(Look(ends, world.now_ms, ()), world.now_ms, reached=True, taken_per_s=3.0)), saying(world))
    assert [one.waiting for one in page.shards] == ["5"] * len(ends)
    assert page.tiles[2].value == str(5 * len(ends))


def test_without_kafka_the_page_is_there_and_says_so(world: WebWorld) -> None:
    for intake in (None, Intake(None, 0, reached=False, taken_per_s=0.0)):
        page = page_of(asked(world, intake), saying(world))
        assert page.tiles[2].value == DASH
        assert "Kafka" in page.tiles[2].about
        assert {one.waiting for one in page.shards} == {DASH}


def test_workers_are_the_members_of_the_group(world: WebWorld) -> None:
    members = (Member("shop", "10.0.0.4", (0,)), Member(None, "<b>evil</b>\u202e", ()))
    found = processes_of(
        world.parts.engine.view(), Intake(Look({}, None, members), 1, reached=True, taken_per_s=0.0), [], [], 0, saying(world)
    )
    assert [(one.health, one.state) for one in found[:2]] == [("good", "working"), ("quiet", "waits for a partition")]
    assert "\u202e" not in found[1].about


@pytest.mark.parametrize(("members", "state"), [((), "none runs"), (None, "not known")])
def test_no_worker_is_not_the_same_as_not_knowing(world: WebWorld, members: tuple[Member, ...] | None, state: str) -> None:
    found = processes_of(
        world.parts.engine.view(), Intake(Look({}, None, members), 1, reached=True, taken_per_s=0.0), [], [], 0, saying(world)
    )
    assert found[0].state == state


def test_hostile_fields_and_types_are_text(world: WebWorld) -> None:
    world.rejected = {("unknown_type", "<script>alert(1)</script>"): Rejected(3, "<img src=x onerror=alert(1)>", world.now_ms)}
    html = world.browser().get("/data").text
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;alert(1)" in html


@pytest.mark.parametrize("damage", [b"\xc1 no record", b"", msgspec.msgpack.encode({"next_offset": "five"})])
def test_a_shard_that_cannot_be_read_is_named_and_all_else_is_shown(
    redis_server: LocalRedis, tmp_path: Path, app_name: str, damage: bytes
) -> None:
    world = make_world("warming", redis_server, tmp_path, app_name=app_name, users=30)
    engine = Engine(world.parts.engine.client, app_name)
    before = engine.view()
    engine.client.hset(shard_keys(app_name, 1).meta, META_FIELD, damage)
    engine = Engine(engine.client, app_name, lambda: world.now_ms)
    view = engine.view()
    assert (view.unreadable, view.reached, view.metas) == ((1,), True, {0: before.metas[0]})
    assert view.as_of_ms is not None
    parts = parts_over(world.parts.settings, engine, world.parts.store, world.intake, lambda: world.now_ms)
    browser = TestClient(make_app(parts), base_url="http://127.0.0.1")
    for path in ("/at-risk", "/model", "/data", "/person"):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert "cannot be read: partition 1" in text_of(answer.text)
        assert "churnwatch state check" in text_of(answer.text)
    page = page_of(Asked(view, world.intake(), [], [], world.now_ms), saying(world))
    assert [(one.number, one.newest) for one in page.shards][1:] == [("1", "cannot be read")]
    said = browser.get("/api/v1/data").json()
    assert (said["unreadable"], said["followed"]) == ([1], 1)
    assert browser.get("/api/v1/users/nobody/risk").json()["counted_until_ms"] is None, "it may be that shard's"
    world.close()
