"""A server killed in the middle of commits, its append-only file cut at any byte: what it loads is the shard after some commit, whole.

The oracle is the store in memory, fed with the same commits up to the number that was loaded. A writer that stores the number in a call
of its own must be caught, or the green runs would prove nothing.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from features.store.contract import Commit, Need, StaleOwner, StoreUnavailable, Token, stream_id
from features.store.keys import shard_keys
from features.store.memory import MemoryStore
from features.store.redis import RedisStore, connect
from stream.demo.local_redis import LocalRedis
from tests.features.conftest import append_only_file, bundled_binary
from tests.features.test_store_contract import plain

pytestmark = pytest.mark.real_redis

USERS = [f"user{n}" for n in range(40)]
LISTS = [("churn14", n * 300_000) for n in range(4)]
EVERYTHING = Need(USERS, range(4), LISTS)
COMMITS = 300


def nth_commit(token: Token, number: int) -> Commit:
    """Return the commit that expects `number`: always the same one, and with something of everything in it."""
    rng = random.Random(number)
    touched = rng.sample(USERS, 12)
    return Commit(
        token=token,
        commit_no=number,
        meta=b"%d" % (number + 1) * 100,
        users=touched,
        states=[rng.randbytes(40) for _ in touched],
        armed={rng.randrange(4): touched[:5]},
        disarmed={rng.randrange(4): touched[5:9]},
        snaps={rng.choice(LISTS): rng.randbytes(70)},
        matured=[LISTS[number % 4]] if number % 10 == 0 else [],
        outbox=[rng.randbytes(30)],
        exbox=[rng.randbytes(90)] if number % 3 == 0 else [],
        outbox_trim=stream_id(number - 5, 0) if number > 5 else None,
        exbox_trim=stream_id(number - 8, 0) if number > 8 else None,
    )


@pytest.fixture(params=[False, True], ids=["redis", "redis-bundled"])
def binary(request: pytest.FixtureRequest) -> str | None:
    return bundled_binary() if request.param else None


@pytest.fixture
def restarted(tmp_path: Path, binary: str | None) -> Iterator[Callable[[Path, int | None], LocalRedis]]:
    """Starts a server on a copy of another's folder, its append-only file cut at a byte."""
    started: list[LocalRedis] = []

    def start(source: Path, cut: int | None) -> LocalRedis:
        if started:
            started[-1].kill()
        folder = tmp_path / f"cut{len(started)}"
        shutil.copytree(source, folder)
        if cut is not None:
            with append_only_file(folder).open("r+b") as file:
                file.truncate(cut)
        server = LocalRedis(folder, binary=binary)
        server.start()
        started.append(server)
        return server

    yield start
    if started:
        started[-1].kill()


async def expected(number: int) -> MemoryStore:
    """The shard after its first `number` commits."""
    memory = MemoryStore(lambda: "oracle")
    taken = await memory.take(0, 1)
    for n in range(number):
        await memory.commit(0, nth_commit(taken.token, n))
    return memory


async def difference(server: LocalRedis) -> str | None:
    """Say what of the loaded shard differs from the shard after the commit whose number it states; None if nothing does."""
    store = RedisStore(server.url, "aof")
    taken = await store.take(0, 1, force=True)
    memory = await expected(taken.commit_no)
    oracle = await memory.take(0, 1)
    found = plain(await store.read(0, EVERYTHING)), taken.meta, list(taken.outbox), list(taken.exbox), dict(taken.wheel)
    wanted = plain(await memory.read(0, EVERYTHING)), oracle.meta, list(oracle.outbox), list(oracle.exbox), dict(oracle.wheel)
    store.close()
    names = ("states, members or chunks", "meta", "outbox", "exbox", "wheel")
    wrong = [name for name, one, other in zip(names, found, wanted, strict=True) if one != other]
    return f"after commit {taken.commit_no}: {', '.join(wrong)}" if wrong else None


async def killed_during_commits(folder: Path, binary: str | None) -> tuple[int, Token]:
    """Kill -9 a server while it is written to; return how many commits it had acknowledged, and to whom."""
    with LocalRedis(folder, binary=binary) as server:
        store = RedisStore(server.url, "aof", patience_s=2.0)  # a disk may be too busy to answer, which is no kill
        taken = await store.take(0, 1)
        acknowledged, killer = 0, None
        try:
            for n in range(10**9):
                await store.commit(0, nth_commit(taken.token, n))
                acknowledged += 1
                if n == COMMITS:
                    killer = asyncio.create_task(asyncio.to_thread(server.kill))
        except StoreUnavailable:
            pass
        assert killer is not None
        await killer
        store.close()
    return acknowledged, taken.token


async def test_killed_and_cut_anywhere_it_loads_a_whole_prefix(
    tmp_path: Path, binary: str | None, restarted: Callable[[Path, int | None], LocalRedis], full: bool
) -> None:
    source = tmp_path / "source"
    acknowledged, _ = await killed_during_commits(source, binary)
    size = append_only_file(source).stat().st_size
    rng = random.Random(size)
    cuts = [None, 0, 1, size - 1, *(rng.randrange(size) for _ in range(350 if full else 16))]
    numbers = set()
    for cut in cuts:
        server = restarted(source, cut)
        assert await difference(server) is None, f"cut at byte {cut} of {size}, {acknowledged} commits acknowledged"
        with connect(server.url) as client:
            numbers.add(int(client.hget(shard_keys("aof", 0).meta, "commit_no") or 0))
    assert len(numbers) > len(cuts) // 2, "the cuts must have bitten"


async def test_a_worker_notices_that_the_server_went_back(
    tmp_path: Path, binary: str | None, restarted: Callable[[Path, int | None], LocalRedis]
) -> None:
    source = tmp_path / "source"
    _, token = await killed_during_commits(source, binary)
    server = restarted(source, append_only_file(source).stat().st_size // 2)
    store = RedisStore(server.url, "aof")
    with connect(server.url) as client:
        stored = int(client.hget(shard_keys("aof", 0).meta, "commit_no") or 0)
    for number in (stored, stored + 5):
        with pytest.raises(StaleOwner):
            await store.commit(0, nth_commit(token, number))
    taken = await store.take(0, 1)
    for n in range(taken.commit_no, taken.commit_no + 5):
        await store.commit(0, nth_commit(taken.token, n))
    assert await difference(server) is None
    store.close()


def write_number_apart(client: redis.Redis, number: int) -> None:
    """A writer known to be wrong: it writes a commit in one transaction and the commit's number in a call of its own."""
    prefix, commit = shard_keys("aof", 0).prefix, nth_commit(Token(1, "bad"), number)
    with client.pipeline(transaction=True) as pipe:
        pipe.mset({f"{prefix}u:{user}": state for user, state in zip(commit.users, commit.states, strict=True)})
        for bucket, users in commit.armed.items():
            pipe.sadd(f"{prefix}wheel:{bucket}", *users)
        for bucket, users in commit.disarmed.items():
            pipe.srem(f"{prefix}wheel:{bucket}", *users)
        for (name, landmark), chunk in commit.snaps.items():
            pipe.rpush(f"{prefix}snap:{name}:{landmark}", chunk)
        for name, landmark in commit.matured:
            pipe.delete(f"{prefix}snap:{name}:{landmark}")
        for box, entries, trim in (("outbox", commit.outbox, commit.outbox_trim), ("exbox", commit.exbox, commit.exbox_trim)):
            for entry in entries:
                pipe.xadd(prefix + box, {"e": entry}, id=stream_id(number + 1, 0))
            if trim:
                pipe.xtrim(prefix + box, minid=trim.replace("-1", "-2"), approximate=False)
        pipe.execute()
    client.hset(prefix + "meta", mapping={"meta": commit.meta, "commit_no": number + 1})


async def test_a_number_written_apart_is_caught(
    tmp_path: Path, binary: str | None, restarted: Callable[[Path, int | None], LocalRedis]
) -> None:
    source = tmp_path / "source"
    with LocalRedis(source, binary=binary) as server, connect(server.url) as client:
        for n in range(60):
            write_number_apart(client, n)
        server.kill()
    assert await difference(restarted(source, None)) is None, "whole, it is right: only the cuts can tell"
    size = append_only_file(source).stat().st_size
    rng = random.Random(1)
    verdicts = [await difference(restarted(source, rng.randrange(size // 4, size))) for _ in range(16)]
    assert any(verdicts)
