"""The store in Redis: every change of a shard is one Lua call; every key of a shard carries its tag.

Keys are listed in docs/architecture.md and above each script. Calls run redis-py's blocking client in a thread of their own: packing
and sending 2 MB is faster there than in the event loop, and other shards compute meanwhile.

A call that fails is repeated for `patience_s`; a commit may be repeated because it carries its token and number. A script that the server
forgot (restart) is sent again.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from features.landmarks import BUCKETS
from features.store import Commit, Found, Need, StaleOwner, StoreUnavailable, Taken, TakeRefused, Token, stream_id

T = TypeVar("T")
_HERE = Path(__file__).parent
_CHUNK = 4_000
"""Keys of one MGET."""


def shard_prefix(app: str, partition: int) -> str:
    """Return the beginning of every key of a shard; the braces are the cluster's hash tag.

    >>> shard_prefix("shop", 7)
    'cw:shop:{7}:'
    """
    return f"cw:{app}:{{{partition}}}:"


def connect(url: str, *, timeout_s: float = 5.0) -> redis.Redis:
    """Return a client that neither retries nor connects by itself; answers are bytes."""
    return redis.Redis.from_url(
        url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=Retry(NoBackoff(), 0), decode_responses=False, protocol=2
    )


class RedisStore:
    """See `features.store.Store`.

    Parameters
    ----------
    client : redis.Redis
        As made by `connect`.
    app : str
        Names the deployment; part of every key.
    patience_s : float
        How long a call is repeated before `StoreUnavailable`.
    """

    def __init__(self, client: redis.Redis, app: str, *, patience_s: float = 10.0, threads: int = 4) -> None:
        self._client, self._app, self._patience_s = client, app, patience_s
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="redis")
        self._take_script = client.register_script((_HERE / "take.lua").read_bytes())
        self._commit_script = client.register_script((_HERE / "commit.lua").read_bytes())

    def close(self) -> None:
        """End the threads; the connection pool stays the caller's."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _patiently(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._repeat, call)

    def _repeat(self, call: Callable[[], T]) -> T:
        deadline = time.monotonic() + self._patience_s
        pause_s = 0.01
        while True:
            try:
                return call()
            except (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError) as error:
                if time.monotonic() + pause_s > deadline:
                    raise StoreUnavailable(f"Redis did not answer for {self._patience_s:g} s: {type(error).__name__}") from error
                time.sleep(pause_s)
                pause_s = min(pause_s * 2, 0.5)

    def _fixed_keys(self, partition: int) -> list[str]:
        prefix = shard_prefix(self._app, partition)
        return [prefix + name for name in ("owner", "meta", "outbox", "exbox")]

    async def take(self, partition: int, generation: int, *, force: bool = False) -> Taken:
        """See `features.store.Store`."""
        prefix, keys = shard_prefix(self._app, partition), self._fixed_keys(partition)

        def call() -> Taken:
            nonce = secrets.token_hex(8)
            answer: list[Any] = self._take_script(keys=keys, args=[generation, int(force), nonce, prefix + "wheel:", BUCKETS])
            if answer[0] == 0:
                raise TakeRefused(partition, int(answer[1]))
            _, epoch, number, meta, outbox, exbox, wheel = answer
            return Taken(
                token=Token(int(epoch), nonce),
                commit_no=int(number),
                meta=meta,
                outbox=_entries(outbox),
                exbox=_entries(exbox),
                wheel={int(bucket): int(count) for bucket, count in zip(wheel[::2], wheel[1::2], strict=True)},
            )

        return await self._patiently(call)

    async def owner(self, partition: int) -> Token | None:
        """See `features.store.Store`."""
        key = self._fixed_keys(partition)[0]
        epoch, nonce = await self._patiently(lambda: self._client.hmget(key, ["epoch", "nonce"]))
        return None if epoch is None else Token(int(epoch), nonce.decode())

    async def read(self, partition: int, need: Need) -> Found:
        """See `features.store.Store`."""
        prefix = shard_prefix(self._app, partition)
        keys = [f"{prefix}u:{user}".encode() for user in need.users]

        def call() -> Found:
            pipe = self._client.pipeline(transaction=False)
            for at in range(0, len(keys), _CHUNK):
                pipe.mget(keys[at : at + _CHUNK])
            for bucket in need.buckets:
                pipe.smembers(f"{prefix}wheel:{bucket}")
            for name, landmark in need.snaps:
                pipe.lrange(f"{prefix}snap:{name}:{landmark}", 0, -1)
            answers = pipe.execute()
            mgets = -(-len(keys) // _CHUNK)
            members = answers[mgets : mgets + len(need.buckets)]
            return Found(
                states=[state for answer in answers[:mgets] for state in answer],
                members=[[user.decode() for user in answer] for answer in members],
                chunks=answers[mgets + len(need.buckets) :],
            )

        return await self._patiently(call)

    async def commit(self, partition: int, commit: Commit) -> None:
        """See `features.store.Store`."""
        keys, args = self._fixed_keys(partition), self._arguments(partition, commit)
        answer = await self._patiently(lambda: self._commit_script(keys=keys, args=args))
        if answer[0] == 0:
            raise StaleOwner(partition, answer[1].decode())

    def _arguments(self, partition: int, commit: Commit) -> list[Any]:
        """Return ARGV of commit.lua, in the order given there."""
        prefix = shard_prefix(self._app, partition)
        start = f"{prefix}u:"
        number = commit.commit_no + 1
        args: list[Any] = [
            commit.token.epoch, commit.token.nonce, commit.commit_no, commit.meta, prefix,
            _first_kept(commit.outbox_trim), _first_kept(commit.exbox_trim),
            len(commit.users), len(commit.armed), len(commit.disarmed), len(commit.snaps), len(commit.matured),
            len(commit.outbox), len(commit.exbox), len(commit.mirror),
        ]  # fmt: skip
        users: list[Any] = [None] * (2 * len(commit.users))
        users[::2] = [start + user for user in commit.users]
        users[1::2] = commit.states
        args += users
        for side in (commit.armed, commit.disarmed):
            for bucket, members in side.items():
                args += [bucket, len(members), *members]
        for (name, landmark), chunk in commit.snaps.items():
            args += [f"{name}:{landmark}", chunk]
        args += [f"{name}:{landmark}" for name, landmark in commit.matured]
        for box in (commit.outbox, commit.exbox):
            for index, entry in enumerate(box):
                args += [stream_id(number, index), entry]
        for user, fields in commit.mirror.items():
            args += [user, len(fields), *(part for pair in fields.items() for part in pair)]
        return args


def _first_kept(trim: str | None) -> str:
    """Return the id just above the last one to trim.

    >>> _first_kept("7-1"), _first_kept(None)
    ('7-2', '')
    """
    if trim is None:
        return ""
    major, minor = trim.split("-")
    return f"{major}-{int(minor) + 1}"


def _entries(stream: Sequence[Any]) -> list[tuple[str, bytes]]:
    return [(entry_id.decode(), fields[1]) for entry_id, fields in stream]
