"""`churnwatch web`: open what the pages read, serve until a signal, close it. Exit codes are those of `stream.processes.program`."""

from __future__ import annotations

import logging
import time

import uvicorn

from features.store.redis import connect
from insights.live.engine import Engine
from insights.web.app import make_app
from insights.web.parts import Parts
from stream.settings import Settings

log = logging.getLogger(__name__)


def main(settings: Settings) -> int:
    """Serve the pages until SIGTERM; return the exit code."""
    host, _, port = settings["page.address"].rpartition(":")
    parts = Parts(settings, Engine(connect(settings["redis.url"]), settings["app.name"]), lambda: int(time.time() * 1000))
    server = uvicorn.Server(
        uvicorn.Config(
            make_app(parts), host=host.strip("[]"), port=int(port), log_config=None, access_log=False, server_header=False, lifespan="off",
            limit_concurrency=512, timeout_keep_alive=10, h11_max_incomplete_event_size=64 << 10,
        )
    )  # fmt: skip
    log.info("the page is at http://%s", settings["page.address"])
    server.run()
    return 0
