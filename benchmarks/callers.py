"""Callers of a web server: many kept-alive connections over loopback, as fast as they are answered or at a steady rate, and what each answer took.

Written on asyncio's protocols, since the callers share the machine with the server and must take little of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np


def request(method: str, path: str, body: bytes = b"", headers: str = "") -> bytes:
    """Return a request as it goes over the line."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}{length}\r\n".encode() + body


@dataclass
class Seen:
    """Answers of one measurement."""

    statuses: Counter[int] = field(default_factory=Counter)
    took_s: list[float] = field(default_factory=list)
    broken: int = 0
    """Connections that ended."""
    lasted_s: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.took_s) / self.lasted_s

    @property
    def errors(self) -> int:
        return self.broken + sum(count for status, count in self.statuses.items() if status != 200)

    def ms(self, percent: float) -> float:
        return float(np.percentile(self.took_s, percent)) * 1000


class _Line(asyncio.Protocol):
    """One connection, with one request under way at most."""

    def __init__(self, seen: Seen, answered: Callable[[_Line], None], lost: Callable[[], None]) -> None:
        self.seen, self.answered, self.lost = seen, answered, lost
        self.loop = asyncio.get_running_loop()
        self.sent_at, self.due_at, self.closing = 0.0, 0.0, False
        self._came = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.closing:
            self.seen.broken += 1
            self.lost()

    def send(self, raw: bytes, due_at: float | None = None) -> None:
        """Send a request; what it takes is counted from when it was due."""
        self.due_at = self.loop.time() if due_at is None else due_at
        self.transport.write(raw)  # type: ignore[attr-defined]  # asyncio gives a transport that writes

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, end, rest = self._came.partition(b"\r\n\r\n")
        if not end:
            return
        at = head.lower().find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        self._came = rest[length:]
        self.seen.took_s.append(self.loop.time() - self.due_at)
        self.seen.statuses[int(head[9:12])] += 1
        self.answered(self)


async def flood(port: int, requests: Iterator[bytes], *, lines: int, for_s: float) -> Seen:
    """Ask on so many connections, on each again as soon as it is answered."""
    seen, loop = Seen(), asyncio.get_running_loop()
    ends_at, idle = float("inf"), asyncio.Event()
    under_way = 0

    def next_one(line: _Line) -> None:
        if loop.time() < ends_at:
            line.send(next(requests))
        else:
            one_less()

    def one_less() -> None:
        nonlocal under_way
        under_way -= 1
        if not under_way:
            idle.set()

    all_lines = await _connected(port, lines, seen, next_one, one_less)
    began = loop.time()
    ends_at, under_way = began + for_s, under_way + len(all_lines)
    for line in all_lines:
        line.send(next(requests))
    await asyncio.wait_for(idle.wait(), for_s + 30)
    seen.lasted_s = loop.time() - began
    _close(all_lines)
    return seen


async def steady(port: int, requests: Iterator[bytes], *, lines: int, rate: float, for_s: float) -> Seen:
    """Ask so often a second, whether earlier questions are answered or not; a wait for a free connection counts as time of the answer."""
    seen, loop = Seen(), asyncio.get_running_loop()
    free: deque[_Line] = deque()
    due: deque[float] = deque()
    idle = asyncio.Event()

    def done(line: _Line) -> None:
        if due:
            line.send(next(requests), due.popleft())
            return
        free.append(line)
        if len(free) >= lines - seen.broken:
            idle.set()

    all_lines = await _connected(port, lines, seen, done, idle.set)
    free.extend(all_lines)
    began = loop.time()
    for number in range(int(rate * for_s)):
        at = began + number / rate
        if (wait_s := at - loop.time()) > 0:
            await asyncio.sleep(wait_s)
        idle.clear()
        if free:
            free.popleft().send(next(requests), at)
        else:
            due.append(at)
    await asyncio.wait_for(idle.wait(), for_s + 30)
    seen.lasted_s = loop.time() - began
    _close(all_lines)
    return seen


async def _connected(port: int, lines: int, seen: Seen, answered: Callable[[_Line], None], lost: Callable[[], None]) -> list[_Line]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(lambda: _Line(seen, answered, lost), "127.0.0.1", port))[1] for _ in range(lines)]


def _close(lines: list[_Line]) -> None:
    for line in lines:
        line.closing = True
        line.transport.close()
