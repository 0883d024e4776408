"""The store in memory, which keeps the contract without a server, for simulation, backtest and demo.

`snapshot` and `restore` simulate a server that lost its last second: states, numbers and owners go back together.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from features.compiled.texts import names_of
from features.definitions.names import checked_name
from features.store.contract import NOT_FRESH, Commit, Damaged, Found, Need, Rebuild, StaleOwner, Taken, TakeRefused, Token, stream_id
from features.store.keys import digest_of, shard_keys

Box = dict[tuple[int, int], bytes]


@dataclass(slots=True)
class _ShardData:
    epoch: int = 0
    nonce: str = ""
    generation: int | None = None
    server: int = 0
    rebuild: Rebuild = ""
    commit_no: int = 0
    meta: bytes | None = None
    users: dict[str, bytes] = field(default_factory=dict)
    wheel: dict[int, set[str]] = field(default_factory=dict)
    snaps: dict[tuple[str, int], list[bytes]] = field(default_factory=dict)
    outbox: Box = field(default_factory=dict)
    exbox: Box = field(default_factory=dict)
    mirror: dict[str, dict[str, str]] = field(default_factory=dict)
    gone: dict[bytes, bytes] = field(default_factory=dict)

    def copied(self) -> _ShardData:
        """Return a copy. What a commit changes in place is copied; what it replaces is immutable, and so is shared."""
        return replace(
            self,
            users=dict(self.users),
            wheel={bucket: set(members) for bucket, members in self.wheel.items()},
            snaps={key: list(chunks) for key, chunks in self.snaps.items()},
            outbox=dict(self.outbox),
            exbox=dict(self.exbox),
            mirror={user: dict(fields) for user, fields in self.mirror.items()},
            gone=dict(self.gone),
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A `MemoryStore` at one moment; it can be restored any number of times."""

    shards: Mapping[int, _ShardData]


class MemoryStore:
    """All shards of one app in this process.

    Parameters
    ----------
    nonce : callable
        Makes the nonce of each take; with a counter, runs are repeatable.
    order : callable, optional
        Puts the members of a bucket in the order in which they are returned. A store promises no order, so by default every answer is shuffled.
    seed : int
        Seed of that shuffling; the same calls then give the same answers.
    """

    def __init__(self, nonce: Callable[[], str], order: Callable[[set[str]], list[str]] | None = None, *, seed: int = 0) -> None:
        self._nonce = nonce
        self._rng = random.Random(seed)
        self._order = order or self._shuffled
        self._shards: dict[int, _ShardData] = {}
        self._server = 0

    def _shuffled(self, members: set[str]) -> list[str]:
        order = sorted(members)
        self._rng.shuffle(order)
        return order

    def _shard(self, partition: int) -> _ShardData:
        return self._shards.setdefault(partition, _ShardData())

    async def take(self, partition: int, generation: int, *, force: bool = False) -> Taken:
        """See `features.store.contract.Store`."""
        data = self._shard(partition)
        if data.generation is not None and generation < data.generation and not force:
            raise TakeRefused(partition, data.generation)
        data.epoch, data.nonce, data.generation = data.epoch + 1, self._nonce(), generation
        data.server = self._server
        if data.rebuild:
            return Taken(Token(data.epoch, data.nonce), 0, None, (), (), {}, rebuild=data.rebuild)
        return Taken(
            token=Token(data.epoch, data.nonce),
            commit_no=data.commit_no,
            meta=data.meta,
            outbox=_entries(data.outbox),
            exbox=_entries(data.exbox),
            wheel={bucket: len(members) for bucket, members in data.wheel.items() if members},
            gone=dict(data.gone),
        )

    async def owner(self, partition: int) -> Token | None:
        """See `features.store.contract.Store`."""
        return self.token(partition)

    async def read(self, partition: int, need: Need) -> Found:
        """See `features.store.contract.Store`."""
        data = self._shard(partition)
        return Found(
            states=[data.users.get(user) for user in names_of(need.users)],
            members=[self._order(data.wheel.get(bucket, set())) for bucket in need.buckets],
            chunks=[list(data.snaps.get((checked_name("definition name", name), landmark), ())) for name, landmark in need.snaps],
        )

    async def commit(self, partition: int, commit: Commit) -> None:
        """See `features.store.contract.Store`. Raises `ValueError` as `RedisStore.commit` does, and then nothing has changed."""
        _check(commit)
        data = self._owned(partition, commit.token)
        if data.commit_no == commit.commit_no + 1:
            return
        if data.commit_no != commit.commit_no:
            raise StaleOwner(partition, f"stored commit number is {data.commit_no}, expected {commit.commit_no}")
        for bucket, users in commit.fresh.items():
            for user in users:
                if user in data.users or user in data.wheel.get(bucket, ()):
                    raise Damaged(partition, NOT_FRESH, digest_of(shard_keys("memory", partition).state(user)))
        number = commit.commit_no + 1
        data.users.update(zip(names_of(commit.users), cast(Sequence[bytes], commit.states), strict=True))
        for bucket, users in commit.armed.items():
            data.wheel.setdefault(bucket, set()).update(users)
        for bucket, users in commit.disarmed.items():
            data.wheel.setdefault(bucket, set()).difference_update(users)
        for key, chunk in commit.snaps.items():
            data.snaps.setdefault(key, []).append(chunk)
        for key in commit.matured:
            data.snaps.pop(key, None)
        _forget(data, commit)
        _append(data.outbox, number, commit.outbox, commit.outbox_trim)
        _append(data.exbox, number, commit.exbox, commit.exbox_trim)
        for user, fields in commit.mirror.items():
            data.mirror.setdefault(user, {}).update(fields)
        data.meta, data.commit_no = commit.meta, number

    async def ask_rebuild(self, partition: int, *, partial: bool) -> None:
        """See `features.store.contract.Store`."""
        self._shard(partition).rebuild = "partial" if partial else "whole"

    async def clear(self, partition: int, token: Token, meta: bytes) -> None:
        """See `features.store.contract.Store`."""
        data = self._owned(partition, token)
        self._shards[partition] = _ShardData(data.epoch, data.nonce, data.generation, data.server, meta=meta)

    def _owned(self, partition: int, token: Token) -> _ShardData:
        data = self._shard(partition)
        if not data.epoch or Token(data.epoch, data.nonce) != token:
            raise StaleOwner(partition, "token")
        if data.server != self._server:
            raise StaleOwner(partition, "the server restarted since the take")
        return data

    def snapshot(self) -> Snapshot:
        """Return the whole store as it is now."""
        return Snapshot({partition: data.copied() for partition, data in self._shards.items()})

    def restore(self, saved: Snapshot) -> None:
        """Go back in time, like a server that restarts without its last second. Owners go back too, and every owner must take its shards again."""
        self._server += 1
        self._shards = {partition: data.copied() for partition, data in saved.shards.items()}

    def users(self, partition: int) -> dict[str, bytes]:
        """Return the stored state records by user, for oracles."""
        return dict(self._shard(partition).users)

    def gone(self, partition: int) -> dict[bytes, bytes]:
        """Return what is remembered of erased users, for oracles."""
        return dict(self._shard(partition).gone)

    def wheel(self, partition: int) -> set[str]:
        """Return everybody in the wheel, for oracles."""
        return set().union(*self._shard(partition).wheel.values())

    def pending(self, partition: int) -> list[list[bytes]]:
        """Return all lists of pending snapshots, for oracles."""
        return [list(chunks) for chunks in self._shard(partition).snaps.values()]

    def generation(self, partition: int) -> int:
        """Return the stored group generation, -1 before the first take, for oracles."""
        stored = self._shard(partition).generation
        return -1 if stored is None else stored

    def token(self, partition: int) -> Token | None:
        """Return the token whose holder may commit, None if there is none, for oracles."""
        data = self._shard(partition)
        return Token(data.epoch, data.nonce) if data.epoch and data.server == self._server else None

    def epoch(self, partition: int) -> int:
        """Return the stored epoch, for oracles."""
        return self._shard(partition).epoch

    def commit_no(self, partition: int) -> int:
        """Return the stored commit number, for oracles."""
        return self._shard(partition).commit_no

    def meta(self, partition: int) -> bytes | None:
        """Return the stored meta, for oracles."""
        return self._shard(partition).meta

    def mirror(self, partition: int) -> dict[str, dict[str, str]]:
        """Return the mirrored features by user, for oracles."""
        return {user: dict(fields) for user, fields in self._shard(partition).mirror.items()}


def _forget(data: _ShardData, commit: Commit) -> None:
    for key, chunk in commit.rewritten.items():
        data.snaps.pop(key, None)
        if chunk:
            data.snaps[key] = [chunk]
    for user in commit.erased:
        data.users.pop(user, None)
        data.mirror.pop(user, None)
    data.gone.update(commit.gone)


def _check(commit: Commit) -> None:
    """Refuse what the store in Redis would refuse to write."""
    if len(commit.users) != len(commit.states):
        raise ValueError(f"as many states as users are needed, got {len(commit.states)} for {len(commit.users)}")
    for name, _ in (*commit.snaps, *commit.matured, *commit.rewritten):
        checked_name("definition name", name)
    "".join(names_of(commit.users)).encode()


def _id(text: str) -> tuple[int, int]:
    major, minor = text.split("-")
    return int(major), int(minor)


def _append(box: Box, number: int, entries: Sequence[bytes], trim: str | None) -> None:
    for index, entry in enumerate(entries):
        box[_id(stream_id(number, index))] = entry
    if trim is not None:
        for key in [key for key in box if key <= _id(trim)]:
            del box[key]


def _entries(box: Box) -> list[tuple[str, bytes]]:
    return [(f"{major}-{minor}", entry) for (major, minor), entry in sorted(box.items())]
