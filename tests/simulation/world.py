"""A world in one thread: Kafka, Redis and the clock as plain objects, and a scheduler that decides who goes on, who dies and who sleeps.

Every operation of the engine on the world passes `pause`, a named point. All tasks run until they wait at such a point; then the
scheduler, from its seed, lets one of them go on, or kills its worker there, or puts its worker to sleep.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from features.definitions.rules import Rules
from features.store.contract import Commit, Found, Need, StoreUnavailable, Taken, Token
from features.store.memory import MemoryStore
from stream.kafka.wire import ClockAhead, Fenced, Marker, Tick, WireUnavailable
from stream.outbox import Entry
from stream.position import Position
from stream.shard.meta import unpack_meta


class Killed(BaseException):
    """The worker died at this point."""


@dataclass(slots=True)
class LogRecord:
    offset: int
    timestamp: int
    value: bytes | None
    key: bytes | None = None


@dataclass(slots=True)
class Worker:
    name: int
    alive: bool = True
    asleep: int = 0
    """Turns of the scheduler that it still sleeps; it wakes up as a zombie."""


@dataclass
class World:
    """All that outlives a worker."""

    seed: int
    partitions: int
    rng: random.Random = field(init=False)
    clicks: list[list[LogRecord]] = field(init=False)
    alerts: dict[int, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    dead: dict[int, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    markers: dict[int, list[Marker]] = field(default_factory=lambda: defaultdict(list))
    ticks: dict[int, list[Tick]] = field(default_factory=lambda: defaultdict(list))
    examples: list[bytes] = field(default_factory=list)
    txn_epoch: Counter[int] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    judged_by: dict[int, set[Rules]] = field(default_factory=lambda: defaultdict(set))
    """The rules by which records of each partition were ever judged, also by owners whose commits the store has forgotten."""
    now_ms: int = 0
    clock_error_ms: int = 0
    """How far the broker's clock is ahead of the true time."""
    furthest_tick_ms: int = 0
    """The most by which a tick that was appended was ahead of the true time."""

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.clicks = [[] for _ in range(self.partitions)]
        self.waiting: list[tuple[Worker, str, asyncio.Future[None]]] = []
        nonces = iter(range(10**9))
        self.store = MemoryStore(lambda: f"n{next(nonces)}", self._shuffled)

    def _shuffled(self, members: set[str]) -> list[str]:
        order = sorted(members)
        self.rng.shuffle(order)
        return order

    async def pause(self, worker: Worker, point: str) -> None:
        """A named point: wait until the scheduler lets this worker go on."""
        if not worker.alive:
            raise Killed
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((worker, point, future))
        await future

    def release(self, index: int) -> None:
        worker, _, future = self.waiting.pop(index)
        if future.done():
            return
        if worker.alive:
            future.set_result(None)
        else:
            future.set_exception(Killed())

    def kill(self, worker: Worker) -> None:
        worker.alive = False
        for other, _, future in self.waiting:
            if other is worker and not future.done():
                future.set_exception(Killed())
        self.waiting = [item for item in self.waiting if item[0] is not worker]


class SimStore:
    """The store in memory as one worker reaches it: slowly, and sometimes the answer is lost although the call was carried out."""

    def __init__(self, world: World, worker: Worker, lost_answers: float = 0.0) -> None:
        self._world, self._worker, self._lost = world, worker, lost_answers

    async def take(self, partition: int, generation: int, *, force: bool = False) -> Taken:
        await self._world.pause(self._worker, "take.before")
        if not force and generation < self._world.store.generation(partition):
            before = self._world.store.epoch(partition)
            await self._world.store.take(partition, generation)
            self._world.counts["takes by an older generation"] += self._world.store.epoch(partition) > before
        taken = await self._world.store.take(partition, generation, force=force)
        await self._world.pause(self._worker, "take.after")
        return taken

    async def owner(self, partition: int) -> Token | None:
        await self._world.pause(self._worker, "owner")
        return await self._world.store.owner(partition)

    async def read(self, partition: int, need: Need) -> Found:
        await self._world.pause(self._worker, "read")
        return await self._world.store.read(partition, need)

    async def commit(self, partition: int, commit: Commit) -> None:
        await self._world.pause(self._worker, "commit.before")
        self._world.judged_by[partition].add(unpack_meta(commit.meta).rules[-1].rules)
        try:
            await self._world.store.commit(partition, commit)
        except Exception:
            self._world.counts["stale commits refused"] += 1
            raise
        if self._world.rng.random() < self._lost:
            self._world.counts["commit answers lost"] += 1
            await self._world.pause(self._worker, "commit.repeat")
            await self._world.store.commit(partition, commit)
        await self._world.pause(self._worker, "commit.after")


class SimWire:
    """One shard's wire in the world: transactions become visible at once or never; a newer `open` fences."""

    def __init__(self, world: World, worker: Worker, partition: int, trouble: float = 0.0) -> None:
        self._world, self._worker, self._partition, self._trouble = world, worker, partition, trouble
        self._epoch = -1

    async def open(self) -> None:
        await self._world.pause(self._worker, "open.before")
        self._world.txn_epoch[self._partition] += 1
        self._epoch = self._world.txn_epoch[self._partition]
        await self._world.pause(self._worker, "open.after")

    def _fence(self) -> None:
        if self._epoch != self._world.txn_epoch[self._partition]:
            self._world.counts["fenced"] += 1
            raise Fenced(f"shard {self._partition}")

    async def last_marker(self) -> Marker | None:
        await self._world.pause(self._worker, "marker")
        markers = self._world.markers[self._partition]
        return markers[-1] if markers else None

    async def alerts_after(self, next_offset: int) -> Sequence[Entry]:
        await self._world.pause(self._worker, "alerts")
        return [entry for entry in self._world.alerts[self._partition] if entry.position.offset >= next_offset]

    async def publish(self, entries: Sequence[Entry], marker: Marker) -> None:
        await self._world.pause(self._worker, "publish.before")
        self._fence()
        if self._world.rng.random() < self._trouble / 2:
            self._world.counts["publishes failed"] += 1
            raise WireUnavailable("aborted")
        await self._world.pause(self._worker, "publish.commit")
        self._fence()
        for entry in entries:
            (self._world.alerts if entry.topic == "alerts" else self._world.dead)[self._partition].append(entry)
        self._world.markers[self._partition].append(marker)
        if self._world.rng.random() < self._trouble / 2:
            self._world.counts["publish answers lost"] += 1
            raise WireUnavailable("answer lost")
        await self._world.pause(self._worker, "publish.after")

    async def publish_examples(self, blocks: Sequence[bytes]) -> None:
        for block in blocks:
            await self._world.pause(self._worker, "examples.before")
            self._world.examples.append(block)
        await self._world.pause(self._worker, "examples.after")

    async def tick(self, next_offset: int, latest_ms: int) -> Tick:
        world = self._world
        await world.pause(self._worker, "tick.before")
        self._fence()
        stamp_ms = world.now_ms + world.clock_error_ms
        if stamp_ms > latest_ms:
            world.counts["ticks refused"] += 1
            raise ClockAhead(self._partition, stamp_ms, latest_ms)
        world.furthest_tick_ms = max(world.furthest_tick_ms, stamp_ms - world.now_ms)
        log = world.ticks[self._partition]
        tick = Tick(len(log), next_offset, stamp_ms)
        log.append(tick)
        if self._world.rng.random() < self._trouble:
            self._world.counts["tick answers lost"] += 1
            raise WireUnavailable("answer lost")
        await self._world.pause(self._worker, "tick.after")
        return tick

    async def ticks_from(self, time_offset: int) -> Sequence[Tick]:
        await self._world.pause(self._worker, "ticks")
        return self._world.ticks[self._partition][time_offset:]

    async def close(self) -> None:
        return


__all__ = ["Killed", "LogRecord", "Position", "SimStore", "SimWire", "StoreUnavailable", "Worker", "World"]
