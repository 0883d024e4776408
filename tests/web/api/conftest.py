"""An app with a few people in known states, and somebody who asks about them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from stream.demo.local_redis import LocalRedis
from tests.web.api.shop import Shop


@pytest.fixture
async def shop(redis_server: LocalRedis, app_name: str, tmp_path: Path) -> AsyncIterator[Shop]:
    made = Shop(redis_server.url, app_name, tmp_path)
    await made.fill()
    yield made
    made.close()


@pytest.fixture
def bare(redis_server: LocalRedis, app_name: str, tmp_path: Path) -> Iterator[Shop]:
    """An app that no worker has run for."""
    made = Shop(redis_server.url, app_name, tmp_path)
    yield made
    made.close()


@pytest.fixture
async def caller(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    async with shop.caller() as made:
        yield made
