"""The list of people at risk for programs: it is the page's list, whole and in the same order however it is cut, and its figures are the page's."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
from starlette.testclient import TestClient

from insights.live.listing import SORTS, Filters
from insights.web.api.cursors import written
from tests.web.api.shop import DAY_MS, OPENED_MS, Shop, state
from tests.web.world import WebWorld

pytestmark = pytest.mark.real_redis


@pytest.fixture(scope="module")
def analyst(full: WebWorld) -> TestClient:
    browser = full.browser()
    browser.headers["Authorization"] = f"Bearer {full.token('read:people', 'read:aggregates')}"
    return browser


def said(browser: TestClient, path: str, **query: Any) -> Any:
    answer = browser.get(f"/api/v1/{path}?{urlencode(query)}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def everybody(browser: TestClient, **query: Any) -> list[dict[str, Any]]:
    """All pages of the list, one behind the other."""
    found, cursor = [], ""
    while True:
        part = said(browser, "at-risk", **query, cursor=cursor)
        found += part["people"]
        assert part["total"] >= len(found)
        if part["next_cursor"] is None:
            assert part["total"] == len(found)
            return found
        cursor = part["next_cursor"]


def page_file(full: WebWorld, **query: Any) -> list[dict[str, str]]:
    text = full.browser().get(f"/at-risk.csv?{urlencode(query)}").text
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 7, 1_000])
def test_it_is_the_list_of_the_page_in_its_order(full: WebWorld, analyst: TestClient, sort: str, limit: int) -> None:
    people, rows = everybody(analyst, sort=sort, limit=limit), page_file(full, sort=sort)
    assert [one["alert_id"] for one in people] == [row["alert_id"] for row in rows]
    assert len(people) > 25
    for one, row in zip(people, rows, strict=True):
        assert (one["band"], one["channel"], f"{round(one['risk'], 4)}") == (row["band"], row["channel"], row["risk"])
        assert f"{round(one['value'], 2)}" == row["value_at_risk"]
        assert ". ".join(one["reasons"]) == row["reasons"]


@pytest.mark.parametrize(
    "query", [{"band": "high"}, {"channel": "ads"}, {"reason": "silence"}, {"definition": "no-purchase"}, {"q": "USER"}]
)
def test_each_filter_is_that_of_the_page(full: WebWorld, analyst: TestClient, query: dict[str, str]) -> None:
    rows = page_file(full, **query)
    assert [one["alert_id"] for one in everybody(analyst, **query)] == [row["alert_id"] for row in rows]
    assert analyst.get(f"/api/v1/at-risk.csv?{urlencode(query)}").text == full.browser().get(f"/at-risk.csv?{urlencode(query)}").text
    if "q" not in query:
        assert said(analyst, "at-risk/sums", **query)["people"] == len(rows)


def test_the_figures_are_those_of_the_page(full: WebWorld, analyst: TestClient) -> None:
    sums, html = said(analyst, "at-risk/sums"), full.browser().get("/at-risk").text
    people = everybody(analyst)
    assert sums["people"] == len(people) == sum(sums["bands"].values())
    assert sums["leaving"] == pytest.approx(sum(one["risk"] for one in people), abs=0.001)
    assert sums["value"] == pytest.approx(sum(one["value"] for one in people), abs=0.01)
    assert f">{round(sums['leaving'])} <small>± {round(sums['plus_minus'])}</small>" in html
    for band, count in sums["bands"].items():
        assert count == sum(one["band"] == band for one in people)
    assert len(sums["reasons"]) > 2


def test_figures_name_nobody(full: WebWorld) -> None:
    viewer = full.browser()
    viewer.headers["Authorization"] = f"Bearer {full.token('read:aggregates')}"
    answer = viewer.get("/api/v1/at-risk/sums")
    assert answer.status_code == 200
    assert not re.search(r"user|[0-9a-f]{32}", answer.text)
    assert [viewer.get(f"/api/v1/{path}").status_code for path in ("at-risk", "at-risk.csv", "users/ann/risk")] == [403] * 3


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("channel=tv", "there are: organic"), ("reason=mood", "silence"), ("band=highest", "one of critical, high"), ("sort=name", "one of risk, value"),
        ("definition=churn30", "there are: churn14"), ("limit=0", "limit"), ("limit=1001", "limit"), ("cursor=x", "cursor"),
        ("band=", "band"), (f"q={'x' * 257}", "q"),
    ],
)  # fmt: skip
def test_a_filter_that_there_is_not_is_refused(analyst: TestClient, query: str, says: str) -> None:
    answer = analyst.get(f"/api/v1/at-risk?{query}")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:churnwatch:problem:invalid")
    assert says in answer.json()["detail"]
    assert answer.json()["errors"][0]["where"].split(".")[-1] == query.partition("=")[0]


def test_a_name_that_there_is_not_is_refused(analyst: TestClient) -> None:
    answer = analyst.get("/api/v1/at-risk?page=2")
    assert answer.status_code == 422
    assert "`page`" in answer.json()["detail"]


def packed(value: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(value)).decode().rstrip("=")


FILTERS = ["churn14", "", "", "", "", "risk"]


@pytest.mark.parametrize(
    ("made", "status"),
    [
        (lambda: packed([FILTERS, [[-0.5], "ann"]]), 200),
        (lambda: packed([FILTERS, [[], "ann"]]), 200),
        (lambda: packed([FILTERS, [[float("nan"), 1.0, 2.0], "ann"]]), 200),
        (lambda: packed([FILTERS, [["x"], "ann"]]), 422),
        (lambda: packed([FILTERS, [-0.5, "ann"]]), 422),
        (lambda: packed({"wanted": 1}), 422),
        (lambda: "%00", 422),
        (lambda: "é", 422),
        (lambda: written(((-0.5,), "ann"), Filters(definition="churn14", band="high")), 422),
    ],
)
def test_no_cursor_that_somebody_makes_up_is_a_mistake_of_ours(analyst: TestClient, made: Callable[[], str], status: int) -> None:
    answer = analyst.get("/api/v1/at-risk", params={"cursor": made()})
    assert answer.status_code == status, answer.text
    if status == 422:
        assert "begin without a cursor" in answer.json()["detail"]


async def test_pages_go_on_behind_whoever_was_last_though_they_have_left(shop: Shop, caller: httpx.AsyncClient) -> None:
    for user in ("b1", "b2", "b3"):
        shop.tell(shop.alert(user, 0))
    first = (await caller.get("/api/v1/at-risk", params={"limit": 2})).json()
    assert [one["user"] for one in first["people"]] == ["ann", "b1"]
    shop.tell(shop.alert("b1", 0, cause="returned"), shop.alert("ann", 0, cause="returned"))
    second = (await caller.get("/api/v1/at-risk", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert ([one["user"] for one in second["people"]], second["total"], second["next_cursor"]) == (["b2", "b3"], 2, None)


async def test_before_the_first_worker_nobody_is_at_risk(bare: Shop) -> None:
    async with bare.caller() as caller:
        answer = await caller.get("/api/v1/at-risk")
        assert answer.json() == {"as_of_ms": None, "total": 0, "people": [], "next_cursor": None}
        assert (await caller.get("/api/v1/at-risk/sums")).json()["people"] == 0
        assert (await caller.get("/api/v1/model")).json() == {"as_of_ms": None, "definitions": []}
        assert (await caller.get("/api/v1/at-risk.csv")).text.count("\n") == 1


async def test_the_reasons_of_a_risk_are_those_of_its_open_alert(shop: Shop, caller: httpx.AsyncClient) -> None:
    async def why(user: str, definition: str = "churn14") -> tuple[list[str], list[str]]:
        one = (await caller.get(f"/api/v1/users/{user}/risk", params={"definition": definition})).json()
        many = (await caller.post("/api/v1/risks", json={"users": [user], "definition": definition})).json()
        assert many["risks"] == [one]
        return one["reasons"], [code["code"] for code in one["reason_codes"]]

    sentences = ["No activity for 9.8 days; usually back within 23 hours", "Active on 3 of the last 28 days; usually on 12"]
    assert await why("ann") == (sentences, ["silence", "active_days_28"])
    assert await why("carl", "churn7") == (sentences, ["silence", "active_days_28"])
    assert await why("carl") == await why("bob") == await why("nobody") == ([], [])


async def test_an_alert_that_no_consumer_has_read_yet_has_no_reasons_yet(shop: Shop, caller: httpx.AsyncClient) -> None:
    """At risk comes from Redis at the moment of the question; why, from the alert, which comes a moment later."""
    await shop.commit(0, ["dora"], state("dora", opened_ms=OPENED_MS + DAY_MS, alert_open=(True, False)))
    dora = (await caller.get("/api/v1/users/dora/risk")).json()
    assert (dora["at_risk"], dora["reasons"], dora["reason_codes"]) == (True, [], [])


def test_the_model_is_that_of_the_page(full: WebWorld, analyst: TestClient) -> None:
    (first, *_) = said(analyst, "model")["definitions"]
    assert (first["definition"], first["version"] > 0, first["labels"] > first["churned"] > 0) == ("churn14", True, True)
    assert first["model"] in {"cadence", "logistic"}
    served = full.parts.models.served(full.parts.engine.view(), "churn14")
    assert served is not None
    assert served.header is not None
    assert first["learned_until_ms"] == served.header.learned_until_ms
