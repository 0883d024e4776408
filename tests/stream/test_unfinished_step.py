"""A step that did not end well leaves an arena that differs from the store, so its session does nothing more, whoever calls it next."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import pytest

from features.definitions.definition import DAY_MS, ChurnDefinition
from features.store.contract import Commit, StaleOwner, StoreUnavailable
from features.store.memory import MemoryStore
from features.users.spec import FeatureSpec
from online_models.cadence import CadenceScorer
from online_models.registry import MemoryRegistry
from online_models.scorer import Champion
from stream.alerts.policy import PolicySettings
from stream.kafka.wire import Tick, WireUnavailable
from stream.ownership.contract import Batch, GapDetected
from stream.ownership.opening import open_session
from stream.ownership.session import Dependencies, Session
from stream.processes.worker import Worker as ProductionWorker
from stream.settings import load_settings
from stream.shard.meta import unpack_meta
from stream.shard.records import of_records
from stream.shard.settings import ShardSettings
from tests.simulation.world import LogRecord, SimWire, Worker, World

START = 1_600_000_000_000
TICK_MS = START + 3 * DAY_MS - 1
USERS = 20


class Free(World):
    """A world that never makes anybody wait."""

    async def pause(self, worker: Worker, point: str) -> None:
        """Go on."""


class Away(MemoryStore):
    """A store that leaves one commit unanswered: before it was applied, after it, or for ever."""

    away = ""

    async def commit(self, partition: int, commit: Commit) -> None:
        away, self.away = self.away, ""
        if away == "before":
            raise StoreUnavailable("no answer")
        await super().commit(partition, commit)
        if away == "after":
            raise StoreUnavailable("no answer")
        if away == "for good":
            await asyncio.Event().wait()

    async def owner(self, partition: int) -> object:  # type: ignore[override]  # the token, or nothing
        away, self.away = self.away, ""
        if away == "owner":
            raise StoreUnavailable("no answer")
        return await super().owner(partition)


class Unheard(SimWire):
    """A wire that appends the next tick and loses the answer."""

    lost = False

    async def tick(self, next_offset: int, latest_ms: int) -> Tick:
        tick = await super().tick(next_offset, latest_ms)
        if Unheard.lost:
            Unheard.lost = False
            raise WireUnavailable("no answer")
        return tick


def batch(number: int) -> Batch:
    """One click of every other user, on a day of its own."""
    now = START + number * DAY_MS
    first = number * USERS
    users = [f"u{2 * i + number % 2}" for i in range(USERS)]
    log = [LogRecord(first + i, now, json.dumps({"user": user, "ts": now, "type": "view"}).encode()) for i, user in enumerate(users)]
    return Batch("clicks", 0, first, first + USERS, of_records(log), 1, 1, 0)


async def opened(world: World, store: MemoryStore) -> Session:
    definition = ChurnDefinition(name="gone", active_window_ms=3 * DAY_MS, horizon_ms=DAY_MS)
    dependencies = Dependencies(
        store=store,
        make_wire=lambda partition: Unheard(world, Worker(0), partition),
        champions=lambda _until: [Champion(0, CadenceScorer(definition.horizon_ms))],
        monotonic_ms=lambda: world.now_ms,
    )
    spec = FeatureSpec(key_events=("view",), definitions=(definition,))
    return await open_session(ShardSettings("app", 0, spec, PolicySettings(threshold=0.4, cooldown_ms=DAY_MS)), dependencies, 1)


async def left(session: Session, world: World, store: Away, how: str) -> None:
    """Let a tick be left unfinished."""
    world.now_ms = TICK_MS
    if how == "for good":
        store.away = how
        task = asyncio.ensure_future(session.tick())
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return
    Unheard.lost = how == "owner"
    store.away = how
    with pytest.raises(StoreUnavailable):
        await session.tick()


@pytest.mark.parametrize("how", ["before", "after", "for good", "owner"])
@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda session: session.process(batch(3)), id="process"),
        pytest.param(lambda session: session.tick(), id="tick"),
        pytest.param(lambda session: session.apply_waiting(), id="apply_waiting"),
    ],
)
def test_a_session_goes_no_further_after_a_tick_that_was_left_unfinished(how: str, call: Callable[[Session], Awaitable[None]]) -> None:
    async def run() -> None:
        world, store = Free(0, 1), Away(lambda: "n")
        session = await opened(world, store)
        for number in range(3):
            await session.process(batch(number))
        await session.flush()
        await left(session, world, store, how)
        stored = store.commit_no(0)
        with pytest.raises((StaleOwner, StoreUnavailable)):
            await call(session)
        assert session.lost is not None
        assert not session.ready
        assert store.commit_no(0) == stored
        await session.close()

        # whoever takes the shard goes on as if nothing had happened, with the same states
        again = await opened(world, store)
        await again.apply_waiting()
        for number in (3, 4):
            await again.process(batch(number))
        await again.flush()
        await again.close()
        calm_world, calm = Free(0, 1), Away(lambda: "n")
        session = await opened(calm_world, calm)
        for number in range(5):
            if number == 3:
                calm_world.now_ms = TICK_MS
                await session.tick()
            await session.process(batch(number))
        await session.flush()
        await session.close()
        assert store.users(0) == calm.users(0)
        assert unpack_meta(store.meta(0)).time_offset == unpack_meta(calm.meta(0)).time_offset == 1
        assert len(calm_world.alerts[0]) > USERS
        assert world.alerts[0] == calm_world.alerts[0]

    asyncio.run(run())


def test_a_store_that_is_away_for_a_tick_costs_a_take_and_no_worker() -> None:
    async def run() -> None:
        world, store = Free(0, 1), Away(lambda: "n")
        session = await opened(world, store)
        await session.process(batch(0))
        settings = load_settings(None, {}, time__tick_max_behind="36500d")  # the clicks are of 2020
        worker = ProductionWorker(settings, store, MemoryRegistry(), ())  # type: ignore[arg-type]  # a store in memory
        worker.host.sessions[0] = session
        worker.ticker.events = session._dependencies.events
        long_ago = time.monotonic() - 3_600
        worker.ticker.ends, worker.ticker.grown_s = {0: USERS}, {0: long_ago}
        taken: list[int] = []

        async def at_once(call: Callable[..., object], *args: object) -> object:
            return call(*args)

        async def take_again(partition: int) -> None:
            taken.append(partition)

        consumer = SimpleNamespace(partitions_for_topic=lambda _topic: {0})
        thread = SimpleNamespace(
            _consumer=consumer, call_thread=at_once, ends=lambda *_: {0: USERS}, at_end=lambda *_: True, take_again=take_again
        )
        app = SimpleNamespace(consumer=SimpleNamespace(thread=thread))
        store.away = "before"
        await worker.ticker.look(app.consumer.thread)
        assert isinstance(session.lost, StoreUnavailable)
        await worker._retake(app)
        assert taken == [0]
        await session.close()

    asyncio.run(run())


def test_a_closed_session_ticks_no_more() -> None:
    async def run() -> None:
        world = Free(0, 1)
        session = await opened(world, Away(lambda: "n"))
        await session.process(batch(0))
        await session.close()
        with pytest.raises(StaleOwner, match="closed"):
            await session.tick()
        assert not world.ticks.get(0)

    asyncio.run(run())


def test_a_batch_that_does_not_fit_is_no_loss() -> None:
    async def run() -> None:
        session = await opened(Free(0, 1), Away(lambda: "n"))
        await session.process(batch(0))
        with pytest.raises(GapDetected):
            await session.process(batch(2))
        assert session.lost is None
        await session.process(batch(1))
        await session.flush()
        await session.close()

    asyncio.run(run())


@pytest.mark.parametrize("at", [[10, 0], [10, 5], [USERS, 0], [0, 0]])
async def test_ticks_out_of_order_take_no_record_twice(at: list[int]) -> None:
    world, store = Free(0, 1), Away(lambda: "n")
    session = await opened(world, store)
    await session.process(batch(0))
    one = batch(1)
    session._ticks.extend(Tick(number, one.start + place, START + DAY_MS) for number, place in enumerate(at))
    await session.process(one)
    assert (session.next_offset, session.shard.meta.totals["ok"]) == (one.next, 2 * USERS)
    await session.close()
