"""How much one token may ask for, and what it is told when that is too much."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse

from insights.web.api.limits import MOST_KEYS, Buckets, Limits
from insights.web.who import Who

RATE = 5


def limited(now: list[float]) -> Limits:
    return Limits(PlainTextResponse("well"), RATE, lambda: now[0])


async def asked(limits: Limits, key: str = "token 1") -> httpx.Response:
    async def known(scope: Any, receive: Any, send: Any) -> None:
        """Let it be known who asks, as the guard does."""
        await limits({**scope, "state": {"who": Who(key, key, frozenset())}}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(known), base_url="http://127.0.0.1") as caller:
        return await caller.get("/")


async def test_beyond_the_limit_it_says_when_to_come_back() -> None:
    now = [100.0]
    limits = limited(now)
    first = [await asked(limits) for _ in range(2 * RATE)]
    assert [answer.status_code for answer in first] == [200] * (2 * RATE)
    assert {answer.headers["ratelimit-policy"] for answer in first} == {'"requests";q=10;w=2'}
    assert [answer.headers["ratelimit"] for answer in first[:2]] == ['"requests";r=9;t=1', '"requests";r=8;t=1']
    refused = await asked(limits)
    assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
    assert (refused.headers["retry-after"], refused.headers["ratelimit"]) == ("1", '"requests";r=0;t=1')
    assert refused.json()["type"] == "urn:churnwatch:problem:too-many"
    now[0] += int(refused.headers["retry-after"])
    assert [(await asked(limits)).status_code for _ in range(RATE + 1)] == [200] * RATE + [429]


async def test_each_token_has_its_own() -> None:
    limits = limited([0.0])
    for _ in range(2 * RATE + 1):
        last = await asked(limits, "token 1")
    assert last.status_code == 429
    assert (await asked(limits, "token 2")).status_code == 200


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 30)), max_size=40))
def test_never_more_than_the_burst_and_the_rate_allow(steps: list[tuple[float, int]]) -> None:
    buckets, now_s, taken = Buckets(rate=7, burst=20), 0.0, 0
    for pause_s, count in steps:
        now_s += pause_s
        wait_s = buckets.take("ann", count, now_s)
        if wait_s:
            assert buckets.take("ann", count, now_s) == wait_s, "a refusal takes nothing"
            assert not Buckets(7, 20).take("ann", count, 0.0), "a full bucket gives any count"
        else:
            taken += min(count, 20)
        assert taken <= 20 + 7 * now_s + 1e-6


def test_the_wait_suffices() -> None:
    buckets = Buckets(rate=3, burst=10)
    assert not buckets.take("ann", 10, 0.0)
    wait_s = buckets.take("ann", 4, 0.0)
    assert buckets.take("ann", 4, wait_s - 0.01)
    assert not buckets.take("ann", 4, wait_s)


def test_buckets_do_not_fill_the_memory() -> None:
    buckets: Any = Buckets(rate=1, burst=1)
    for number in range(MOST_KEYS + 50):
        buckets.take(f"token {number}", 1, 0.0)
    assert len(buckets._held) == MOST_KEYS


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
async def test_what_is_no_request_is_passed_on(kind: str) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    await Limits(app, RATE)({"type": kind}, None, None)  # type: ignore[arg-type]  # nobody is at the other end
    assert seen == [kind]
