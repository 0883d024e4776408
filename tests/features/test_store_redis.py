"""What the contract does not say: names, lost answers, restarts, full memory, and what a user costs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.crc import key_slot

from features.store.contract import Commit, Damaged, Need, StaleOwner, StoreError, StoreUnavailable, TakeRefused
from features.store.keys import digest_of, shard_keys
from features.store.redis import RedisStore, connect
from features.store.server_check import Finding, findings
from features.users.landmarks import BUCKETS, phase_of
from features.users.state import state_dtype
from stream.demo.local_redis import LocalRedis
from tests.features.conftest import append_only_file, bundled_binary
from tests.features.test_store_contract import EVERYTHING, STRANGE, a_commit, full_commit, plain, state
from tests.servers.process import wait_until
from tests.servers.proxy import Proxy

pytestmark = pytest.mark.real_redis


@pytest.fixture
def client(any_redis: LocalRedis) -> Iterator[redis.Redis]:
    with connect(any_redis.url) as client:
        yield client


@pytest.fixture
def store(client: redis.Redis, app_name: str) -> Iterator[RedisStore]:
    store = RedisStore(client, app_name)
    yield store
    store.close()


def keys_of(client: redis.Redis, app: str) -> set[bytes]:
    return set(client.scan_iter(f"cw:{app}:*", count=1000))


def contents(client: redis.Redis, app: str) -> dict[bytes, Any]:
    """Every key of an app with its serialised value."""
    return {key: client.dump(key) for key in keys_of(client, app)}


# --- names


async def test_keys_are_those_of_the_table(store: RedisStore, client: redis.Redis, app_name: str) -> None:
    await store.commit(7, full_commit(await store.take(7, 1)))
    expected = ["exbox", "feat:ann", "meta", "outbox", "owner", "snap:churn14:300000", "u:ann", "u:bob", "wheel:5", "wheel:6"]
    assert sorted(key.decode() for key in keys_of(client, app_name)) == [f"cw:{app_name}:{{7}}:{name}" for name in expected]
    assert client.hgetall(f"cw:{app_name}:{{7}}:meta") == {b"commit_no": b"1", b"meta": b"meta"}
    assert client.hgetall(f"cw:{app_name}:{{7}}:feat:ann") == {b"recency_s": b"5"}


async def test_no_user_id_leaves_the_shard(store: RedisStore, client: redis.Redis, app_name: str) -> None:
    taken = await store.take(7, 1)
    mirror = {user: {"x": "1"} for user in STRANGE}
    await store.commit(7, a_commit(taken, users=STRANGE, states=[b"s"] * len(STRANGE), armed={5: STRANGE}, mirror=mirror))
    keys = keys_of(client, app_name)
    prefix = shard_keys(app_name, 7).prefix.encode()
    assert {key_slot(key) for key in keys} == {key_slot(b"7")}
    assert {key for key in keys if key.startswith(prefix + b"u:")} == {prefix + b"u:" + user.encode() for user in STRANGE}
    assert len(keys) == 2 * len(STRANGE) + 3


@pytest.mark.parametrize("app", ["", "a:b", "{a}", "a b", "x" * 33, "A", "é"])
def test_an_app_name_that_may_not_stand_in_a_key_is_refused(app: str) -> None:
    with pytest.raises(ValueError, match="app name"):
        RedisStore("redis://127.0.0.1:1", app)


# --- keys of another type


@pytest.mark.parametrize("name", ["owner", "meta", "outbox", "exbox", "wheel:5"])
async def test_a_key_of_another_type_is_named_at_the_take_and_does_not_stand_against_making_the_shard_again(
    store: RedisStore, client: redis.Redis, app_name: str, name: str
) -> None:
    await store.commit(0, full_commit(await store.take(0, 1)))
    key = shard_keys(app_name, 0).prefix + name
    client.delete(key)
    client.set(key, "x")
    with pytest.raises(Damaged, match=f"another type.*{name}"):
        await store.take(0, 2)
    await store.ask_rebuild(0, partial=False)
    taken = await store.take(0, 2)
    assert taken.rebuild == "whole"
    await store.clear(0, taken.token, b"new")
    left = {key.decode()[len(shard_keys(app_name, 0).prefix) :] for key in keys_of(client, app_name)}
    assert left == {"owner", "meta"}
    assert (await store.take(0, 2)).meta == b"new"


async def test_a_list_of_another_type_is_named_where_it_is_read_or_written(store: RedisStore, client: redis.Redis, app_name: str) -> None:
    taken = await store.take(0, 1)
    client.set(shard_keys(app_name, 0).snap("churn14", 300_000), "x")
    with pytest.raises(Damaged, match="snap:churn14:300000"):
        await store.read(0, EVERYTHING)
    with pytest.raises(Damaged, match="snap:churn14:300000"):
        await store.commit(0, full_commit(taken))


async def test_a_state_of_another_type_is_no_state_and_its_user_is_not_begun_anew(
    store: RedisStore, client: redis.Redis, app_name: str
) -> None:
    taken = await store.take(0, 1)
    key = shard_keys(app_name, 0).state("ann")
    client.rpush(key, "x")
    assert list((await store.read(0, Need(["ann"]))).states) == [None]
    with pytest.raises(Damaged, match=digest_of(key)) as damage:
        await store.commit(0, a_commit(taken, users=["ann"], states=[b"s"], fresh={5: ["ann"]}))
    assert "ann" not in str(damage.value)
    assert client.type(key) == b"list"


# --- refusals write nothing at all


async def test_refusals_leave_every_key_as_it_was(store: RedisStore, client: redis.Redis, app_name: str) -> None:
    taken = await store.take(0, 5)
    await store.commit(0, full_commit(taken))
    before = contents(client, app_name)
    other = dict.fromkeys(["token"], replace(taken.token, nonce="other"))
    for commit in (full_commit(taken, 5), replace(full_commit(taken, 1), **other)):
        with pytest.raises(StaleOwner):
            await store.commit(0, commit)
    await store.commit(0, full_commit(taken))
    with pytest.raises(TakeRefused):
        await store.take(0, 4)
    assert contents(client, app_name) == before


async def test_deleted_meta_beside_a_full_outbox_is_refused(store: RedisStore, client: redis.Redis, app_name: str) -> None:
    taken = await store.take(0, 1)
    await store.commit(0, full_commit(taken))
    client.delete(f"cw:{app_name}:{{0}}:meta")
    before = contents(client, app_name)
    with pytest.raises(StaleOwner, match="meta key was deleted"):
        await store.commit(0, full_commit(taken))
    assert contents(client, app_name) == before


@pytest.mark.parametrize("bundled", [False, True])
async def test_full_memory_applies_or_refuses_whole_commits(tmp_path: Path, app_name: str, bundled: bool) -> None:
    with LocalRedis(tmp_path, appendonly=False, binary=bundled_binary() if bundled else None) as server, connect(server.url) as client:
        store = RedisStore(client, app_name, patience_s=0.2)
        taken = await store.take(0, 1)
        await store.commit(0, full_commit(taken))
        before = contents(client, app_name)
        client.config_set("maxmemory", 1)
        freeing = a_commit(taken, 1, disarmed={5: ["ann"]}, matured=[("churn14", 300_000)])
        for commit in (full_commit(taken, 1), replace(full_commit(taken, 1), users=[], states=[]), freeing):
            with pytest.raises(StoreUnavailable, match=r"0.2 s.*memory"):
                await store.commit(0, commit)
            assert contents(client, app_name) == before
        client.config_set("maxmemory", 0)
        await store.commit(0, full_commit(taken, 1))
        assert (await store.take(0, 1)).commit_no == 2
        store.close()


# --- lost answers, restarts, silence


async def test_a_commit_whose_answer_was_lost_is_repeated_and_recognised(any_redis: LocalRedis, app_name: str) -> None:
    with Proxy(any_redis.port) as proxy:
        store = RedisStore(proxy.url, app_name)
        taken = await store.take(0, 1)
        proxy.lose_answers(b"WATCH", times=2)
        proxy.lose_answers(b"EXEC")
        await store.commit(0, full_commit(taken))
        assert proxy.lost == 3
        await store.commit(0, full_commit(taken, 1))
        after = await store.take(0, 1)
        assert (after.commit_no, len(after.outbox)) == (2, 4)
        assert [list(chunks) for chunks in (await store.read(0, EVERYTHING)).chunks] == [[], [b"chunk", b"chunk"]]
        store.close()


async def test_a_take_whose_answer_was_lost_costs_no_epoch(any_redis: LocalRedis, app_name: str) -> None:
    with Proxy(any_redis.port) as proxy:
        store = RedisStore(proxy.url, app_name)
        await store.take(0, 1)
        proxy.lose_answers(b"EVALSHA", times=2)
        taken = await store.take(0, 1)
        assert (proxy.lost, taken.token.epoch) == (2, 2)
        assert await store.owner(0) == taken.token
        store.close()


async def test_broken_connections_are_made_anew(any_redis: LocalRedis, app_name: str) -> None:
    with Proxy(any_redis.port) as proxy:
        store = RedisStore(proxy.url, app_name)
        taken = await store.take(0, 1)
        for n in range(3):
            proxy.cut_all()
            await store.commit(0, full_commit(taken, n))
        proxy.cut_all()
        assert (await store.read(0, Need(["ann"]))).states == [state(1)]
        store.close()


async def test_a_server_that_never_answers_is_given_up(any_redis: LocalRedis, app_name: str) -> None:
    with Proxy(any_redis.port) as proxy:
        store = RedisStore(connect(proxy.url, timeout_s=0.05), app_name, patience_s=0.3)
        taken = await store.take(0, 1)
        proxy.swallow(True)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for call in (store.commit(0, full_commit(taken)), store.read(0, Need(["ann"])), store.take(0, 1), store.owner(0)):
            with pytest.raises(StoreUnavailable, match="Timeout"):
                await call
        assert loop.time() - began < 4 * 0.3 + 1
        proxy.swallow(False)
        after = await RedisStore(proxy.url, app_name).take(0, 1)
        assert after.commit_no == 0, "the check was not answered: nothing was written"
        store.close()


async def test_nobody_there(app_name: str) -> None:
    store = RedisStore("redis://127.0.0.1:1", app_name, patience_s=0.1)
    with pytest.raises(StoreUnavailable, match=r"0.1 s: ConnectionError"):
        await store.owner(0)
    store.close()


async def test_forgotten_scripts_are_loaded_again(store: RedisStore, client: redis.Redis) -> None:
    taken = await store.take(0, 1)
    for n in range(3):
        client.script_flush()
        await store.commit(0, full_commit(taken, n))
    client.script_flush()
    assert (await store.take(0, 1)).commit_no == 3


@pytest.mark.parametrize("bundled", [False, True])
async def test_a_restarted_server_keeps_the_states_and_voids_every_take(tmp_path: Path, app_name: str, bundled: bool) -> None:
    with LocalRedis(tmp_path, binary=bundled_binary() if bundled else None) as server:
        store = RedisStore(server.url, app_name)
        taken = await store.take(0, 5)
        await store.commit(0, full_commit(taken))
        with connect(server.url) as client:  # a busy disk lets Redis put off writing for up to two seconds
            await asyncio.to_thread(
                wait_until, lambda: client.info("persistence")["aof_buffer_length"] == 0, 30, "the commit is in the file"
            )
        server.kill()
        waiting = [asyncio.create_task(store.commit(0, full_commit(taken, number))) for number in (0, 1)]
        await asyncio.sleep(0)
        await asyncio.to_thread(server.start)
        for commit in waiting:
            with pytest.raises(StaleOwner, match="the server restarted"):
                await commit
        assert await store.owner(0) is None
        with pytest.raises(TakeRefused, match="generation 5"):
            await store.take(0, 4)
        again = await store.take(0, 5)
        assert (again.commit_no, again.token.epoch, len(again.outbox), dict(again.wheel)) == (1, 2, 2, {5: 2, 6: 1})
        assert await store.owner(0) == again.token
        await store.commit(0, full_commit(again))
        assert (await store.read(0, Need(["ann"]))).states == [state(1)]
        store.close()


async def test_a_take_lost_with_the_last_second_revives_no_earlier_owner(tmp_path: Path, app_name: str) -> None:
    """The file is cut before the second take: its first owner's token and number are the stored ones again."""
    with LocalRedis(tmp_path) as server:
        store = RedisStore(server.url, app_name)
        zombie = await store.take(0, 1)
        await store.commit(0, full_commit(zombie))
        size = append_only_file(tmp_path).stat().st_size
        await store.take(0, 2)
        server.kill()
        with append_only_file(tmp_path).open("r+b") as file:
            file.truncate(size)
        server.start()
        with connect(server.url) as client:
            assert client.hget(shard_keys(app_name, 0).owner, "nonce") == zombie.token.nonce.encode()
        with pytest.raises(StaleOwner, match="the server restarted"):
            await store.commit(0, full_commit(zombie, 1))
        store.close()


async def test_shards_commit_side_by_side(store: RedisStore) -> None:
    takes = await asyncio.gather(*(store.take(partition, 1) for partition in range(20)))

    async def work(partition: int) -> None:
        for n in range(5):
            await store.commit(partition, full_commit(takes[partition], n))

    await asyncio.gather(*map(work, range(20)))
    assert [taken.commit_no for taken in await asyncio.gather(*(store.take(p, 1) for p in range(20)))] == [5] * 20


class Overtaken(RedisStore):
    """Another owner takes the shard between the check of a commit and its writes."""

    url = ""

    def at(self, point: str) -> None:
        assert point == "checked"
        with connect(self.url) as client:
            asyncio.run(RedisStore(client, self._app).take(0, 1))


async def test_a_take_between_the_check_and_the_writes_voids_the_commit(any_redis: LocalRedis, app_name: str) -> None:
    store = Overtaken(any_redis.url, app_name)
    store.url = any_redis.url
    with pytest.raises(StaleOwner, match="token"):
        await store.commit(0, full_commit(await store.take(0, 1)))
    after = await store.take(0, 1)
    assert (after.token.epoch, after.commit_no, after.outbox) == (3, 0, [])
    store.close()


async def test_two_owners_of_one_shard_take_turns_or_are_refused(any_redis: LocalRedis, app_name: str) -> None:
    """However their commits fall, the numbers are dense and each was written by whoever held the shard."""
    stores = [RedisStore(any_redis.url, app_name) for _ in range(2)]
    applied: list[tuple[int, int]] = []

    async def own(store: RedisStore, rounds: int) -> None:
        for _ in range(rounds):
            taken = await store.take(0, 1)
            number = taken.commit_no
            try:
                for _ in range(3):
                    users = [f"u{n}" for n in range(200)]
                    await store.commit(0, Commit(taken.token, number, b"meta", users, [b"%d" % number] * len(users)))
                    applied.append((number, taken.token.epoch))
                    number += 1
            except StaleOwner:
                pass

    await asyncio.gather(*(own(store, 20) for store in stores))
    assert sorted(number for number, _ in applied) == list(range(len(applied)))
    assert [epoch for _, epoch in sorted(applied)] == sorted(epoch for _, epoch in applied)
    states = (await stores[0].read(0, Need([f"u{n}" for n in range(200)]))).states
    assert set(states) == {b"%d" % (len(applied) - 1)}
    for store in stores:
        store.close()


# --- credentials


async def test_a_wrong_password_is_said_at_once_and_never_shown(tmp_path: Path, app_name: str) -> None:
    with LocalRedis(tmp_path, appendonly=False) as server, connect(server.url) as admin:
        admin.config_set("requirepass", "right")
        for url in (f"redis://:canary-secret@127.0.0.1:{server.port}", server.url):
            store = RedisStore(url, app_name, patience_s=60)
            with pytest.raises(StoreError) as error:
                await store.take(0, 1)
            assert "canary-secret" not in f"{error.value!r} {error.value} {error.value.__cause__!r} {store!r}"
            store.close()


# --- the server itself


async def test_check_server_is_content_with_the_right_one(any_redis: LocalRedis, app_name: str) -> None:
    store = RedisStore(any_redis.url, app_name)
    assert await store.check_server() == []
    store.close()


async def test_check_server_sees_eviction_and_a_missing_file(tmp_path: Path, app_name: str) -> None:
    with LocalRedis(tmp_path, appendonly=False, policy="allkeys-lru") as server:
        store = RedisStore(server.url, app_name)
        found = await store.check_server()
        assert [(one.fatal, one.what) for one in found] == [(True, "maxmemory-policy is allkeys-lru"), (False, "append-only file is off")]
        store.close()


@pytest.mark.parametrize(
    ("info", "what"),
    [
        ({"redis_version": "6.0.16"}, "too old"),
        ({"redis_version": "5.0"}, "too old"),
        ({"maxmemory_policy": "volatile-ttl", "maxmemory": 0}, "volatile-ttl"),
        ({"cluster_enabled": 1}, "cluster"),
        ({"role": "slave"}, "replica"),
    ],
)
def test_what_is_fatal(info: dict[str, Any], what: str) -> None:
    good = {"redis_version": "7.2.0", "maxmemory_policy": "noeviction", "aof_enabled": 1, "role": "master"}
    assert findings(good) == []
    [finding] = findings({**good, **info})
    assert finding.fatal
    assert what in finding.what
    assert finding.do


def test_a_disk_that_cannot_be_written_is_a_warning() -> None:
    info = {"redis_version": "7.2.0", "maxmemory_policy": "noeviction", "aof_enabled": 1, "aof_last_write_status": "err"}
    [finding] = findings(info)
    assert isinstance(finding, Finding)
    assert not finding.fatal


# --- what a user costs (the contract of the design: bytes per user and per pending snapshot)


@pytest.mark.parametrize("bundled", [False, True])
async def test_bytes_per_user_and_per_snapshot(tmp_path: Path, app_name: str, bundled: bool) -> None:
    with LocalRedis(tmp_path, appendonly=False, binary=bundled_binary() if bundled else None) as server, connect(server.url) as client:
        store = RedisStore(client, app_name)
        taken = await store.take(0, 1)

        def used() -> int:
            return int(client.info("memory")["used_memory"])

        rng = random.Random(1)
        users = [f"{rng.getrandbits(48):012x}" for _ in range(40_000)]
        size = state_dtype(1).itemsize
        before, number = used(), 0
        for at in range(0, len(users), 5_000):
            batch = users[at : at + 5_000]
            armed: dict[int, list[str]] = {}
            for user in batch:
                armed.setdefault(phase_of(user), []).append(user)
            await store.commit(0, a_commit(taken, number, users=batch, states=[rng.randbytes(size) for _ in batch], armed=armed))
            number += 1
        per_user = (used() - before) / len(users)
        assert per_user <= 660, f"{per_user:.0f} bytes of state and wheel"

        # chunks of 1 to 50 snapshots (9 bytes, 56 features, the id), lists of about 100
        before, count = used(), 0
        for landmark in range(BUCKETS):
            held = 0
            while held < 100:
                rows = rng.randint(1, 50)
                await store.commit(0, a_commit(taken, number, snaps={("churn14", landmark): rng.randbytes(rows * (9 + 56 + 12))}))
                held, number = held + rows, number + 1
            count += held
        per_snapshot = (used() - before) / count
        assert per_snapshot <= 90, f"{per_snapshot:.0f} bytes a pending snapshot"
        store.close()


async def test_redis_and_memory_agree_on_random_histories(store: RedisStore) -> None:
    from features.store.memory import MemoryStore

    rng = random.Random(42)
    nonces = iter(range(10**6))
    memory = MemoryStore(lambda: str(next(nonces)))
    users, keys = [f"user {n}" for n in range(12)], [(name, n * 300_000) for name in ("a", "b") for n in range(3)]
    everything = Need(users, range(4), keys)
    taken = await asyncio.gather(store.take(0, 1), memory.take(0, 1))
    number = 0

    def some(of: list[Any], most: int = 4) -> list[Any]:
        return rng.sample(of, rng.randint(0, most))

    for _ in range(150):
        touched = some(users, 12)
        parts: dict[str, Any] = {
            "users": touched,
            "states": [rng.randbytes(5) for _ in touched],
            "armed": {bucket: some(users) for bucket in some([0, 1, 2, 3])},
            "disarmed": {bucket: some(users) for bucket in some([0, 1, 2, 3])},
            "snaps": {key: rng.randbytes(3) for key in some(keys)},
            "matured": some(keys, 2),
            "outbox": [rng.randbytes(3) for _ in range(rng.randint(0, 3))],
            "exbox": [rng.randbytes(3) for _ in range(rng.randint(0, 1))],
            "outbox_trim": rng.choice([None, f"{max(1, number - 1)}-2", f"{number + 1}-1"]),
            "exbox_trim": rng.choice([None, f"{max(1, number - 2)}-1"]),
        }
        offered = rng.choice([number, number, number, number - 1, number + 1])
        outcomes = []
        for one, its in zip((store, memory), taken, strict=True):
            try:
                await one.commit(0, replace(a_commit(its, offered, **parts), meta=rng.choice([b"m"])))
                outcomes.append("stored")
            except StaleOwner as refusal:
                outcomes.append(refusal.why)
        assert outcomes[0] == outcomes[1]
        number += offered == number
        assert plain(await store.read(0, everything)) == plain(await memory.read(0, everything))
        if rng.random() < 0.2:
            taken = await asyncio.gather(store.take(0, 1), memory.take(0, 1))
            for part in ("commit_no", "meta", "outbox", "exbox", "wheel"):
                assert getattr(taken[0], part) == getattr(taken[1], part), part


def test_a_unix_socket_is_tried(tmp_path: Path) -> None:
    with pytest.raises(redis.ConnectionError, match="nobody"):
        connect(f"unix://{tmp_path}/nobody").ping()
