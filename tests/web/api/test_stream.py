"""The stream of changes on a real server: what is heard, by how many at once, and that a stream that nobody hears any more counts no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from insights.web.api.problems import Refused
from insights.web.api.streams import MOST, MOST_OF_ONE, Streams
from tests.servers.process import wait_until
from tests.web.api.serving import serving
from tests.web.api.shop import Shop

pytestmark = pytest.mark.real_redis


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    with serving(shop) as found:
        yield found


def listening(address: str, token: str, stack: ExitStack) -> httpx.Response:
    client = stack.enter_context(httpx.Client(base_url=address, timeout=30))
    return stack.enter_context(client.stream("GET", "/api/v1/stream", headers={"Authorization": f"Bearer {token}"}))


def versions(answer: httpx.Response) -> Iterator[str]:
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: ") and name == "changed":
            said = json.loads(line.removeprefix("data: "))
            assert said.keys() == {"version"}, "it says nothing of anybody"
            yield said["version"]


def test_whoever_listens_hears_that_the_list_has_changed(shop: Shop, address: str) -> None:
    with ExitStack() as stack:
        answer = listening(address, shop.token("read:aggregates"), stack)
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        heard = versions(answer)
        first = next(heard)
        shop.tell(shop.alert("b1", 0))
        second = next(heard)
        shop.tell(shop.alert("b1", 0, cause="returned"))
        third = next(heard)
    assert len({first, second, third}) == 3


def test_a_token_has_so_many_streams_and_one_that_was_closed_counts_no_more(shop: Shop, address: str) -> None:
    token = shop.token("read:aggregates")
    with ExitStack() as stack:
        many = [listening(address, token, stack) for _ in range(MOST_OF_ONE)]
        assert {answer.status_code for answer in many} == {200}
        one_more = listening(address, token, stack)
        assert (one_more.status_code, one_more.headers["retry-after"]) == (429, "10")
        assert json.loads(one_more.read())["type"] == "urn:churnwatch:problem:too-many"
        other = listening(address, shop.token("read:aggregates"), stack)
        assert other.status_code == 200, "each token has its own"
        many[0].close()

        def again() -> bool:
            with ExitStack() as inner:
                return listening(address, token, inner).status_code == 200

        wait_until(again, 20, "one of them is free again")


def test_who_asks_for_its_head_does_not_wait(shop: Shop, address: str) -> None:
    answer = httpx.head(f"{address}/api/v1/stream", headers={"Authorization": f"Bearer {shop.token('read:aggregates')}"}, timeout=30)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")


def test_all_together_have_a_bound_too() -> None:
    streams = Streams()
    for number in range(MOST):
        streams.take(f"token {number // MOST_OF_ONE}")
    with pytest.raises(Refused, match="all together"):
        streams.take("another")
    streams.free("token 0")
    streams.take("another")
