"""The page Data: what it counts is what the shards counted, and what Kafka does not say is said not to be known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest

from insights.live.clicks import Intake
from insights.live.letters import Rejected
from insights.web.data.processes import processes_of
from insights.web.data.view import Asked, page_of
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
