"""Where does a demo keep its things? In a temporary folder that goes away with it; what one left behind that was killed hard goes when the next one starts."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from stream.owned_folder import hold, left_behind

PREFIX = "churnwatch-demo-"
PORT = "redis.port"
"""A file that names the port of its Redis."""


@contextmanager
def demo_folder() -> Iterator[Path]:
    """Yield a folder of this demo's own, after clearing those of demos that are gone."""
    clear(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as made:
        lock = hold(Path(made))
        try:
            yield Path(made)
        finally:
            os.close(lock)


def clear(place: Path) -> list[Path]:
    """End the Redis of each demo whose process is gone, remove its folder, and return these folders; a demo that runs is left alone."""
    cleared = []
    for folder in left_behind(place, PREFIX):
        _end_redis(folder)
        shutil.rmtree(folder, ignore_errors=True)
        cleared.append(folder)
    return cleared


def _end_redis(folder: Path) -> None:
    """End the Redis that has its files in a folder, and no other that has its port by now."""
    with (
        contextlib.suppress(OSError, ValueError, redis.RedisError),
        contextlib.closing(redis.Redis(port=int((folder / PORT).read_text()), socket_timeout=1)) as client,
    ):
        if client.config_get("dir")["dir"] == str(folder):
            client.shutdown(nosave=True)
