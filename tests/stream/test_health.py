"""Nobody who can reach the web address can hold the process that serves it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import pytest
from prometheus_client import CollectorRegistry

from stream.processes.health import MOST, Served, build_web, serve
from stream.settings import SettingsError, load_settings


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    one = await serve(build_web(CollectorRegistry(), list, list, "secret"), "127.0.0.1:0")
    yield one
    await one.close()


async def answer_to(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


async def come_true(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - of another's object, which has no event to wait for
            await asyncio.sleep(0.01)


READY = b"GET /ready HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n\r\n"


async def test_half_sent_requests_take_no_more_than_their_share(served: Served) -> None:
    """1,100 of them, and a probe is answered all the same."""
    held = []
    for number in range(1_100):
        one = socket.create_connection(("127.0.0.1", served.port))
        one.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
        held.append(one)
        if number % 50 == 0:
            await asyncio.sleep(0)  # the server runs in this loop
    try:
        await come_true(lambda: 0 < len(served.open) <= MOST)
        assert b"200 OK" in await answer_to(served.port, READY)
        assert len(served.open) <= MOST
    finally:
        for one in held:
            one.close()


@pytest.mark.parametrize(
    "sent", [b"", b"GET /metr", b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"POST /metrics HTTP/1.1\r\nContent-Length: 9\r\n\r\n1"]
)
async def test_a_request_that_is_never_finished_is_cut_off(sent: bytes) -> None:
    served = await serve(build_web(CollectorRegistry(), list, list, ""), "127.0.0.1:0", life_s=0.2)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(sent)
        async with asyncio.timeout(30):
            with contextlib.suppress(ConnectionResetError):
                await reader.read()
        await come_true(lambda: not served.open)
        writer.close()
    finally:
        await served.close()


async def test_a_connection_serves_one_request(served: Served) -> None:
    assert (await answer_to(served.port, READY + READY)).count(b"HTTP/1.1") == 1
    await come_true(lambda: not served.open)


@pytest.mark.parametrize("given", [b"Bearer secret\xff", b"\xff\xfe", b"Bearer s\xc3\xa9cret", b"bearer secret", b""])
async def test_any_bytes_in_authorization_are_a_wrong_token_and_nothing_worse(served: Served, given: bytes) -> None:
    answer = await answer_to(served.port, b"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: " + given + b"\r\n\r\n")
    assert b" 401 " in answer.split(b"\r\n")[0]


async def test_a_stop_does_not_wait_for_whoever_holds_a_connection(served: Served) -> None:
    held = socket.create_connection(("127.0.0.1", served.port))
    held.sendall(b"GET /")
    await come_true(lambda: len(served.open) == 1)
    async with asyncio.timeout(4):
        await served.close()
    held.close()


@pytest.mark.parametrize("token", ["", "change-me"])
@pytest.mark.parametrize("address", ["0.0.0.0:6066", "[::]:6066", "10.1.2.3:6066", "worker.example:6066"])
def test_an_address_others_can_reach_asks_for_a_token_of_ones_own(address: str, token: str) -> None:
    with pytest.raises(SettingsError, match="CHURNWATCH_WEB_TOKEN"):
        load_settings(None, {"CHURNWATCH_WEB": address, "CHURNWATCH_WEB_TOKEN": token})
    load_settings(None, {"CHURNWATCH_WEB": address, "CHURNWATCH_WEB_TOKEN": "4f1c"})


@pytest.mark.parametrize("address", ["127.0.0.1:6066", "localhost:6066", "[::1]:6066", ""])
def test_on_loopback_no_token_is_asked_for(address: str) -> None:
    load_settings(None, {"CHURNWATCH_WEB": address})
