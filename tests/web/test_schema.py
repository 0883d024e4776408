"""The API against requests that a tool makes from its OpenAPI document: valid ones are answered as the document says, and wrong ones are refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi import checks
from starlette.types import ASGIApp, Receive, Scope, Send

from insights.live.people import channel_names
from insights.store import people
from insights.web.api.app import OPERATIONS, PATH
from insights.web.api.document import document
from stream.cli.admin import create_topics
from stream.demo.local_redis import LocalRedis
from tests.web.api.shop import DEFINITIONS, EVERYTHING, SPEC, Shop

pytestmark = [pytest.mark.real_redis, pytest.mark.real_kafka]
ROUND = 60
NAMES = {"definition": [one.name for one in DEFINITIONS], "channel": list(channel_names(SPEC))}


def named(said: Any) -> Any:
    """Let the document name what this app has; the served one cannot know it."""
    if isinstance(said, dict):
        found = {name: named(one) for name, one in said.items()}
        for name, known in NAMES.items():
            for schema in (found.get(name), found.get("schema") if found.get("name") == name else None):
                if isinstance(schema, dict) and "anyOf" in schema:
                    schema["anyOf"] = [{"enum": known}, {"type": "null"}]
        if found.get("name") == "cursor":
            found["schema"] = {"enum": [""]}  # any other one comes from an answer
        return found
    return [named(one) for one in said] if isinstance(said, list) else said


opened: list[ASGIApp] = []


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The page that the fixture has opened, by its name: the tool wants an application when tests are collected, and servers start later."""
    if scope["type"] == "http":
        headers = [(name, b"127.0.0.1" if name == b"host" else value) for name, value in scope["headers"]]
        await opened[-1]({**scope, "headers": headers}, receive, send)


load_all_checks()
schema = schemathesis.openapi.from_dict(named(document(OPERATIONS, PATH)))
schema.app = app


@pytest.fixture(scope="module")
def bearer(redis_server: LocalRedis, kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Open an app, and return the header of somebody who may ask it everything."""
    shop = Shop(redis_server.url, "schema", tmp_path_factory.mktemp("schema"), kafka__bootstrap=kafka, kafka__topic_prefix="schema.")
    list(create_topics(shop.settings))
    asyncio.run(shop.fill())
    shop.end()
    with shop.store.write() as db:  # from now on nobody is let in unknown
        people.add_person(db, login="ann", name="Ann", role="admin", password_hash="", now_ms=shop.parts.now_ms())
    opened.append(shop.app)
    yield {"Authorization": f"Bearer {shop.token(*EVERYTHING)}"}
    shop.close()


@schema.parametrize()
@settings(max_examples=ROUND, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_the_api_does_as_its_document_says(bearer: dict[str, str], case: Any) -> None:
    # an event that is wrong is answered by a verdict of its own, and the batch by 200
    excluded = [checks.negative_data_rejection] if case.operation.path == "/batch" else []
    case.call_and_validate(headers=bearer, excluded_checks=excluded)
