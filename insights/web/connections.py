"""How many connections may there be, and how long may one wait. Nobody can tie them all up.

uvicorn itself lets a connection that says nothing stay for ever, takes headers of any size, and answers 503 to everybody once its limit is reached. Here

- the head of a request must have come within `HEAD_S` and `HEAD_BYTES`, all of it within `BODY_S` and `REQUEST_BYTES`, and an answer must be read on;
- when all connections are taken, the one that has waited longest gives way to a new one; one that is being answered never does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 32 << 10
"""Most bytes of a request's first line and headers."""
REQUEST_BYTES = 8 << 20
"""Most bytes of a whole request; `insights.web.bodies` allows less for each path."""
REFUSAL = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass(slots=True, kw_only=True)
class Connections:
    """The connections of one server; `make` is what uvicorn calls for each.

    Attributes
    ----------
    most : int
        At a time: a process has some thousand file descriptors for all that it does.
    head_s, body_s : float
        How long the head of a request may take, and its body; body_s is also how long an answer may lie unread.
    sweep_s : float
        How often connections are looked at.
    every : dict
        The open ones, oldest first.
    """

    most: int = 512
    head_s: float = 10.0
    body_s: float = 30.0
    sweep_s: float = 1.0
    every: dict[Connection, None] = field(default_factory=dict)

    def make(self, *args: Any, **named: Any) -> Connection:
        """Return what speaks HTTP over one connection."""
        return Connection(self, *args, **named)

    def take(self, one: Connection) -> bool:
        """Take a new connection, in place of another if need be; return False when all are being answered."""
        if len(self.every) >= self.most:
            waiting = next((other for other in self.every if other.until_s is not None), None)
            if waiting is None:
                return False
            self.cut(waiting)
        if not self.every:
            one.loop.call_later(self.sweep_s, self.sweep, one.loop)
        self.every[one] = None
        return True

    def cut(self, one: Connection) -> None:
        """End a connection at once."""
        self.every.pop(one, None)
        one.transport.abort()

    def sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """End those whose patience is at an end, and look again as long as there are any."""
        now_s = loop.time()
        for one in [one for one in self.every if one.until_s is not None and one.until_s <= now_s]:
            self.cut(one)
        if self.every:
            loop.call_later(self.sweep_s, self.sweep, loop)


class Connection(HttpToolsProtocol):
    """One of them.

    Attributes
    ----------
    until_s : float or None
        When its patience ends, by the loop's clock; None while a request is being answered.
    """

    def __init__(self, connections: Connections, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._of = connections
        self.until_s: float | None = None
        self._in_head, self._bytes = True, 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it too
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._wait(self._of.head_s)
        if not self._of.take(self):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._of.every.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._bytes += len(data)
        super().data_received(data)
        if self._bytes > (HEAD_BYTES if self._in_head else REQUEST_BYTES) and not self.transport.is_closing():
            self.transport.write(REFUSAL)
            self.transport.close()

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`: the other end does not read."""
        super().pause_writing()
        self._wait(self._of.body_s)

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        super().resume_writing()
        if self.cycle is not None and not self.cycle.response_complete:
            self.until_s = None

    def on_message_begin(self) -> None:
        """See `httptools`: the first byte of a request has come."""
        super().on_message_begin()
        if self.cycle is not None and self.cycle.response_complete:
            self._wait(self._of.head_s)

    def on_headers_complete(self) -> None:
        """See `httptools`."""
        self._in_head, self._bytes = False, 0
        self._wait(self._of.body_s)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """See `httptools`: the whole request has come."""
        self._in_head, self._bytes = True, 0
        if not self.cycle.response_complete:
            self.until_s = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """See uvicorn: a request has been answered. Its own time for keeping a connection begins, which flushes what was written; this is for who does not read."""
        super().on_response_complete()
        if not self.pipeline:
            self._wait(self._of.body_s)

    def _wait(self, seconds: float) -> None:
        self.until_s = self.loop.time() + seconds
