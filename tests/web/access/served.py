"""A page that really listens, in a thread of this process, with bounds so small that nobody waits for them."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from insights.web.connections import Connections
from insights.web.program import uvicorn_config
from tests.servers.process import wait_until
from tests.web.access.house import House

WAIT_S = 30.0
"""Longest that a test waits for an answer."""


@dataclass
class Served:
    """A page at 127.0.0.1 and its port."""

    port: int
    connections: Connections

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), WAIT_S)

    def ask(self, head: str, body: bytes = b"", *, host: str = "") -> bytes:
        """Send a request as it stands, and return all that comes until the other end closes."""
        lines = f"{head}\r\nHost: {host or f'127.0.0.1:{self.port}'}\r\nConnection: close\r\n\r\n"
        with self.connect() as wire:
            wire.sendall(lines.encode("latin-1") + body)
            return until_closed(wire)


def until_closed(wire: socket.socket) -> bytes:
    found = b""
    try:
        while more := wire.recv(65536):
            found += more
    except ConnectionResetError:
        pass
    return found


def status_of(answer: bytes) -> int:
    """The status of an answer; 0 for none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@contextmanager
def served(house: House, connections: Connections | None = None) -> Iterator[Served]:
    """Serve a house until the block ends."""
    found = connections or Connections()
    config = uvicorn_config(house.settings, house.app(), found)
    config.port = 0
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        wait_until(lambda: server.started, 30, "it listens")
        yield Served(server.servers[0].sockets[0].getsockname()[1], found)
    finally:
        server.should_exit = True
        thread.join()
