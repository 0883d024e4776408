"""The store in Redis: every change of a shard is one transaction; every key of a shard carries its hash tag.

A commit is two round trips on one connection. The first watches `owner` and `meta`, and reads who owns the shard, its commit number and the
server's run id, which are judged here. The second is MULTI, the writes and EXEC: Redis applies all of them if neither key has changed since, and
else none. A script would need only one trip, but would cost the server nearly twice as much (docs/decisions/0004).

The keys are in docs/architecture.md, their names in `features.store.keys`. Calls run in a few threads, on redis-py's blocking connections: to pack
and send 2 MB costs less there than in the event loop, and other shards compute meanwhile. `features.store.server_check` judges the server's settings.

A call that gets no answer is repeated until `patience_s` has passed; then it raises `StoreUnavailable`. Repeating is safe, because a commit carries
its token and number, and a take its nonce. When the server has forgotten the script of the take, it is loaded again.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from features.store.app_spec import AppSpec, SpecMismatch, unpack_app_spec
from features.store.contract import (
    NOT_FRESH,
    Commit,
    Damaged,
    Found,
    Need,
    StaleOwner,
    StoreError,
    StoreUnavailable,
    Taken,
    TakeRefused,
    Token,
)
from features.store.keys import META_FIELD, NUMBER_FIELD, ShardKeys, app_keys, digest_of, shard_keys
from features.store.packed_calls import pack_calls, pack_commit, pack_look, pack_read
from features.store.server_check import Finding, findings
from features.users.landmarks import BUCKETS

T = TypeVar("T")
_TAKE = (Path(__file__).parent / "take.lua").read_bytes()
_RUN_ID = re.compile(rb"run_id:(\w+)")
SCANNED_A_CALL = 10_000
"""How many keys one SCAN goes through. While it runs the server does nothing else, and this many take it a few milliseconds."""
_TRIES = 5
"""How often a transaction is tried whose watched keys change meanwhile. The next try normally shows who changed them."""
_PAUSES_S = (0.02, 0.05, 0.1, 0.2, 0.5)
"""Pauses before each repeat, in seconds; the last one is used again and again."""
_PASSING = re.compile(r"(?:^|-)(?:BUSY|MASTERDOWN|MISCONF|NOREPLICAS|OOM|READONLY)\b")
"""Errors that may pass, so the call is repeated: the server is busy, full, failing over, or cannot write to its disk. Redis 6 puts the error of a
script into another: ``Error running script ...: -OOM ...``."""


def connect(url: str, *, timeout_s: float = 5.0) -> redis.Redis:
    """Return a client whose calls are bounded in time, which repeats none by itself, and which answers in bytes.

    Parameters
    ----------
    url : str
        ``redis://``, ``rediss://`` (TLS) or ``unix://``.
    timeout_s : float
        Bound in seconds for connecting, and for each read and write of the socket, > 0.
    """
    over_tcp = {} if url.startswith("unix:") else {"socket_connect_timeout": timeout_s, "socket_keepalive": True}
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_s,
        **over_tcp,
        retry=Retry(NoBackoff(), 0),
        decode_responses=False,
        protocol=2,
    )


class RedisStore:
    """See `features.store.contract.Store`.

    Parameters
    ----------
    client_or_url : redis.Redis or str
        A client as made by `connect`, which the caller closes; or the URL to connect to.
    app : str
        The app's name, which is part of every key.
    patience_s : float
        For how many seconds a call is repeated before it raises `StoreUnavailable`, > 0.
    threads : int
        Most calls at once, each on its own connection. With fewer than the shards of this process, shards wait for each other.

    Raises
    ------
    ValueError
        If the app's name may not stand in a key.
    """

    def __init__(self, client_or_url: redis.Redis | str, app: str, *, patience_s: float = 10.0, threads: int = 8) -> None:
        app_keys(app)
        self._owns_client = isinstance(client_or_url, str)
        self._client = connect(client_or_url) if isinstance(client_or_url, str) else client_or_url
        self._app, self._patience_s = app, patience_s
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="redis")
        self._take_script = self._client.register_script(_TAKE)

    def at(self, point: str) -> None:
        """Do nothing. A commit calls this once it is `checked`, so that tests can let another owner act at that point."""

    def close(self) -> None:
        """Start no more calls; those in flight end by themselves. Close the connections if they are ours."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._owns_client:
            self._client.close()

    async def take(self, partition: int, generation: int, *, force: bool = False) -> Taken:
        """See `features.store.contract.Store`."""
        keys = self._keys(partition)
        nonce = secrets.token_hex(8)
        args: list[Any] = [generation, int(force), nonce, keys.wheels, BUCKETS]
        fixed = [keys.owner, keys.meta, keys.outbox, keys.exbox, keys.gone]
        with self._finding_types(partition):
            answer: list[Any] = await self._patiently(lambda: self._take_script(keys=fixed, args=args))
        if answer[0] == 0:
            raise TakeRefused(partition, int(answer[1]))
        if answer[0] == 2:
            return Taken(Token(int(answer[1]), nonce), 0, None, (), (), {}, rebuild=answer[2].decode())
        _, epoch, number, meta, outbox, exbox, wheel, gone = answer
        return Taken(
            token=Token(int(epoch), nonce),
            commit_no=int(number),
            meta=meta,
            outbox=_entries(outbox),
            exbox=_entries(exbox),
            wheel=dict(zip(wheel[::2], wheel[1::2], strict=True)),
            gone=dict(zip(gone[::2], gone[1::2], strict=True)),
        )

    async def owner(self, partition: int) -> Token | None:
        """See `features.store.contract.Store`."""
        keys = self._keys(partition)

        def call() -> tuple[Any, Any]:
            return self._client.hmget(keys.owner, ["epoch", "nonce", "server"]), self._client.info("server")

        (epoch, nonce, server), info = await self._patiently(call)
        if epoch is None or server != info["run_id"].encode():
            return None
        return Token(int(epoch), nonce.decode())

    async def read(self, partition: int, need: Need) -> Found:
        """See `features.store.contract.Store`."""
        packed, mgets = pack_read(self._keys(partition), need)
        buckets = len(need.buckets)
        calls = mgets + buckets + len(need.snaps)

        def call() -> list[Any]:
            with self._connection() as connection:
                found = _asked(connection, packed, calls)
            return _sound(found)

        with self._finding_types(partition, need.snaps):
            answers = await self._patiently(call) if calls else []
        return Found(
            states=list(chain.from_iterable(answers[:mgets])),
            members=[list(map(bytes.decode, members)) for members in answers[mgets : mgets + buckets]],
            chunks=answers[mgets + buckets :],
        )

    async def commit(self, partition: int, commit: Commit) -> None:
        """See `features.store.contract.Store`.

        Raises
        ------
        ValueError
            Before anything is sent, if there are not as many states as users, a definition's name may not stand in a key, or a user id is not UTF-8.
        """
        keys = self._keys(partition)
        packed: tuple[bytes | bytearray, int] | None = None

        def call() -> str | None:
            nonlocal packed
            if packed is None:
                packed = pack_commit(keys, commit)
            return self._transact(partition, commit, *packed)

        with self._finding_types(partition, [*commit.snaps, *commit.rewritten]):
            refusal = await self._patiently(call)
        if refusal is not None:
            raise StaleOwner(partition, refusal)

    async def ask_rebuild(self, partition: int, *, partial: bool) -> None:
        """See `features.store.contract.Store`."""
        owner = self._keys(partition).owner

        def call() -> None:
            with self._client.pipeline() as pipe:
                if self._client.type(owner) not in {b"hash", b"none"}:
                    pipe.delete(owner)
                pipe.hset(owner, "rebuild", "partial" if partial else "whole")
                pipe.execute()

        await self._patiently(call)

    async def clear(self, partition: int, token: Token, meta: bytes) -> None:
        """See `features.store.contract.Store`. It scans all keys of the server; a million keys take about half a second."""
        keys, cursor, found = self._keys(partition), 0, True
        owner = keys.owner.encode()
        while found:
            cursor, page = await self._patiently(
                lambda cursor=cursor: self._client.scan(cursor, match=f"{keys.prefix}*", count=SCANNED_A_CALL)  # type: ignore[misc]  # mypy cannot type a default
            )
            if some := [key for key in page if key != owner]:
                await self._as_owner(partition, token, ("UNLINK", *some))
            found = cursor != 0
        await self._as_owner(
            partition,
            token,
            ("DEL", keys.meta),
            ("HSET", keys.meta, META_FIELD, meta, NUMBER_FIELD, 0),
            ("HDEL", keys.owner, "rebuild"),
        )

    async def check_server(self) -> list[Finding]:
        """Return the reasons not to trust this server; empty if there are none. It is cheap, so ask every minute: a server can be reconfigured."""
        return findings(await self._patiently(self._client.info))

    def _keys(self, partition: int) -> ShardKeys:
        return shard_keys(self._app, partition)

    def _transact(self, partition: int, commit: Commit, packed: bytes | bytearray, answers: int) -> str | None:
        """Apply a packed commit. Return None if it is applied, now or before, else why it was refused."""
        look, looks = pack_look(self._keys(partition), commit)
        with self._connection() as connection:
            for _ in range(_TRIES):
                _, owner, stored, boxes, info, *fresh = _answers(connection, look, looks)
                verdict = _judge(commit, owner, stored, boxes, info)
                if verdict != _GO:
                    _answers(connection, pack_calls(("UNWATCH",)), 1)
                    return None if verdict == _DONE else verdict
                if any(fresh) and any(any(one) if isinstance(one, list) else one for one in fresh):
                    _answers(connection, pack_calls(("UNWATCH",)), 1)
                    raise self._not_fresh(partition, commit)
                self.at("checked")
                if _answers(connection, packed, answers)[-1] is not None:
                    return None
        return f"the shard's owner or meta changed {_TRIES} times while this commit was sent"

    async def _as_owner(self, partition: int, token: Token, *calls: tuple[Any, ...]) -> None:
        """Apply some calls in one transaction, if the holder of the token still owns the shard."""
        keys = self._keys(partition)
        look = pack_calls(("WATCH", keys.owner), ("HMGET", keys.owner, "epoch", "nonce", "server"), ("INFO", "server"))
        packed = pack_calls(("MULTI",), *calls, ("EXEC",))

        def call() -> str | None:
            with self._connection() as connection:
                for _ in range(_TRIES):
                    _, owner, info = _answers(connection, look, 3)
                    if why := _not_owner(token, owner, info):
                        _answers(connection, pack_calls(("UNWATCH",)), 1)
                        return why
                    if _answers(connection, packed, 2 + len(calls))[-1] is not None:
                        return None
            return f"the shard's owner changed {_TRIES} times"

        refusal = await self._patiently(call)
        if refusal is not None:
            raise StaleOwner(partition, refusal)

    def _not_fresh(self, partition: int, commit: Commit) -> Damaged:
        """Return the error for users who should be fresh and are not. Only now is each user asked about, to name the key."""
        keys = self._keys(partition)
        for bucket, users in commit.fresh.items():
            for user in users:
                if self._client.exists(keys.state(user)) or self._client.sismember(keys.wheel(bucket), user):
                    return Damaged(partition, NOT_FRESH, digest_of(keys.state(user)))
        return Damaged(partition, NOT_FRESH)

    @contextmanager
    def _finding_types(self, partition: int, snaps: Sequence[tuple[str, int]] = ()) -> Iterator[None]:
        """When Redis says that a key is of the wrong type, raise `Damaged` with the key's name."""
        try:
            yield
        except StoreError as error:
            if "WRONGTYPE" not in str(error):
                raise
            keys = self._keys(partition)
            wanted = {keys.owner: b"hash", keys.meta: b"hash", keys.outbox: b"stream", keys.exbox: b"stream", keys.gone: b"hash"}
            wanted |= dict.fromkeys(map(keys.wheel, range(BUCKETS)), b"set")
            wanted |= {keys.snap(name, landmark_ms): b"list" for name, landmark_ms in snaps}
            with self._client.pipeline(transaction=False) as pipe:
                for key in wanted:
                    pipe.type(key)
                types = pipe.execute()
            wrong = [key for key, is_now in zip(wanted, types, strict=True) if is_now not in {wanted[key], b"none"}]
            raise Damaged(partition, "a key is of another type than it was written", next(iter(wrong), "")) from None

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        """Lend one of the client's connections; it is closed if the calls on it are cut short."""
        pool = self._client.connection_pool
        connection = pool.get_connection()
        try:
            yield connection
        except BaseException:
            connection.disconnect()  # type: ignore[no-untyped-call]  # redis-py has no types there; the connection may still watch keys, or have unread answers
            raise
        finally:
            pool.release(connection)

    async def _patiently(self, call: Callable[[], T]) -> T:
        """Run a call in a thread; repeat it while the server does not answer, or says that it cannot serve at present."""
        loop = asyncio.get_running_loop()
        why = "no answer"
        try:
            async with asyncio.timeout(self._patience_s):
                for pause_s in chain(_PAUSES_S, repeat(_PAUSES_S[-1])):
                    try:
                        return await loop.run_in_executor(self._pool, call)
                    except (redis.AuthenticationError, redis.exceptions.AuthorizationError) as error:
                        raise StoreError("Redis refused the credentials: check the user and password in its URL") from error
                    except (redis.ConnectionError, redis.TimeoutError) as error:
                        why = type(error).__name__
                    except redis.ResponseError as error:
                        if not _may_pass(error):
                            raise StoreError(f"Redis refused the call: {error}") from error
                        why = str(error)
                    await asyncio.sleep(pause_s)
        except TimeoutError:
            pass
        raise StoreUnavailable(f"Redis did not serve for {self._patience_s:g} s: {why}")


_GO, _DONE = "go", "done"


def _not_owner(token: Token, owner: Sequence[bytes | None], info: bytes) -> str | None:
    """Return why the holder of a token may not write, None if they may."""
    epoch, nonce, server = owner
    if (epoch, nonce) != (b"%d" % token.epoch, token.nonce.encode()):
        return "token"
    # A server that restarted, or a replica that took over, may have lost its last second, and with it a take. Then the token of the owner before
    # that take would be valid again. So every owner must take its shards again from a new server.
    found = _RUN_ID.search(info)
    return None if found is not None and server == found[1] else "the server restarted since the take"


def _judge(commit: Commit, owner: Sequence[bytes | None], stored: bytes | None, boxes: int, info: bytes) -> str:
    """Return `_GO` if a commit may be applied, `_DONE` if this very commit was applied before, else why it is refused."""
    if why := _not_owner(commit.token, owner, info):
        return why
    # Stream ids grow with the commit number, so XADD can fail only if somebody deleted the number and left the streams.
    if stored is None and boxes:
        return "the meta key was deleted but not the outbox"
    number = int(stored or 0)
    if number == commit.commit_no + 1:
        return _DONE
    return _GO if number == commit.commit_no else f"stored commit number is {number}, expected {commit.commit_no}"


def _answers(connection: Any, packed: bytes | bytearray, count: int) -> list[Any]:
    """Send calls and read all their answers; raise the first error among them, even one inside a transaction's answer."""
    found = _asked(connection, packed, count)
    inside = found[-1] if isinstance(found[-1], list) else []
    _sound(inside)
    return _sound(found)


def _sound(answers: list[Any]) -> list[Any]:
    for one in answers:
        if isinstance(one, Exception):
            raise one
    return answers


def _asked(connection: Any, packed: bytes | bytearray, count: int) -> list[Any]:
    """Send calls and read all their answers, errors among them."""
    connection.send_packed_command([packed])
    found: list[Any] = []
    for _ in range(count):
        try:
            found.append(connection.read_response())
        except redis.ResponseError as error:
            found.append(error)
    return found


def _may_pass(error: redis.ResponseError) -> bool:
    # redis-py removes the code from errors that have a class of their own.
    return isinstance(error, redis.exceptions.OutOfMemoryError | redis.ReadOnlyError) or _PASSING.search(str(error)) is not None


def _entries(stream: Sequence[tuple[bytes, Sequence[bytes]]]) -> list[tuple[str, bytes]]:
    return [(entry_id.decode(), fields[1]) for entry_id, fields in stream]


def load_spec(client: redis.Redis, app: str) -> AppSpec | None:
    """Return what the app was started with, None if it was never started."""
    packed: Any = client.get(app_keys(app).spec)
    return None if packed is None else unpack_app_spec(packed)


def save_spec(client: redis.Redis, app: str, spec: AppSpec) -> None:
    """Store the spec if none is stored yet. The first process to start stores it; the same spec once more is no error.

    Raises
    ------
    SpecMismatch
        If another spec is stored.
    """
    if client.set(app_keys(app).spec, spec.pack(), nx=True):
        return
    _must_be(client, app, spec)


def replace_spec(client: redis.Redis, app: str, stored: AppSpec, spec: AppSpec) -> None:
    """Store a new spec in place of `stored`, which was read and found compatible (a definition was added).

    Raises
    ------
    SpecMismatch
        If a spec other than `stored` is there by now.
    """
    with client.pipeline() as pipe:
        try:
            pipe.watch(app_keys(app).spec)  # type: ignore[no-untyped-call]  # redis-py has no types there
            if load_spec(client, app) == spec:
                return
            _must_be(client, app, stored)
            pipe.multi()
            pipe.set(app_keys(app).spec, spec.pack())
            pipe.execute()
        except redis.WatchError:
            _must_be(client, app, spec)


def _must_be(client: redis.Redis, app: str, spec: AppSpec) -> None:
    found = load_spec(client, app)
    if found is not None and found != spec:
        raise SpecMismatch(app, found, spec)
