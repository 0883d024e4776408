"""`churnwatch web` ends soon after SIGTERM, with code 0, whatever it waits for: streams that are open, a Kafka that says nothing, a Redis that says nothing."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from stream.demo.local_redis import LocalRedis, free_port
from tests.servers.process import Program, wait_until
from tests.servers.proxy import Proxy
from tests.web.api.shop import Shop

pytestmark = pytest.mark.real_redis
END_S = 10.0
"""After so long an orchestrator has often lost its patience."""


@pytest.fixture
def silent_kafka() -> Iterator[str]:
    """An address at which somebody takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
async def shop(redis_server: LocalRedis, app_name: str, tmp_path: Path) -> Shop:
    made = Shop(redis_server.url, app_name, tmp_path)
    await made.fill()
    made.close()
    return made


def ask(address: str, method: str, path: str, json: object = None) -> None:
    with contextlib.suppress(httpx.HTTPError):
        httpx.request(method, address + path, json=json, timeout=60)


def batch(number: int) -> dict[str, object]:
    return {"events": [{"user": f"u{number}", "ts": 1_773_800_000_000, "type": "click", "event_id": f"e{number}"}]}


@pytest.mark.parametrize("redis_hangs", [False, True])
def test_it_ends_soon_whatever_it_waits_for(
    redis_server: LocalRedis, shop: Shop, silent_kafka: str, tmp_path: Path, redis_hangs: bool
) -> None:
    port, store = free_port(), tmp_path / "store.db"
    address = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        proxy = stack.enter_context(Proxy(redis_server.port))
        environment = {
            "CHURNWATCH_PAGE": f"127.0.0.1:{port}", "CHURNWATCH_PAGE_STORE": f"sqlite:///{store}", "CHURNWATCH_APP": shop.name,
            "CHURNWATCH_REDIS": proxy.url, "CHURNWATCH_KAFKA": silent_kafka,
        }  # fmt: skip
        program = Program(["web"], environment, tmp_path / "web.log")
        stack.callback(program.kill)
        wait_until(lambda: "the page is at" in program.text() and answers(address), 60, "the page answers", program.text)
        for path in ["/at-risk/stream", "/api/v1/stream"] * 8:
            heard = stack.enter_context(httpx.stream("GET", address + path, timeout=60))
            assert heard.status_code == 200
            next(heard.iter_bytes())
        crowd = ThreadPoolExecutor(60)
        stack.callback(crowd.shutdown)
        for number in range(20):
            crowd.submit(ask, address, "POST", "/api/v1/batch", batch(number))
        wait_until(lambda: connected_to(program, silent_kafka) > 0, 30, "it waits for Kafka", program.text)
        proxy.swallow(redis_hangs)
        for _ in range(20):
            crowd.submit(ask, address, "GET", "/api/v1/users/ann/risk")
            crowd.submit(ask, address, "GET", "/data")
        began = time.monotonic()
        program.signal(signal.SIGTERM)
        assert program.process.wait(60) == 0, program.text()
        took_s = time.monotonic() - began
        proxy.swallow(False)
    assert took_s <= END_S, program.text()
    assert "Traceback" not in program.text()


def answers(address: str) -> bool:
    try:
        return httpx.get(address + "/static/page.css", timeout=10).status_code == 200
    except httpx.HTTPError:
        return False


def connected_to(program: Program, address: str) -> int:
    import psutil

    port = int(address.rpartition(":")[2])
    return sum(bool(one.raddr) and one.raddr.port == port for one in psutil.Process(program.process.pid).net_connections("tcp"))
