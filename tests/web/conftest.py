"""Worlds that tests of pages share: they are read only, and cost some seconds to play."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from stream.demo.local_redis import LocalRedis
from stream.faults import ServerMissing
from tests.conftest import missing
from tests.web.camera import chromium
from tests.web.crowd_world import import_shop
from tests.web.world import WebWorld, full_world


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a real Chromium without a window. Module-wide: while it is open no other test of its thread may have an event loop."""
    try:
        with chromium() as opened:
            yield opened
    except ServerMissing as error:
        missing(error)


@pytest.fixture(scope="session")
def full(redis_server: LocalRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebWorld]:
    folder = tmp_path_factory.mktemp("full")
    made = full_world(redis_server, folder, import_shop(folder))
    yield made
    made.close()
