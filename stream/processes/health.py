"""`/metrics`, `/live` and `/ready` of a process. Loopback unless told otherwise; off loopback everything asks for the token."""

from __future__ import annotations

import hmac
import ipaddress
import os
from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from stream.faults import WebRefused

Check = Callable[[], list[str]]
"""Returns what stands against it, in words; empty is well."""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def build_web(registry: CollectorRegistry, live: Check, ready: Check, token: str) -> web.Application:
    """Return the application; with a token, a request must carry `Authorization: Bearer <token>`."""

    @web.middleware
    async def guarded(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if token and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return web.Response(status=401, text="Authorization: Bearer <token> is needed\n")
        return await handler(request)

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


async def serve(app: web.Application, address: str, token: str) -> web.AppRunner:
    """Listen on `host:port`; the runner is the caller's to clean up.

    Raises
    ------
    WebRefused
        Off loopback without a token, or the address is taken.
    """
    host, _, port = address.rpartition(":")
    if not is_loopback(host) and not token:
        raise WebRefused(f"worker.web is {address}, which others can reach: set CHURNWATCH_WEB_TOKEN, or listen on 127.0.0.1")
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, int(port)).start()
    except OSError as error:
        await runner.cleanup()
        raise WebRefused(
            f"worker.web: cannot listen on {address} ({os.strerror(error.errno or 0)}). "
            "A second worker on this machine needs an address of its own, such as CHURNWATCH_WEB=127.0.0.1:6067, or none, CHURNWATCH_WEB="
        ) from error
    return runner
