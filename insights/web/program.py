"""`churnwatch web`: open what the pages read, serve until a signal, close it. Exit codes are those of `stream.processes.program`."""

from __future__ import annotations

import logging
import time

import uvicorn
from starlette.types import ASGIApp

from features.store.redis import connect
from insights.live.engine import Engine
from insights.store.store import open_store
from insights.web.app import make_app
from insights.web.connections import Connections
from insights.web.door.at_start import refuse_without_access
from insights.web.parts import Parts
from stream.settings import Settings

log = logging.getLogger(__name__)


def main(settings: Settings) -> int:
    """Serve the pages until SIGTERM; return the exit code."""
    store = open_store(settings["page.store"])
    try:
        refuse_without_access(settings, store)
        parts = Parts(settings, Engine(connect(settings["redis.url"]), settings["app.name"]), store, lambda: int(time.time() * 1000))
        server = uvicorn.Server(uvicorn_config(settings, make_app(parts)))
        log.info("the page is at %s", settings["page.url"] or f"http://{settings['page.address']}")
        server.run()
    finally:
        store.close()
    return 0


def uvicorn_config(settings: Settings, app: ASGIApp, connections: Connections | None = None) -> uvicorn.Config:
    """Return how the application is served. Bounds stand in `insights.web.connections`, which uvicorn's own would only get in the way of."""
    host, _, port = settings["page.address"].rpartition(":")
    return uvicorn.Config(
        app, host=host.strip("[]"), port=int(port), log_config=None, access_log=False, server_header=False, lifespan="off", ws="none",
        http=(connections or Connections()).make,  # type: ignore[arg-type]  # uvicorn calls it as it would a class
        timeout_keep_alive=10, proxy_headers=bool(settings["page.proxies"]), forwarded_allow_ips=list(settings["page.proxies"]),
    )  # fmt: skip
