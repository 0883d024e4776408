"""The store in memory: the contract without a server, for simulation, backtest and demo. `snapshot` and `restore` play a server that lost its last second."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from features.store import Commit, Found, Need, StaleOwner, Taken, TakeRefused, Token, stream_id


@dataclass(slots=True)
class _ShardData:
    epoch: int = 0
    nonce: str = ""
    generation: int = -1
    commit_no: int = 0
    meta: bytes | None = None
    users: dict[str, bytes] = field(default_factory=dict)
    wheel: dict[int, set[str]] = field(default_factory=dict)
    snaps: dict[tuple[str, int], list[bytes]] = field(default_factory=dict)
    outbox: dict[tuple[int, int], bytes] = field(default_factory=dict)
    exbox: dict[tuple[int, int], bytes] = field(default_factory=dict)
    mirror: dict[str, dict[str, str]] = field(default_factory=dict)


def _id(text: str) -> tuple[int, int]:
    major, minor = text.split("-")
    return int(major), int(minor)


class MemoryStore:
    """All shards of one app in this process.

    Parameters
    ----------
    nonce : callable
        Makes the nonce of a take; a counter makes runs repeatable.
    order : callable
        Order in which members of a bucket are returned; a store promises none, and a test may shuffle.
    """

    def __init__(self, nonce: Callable[[], str], order: Callable[[set[str]], list[str]] = list) -> None:
        self._nonce = nonce
        self._order = order
        self._shards: dict[int, _ShardData] = {}

    def _shard(self, partition: int) -> _ShardData:
        return self._shards.setdefault(partition, _ShardData())

    async def take(self, partition: int, generation: int, *, force: bool = False) -> Taken:
        """See `features.store.Store`."""
        data = self._shard(partition)
        if generation < data.generation and not force:
            raise TakeRefused(partition, data.generation)
        data.epoch += 1
        data.nonce = self._nonce()
        data.generation = generation
        return Taken(
            token=Token(data.epoch, data.nonce),
            commit_no=data.commit_no,
            meta=data.meta,
            outbox=[(f"{a}-{b}", entry) for (a, b), entry in sorted(data.outbox.items())],
            exbox=[(f"{a}-{b}", entry) for (a, b), entry in sorted(data.exbox.items())],
            wheel={bucket: len(members) for bucket, members in data.wheel.items() if members},
        )

    async def owner(self, partition: int) -> Token | None:
        """See `features.store.Store`."""
        data = self._shard(partition)
        return Token(data.epoch, data.nonce) if data.epoch else None

    async def read(self, partition: int, need: Need) -> Found:
        """See `features.store.Store`."""
        data = self._shard(partition)
        return Found(
            states=[data.users.get(user) for user in need.users],
            members=[self._order(data.wheel.get(bucket, set())) for bucket in need.buckets],
            chunks=[list(data.snaps.get(key, ())) for key in need.snaps],
        )

    async def commit(self, partition: int, commit: Commit) -> None:
        """See `features.store.Store`."""
        data = self._shard(partition)
        if (data.epoch, data.nonce) != (commit.token.epoch, commit.token.nonce):
            raise StaleOwner(partition, "token")
        if data.commit_no == commit.commit_no + 1:
            return
        if data.commit_no != commit.commit_no:
            raise StaleOwner(partition, f"commit number {data.commit_no}, expected {commit.commit_no}")
        number = commit.commit_no + 1
        data.users.update(zip(commit.users, commit.states, strict=True))
        for bucket, users in commit.armed.items():
            data.wheel.setdefault(bucket, set()).update(users)
        for bucket, users in commit.disarmed.items():
            data.wheel.setdefault(bucket, set()).difference_update(users)
        for key, chunk in commit.snaps.items():
            data.snaps.setdefault(key, []).append(chunk)
        for key in commit.matured:
            data.snaps.pop(key, None)
        _append(data.outbox, number, commit.outbox, commit.outbox_trim)
        _append(data.exbox, number, commit.exbox, commit.exbox_trim)
        for user, fields in commit.mirror.items():
            data.mirror.setdefault(user, {}).update(fields)
        data.meta = commit.meta
        data.commit_no = number

    def snapshot(self) -> Any:
        """All of it, to `restore` later."""
        return copy.deepcopy(self._shards)

    def restore(self, saved: Any) -> None:
        """Go back in time; owners' tokens go back too, as they do in a real server."""
        self._shards = copy.deepcopy(saved)

    def users(self, partition: int) -> dict[str, bytes]:
        """State records by user, for oracles."""
        return dict(self._shard(partition).users)

    def meta(self, partition: int) -> bytes | None:
        """Return the stored meta, for oracles."""
        return self._shard(partition).meta


def _append(box: dict[tuple[int, int], bytes], number: int, entries: Any, trim: str | None) -> None:
    for index, entry in enumerate(entries):
        box[_id(stream_id(number, index))] = entry
    if trim is not None:
        for key in [key for key in box if key <= _id(trim)]:
            del box[key]
