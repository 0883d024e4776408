"""What only the store in memory can do: go back in time, and repeat a run."""

from __future__ import annotations

import pytest

from features.store.contract import Commit, Need, StaleOwner
from features.store.memory import MemoryStore
from tests.features.test_store_contract import EVERYTHING, a_commit, full_commit, plain, state


def memory_store(seed: int = 0) -> MemoryStore:
    nonces = iter(range(10**6))
    return MemoryStore(lambda: f"n{next(nonces)}", seed=seed)


async def test_going_back_takes_states_number_and_owner_along() -> None:
    store = memory_store()
    first = await store.take(0, 1)
    await store.commit(0, full_commit(first))
    before = plain(await store.read(0, EVERYTHING)), store.users(0), store.meta(0), store.mirror(0)
    saved = store.snapshot()
    second = await store.take(0, 2)
    changed = a_commit(
        second, users=["ann"], states=[state(9)], disarmed={5: ["ann", "bob"]}, snaps={("churn14", 300_000): b"more"}, outbox=[b"later"],
        outbox_trim="1-2", mirror={"ann": {"recency_s": "6"}},
    )  # fmt: skip
    await store.commit(0, changed)
    await store.take(1, 1)
    for _ in range(2):  # a snapshot serves any number of times
        store.restore(saved)
        assert (plain(await store.read(0, EVERYTHING)), store.users(0), store.meta(0), store.mirror(0)) == before
        assert store.epoch(0) == 1
        assert store.epoch(1) == 0
        # whoever owned it then or since, a server that went back has restarted: all take anew
        assert await store.owner(0) is None
        for token in (first.token, second.token):
            with pytest.raises(StaleOwner):
                await store.commit(0, Commit(token, 1, b"m", ["ann"], [b"x"]))
        taken = await store.take(0, 2)
        assert (taken.commit_no, taken.token.epoch, list(taken.outbox)) == (1, 2, [("1-1", b"alert"), ("1-2", b"dead")])
        await store.commit(0, full_commit(taken))


async def test_orders_follow_the_seed() -> None:
    orders = []
    for seed in (1, 1, 2):
        store = memory_store(seed)
        await store.commit(0, a_commit(await store.take(0, 1), armed={5: [f"u{n}" for n in range(30)]}))
        orders.append([list((await store.read(0, Need(buckets=[5]))).members[0]) for _ in range(2)])
    assert orders[0] == orders[1] != orders[2]
    assert orders[0][0] != orders[0][1]
