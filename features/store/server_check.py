"""What makes a Redis server unfit to hold the state, judged from its INFO; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OLDEST = (6, 2)
"""The oldest version of Redis that will do: it is the first with XTRIM MINID, which the outbox needs."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a server.

    Attributes
    ----------
    fatal : bool
        Whether to refuse to start, and to stop when it is found later; else it is a warning.
    what : str
        What was found.
    do : str
        What to do about it.
    away : bool
        Whether nobody answered. That may pass by itself, so it makes sense to start again later.
    """

    fatal: bool
    what: str
    do: str
    away: bool = False

    def __str__(self) -> str:
        return f"{self.what}: {self.do}"


def findings(info: Mapping[str, Any]) -> list[Finding]:
    """Return what is wrong with a server; empty if nothing is.

    Parameters
    ----------
    info : mapping
        The answer to INFO, as redis-py parses it.

    >>> [str(one) for one in findings({"redis_version": "7.0.15", "maxmemory_policy": "noeviction", "aof_enabled": 0})]
    ['append-only file is off: a restart of Redis loses the state, set `appendonly yes` (CONFIG SET appendonly yes, then CONFIG REWRITE)']
    """
    found = []
    version = str(info.get("redis_version", "0"))
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < OLDEST:
        found.append(Finding(True, f"Redis {version} is too old", "use 6.2 or newer"))
    policy = info.get("maxmemory_policy")
    if policy != "noeviction":
        # It matters even without a limit of memory today: whoever sets one later would not know that Redis then deletes users.
        do = "Redis would delete users without an error when full, set `maxmemory-policy noeviction`"
        found.append(Finding(True, f"maxmemory-policy is {policy}", do))
    if info.get("cluster_enabled"):
        found.append(Finding(True, "Redis runs as a cluster", "this version talks to a single server"))
    if info.get("role", "master") != "master":
        found.append(Finding(True, "this Redis is a replica", "point the URL at its primary"))
    if not info.get("aof_enabled"):
        do = "a restart of Redis loses the state, set `appendonly yes` (CONFIG SET appendonly yes, then CONFIG REWRITE)"
        found.append(Finding(False, "append-only file is off", do))
    elif info.get("aof_last_write_status", "ok") != "ok":
        found.append(Finding(False, "the append-only file could not be written", "commits are refused until its disk has room"))
    return found
