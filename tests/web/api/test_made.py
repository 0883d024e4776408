"""Boards, questions and segments by the API: read by whoever may see figures; ids of persons only by whoever may see persons."""

from __future__ import annotations

import pytest

from insights.made.things import Question
from tests.web.api.shop import Shop

pytestmark = pytest.mark.real_redis


async def test_the_users_of_a_list_need_the_scope_that_reads_people(shop: Shop) -> None:
    async with shop.caller("read:aggregates") as figures, shop.caller("read:aggregates", "read:people") as people:
        seen, refused = await figures.get("/api/v1/segments/march"), await figures.get("/api/v1/segments/march?users=true")
        listed = await people.get("/api/v1/segments/march?users=true")
    assert (seen.json()["size"], seen.json()["users"]) == (2, None)
    assert refused.status_code == 403
    assert "read:people" in refused.json()["detail"]
    assert "bob" not in seen.text + refused.text
    assert listed.json()["users"] == ["ann", "bob"]


async def test_a_rule_has_no_list(shop: Shop) -> None:
    async with shop.caller() as caller:
        found = (await caller.get("/api/v1/segments/payers?users=true")).json()
    assert (found["rule"], found["size"], found["users"]) == (["purchases >= 1"], None, None)


async def test_whom_a_question_leaves_out_is_not_told_to_everybody(shop: Shop) -> None:
    shop.keep("others", Question(title="Without carl", analysis="retention", parameters={"without": ["carl"], "unit": "week"}))
    async with shop.caller("read:aggregates") as figures, shop.caller("read:aggregates", "read:people") as people:
        told = [(await who.get("/api/v1/questions/others")).json()["parameters"] for who in (figures, people)]
        every = (await figures.get("/api/v1/questions")).text
    assert told == [{"unit": "week"}, {"unit": "week", "without": ["carl"]}]
    assert '"carl"' not in every


@pytest.mark.parametrize("kind", ["boards", "questions", "segments"])
async def test_what_is_not_there_is_said_with_what_is(shop: Shop, kind: str) -> None:
    async with shop.caller() as caller:
        answer = await caller.get(f"/api/v1/{kind}/nothing")
        written = await caller.post(f"/api/v1/{kind}", json={})
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:churnwatch:problem:not-found")
    assert "there are: " in answer.json()["detail"]
    assert written.status_code == 405
