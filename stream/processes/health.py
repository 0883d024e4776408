"""Serves `/metrics`, `/live` and `/ready` of a process: on loopback unless set otherwise, and elsewhere only to those who have the token.

The process has other work to do, so nobody may tie up its connections: there are at most `MOST` at a time, and each lives for at most `LIFE_S`
and serves one request. When all are taken the oldest gives way, so that a probe is answered even while somebody opens one after the other.
"""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Awaitable, Callable
from typing import cast

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from stream.faults import WebRefused

Check = Callable[[], list[str]]
"""Returns what stands against it, a sentence each; empty when all is well."""

MOST = 64
"""Most connections at a time. A process has some thousand file descriptors for all that it does."""
LIFE_S = 5.0
"""Longest time from the connection to the last byte of the answer."""


def build_web(registry: CollectorRegistry, live: Check, ready: Check, token: str) -> web.Application:
    """Return the application; with a token, a request must carry `Authorization: Bearer <token>`."""
    wanted = f"Bearer {token}".encode()

    @web.middleware
    async def guarded(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        # compared as bytes, since a header may hold any
        given = next((value for name, value in request.raw_headers if name.lower() == b"authorization"), b"")
        if token and not hmac.compare_digest(given, wanted):
            answer: web.StreamResponse = web.Response(status=401, text="Authorization: Bearer <token> is needed\n")
        else:
            answer = await handler(request)
        answer.force_close()
        return answer

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def answer(check: Check) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handler(_request: web.Request) -> web.Response:
            against = check()
            return web.Response(status=503 if against else 200, text="\n".join(against or ["ok"]) + "\n")

        return handler

    app = web.Application(middlewares=[guarded])
    app.add_routes([web.get("/metrics", metrics), web.get("/live", answer(live)), web.get("/ready", answer(ready))])
    return app


class Served:
    """An application that listens on an address; `close` it in the end.

    Attributes
    ----------
    life_s : float
        How long a connection may live.
    open : dict of asyncio.Transport to None
        The connections there are, oldest first.
    """

    def __init__(self, runner: web.AppRunner, life_s: float) -> None:
        self._runner, self.life_s = runner, life_s
        self.open: dict[asyncio.Transport, None] = {}
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> None:
        """Begin to listen.

        Raises
        ------
        OSError
            The address cannot be listened on.
        """
        self._server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), host, port)

    @property
    def port(self) -> int:
        """The port it listens on, which the system has chosen where port 0 was asked for."""
        return int(cast(asyncio.Server, self._server).sockets[0].getsockname()[1])

    def handler(self) -> asyncio.Protocol:
        """Return what speaks HTTP over one connection."""
        return cast(web.Server, self._runner.server)()

    async def close(self) -> None:
        """Stop listening and cut the open connections: whoever is reading a metric just then asks again."""
        if self._server is not None:
            self._server.close()
        for transport in list(self.open):
            transport.abort()
        await self._runner.cleanup()


class _Connection(asyncio.Protocol):
    """One connection to aiohttp's handler, within the bounds."""

    def __init__(self, served: Served) -> None:
        self._served, self._handler = served, served.handler()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if len(self._served.open) >= MOST:
            oldest = next(iter(self._served.open))
            del self._served.open[oldest]
            oldest.abort()
        self._served.open[self._transport] = None
        self._end = asyncio.get_running_loop().call_later(self._served.life_s, self._transport.abort)
        self._handler.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        self._served.open.pop(self._transport, None)
        self._handler.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._handler.data_received(data)

    def eof_received(self) -> bool | None:
        return self._handler.eof_received()

    def pause_writing(self) -> None:
        self._handler.pause_writing()

    def resume_writing(self) -> None:
        self._handler.resume_writing()


SECOND_WORKER = (
    "A second worker on this machine needs an address of its own, such as CHURNWATCH_WEB=127.0.0.1:6067, or none, CHURNWATCH_WEB="
)


async def serve(
    app: web.Application, address: str, life_s: float = LIFE_S, setting: str = "worker.web", advice: str = SECOND_WORKER
) -> Served:
    """Listen on `host:port`. The caller must close what is returned.

    Parameters
    ----------
    setting, advice : str
        Which setting the address is from, and what to do if it is taken; a refusal says both.

    Raises
    ------
    WebRefused
        The address cannot be listened on. (The settings are judged elsewhere: they refuse an address off loopback without a token.)
    """
    host, _, port = address.rpartition(":")
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    served = Served(runner, life_s)
    try:
        await served.listen(host.strip("[]"), int(port))
    except OSError as error:
        await served.close()
        raise WebRefused(f"{setting}: cannot listen on {address} ({os.strerror(error.errno or 0)}). {advice}") from error
    return served
