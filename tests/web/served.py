"""A made-up world on an address of this machine, for a browser to open."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import uvicorn

from stream.demo.local_redis import LocalRedis
from tests.servers.process import wait_until
from tests.web.shots import Place
from tests.web.world import State, make_world


@contextmanager
def served(state: str) -> Iterator[Place]:
    """Serve a world in a state until the block ends."""
    with tempfile.TemporaryDirectory(prefix="churnwatch-page-") as folder, LocalRedis(Path(folder) / "redis", appendonly=False) as redis:
        world = make_world(cast("State", state), redis, Path(folder), users=300)
        server = uvicorn.Server(uvicorn.Config(world.app, host="127.0.0.1", port=0, log_level="warning"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            wait_until(lambda: server.started, 30, "the page listens")
            port = server.servers[0].sockets[0].getsockname()[1]
            yield Place(f"http://127.0.0.1:{port}")
        finally:
            server.should_exit = True
            thread.join()
            world.close()
