"""An API on a real port, served as the program serves it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from insights.web.connections import Connections
from insights.web.program import uvicorn_config
from stream.demo.local_redis import free_port
from tests.servers.process import wait_until
from tests.web.api.shop import Shop


@contextmanager
def serving(shop: Shop, connections: Connections | None = None) -> Iterator[str]:
    """Serve a shop's page, and keep its board; yield the address."""
    port = free_port()
    config = uvicorn_config(shop.settings, shop.app, connections)
    config.port = port
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    with shop.parts.keeper:
        thread.start()
        wait_until(lambda: server.started, 30, "the server answers")
        yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
