"""Real servers for tests, found or started; a missing one skips with the reason and the fix, and fails in CI."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import settings

from stream.demo.local_redis import LocalRedis
from stream.faults import ServerMissing
from tests.faults.bench_world import World
from tests.servers.kafka import KafkaServer
from tests.servers.postgres import PostgresServer

# how long an example takes says how busy the machine is, nothing of the code
settings.register_profile("the same examples every time", deadline=None, derandomize=True)
settings.register_profile("others every time", deadline=None)
settings.load_profile("the same examples every time")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="full counts of kills, zombies and seeds; other random examples every time")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("full"):
        settings.load_profile("others every time")


LONG = tuple(f"tests/{folder}/" for folder in ("faults", "simulation", "backtest"))
"""Folders whose files take minutes. They go first, so that no long file is left to one process at the end, while the other has nothing to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long bytes by their length: a packed file holds the time it was packed at, and workers of one run must find tests of the same names."""
    return f"{argname}-{len(val)}-bytes" if isinstance(val, bytes) and len(val) > 24 else None


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--full"))


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Print a line at the end of the run, since the kills, seeds and hand-overs that really happened are part of the result."""
    return lambda line: request.node.user_properties.append(("done", line))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", [])
    lines = [line for report in reports for name, line in report.user_properties if name == "done" and report.when == "call"]
    if lines:
        terminalreporter.section("what was done")
        for line in lines:
            terminalreporter.write_line(line)


def missing(error: ServerMissing) -> NoReturn:
    """Skip with the reason and the fix; in CI fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI needs this server: {error}")
    pytest.skip(str(error))


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the bootstrap address of a real Kafka."""
    named = os.environ.get("CHURNWATCH_TEST_KAFKA")
    if named:
        yield named
        return
    try:
        server = KafkaServer(tmp_path_factory.mktemp("kafka"))
        server.start()
    except ServerMissing as error:
        missing(error)
    yield server.bootstrap
    server.kill()


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A broker to pause and to kill."""
    server = KafkaServer(tmp_path_factory.mktemp("own-kafka"))
    try:
        server.start()
    except ServerMissing as error:
        missing(error)
    yield server
    server.kill()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRedis]:
    try:
        server = LocalRedis(tmp_path_factory.mktemp("redis"))
        server.start()
    except ServerMissing as error:
        missing(error)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Return the address of a real PostgreSQL, whose databases a test may make and spoil."""
    named = os.environ.get("CHURNWATCH_TEST_POSTGRES")
    if named:
        yield named
        return
    server = PostgresServer()
    try:
        server.start()
    except ServerMissing as error:
        server.stop()
        missing(error)
    yield server.url
    server.stop()


_serial = itertools.count()


@pytest.fixture
def app_name() -> str:
    """Return a name that nobody has used yet, so that tests share servers and nothing else."""
    return f"t{next(_serial)}-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[LocalRedis]:
    """Give the test a server of its own, which it may kill and spoil."""
    with LocalRedis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def world(request: pytest.FixtureRequest, kafka: str, own_redis: LocalRedis, app_name: str, tmp_path: Path) -> Iterator[World]:
    """Give the test a deployment on real servers, configured by `TOML` of its module if there is one."""
    made = World(kafka, own_redis.url, app_name, tmp_path, getattr(request.module, "TOML", ""))
    yield made
    made.stop_all()


SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real event logs beside the project."""
    if not SHARED_DATA.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs ../shared/data")
        pytest.skip("no ../shared/data: the real event logs are not part of the project")
    return SHARED_DATA
