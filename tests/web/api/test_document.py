"""The OpenAPI document is what the app does: its examples run, its schemas hold, and every operation refuses as it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from jsonschema import Draft202012Validator

from insights.analyses.as_plain import entry_of
from insights.analyses.catalog import CATALOG
from insights.web.api import analyses
from insights.web.api.app import OPERATIONS, PATH
from insights.web.api.document import ALWAYS, document
from insights.web.api.operation import Operation
from insights.web.api.problems import KINDS, refused_of
from stream.demo.local_redis import LocalRedis
from tests.web.api.shop import Shop

pytestmark = pytest.mark.real_redis
SAID: dict[str, Any] = document(OPERATIONS, PATH)
ENTRIES = {one.name: entry_of(one) for one in CATALOG.values()}


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": SAID["components"]})


def operation_of(one: Operation) -> dict[str, Any]:
    found: dict[str, Any] = SAID["paths"][one.path.replace(":text}", "}")][one.method.lower()]
    return found


def address_of(one: Operation, asked: dict[str, Any]) -> str:
    path = one.path
    for name, value in asked.items():
        path = path.replace(f"{{{name}:text}}", str(value))
    return PATH + path


async def ask(caller: httpx.AsyncClient, one: Operation) -> httpx.Response:
    asked = dict(one.example.asked)
    query = {name: value for name, value in asked.items() if f"{{{name}" not in one.path}
    return await caller.request(one.method, address_of(one, asked), params=query, json=one.example.body if one.bodies else None)


async def test_it_is_served(caller: httpx.AsyncClient) -> None:
    answer = await caller.get("/api/v1/openapi.json")
    whole = document((*OPERATIONS, *analyses.OPERATIONS, *analyses.operations_of(ENTRIES)), PATH)
    assert (answer.status_code, answer.json()) == (200, msgspec.json.decode(msgspec.json.encode(whole)))


def test_it_is_openapi() -> None:
    assert SAID["openapi"] == "3.1.0"
    names = [operation["operationId"] for path in SAID["paths"].values() for operation in path.values()]
    assert sorted(names) == sorted(one.name for one in OPERATIONS)
    assert len(set(names)) == len(names)
    for schema in SAID["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    refs = [word for word in msgspec.json.encode(SAID).decode().split('"') if word.startswith("#/components/schemas/")]
    assert {ref.rsplit("/", 1)[1] for ref in refs} == SAID["components"]["schemas"].keys(), "each schema is used, and there"


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_each_operation_explains_itself(one: Operation) -> None:
    said = operation_of(one)
    assert said["summary"]
    assert len(said["description"]) > 40
    assert one.scope is None or f"`{one.scope}`" in said["description"]
    assert all(parameter["description"] for parameter in said["parameters"])
    assert {KINDS[name].status for name in (*ALWAYS, *one.problems)} == {int(status) for status in said["responses"]} - {200}


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_examples_are_of_their_schemas(one: Operation) -> None:
    said = operation_of(one)
    for content in said["responses"]["200"]["content"].values():
        validator(content["schema"]).validate(content["example"])
    if one.bodies and one.name != "batch":  # that example shows an event that is rejected
        content = said["requestBody"]["content"]["application/json"]
        validator(content["schema"]).validate(content["example"])


VOLATILE = {"answered_ms"}
"""What an example cannot know."""


@pytest.mark.parametrize("one", [one for one in OPERATIONS if one.name != "batch"], ids=lambda one: one.name)
async def test_each_example_is_what_is_answered(own_redis: LocalRedis, tmp_path: Path, one: Operation) -> None:
    """The app of the examples is called shop, since ids of alerts follow from its name. What `batch` answers is tested with a Kafka."""
    shop = Shop(own_redis.url, "shop", tmp_path)
    await shop.fill()
    shop.end()
    async with shop.caller() as caller:
        answer = await ask(caller, one)
    shop.close()
    assert answer.status_code == 200, answer.text
    media, content = next(iter(operation_of(one)["responses"]["200"]["content"].items()))
    assert answer.headers["content-type"].partition(";")[0] == media
    if media != "application/json":
        assert answer.text == one.example.answer
        return
    validator(content["schema"]).validate(answer.json())
    said = {name: value for name, value in answer.json().items() if name not in VOLATILE}
    assert said == {name: value for name, value in one.example.answer.items() if name not in VOLATILE}


@pytest.mark.parametrize("one", [one for one in OPERATIONS if one.scope], ids=lambda one: one.name)
async def test_without_its_scope_each_refuses(shop: Shop, one: Operation) -> None:
    others = {"read:aggregates", "read:people", "write:events"} - {one.scope}
    async with shop.caller(*others) as caller:
        answer = await ask(caller, one)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    validator({"$ref": "#/components/schemas/Problem"}).validate(answer.json())
    assert str(one.scope) in answer.json()["detail"]


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
async def test_no_stranger_is_answered(shop: Shop, one: Operation) -> None:
    shop.token("read:people")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(shop.app), base_url="http://127.0.0.1") as stranger:
        stranger.headers["X-Forwarded-For"] = "10.0.0.1"  # else it is this machine, where nobody has an account
        answers = [await ask(stranger, one), await stranger.get("/api/v1/openapi.json")]
        stranger.headers["Authorization"] = "Bearer cw_none"
        answers.append(await ask(stranger, one))
    assert [answer.status_code for answer in answers] == [403, 403, 401]
    assert "ann" not in "".join(answer.text for answer in answers).replace("channel", "")


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
async def test_a_mistyped_name_is_refused_not_ignored(caller: httpx.AsyncClient, one: Operation) -> None:
    answer = await caller.request(
        one.method, address_of(one, dict(one.example.asked)), params={"definiton": "churn14"}, json=one.example.body
    )
    assert answer.status_code == 422
    assert "definiton" in answer.json()["detail"]


async def test_what_is_not_there_is_a_problem_too(caller: httpx.AsyncClient) -> None:
    nothing, wrong = await caller.get("/api/v1/nothing"), await caller.delete("/api/v1/data")
    assert [(one.status_code, one.json()["type"].rsplit(":")[-1]) for one in (nothing, wrong)] == [(404, "not-found"), (405, "method")]
    assert wrong.headers["allow"] in {"GET, HEAD", "HEAD, GET"}


def test_a_mistake_of_ours_says_nothing_of_itself() -> None:
    said = refused_of(RuntimeError("secret of ann"))
    assert said.kind == "internal"
    assert "ann" not in said.detail
