"""A broker whose clock is wrong for a while: no tick of it is believed, no click is lost to it, and the page says so."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from features.definitions.definition import DAY_MS, ChurnDefinition
from features.store.memory import MemoryStore
from features.users.spec import FeatureSpec
from online_models.cadence import CadenceScorer
from online_models.registry import MemoryRegistry
from online_models.scorer import Champion
from stream.alerts.policy import PolicySettings
from stream.kafka.wire import ClockAhead
from stream.ownership.contract import Batch
from stream.ownership.opening import open_session
from stream.ownership.session import Dependencies, Session
from stream.processes.worker import Worker as ProductionWorker
from stream.settings import load_settings
from stream.shard.records import of_records
from stream.shard.settings import ShardSettings
from tests.simulation.world import LogRecord, SimWire, Worker, World

START = 1_700_000_000_000
HOUR_MS = 3_600_000
USERS = 40


class Free(World):
    """A world that never makes anybody wait."""

    async def pause(self, worker: Worker, point: str) -> None:
        """Go on."""


@dataclass
class Deployment:
    """One shard under the true time, which the test moves."""

    world: Free = field(default_factory=lambda: Free(0, 1))
    store: MemoryStore = field(default_factory=lambda: MemoryStore(lambda: "n"))
    next: int = 0
    own_clock: bool = False
    """Whether time passes here by this machine's clock, as in a worker, and not by the test's."""

    async def opened(self) -> Session:
        definition = ChurnDefinition(name="gone", active_window_ms=3 * DAY_MS, horizon_ms=DAY_MS)
        dependencies = Dependencies(
            store=self.store,
            make_wire=lambda partition: SimWire(self.world, Worker(0), partition),
            champions=lambda _until: [Champion(0, CadenceScorer(definition.horizon_ms))],
            monotonic_ms=(lambda: time.monotonic_ns() // 1_000_000) if self.own_clock else (lambda: self.world.now_ms),
        )
        spec = FeatureSpec(key_events=("view",), definitions=(definition,))
        return await open_session(ShardSettings("app", 0, spec, PolicySettings(threshold=0.4, cooldown_ms=DAY_MS)), dependencies, 1)

    async def clicks(self, session: Session, at_ms: int, back_ms: int = 0) -> None:
        """Let every user click, as a broker with the right time stamps it."""
        self.world.now_ms = at_ms
        log = [
            LogRecord(self.next + i, at_ms, json.dumps({"user": f"u{i}", "ts": at_ms - back_ms, "type": "view"}).encode())
            for i in range(USERS)
        ]
        batch = Batch("clicks", 0, self.next, self.next + USERS, of_records(log), 1, 1, 0)
        self.next += USERS
        await session.process(batch)

    async def idles(self, session: Session, until_ms: int, error_ms: int = 0) -> int:
        """Let ten seconds pass again and again, each with a tick; return how many ticks were refused."""
        refused, self.world.clock_error_ms = 0, error_ms
        while self.world.now_ms < until_ms:
            self.world.now_ms += 10_000
            try:
                await session.tick()
            except ClockAhead:
                refused += 1
        self.world.clock_error_ms = 0
        return refused


async def test_four_seconds_two_days_ahead_lose_no_click_and_alert_nobody() -> None:
    one = Deployment()
    session = await one.opened()
    await one.clicks(session, START)
    assert await one.idles(session, START + 60_000) == 0
    assert await one.idles(session, START + 80_000, 2 * DAY_MS) == 2
    assert await one.idles(session, START + 120_000) == 0
    for hour in range(1, 49):
        await one.clicks(session, START + hour * HOUR_MS)
    await session.flush()
    totals = session.shard.meta.totals
    assert totals == {"ok": 49 * USERS}
    assert not one.world.alerts[0]
    assert max(tick.time_ms for tick in one.world.ticks[0]) <= START + 120_000
    await session.close()


@pytest.mark.parametrize("lag_ms", [0, 20 * 60_000, HOUR_MS - 60_000])
async def test_a_source_that_is_always_behind_still_has_its_ticks(lag_ms: int) -> None:
    one = Deployment()
    session = await one.opened()
    for hour in range(3):
        await one.clicks(session, START + hour * HOUR_MS, lag_ms)
        assert await one.idles(session, START + hour * HOUR_MS + 50 * 60_000) == 0
    assert session.shard.meta.totals == {"ok": 3 * USERS}
    await session.close()


async def test_a_clock_that_runs_away_in_small_steps_is_stopped() -> None:
    one = Deployment()
    session = await one.opened()
    await one.clicks(session, START)
    for step in range(1, 20):
        await one.idles(session, one.world.now_ms + 10_000, step * 30 * 60_000)
    assert session.shard.meta.max_ms <= one.world.now_ms + HOUR_MS
    await session.close()


async def test_a_worker_that_has_just_started_holds_time_until_a_click_comes() -> None:
    one = Deployment()
    session = await one.opened()
    await one.clicks(session, START)
    await session.close()
    one.world.now_ms += HOUR_MS
    again = await one.opened()
    one.world.clock_error_ms = 2 * DAY_MS
    assert await again.tick() is None
    assert again.shard.meta.max_ms == START
    one.world.clock_error_ms = 0
    await one.clicks(again, START + 2 * HOUR_MS)
    one.world.now_ms += 10_000
    assert await again.tick() == one.world.now_ms
    assert again.shard.meta.max_ms == one.world.now_ms
    await again.close()


async def test_a_clock_that_is_behind_moves_nothing_back() -> None:
    one = Deployment()
    session = await one.opened()
    await one.clicks(session, START)
    assert await one.idles(session, START + 60_000, -2 * DAY_MS) == 0
    assert session.shard.meta.max_ms == START
    await session.close()


def serving(session: Session, end: int) -> tuple[ProductionWorker, Any]:
    """A worker that owns the one shard, all of it read and long idle, and an app as far as its clock looks at one."""
    settings = load_settings(None, {}, time__max_idle_hold="1m")
    worker = ProductionWorker(settings, MemoryStore(lambda: "n"), MemoryRegistry(), ())  # type: ignore[arg-type]  # a store in memory
    worker.host.sessions[0] = session
    worker.ticker.events = session._dependencies.events
    worker.ticker.ends, worker.ticker.grown_s = {0: end}, {0: time.monotonic() - 3_600}

    async def at_once(call: Callable[..., object], *args: object) -> object:
        return call(*args)

    thread = SimpleNamespace(
        _consumer=SimpleNamespace(partitions_for_topic=lambda _topic: {0}),
        call_thread=at_once,
        ends=lambda *_: {0: end},
        at_end=lambda *_: True,
    )
    return worker, SimpleNamespace(consumer=SimpleNamespace(thread=thread))


async def test_the_page_and_the_metrics_say_that_a_clock_is_not_believed() -> None:
    one = Deployment()
    session = await one.opened()
    now_ms = int(time.time() * 1000)
    await one.clicks(session, now_ms)
    worker, app = serving(session, USERS)
    value = worker.metrics.registry.get_sample_value

    one.world.clock_error_ms = 2 * DAY_MS
    await worker.ticker.look(app.consumer.thread)
    await worker._beat()
    said = "\n".join(worker.ready())
    assert "time is held on partition 0: by the clicks, its broker's clock is at least 47 hours ahead" in said
    assert "the broker's clock of partition 0 is 48 hours ahead of this machine's: one of the two is wrong" in said
    assert value("churnwatch_ticks_refused_total") == 1
    assert value("churnwatch_time_held") == 1
    assert value("churnwatch_clock_difference_seconds", {"partition": "0"}) == pytest.approx(2 * 86_400, abs=60)

    one.world.clock_error_ms = 0
    await worker.ticker.look(app.consumer.thread)
    await worker._beat()
    assert not [line for line in worker.ready() if "clock" in line]
    assert value("churnwatch_ticks_total") == 1
    assert value("churnwatch_time_held") == 0
    await session.close()


async def test_the_page_says_that_time_waits_for_the_first_click() -> None:
    one = Deployment()
    session = await one.opened()
    await one.clicks(session, int(time.time() * 1000))
    await session.close()
    again = await one.opened()
    worker, app = serving(again, USERS)
    await worker.ticker.look(app.consumer.thread)
    assert any("no click has come since this worker started" in line for line in worker.ready())
    assert not one.world.ticks[0]
    await again.close()


@pytest.mark.parametrize(("error_ms", "ticks", "refused"), [(0, 1, 0), (2 * DAY_MS, 0, 1)])
async def test_without_a_first_click_this_machines_clock_stands_in_for_it_after_the_longest_hold(
    error_ms: int, ticks: int, refused: int
) -> None:
    one = Deployment(own_clock=True)
    session = await one.opened()
    await one.clicks(session, int(time.time() * 1000))
    await session.close()
    again = await one.opened()
    worker, app = serving(again, USERS)
    await worker.ticker.look(app.consumer.thread)
    assert not one.world.ticks[0]
    one.world.clock_error_ms = error_ms
    assert worker.ticker.waits_since_s is not None
    worker.ticker.waits_since_s -= 61  # the longest hold of this worker is a minute
    await worker.ticker.look(app.consumer.thread)
    assert len(one.world.ticks[0]) == ticks
    assert (worker.metrics.registry.get_sample_value("churnwatch_ticks_refused_total") or 0) == refused
    await again.close()


async def test_a_broker_that_is_two_days_behind_is_said_on_the_page() -> None:
    """It stamps honest clicks so early that they lie in its future."""
    one = Deployment()
    session = await one.opened()
    worker, _ = serving(session, USERS)
    session._dependencies = replace(session._dependencies, observers=[worker.metrics, worker.watch])
    await one.clicks(session, START)
    assert not [line for line in worker.ready() if "future" in line]
    await one.clicks(session, START + 60_000, back_ms=-2 * DAY_MS)
    await worker._beat()
    assert session.shard.meta.totals == {"ok": USERS, "future": USERS}
    assert "50% of the records of the last 5 minutes are rejected as future: the brokers' clocks are behind" in "\n".join(worker.ready())
    assert worker.metrics.registry.get_sample_value("churnwatch_future_share") == 0.5
    await session.close()


async def test_one_user_with_most_of_the_events_is_a_metric_and_one_warning_without_a_name(caplog: pytest.LogCaptureFixture) -> None:
    one = Deployment()
    session = await one.opened()
    worker, _ = serving(session, USERS)
    session._dependencies = replace(session._dependencies, observers=[worker.metrics, worker.watch])
    for batch in range(3):
        log = [
            LogRecord(1_000 * batch + i, START, json.dumps({"user": "bot-7" if i % 10 else f"u{i}", "ts": START, "type": "view"}).encode())
            for i in range(1_000)
        ]
        await session.process(Batch("clicks", 0, 1_000 * batch, 1_000 * batch + 1_000, of_records(log), 1, 1, 0))
    await worker._beat()
    assert worker.metrics.registry.get_sample_value("churnwatch_largest_user_share", {"partition": "0"}) == pytest.approx(0.9)
    said = [record for record in caplog.records if "most of the events" in record.message]
    assert [(record.partition, record.share) for record in said] == [(0, "90%")]  # type: ignore[attr-defined]  # fields of their own
    assert "bot-7" not in caplog.text
    await session.close()


def test_this_machine_may_be_the_one_that_is_wrong() -> None:
    """A difference between two clocks stops no time: what the clicks say is what counts."""

    async def run() -> None:
        one = Deployment()
        session = await one.opened()
        true_ms = int(time.time() * 1000) - 2 * DAY_MS  # by the brokers and the clicks this machine is two days ahead
        await one.clicks(session, true_ms)
        worker, app = serving(session, USERS)
        one.world.now_ms += 20_000
        await worker.ticker.look(app.consumer.thread)
        assert session.shard.meta.max_ms == true_ms + 20_000
        assert any("48 hours behind this machine's: one of the two is wrong" in line for line in worker.ready())
        await session.close()

    asyncio.run(run())
