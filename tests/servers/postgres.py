"""A real PostgreSQL on this machine: one server in a folder of its own, on loopback, thrown away at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Any

import psycopg

from stream.demo.local_redis import free_port
from stream.faults import ServerMissing
from tests.servers.process import wait_until

DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian's package puts the programs, each version in a folder of its own, which is not on PATH."""
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60", "shared_buffers=64MB")
"""Safe against a killed server, not against a machine that loses power; no test needs that."""


def programs() -> Path:
    """Return the folder that has `initdb` and `postgres`."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda one: float(one.parts[-3]))
    if not versions:
        raise ServerMissing(
            "no PostgreSQL: install it (Debian: apt-get install postgresql), or name a running one in CHURNWATCH_TEST_POSTGRES"
        )
    return versions[-1].parent


class PostgresServer:
    """One server, empty when it starts."""

    def __init__(self) -> None:
        self.port = free_port()
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        here = programs()
        # not below pytest's folders: the server does not run as root, and would not get there
        self._folder = folder = Path(tempfile.mkdtemp(prefix="churnwatch-postgres-"))
        owner = _owner()
        if owner:
            os.chown(folder, owner["user"], owner["group"])
        data, log = folder / "data", folder / "postgres.log"
        made = subprocess.run(
            [here / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"],
            capture_output=True, text=True, check=False, cwd=folder, **owner,
        )  # fmt: skip
        if made.returncode:
            raise ServerMissing(f"initdb failed: {made.stdout}{made.stderr}")
        settings = (*FAST, f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories=")
        command = [here / "postgres", "-D", data, *(part for one in settings for part in ("-c", one))]
        with log.open("ab") as file:
            self._process = subprocess.Popen(command, stdout=file, stderr=file, cwd=folder, start_new_session=True, **owner)
        wait_until(self._answers, 30, "PostgreSQL answers", log.read_text)

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise ServerMissing("PostgreSQL did not come up")
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # ends connections too; SIGTERM would wait for them
            self._process.wait()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def new_database(server_url: str) -> str:
    """Make an empty database beside the one of an address; return its address."""
    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server_url.rpartition("/")[0] + f"/{name}"


def _owner() -> dict[str, Any]:
    """Return whom to start the programs as: they refuse to run as root."""
    if os.getuid() != 0:
        return {}
    names = {one.pw_name: one for one in pwd.getpwall()}
    user = names.get("postgres", names["nobody"])
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
