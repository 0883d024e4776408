"""Events over HTTP: what is acknowledged is in Kafka, what is sent again counts once, and when Kafka is away nothing is half answered."""

from __future__ import annotations

import asyncio
import base64
import gzip
import itertools
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from insights.web.api import examples
from insights.web.api.batch import MOST_BYTES, MOST_EVENTS
from insights.web.app import make_app
from stream.demo.local_redis import LocalRedis, free_port
from tests.faults.bench_world import World
from tests.servers.kafka import KafkaServer
from tests.servers.process import wait_until
from tests.web.api.shop import NEWEST_MS, Api, Shop

pytestmark = pytest.mark.real_redis
URL = "/api/v1/batch"


def clicks(count: int, user: str = "ann", **fields: Any) -> list[dict[str, Any]]:
    now_ms = int(time.time() * 1000) - 60_000
    return [{"user": user, "ts": now_ms + n, "type": "click", "event_id": f"{user}-{n}", **fields} for n in range(count)]


def process(world: World) -> Api:
    """Another web process of the world's app."""
    return Api(world.settings, world.client, world.folder / f"page-{next(_number)}", lambda: int(time.time() * 1000))


_number = itertools.count()


def sent(world: World) -> list[tuple[int, str, str]]:
    """(partition, key, event id) of all clicks that a worker would read."""
    return [(number, one.key.decode(), json.loads(one.value)["event_id"]) for number, log in world.log("clicks").items() for one in log]


@pytest.fixture
async def caller(world: World) -> AsyncIterator[httpx.AsyncClient]:
    one = process(world)
    async with one.caller() as made:
        yield made
    one.close()


@pytest.mark.real_kafka
async def test_what_is_acknowledged_is_in_kafka_where_any_producer_puts_it(world: World, caller: httpx.AsyncClient) -> None:
    events = [*clicks(3), *clicks(2, "李雷"), *clicks(1, "bob"), {"user": "bob", "ts": "never", "type": "click"}]
    answer = await caller.post(URL, json={"events": events})
    assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"]) == (200, 6, 1)
    assert answer.json()["events"][-1] == {
        "status": "rejected",
        "reason": "wrong_type",
        "field": "ts",
        "says": "a field is not of its type",
    }
    found = sent(world)
    assert sorted(event_id for _, _, event_id in found) == sorted(one["event_id"] for one in events[:-1])
    assert [event_id for _, key, event_id in found if key == "ann"] == ["ann-0", "ann-1", "ann-2"], "in their order"
    place = {key: number for number, key, _ in found}
    world.produce((user, json.dumps({"user": user, "ts": 1, "type": "click", "event_id": "ours"}).encode()) for user in place)
    assert {key: number for number, key, event_id in sent(world) if event_id == "ours"} == place


@pytest.mark.real_kafka
async def test_the_documents_example_is_what_is_answered(world: World, caller: httpx.AsyncClient) -> None:
    assert (await caller.post(URL, json=examples.BATCH.body)).json() == examples.BATCH.answer


@pytest.mark.real_kafka
async def test_a_batch_that_is_sent_again_counts_once(world: World, caller: httpx.AsyncClient) -> None:
    """Twenty events of one user, which are more than the engine itself remembers, and some without an id."""
    anonymous = [{"user": "bob", "ts": one["ts"], "type": "view"} for one in clicks(5)]
    body = {"events": [*clicks(20), *anonymous, anonymous[0]]}
    first = await caller.post(URL, json=body)
    again = await asyncio.gather(*(caller.post(URL, json=body) for _ in range(3)))
    assert first.json()["accepted"] == 26
    assert [answer.json() for answer in again] == [first.json()] * 3
    found = sent(world)
    assert len(found) == len({event_id for _, _, event_id in found}) == 26
    world.start()
    world.wait_taken(26, 60)
    assert sum(meta.totals.get("ok", 0) for meta in world.metas().values()) == 26


@pytest.mark.real_kafka
async def test_a_retry_at_another_process_is_a_duplicate_to_the_engine(world: World, caller: httpx.AsyncClient) -> None:
    body = {"events": [*clicks(8), *clicks(3, "bob"), {"user": "carl", "ts": clicks(1)[0]["ts"], "type": "click"}]}
    assert (await caller.post(URL, json=body)).status_code == 200
    async with process(world).caller() as other:
        assert (await other.post(URL, json=body)).status_code == 200
    assert len(sent(world)) == 24
    world.start()
    world.wait_taken(24, 60)
    totals = [meta.totals for meta in world.metas().values()]
    assert (sum(one.get("ok", 0) for one in totals), sum(one.get("duplicate", 0) for one in totals)) == (12, 12)


@pytest.mark.real_kafka
async def test_the_same_batch_many_times_at_once_is_sent_once(world: World, caller: httpx.AsyncClient) -> None:
    body = {"events": clicks(50)}
    answers = await asyncio.gather(*(caller.post(URL, json=body) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(sent(world)) == 50


@pytest.mark.real_kafka
async def test_segments_calls(world: World, caller: httpx.AsyncClient) -> None:
    call = {
        "type": "track",
        "event": "Order Completed",
        "userId": "ann",
        "timestamp": "2026-03-14T09:00:00Z",
        "messageId": "m1",
        "properties": {"revenue": 9.5},
    }
    body = json.dumps({"batch": [call, {**call, "userId": None, "messageId": "m2"}], "sentAt": "2026-03-14T09:00:01Z"}).encode()
    basic = base64.b64encode(caller.headers["authorization"].removeprefix("Bearer ").encode() + b":").decode()
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json", "Authorization": f"Basic {basic}"}
    answer = await caller.post(URL, content=gzip.compress(body), headers=headers)
    assert answer.json()["events"] == [
        {"status": "accepted", "event_id": "m1"},
        {"status": "rejected", "reason": "missing_field", "field": "userId", "says": "user, ts or type is missing"},
    ]
    assert [(key, event_id) for _, key, event_id in sent(world)] == [("ann", "m1")]


@pytest.mark.real_kafka
async def test_while_kafka_is_away_nothing_is_half_answered(
    own_kafka: KafkaServer, own_redis: LocalRedis, app_name: str, tmp_path: Path
) -> None:
    world = World(own_kafka.bootstrap, own_redis.url, app_name, tmp_path)
    async with process(world).caller() as caller:
        assert (await caller.post(URL, json={"events": clicks(3, "before")})).status_code == 200
        own_kafka.kill()
        body = {"events": [*clicks(30), *clicks(3, "before")]}
        away = await caller.post(URL, json=body)
        assert (away.status_code, away.json()["type"]) == (503, "urn:churnwatch:problem:no-kafka")
        assert int(away.headers["retry-after"]) > 0
        assert "same event ids" in away.json()["detail"]
        own_kafka.start()

        def taken() -> bool:
            return asyncio.run_coroutine_threadsafe(caller.post(URL, json=body), loop).result().status_code == 200

        loop = asyncio.get_running_loop()
        await asyncio.to_thread(wait_until, taken, 60, "the batch was taken")
    ids = [event_id for _, _, event_id in sent(world)]
    assert sorted(ids) == sorted({one["event_id"] for one in body["events"]}), "each once"


async def test_without_kafka_it_says_so_at_once(redis_server: LocalRedis, app_name: str, tmp_path: Path) -> None:
    shop = Shop(redis_server.url, app_name, tmp_path, kafka__bootstrap=f"127.0.0.1:{free_port()}")
    body = {"events": [{"user": "ann", "ts": NEWEST_MS, "type": "click"}]}
    async with shop.caller() as caller:
        began = time.monotonic()
        answers = [await caller.post(URL, json=body) for _ in range(3)]
        assert time.monotonic() - began < 30
    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {(503, "urn:churnwatch:problem:no-kafka")}


async def test_a_batch_of_events_that_are_all_wrong_needs_no_kafka(caller_without_kafka: httpx.AsyncClient) -> None:
    answer = await caller_without_kafka.post(URL, json={"events": [{"user": "ann"}, 7]})
    assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"]) == (200, 0, 2)
    assert (await caller_without_kafka.post(URL, json={"events": []})).json() == {"accepted": 0, "rejected": 0, "events": []}


@pytest.fixture
async def caller_without_kafka(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    async with shop.caller() as made:
        yield made


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"events": [], "batch": []}, 422),
        ({"events": {}}, 422),
        ({"events": None}, 422),
        ([], 422),
        ({"events": [{}] * (MOST_EVENTS + 1)}, 413),
        ({"events": [{"user": "u" * MOST_BYTES}]}, 413),
    ],
)
async def test_a_body_that_is_not_a_batch(caller_without_kafka: httpx.AsyncClient, body: Any, status: int) -> None:
    answer = await caller_without_kafka.post(URL, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize(
    ("content", "encoding", "status"),
    [
        (gzip.compress(b'{"events": [' + b" " * 400_000_000 + b"]}", 9), "gzip", 413),
        (gzip.compress(b'{"events": []}')[:-4], "gzip", 400),
        (gzip.compress(b'{"events": []}') + b"more", "gzip", 400),
        (b"not gzip", "gzip", 400),
        (b'{"events": []}', "br", 415),
        (gzip.compress(b'{"events": []}'), "gzip", 200),
        (gzip.compress(b'{"events": []}'), "GZIP", 200),
        (b'{"events": []}', "identity", 200),
    ],
)
async def test_packed_bodies(caller_without_kafka: httpx.AsyncClient, content: bytes, encoding: str, status: int) -> None:
    answer = await caller_without_kafka.post(URL, content=content, headers={"Content-Encoding": encoding})
    assert answer.status_code == status, answer.text


async def test_events_are_limited_by_token(redis_server: LocalRedis, app_name: str, tmp_path: Path) -> None:
    shop, now = Shop(redis_server.url, app_name, tmp_path, page__api_events=2_500), [100.0]
    shop.app = make_app(shop.parts, lambda: now[0])  # however long it takes to judge them
    wrong = {"events": [{}] * 2_500}
    async with shop.caller("write:events") as one, shop.caller("write:events") as two:
        assert [(await one.post(URL, json=wrong)).status_code for _ in range(3)] == [200, 200, 429]
        refused = await one.post(URL, json=wrong)
        assert int(refused.headers["retry-after"]) > 0
        assert "none of this batch was taken" in refused.json()["detail"]
        assert (await two.post(URL, json=wrong)).status_code == 200
        now[0] += int(refused.headers["retry-after"])
        assert (await one.post(URL, json=wrong)).status_code == 200
