"""Whoever opens connections and says nothing, too little, too slowly or too much: others are served all the same."""

from __future__ import annotations

import contextlib
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from insights.web.connections import HEAD_BYTES, REQUEST_BYTES, Connections
from tests.servers.process import Program, wait_until
from tests.web.access.house import NOBODY, House
from tests.web.access.served import Served, served, status_of, until_closed

CHECK = "/static/page.css"
FOR_EVER = 10_000.0


@pytest.fixture
def patient(house: House) -> Iterator[Served]:
    """A page that would wait for ever, so that only what a test is about ends a connection."""
    with served(house, Connections(most=8, head_s=FOR_EVER, body_s=FOR_EVER, sweep_s=0.05)) as one:
        yield one


@pytest.fixture
def hasty(house: House) -> Iterator[Served]:
    """A page that waits for no more than a moment."""
    with served(house, Connections(head_s=0.2, body_s=0.4, sweep_s=0.05)) as one:
        yield one


def test_when_all_connections_are_taken_the_oldest_that_waits_gives_way(patient: Served) -> None:
    silent = [patient.connect() for _ in range(patient.connections.most)]
    wait_until(lambda: len(patient.connections.every) == patient.connections.most, 10, "all are taken")
    assert httpx.get(patient.url + CHECK).status_code == 200
    assert until_closed(silent[0]) == b""
    silent[-1].sendall(f"GET {CHECK} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert status_of(until_closed(silent[-1])) == 200  # it was no more in the way than others
    for one in silent:
        one.close()


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"\r\n"])
def test_a_head_that_does_not_come_is_waited_for_a_moment_only(hasty: Served, said: bytes) -> None:
    with hasty.connect() as wire:
        wire.sendall(said)
        assert until_closed(wire) == b""


def test_a_head_that_comes_in_drops_gets_no_more_time(hasty: Served) -> None:
    with hasty.connect() as wire:
        wire.settimeout(0.05)
        with contextlib.suppress(OSError):
            wire.sendall(b"GET / HTTP/1.1\r\n")
        wait_until(lambda: not takes_more(wire), 10, "it hangs up")


def takes_more(wire: socket.socket) -> bool:
    """Send one more line; whether the other end is still there when an answer could have come."""
    try:
        wire.sendall(b"X: y\r\n")
        return wire.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def test_a_body_that_does_not_come_is_waited_for_a_moment_only(hasty: Served) -> None:
    with hasty.connect() as wire:
        wire.sendall(
            b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nname="
        )
        assert until_closed(wire) == b""
    assert httpx.get(hasty.url + CHECK).status_code == 200


def test_an_answer_that_nobody_reads_is_given_up(house: House) -> None:
    with served(house, Connections(head_s=FOR_EVER, body_s=0.4, sweep_s=0.05)) as page, page.connect() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.settimeout(0.2)
        ask = f"GET {CHECK} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        with contextlib.suppress(OSError):
            while page.connections.every:
                wire.send(ask * 100)
        wait_until(lambda: not page.connections.every, 10, "it is given up")


@pytest.mark.parametrize(
    "line", [b"GET /" + b"a" * HEAD_BYTES, b"GET / HTTP/1.1\r\nX: " + b"a" * HEAD_BYTES, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * HEAD_BYTES]
)
def test_a_head_without_end_is_refused(patient: Served, line: bytes) -> None:
    with patient.connect() as wire:
        wire.sendall(line)
        assert status_of(until_closed(wire)) in {400, 431}
    assert httpx.get(patient.url + CHECK).status_code == 200


def test_what_comes_after_a_body_has_a_bound_too(patient: Served) -> None:
    head = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    with patient.connect() as wire:
        with contextlib.suppress(OSError):
            wire.sendall(head + b"a: b\r\n" * (REQUEST_BYTES // 6 + 100_000))
        until_closed(wire)
    wait_until(lambda: not patient.connections.every, 10, "it is closed")


def test_a_connection_may_be_used_again_and_again(patient: Served) -> None:
    with httpx.Client(base_url=patient.url) as client:
        assert [client.get(CHECK).status_code for _ in range(20)] == [200] * 20
        assert len(patient.connections.every) == 1


def test_two_requests_in_one_go_are_both_answered(patient: Served) -> None:
    ask = f"GET {CHECK} HTTP/1.1\r\nHost: localhost\r\n"
    with patient.connect() as wire:
        wire.sendall(f"{ask}\r\n{ask}Connection: close\r\n\r\n".encode())
        assert until_closed(wire).count(b"HTTP/1.1 200") == 2


def test_eleven_hundred_half_open_connections_leave_the_process_at_work(tmp_path: Path) -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit[0] < 2_000:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_000, limit[1]), limit[1]))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        "CHURNWATCH_PAGE": f"127.0.0.1:{port}", "CHURNWATCH_PAGE_STORE": f"sqlite:///{tmp_path / 'page.db'}", "CHURNWATCH_REDIS": NOBODY
    }  # fmt: skip
    page = Program(["web"], environment, tmp_path / "log")
    try:
        wait_until(lambda: answers(port), 60, "it answers", page.text)
        process = psutil.Process(page.process.pid)
        before = process.memory_info().rss
        held = []
        for number in range(1_100):
            held.append(socket.create_connection(("127.0.0.1", port), 30))
            held[-1].sendall(b"GET / HTTP/1.1\r\nHost: loc" if number % 2 else b"")
            if number % 100 == 0:
                assert httpx.get(f"http://127.0.0.1:{port}{CHECK}", timeout=10).status_code == 200
        assert httpx.get(f"http://127.0.0.1:{port}/at-risk", timeout=10).status_code == 200
        assert process.num_fds() < 600
        assert process.memory_info().rss - before < 32 << 20
        for one in held:
            one.close()
        assert page.terminate() == 0
    finally:
        page.kill()
    assert "Traceback" not in page.text()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{CHECK}", timeout=10).status_code == 200
    except httpx.HTTPError:
        return False
