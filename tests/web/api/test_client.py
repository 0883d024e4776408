"""The client against the real app: answers as types, pages, batches in parts, and repeats that repeat nothing."""

from __future__ import annotations

import ast
import gzip
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from churnwatch.answers import Problem
from churnwatch.calls import LONGEST_PAUSE_S, MOST_BYTES, MOST_EVENTS
from churnwatch.client import ApiRefused, ApiUnreachable, AsyncClient, Client, Event
from tests.web.api.serving import serving
from tests.web.api.shop import EVERYTHING, NEWEST_MS, Shop

pytestmark = pytest.mark.real_redis
ROOT = Path(__file__).parents[3]


@pytest.fixture
async def churn(shop: Shop) -> AsyncIterator[AsyncClient]:
    async with AsyncClient("http://127.0.0.1", shop.token(*EVERYTHING), transport=httpx.ASGITransport(shop.app)) as made:
        yield made


async def test_risks_are_what_the_api_says(churn: AsyncClient) -> None:
    ann = await churn.risk("ann")
    assert (ann.user, ann.at_risk, ann.risk, ann.counted_until_ms) == ("ann", True, 0.8, NEWEST_MS)
    assert (await churn.risk("carl", "churn7")).at_risk
    assert not (await churn.risk("nobody")).known
    assert [one.known for one in await churn.risks(["bob", "nobody"])] == [True, False]


async def test_whoever_has_no_token_is_told(shop: Shop) -> None:
    async with AsyncClient("http://127.0.0.1", "cw_none", transport=httpx.ASGITransport(shop.app)) as stranger:
        with pytest.raises(ApiRefused) as caught:
            await stranger.risk("ann")
    assert (caught.value.problem.status, caught.value.problem.type) == (401, "urn:churnwatch:problem:unauthenticated")


async def test_any_number_of_users(churn: AsyncClient) -> None:
    users = [f"u{n}" for n in range(2_345)] + ["ann"]
    found = await churn.risks(users)
    assert [one.user for one in found] == users
    assert found[-1].at_risk
    assert await churn.risks([]) == []


@pytest.mark.parametrize("user", ["..", ".", "a/b", "\n", "x/risk", "%2F", "李雷", "\x00"])
async def test_any_id(churn: AsyncClient, user: str) -> None:
    assert (await churn.risk(user)).user == user


async def test_everybody_at_risk_page_by_page(shop: Shop, churn: AsyncClient) -> None:
    users = [f"b{number}" for number in range(5)]
    shop.tell(*(shop.alert(user, 0) for user in users))
    for page in (1, 2, 6, 200):
        assert [one.user async for one in churn.at_risk("churn14", page=page)] == ["ann", *users]
    (carl,) = [one async for one in churn.at_risk("churn7", band="high", channel="none", reason="silence", q="CARL", sort="left")]
    assert (carl.user, carl.definition, carl.band, [one.code for one in carl.reason_codes]) == (
        "carl",
        "churn7",
        "high",
        ["silence", "active_days_28"],
    )
    assert [one async for one in churn.at_risk(band="critical")] == []


async def test_reasons(churn: AsyncClient) -> None:
    ann = await churn.risk("ann")
    assert ann.reasons[0] == "No activity for 9.8 days; usually back within 23 hours"
    assert (ann.reason_codes[0].code, ann.reason_codes[0].usual, ann.reason_codes[0].unit) == ("silence", 82_800.0, "seconds")


async def test_figures_and_model(churn: AsyncClient) -> None:
    sums = await churn.sums("churn14", band="high", channel="none", reason="silence")
    assert (sums.people, sums.leaving, sums.bands["high"], sums.reasons) == (1, 0.8, 1, {"silence": 1, "active days": 1})
    assert [(one.definition, one.model, one.version) for one in (await churn.model()).definitions] == [
        ("churn14", "cadence", 0),
        ("churn7", "cadence", 0),
    ]


def test_the_client_that_waits_asks_a_real_server(shop: Shop) -> None:
    shop.tell(shop.alert("b1", 0))
    with serving(shop) as address, Client(address, shop.token(*EVERYTHING)) as churn:
        assert churn.risk("ann").reason_codes
        assert [one.user for one in churn.at_risk(page=1)] == ["ann", "b1"]
        assert churn.sums().people == 2
        assert [one.definition for one in churn.model().definitions] == ["churn14", "churn7"]
        assert churn.data().reached


async def test_data(churn: AsyncClient) -> None:
    assert (await churn.data()).partitions == 2


async def test_a_problem_is_an_error_that_says_what_to_do(churn: AsyncClient) -> None:
    with pytest.raises(ApiRefused, match="there are: churn14, churn7") as caught:
        await churn.risk("ann", "churn30")
    assert caught.value.problem.status == 422


class Server:
    """Answers from a list, and remembers what it was asked; the network is none of the client's code."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers: Iterator[httpx.Response | Exception] = iter(answers)
        self.asked: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **options: Any) -> Client:
        return Client("http://churn.example/", "secret", transport=httpx.MockTransport(self), sleep=self.slept.append, **options)


def problem(status: int, retry_after: str = "") -> httpx.Response:
    said = Problem(type="urn:churnwatch:problem:x", title="No", status=status, detail="later")
    return httpx.Response(status, headers={"Retry-After": retry_after} if retry_after else {}, content=msgspec.json.encode(said))


DATA = httpx.Response(
    200, json={"as_of_ms": 1, "newest_ms": 2, "answered_ms": 3, "reached": True, "partitions": 4, "followed": 4, "outcomes": {}, "new": 1}
)


def test_what_may_pass_is_tried_again_after_the_pause_that_is_asked_for() -> None:
    server = Server(problem(429, "3"), problem(503), httpx.ConnectError("no"), httpx.ReadTimeout("slow"), DATA)
    assert server.client().data().partitions == 4
    assert len(server.asked) == 5
    assert 3.0 <= server.slept[0] <= 3.6
    assert all(0.4 <= pause_s <= 4 for pause_s in server.slept[1:])
    assert {request.headers["authorization"] for request in server.asked} == {"Bearer secret"}
    assert {str(request.url) for request in server.asked} == {"http://churn.example/api/v1/data"}


def test_the_same_events_are_sent_again_with_the_same_ids() -> None:
    done = httpx.Response(
        200,
        json={"accepted": 2, "rejected": 0, "events": [{"status": "accepted", "event_id": "a"}, {"status": "accepted", "event_id": "b"}]},
    )
    server = Server(problem(503, "1"), httpx.ReadTimeout("lost"), done)
    sent = server.client().send([Event(user="ann", ts=5, type="click", event_id="a"), {"user": "bob", "ts": 6, "type": "click"}])
    assert (sent.accepted, [one.event_id for one in sent.events]) == (2, ["a", "b"])
    assert len({request.content for request in server.asked}) == 1
    assert msgspec.json.decode(server.asked[0].content) == {
        "events": [{"user": "ann", "ts": 5, "type": "click", "event_id": "a"}, {"user": "bob", "ts": 6, "type": "click"}]
    }


@pytest.mark.parametrize("status", [400, 401, 403, 413, 422, 500])
def test_what_will_not_pass_is_not_tried_again(status: int) -> None:
    server = Server(problem(status))
    with pytest.raises(ApiRefused):
        server.client().data()
    assert len(server.asked) == 1
    assert not server.slept


def test_tries_are_bounded_and_so_are_pauses() -> None:
    server = Server(*(problem(503, "86400") for _ in range(3)))
    with pytest.raises(ApiRefused):
        server.client(tries=3).data()
    assert len(server.slept) == 2
    assert max(server.slept) <= 1.2 * LONGEST_PAUSE_S
    with pytest.raises(ApiUnreachable, match=r"churn\.example"):
        Server(httpx.ConnectError("no"), httpx.ConnectError("no")).client(tries=2).data()
    with pytest.raises(ValueError, match="at least 1"):
        Client("http://churn.example", tries=0)


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, text="<html>"), httpx.Response(502, text="Bad gateway"), httpx.Response(200, json={"a": 1})]
)
def test_an_answer_that_is_not_the_apis(answer: httpx.Response) -> None:
    with pytest.raises(ApiUnreachable, match="is this the address of"):
        Server(answer).client().data()


def sizes(events: list[Event]) -> list[tuple[int, int]]:
    """How many events, and how many bytes unpacked, each request has."""
    found: list[tuple[int, int]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        body = gzip.decompress(request.content) if request.headers.get("content-encoding") == "gzip" else request.content
        count = len(msgspec.json.decode(body)["events"])
        found.append((count, len(body)))
        return httpx.Response(200, json={"accepted": count, "rejected": 0, "events": [{"status": "accepted"}] * count})

    with Client("http://churn.example", transport=httpx.MockTransport(answer)) as client:
        assert client.send(events).accepted == len(events)
    return found


def test_a_batch_is_cut_by_number_and_by_size() -> None:
    assert sizes([]) == []
    many = sizes([Event(user="ann", ts=n, type="click") for n in range(6_000)])
    assert [count for count, _ in many] == [MOST_EVENTS, MOST_EVENTS, 1_000]
    large = sizes([Event(user="ann", ts=n, type="click", props={"x": "y" * 20_000}) for n in range(60)])
    assert sum(count for count, _ in large) == 60
    assert all(size <= MOST_BYTES + 20 for _, size in large)
    assert len(large) == 3


def test_sync_and_async_have_the_same_methods() -> None:
    def public(kind: type) -> dict[str, Callable[..., Any]]:
        return {name: method for name, method in vars(kind).items() if not name.startswith("_")}

    assert public(Client).keys() == public(AsyncClient).keys()


@pytest.mark.parametrize("name", ["answers", "calls", "client"])
def test_it_needs_nothing_of_the_engine(name: str) -> None:
    tree = ast.parse((ROOT / "churnwatch" / f"{name}.py").read_text())
    roots = {alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    roots |= {(node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not roots & {"features", "online_models", "stream", "insights", "tests"}
    assert {root for root in roots if root in {"httpx", "msgspec", "churnwatch"}} <= {"httpx", "msgspec", "churnwatch"}
