"""Is this user at risk at this moment: what is answered, and that it is never a moment old."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

import httpx
import numpy as np
import pytest

from features.store.keys import shard_keys
from features.users.packed_state import FORM
from insights.live.standings import Standings
from stream.alerts.message import alert_id
from stream.demo.local_redis import LocalRedis
from tests.web.api.shop import ANNS, DAY_MS, NEWEST_MS, OPENED_MS, Shop, state

pytestmark = pytest.mark.real_redis
HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "=1+1", "../../etc/passwd", "..", ".", "a/b", "a//b", "/", "/risk", "x/risk",
    "a?b=c&d", "a#b", "%2F", "%252F", "{{7*7}}", "\u202eevil\u202c", "李雷 🙂", "a\tb\nc", "\x00", "\x7f", " ", "+", "a b", "u" * 256, "é" * 128,
)  # fmt: skip
"""Ids that strangers may choose."""


async def test_somebody_who_has_gone_silent(shop: Shop, caller: httpx.AsyncClient) -> None:
    answer = await caller.get("/api/v1/users/ann/risk")
    assert (answer.status_code, answer.headers["content-type"], answer.headers["cache-control"]) == (200, "application/json", "no-store")
    said = answer.json()
    assert (said["user"], said["definition"], said["known"], said["at_risk"]) == ("ann", "churn14", True, True)
    assert said["alert_id"] == alert_id(shop.name, "churn14", "ann", OPENED_MS)
    assert (said["risk"], said["threshold"], said["model_version"]) == (0.8, 0.7, 7)
    assert said["valid_until_ms"] == OPENED_MS + 14 * DAY_MS
    assert said["counted_until_ms"] == NEWEST_MS
    assert said["as_of_ms"] == NEWEST_MS - 3_600_000


async def test_each_definition_by_itself(caller: httpx.AsyncClient) -> None:
    carl = [(await caller.get("/api/v1/users/carl/risk", params={"definition": name})).json() for name in ("churn14", "churn7")]
    assert [one["at_risk"] for one in carl] == [False, True]
    assert [one["alert_id"] is None for one in carl] == [True, False]
    assert carl[1]["valid_until_ms"] == OPENED_MS + 7 * DAY_MS


async def test_somebody_who_came_back(caller: httpx.AsyncClient) -> None:
    bob = (await caller.get("/api/v1/users/bob/risk")).json()
    assert (bob["known"], bob["at_risk"], bob["alert_id"], bob["valid_until_ms"]) == (True, False, None, None)
    assert bob["counted_until_ms"] == NEWEST_MS + 60_000


async def test_somebody_whom_nobody_has_seen_is_no_error(caller: httpx.AsyncClient) -> None:
    answer = await caller.get("/api/v1/users/nobody/risk")
    assert answer.status_code == 200
    said = answer.json()
    assert (said["known"], said["at_risk"], said["risk"], said["model_version"]) == (False, False, None, None)
    assert said["counted_until_ms"] == NEWEST_MS, "the shard that is furthest behind"


async def test_whoever_comes_back_is_not_at_risk_in_the_next_answer(shop: Shop, caller: httpx.AsyncClient) -> None:
    """Commits and questions take turns, so an answer from any cache would be caught."""
    for turn in range(20):
        back = turn % 2 == 1
        seen_ms = OPENED_MS + turn if back else None
        await shop.commit(ANNS, ["ann"], state("ann", opened_ms=OPENED_MS, alert_open=(not back, False), last_active_ms=seen_ms))
        one, many = await asyncio.gather(caller.get("/api/v1/users/ann/risk"), caller.post("/api/v1/risks", json={"users": ["bob", "ann"]}))
        assert one.json()["at_risk"] is not back
        assert many.json()["risks"][1]["at_risk"] is not back


async def test_a_question_that_comes_while_another_is_read_is_read_after_it(shop: Shop) -> None:
    """A commit that ends before the question is in its answer, however many are asked at once."""
    standings = Standings(shop.parts.engine)

    async def ask(user: str) -> bool:
        found = (await standings.of((user,))).users[0]
        return found is not None and found.definitions[0].alert_open

    for turn in range(10):
        early = [asyncio.create_task(ask("ann")) for _ in range(50)]
        await asyncio.sleep(0)
        back = turn % 2 == 0
        await shop.commit(ANNS, ["ann"], state("ann", opened_ms=OPENED_MS, alert_open=(not back, False)))
        late = await asyncio.gather(*(ask("ann") for _ in range(50)))
        assert late == [not back] * 50
        await asyncio.gather(*early)


async def test_many_users_in_their_order(caller: httpx.AsyncClient) -> None:
    users = ["nobody", "carl", "ann", "ann", "bob"]
    answer = await caller.post("/api/v1/risks", json={"users": users, "definition": "churn7"})
    assert [(one["user"], one["known"], one["at_risk"]) for one in answer.json()["risks"]] == [
        ("nobody", False, False), ("carl", True, True), ("ann", True, False), ("ann", True, False), ("bob", True, False),
    ]  # fmt: skip
    assert (await caller.post("/api/v1/risks", json={"users": []})).json() == {"risks": []}


async def test_a_thousand_users_at_most(caller: httpx.AsyncClient) -> None:
    users = [f"u{n}" for n in range(1_000)]
    assert len((await caller.post("/api/v1/risks", json={"users": users})).json()["risks"]) == 1_000
    refused = await caller.post("/api/v1/risks", json={"users": [*users, "one more"]})
    assert (refused.status_code, refused.json()["errors"][0]["where"]) == (422, "body.users")


@pytest.mark.parametrize("user", HOSTILE)
async def test_any_id_can_be_asked_about(shop: Shop, caller: httpx.AsyncClient, user: str) -> None:
    await shop.commit(ANNS, [user], state(user, opened_ms=OPENED_MS, alert_open=(True, False)))
    said = (await caller.post("/api/v1/risks", json={"users": [user]})).json()["risks"][0]
    assert (said["user"], said["known"], said["at_risk"]) == (user, True, True)
    if user not in {".", ".."}:  # a client makes folders of these
        by_path = await caller.get(f"/api/v1/users/{quote(user, safe='')}/risk")
        assert (by_path.status_code, by_path.json()) == (200, said)


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("users//risk", "address.user"),
        (f"users/{'u' * 257}/risk", "address.user"),
        (f"users/{quote('é' * 129)}/risk", "address.user"),
        ("users/ann/risk?definition=churn30", "definition"),
        ("users/ann/risk?defintion=churn7", "address"),
    ],
)
async def test_what_is_not_valid_is_said(caller: httpx.AsyncClient, path: str, where: str) -> None:
    answer = await caller.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    said = answer.json()
    assert said["type"] == "urn:churnwatch:problem:invalid"
    assert [fault["where"] for fault in said["errors"]] == [where]


async def test_a_wrong_definition_is_told_the_right_ones(caller: httpx.AsyncClient) -> None:
    answer = await caller.get("/api/v1/users/ann/risk?definition=churn30")
    assert "there are: churn14, churn7" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"\xff", 400), (b'{"users": ["\\ud800"]}', 400), (b"[" * 60_000, 422), (b"[]", 422), (b'{"users": "ann"}', 422),
     (b'{"users": [1]}', 422), (b'{"users": [""]}', 422), (b'{"users": ["ann"], "definiton": "churn7"}', 422), (b'{"users": [null]}', 422)],
)  # fmt: skip
async def test_a_body_that_is_not_one(caller: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await caller.post("/api/v1/risks", content=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_state_that_cannot_be_read_spoils_no_other_answer(shop: Shop, caller: httpx.AsyncClient) -> None:
    shop.client.setrange(shard_keys(shop.name, ANNS).state("ann"), 0, bytes([FORM + 1]))
    answers = await asyncio.gather(*(caller.get(f"/api/v1/users/{user}/risk") for user in ["bob", "ann", "carl", "nobody"] * 5))
    assert [answer.status_code for answer in answers] == [200, 500, 200, 200] * 5
    assert answers[1].json()["type"] == "urn:churnwatch:problem:damaged"
    assert "churnwatch state check" in answers[1].json()["detail"]


async def test_a_definition_that_is_added_is_known_without_a_restart(shop: Shop, caller: httpx.AsyncClient) -> None:
    assert (await caller.get("/api/v1/users/ann/risk?definition=churn3")).status_code == 422
    from features.definitions.definition import ChurnDefinition
    from features.store.app_spec import AppSpec
    from features.store.keys import app_keys
    from features.users.spec import FeatureSpec
    from tests.web.api.shop import DEFINITIONS, PARTITIONS

    more = FeatureSpec(definitions=(*DEFINITIONS, ChurnDefinition(name="churn3", horizon_ms=3 * DAY_MS)))
    shop.client.set(app_keys(shop.name).spec, AppSpec(spec=more, cluster_id="c", topic_id="t", partitions=PARTITIONS).pack())
    shop.parts.engine.FRESH_S = 0.0
    said = (await caller.get("/api/v1/users/ann/risk?definition=churn3")).json()
    assert (said["definition"], said["known"], said["at_risk"]) == ("churn3", True, False)


async def test_before_the_first_worker(redis_server: LocalRedis, app_name: str, tmp_path: Path) -> None:
    async with Shop(redis_server.url, app_name, tmp_path).caller() as caller:
        answer = await caller.get("/api/v1/users/ann/risk")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:churnwatch:problem:not-started")
    assert int(answer.headers["retry-after"]) > 0


async def test_when_redis_is_away_nobody_is_said_to_be_at_risk(own_redis: LocalRedis, app_name: str, tmp_path: Path) -> None:
    shop = Shop(own_redis.url, app_name, tmp_path)
    await shop.fill()
    async with shop.caller() as caller:
        assert (await caller.get("/api/v1/users/ann/risk")).json()["at_risk"]
        own_redis.kill()
        answers = [await caller.get("/api/v1/users/ann/risk"), await caller.post("/api/v1/risks", json={"users": ["ann"]})]
        own_redis.start()
        shop.parts.engine.FRESH_S = 0.0
        assert (await caller.get("/api/v1/users/ann/risk")).status_code == 200
    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == [(503, "urn:churnwatch:problem:no-redis")] * 2
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)


async def test_only_whoever_may_see_persons(shop: Shop) -> None:
    async with shop.caller("read:aggregates", "write:events") as caller:
        answers = [await caller.get("/api/v1/users/ann/risk"), await caller.post("/api/v1/risks", json={"users": ["ann"]})]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert all("read:people" in answer.json()["detail"] for answer in answers)
    assert not any("ann" in answer.text for answer in answers)


def test_states_of_the_tests_are_what_they_say() -> None:
    one = state("ann", opened_ms=OPENED_MS, alert_open=(True, False))
    assert np.array_equal(one["alert_open"][0], [1, 0])
