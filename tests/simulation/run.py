"""One seed: workers, faults, and the oracle's verdict. `python -m tests.simulation.run SEED` replays one exactly, `... FIRST LAST` runs many."""

from __future__ import annotations

import asyncio
import gc
import random
import selectors
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from features.store import StoreUnavailable, TakeRefused
from online_models.example import unpack_block
from online_models.scorer import Champion
from stream.alerts import decode_alert
from stream.dead_letters import decode_dead_letter
from stream.engine import Means, Silent
from stream.host import Host
from stream.meta import unpack_meta
from stream.ownership import Batch, GapDetected, ShardLost
from stream.shard import ShardSettings
from tests.oracles.engine import OracleShard, comparable
from tests.simulation.scenario import Scenario, champions, make_scenario
from tests.simulation.world import Killed, SimStore, SimWire, Worker, World

APP = "sim"
MAX_TURNS = 60_000


class Violation(AssertionError):
    """An invariant does not hold."""


@dataclass
class Group:
    """The consumer group: who owns what, and since which generation."""

    partitions: int
    generation: int = 1
    owner: dict[int, int] = field(default_factory=dict)

    def rebalance(self, members: list[int], rng: random.Random) -> None:
        self.generation += 1
        order = members[:]
        rng.shuffle(order)
        self.owner = {partition: order[partition % len(order)] for partition in range(self.partitions)}


class Simulation:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.scenario: Scenario = make_scenario(seed)
        self.world = World(seed, len(self.scenario.clicks))
        self.world.clicks = self.scenario.clicks
        self.rng = random.Random(f"faults {seed}")
        self.group = Group(self.world.partitions)
        self.workers: dict[int, Worker] = {}
        self.hosts: dict[int, Host] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.faults = self.rng.randint(3, 7)
        self.version = 1
        self.bugs: list[BaseException] = []
        self.draining = False

    def champions(self, _watermark: int) -> list[Champion]:
        if self.scenario.learning and self.rng.random() < 0.2:
            self.version += 1
        return champions(self.scenario, self.version)

    def start_worker(self) -> None:
        name = len(self.workers)
        worker = Worker(name)
        means = Means(
            store=SimStore(self.world, worker, lost_answers=0.02),
            make_wire=lambda partition: SimWire(self.world, worker, partition, trouble=0.04),
            champions=self.champions,
            observer=Silent(),
            rebuild=True,
        )
        settings = ShardSettings(
            APP,
            0,
            self.scenario.spec,
            self.scenario.policy,
            capacity=self.rng.choice([4, 1000]),
            budget=self.rng.choice([2, 30, 2000, 2000]),
        )
        self.workers[name] = worker
        self.hosts[name] = Host(settings, means, lambda _p, _e: None)
        self.tasks[name] = asyncio.get_running_loop().create_task(self.work(worker, self.hosts[name]))
        self.group.rebalance(self.members(), self.rng)

    def members(self) -> list[int]:
        return [name for name, worker in self.workers.items() if worker.alive and not worker.asleep]

    async def work(self, worker: Worker, host: Host) -> None:
        try:
            await self._work(worker, host)
        except (Killed, asyncio.CancelledError):
            return
        except BaseException as bug:  # noqa: BLE001 - the scheduler reports it
            self.bugs.append(bug)

    async def _work(self, worker: Worker, host: Host) -> None:
        position: dict[int, int] = {}
        known = -1
        while True:
            await self.world.pause(worker, "poll")
            if known != self.group.generation:
                generation = self.group.generation
                mine = [p for p, owner in self.group.owner.items() if owner == worker.name]
                await host.revoke(list(host.sessions))
                position.clear()
                known = generation
                for partition in mine:
                    try:
                        position[partition] = (await host.take(partition, generation, first=self._first(partition))).next
                    except (TakeRefused, ShardLost, StoreUnavailable):
                        known = -1
                        break
                continue
            for partition in list(position):
                await self._one_batch(worker, host, partition, position, known)

    async def _one_batch(self, worker: Worker, host: Host, partition: int, position: dict[int, int], generation: int) -> None:
        session = host.sessions.get(partition)
        batch = self._fetch(partition, position[partition], session.shard.token.epoch if session else 0, generation)
        try:
            if batch is not None:
                position[partition] = batch.next
                await self.world.pause(worker, "fetched")
                # the group moved on, or the flow was off for a moment
                if self.group.generation != generation or self.rng.random() < 0.03:
                    position[partition] = batch.start  # un-read: nobody may take it now
                    return
                await host.process(batch)
            elif session is not None and self.scenario.ticks and self.rng.random() < 0.1 and not self.draining:
                await session.tick()
        except GapDetected as gap:
            position[partition] = gap.expected
        except ShardLost:
            await self._retake(worker, host, partition, position, generation)
        except Exception as error:
            if session is not None and type(error).__name__ in {"StaleOwner", "Fenced", "WireUnavailable", "StoreUnavailable"}:
                await self._retake(worker, host, partition, position, generation)
                return
            raise

    async def _retake(self, worker: Worker, host: Host, partition: int, position: dict[int, int], generation: int) -> None:
        if self.group.generation != generation or self.group.owner.get(partition) != worker.name:
            return
        try:
            position[partition] = (await host.take(partition, generation, force=True, first=self._first(partition))).next
        except (ShardLost, StoreUnavailable, TakeRefused):
            return

    def _first(self, partition: int) -> int:
        return self.world.clicks[partition][0].offset if self.world.clicks[partition] else 0

    def _fetch(self, partition: int, start: int, epoch: int, generation: int) -> Batch | None:
        log = [record for record in self.world.clicks[partition] if record.offset >= start]
        if not log:
            return None
        cut = self.rng.randint(1, min(len(log), self.rng.choice([3, 40, 500])))
        records = log[:cut]
        self.world.now_ms = max(self.world.now_ms, records[-1].timestamp)
        return Batch(
            "clicks", partition, start, records[-1].offset + 1, records, epoch, generation, self.world.clicks[partition][-1].offset + 1
        )

    async def run(self) -> None:
        for _ in range(self.rng.choice([2, 2, 3])):
            self.start_worker()
        saved: list[Any] = []
        for turn in range(MAX_TURNS):
            await self._settle()
            if self.bugs:
                raise self.bugs[0]
            if not self.draining and self.rng.random() < 0.02 and self._may_go_back():
                saved = [*saved[-2:], self.world.store.snapshot()]
            if not self.draining and turn > 40 and self.rng.random() < 0.01:
                self._fault(saved)
            if self.faults <= 0 and not self.draining:
                self.draining = True
                for worker in self.workers.values():
                    worker.asleep = 0
                self.group.rebalance(self.members(), self.rng)
            if self.draining and self._finished():
                await self._end()
                return
            ready = [i for i, (worker, _, _) in enumerate(self.world.waiting) if not worker.asleep]
            for worker in self.workers.values():
                worker.asleep = max(0, worker.asleep - 1)
            if ready:
                self.world.release(self.rng.choice(ready))
        raise Violation(f"seed {self.seed}: no end after {MAX_TURNS} turns (I6)")

    def _may_go_back(self) -> bool:
        """A store without a shard whose log has lost its beginning cannot be made again as it was; that is refused, not simulated."""
        return all(self._first(p) == 0 or self.world.store.meta(p) is not None for p in range(self.world.partitions))

    def _fault(self, saved: list[Any]) -> None:
        self.faults -= 1
        kind = self.rng.choice(["kill", "kill", "sleep", "rebalance", "rollback"])
        names = self.members()
        if kind == "kill":
            worker = self.workers[self.rng.choice(names)]
            points = [point for other, point, _ in self.world.waiting if other is worker]
            self.world.kill(worker)
            self.world.counts[f"kill at {points[0] if points else 'start'}"] += 1
            self.world.counts["kills"] += 1
            self.start_worker()
        elif kind == "sleep" and len(names) > 1:
            self.workers[self.rng.choice(names)].asleep = self.rng.randint(20, 400)
            self.world.counts["zombies"] += 1
            self.group.rebalance(self.members(), self.rng)
        elif kind == "rollback" and saved:
            self.world.store.restore(self.rng.choice(saved))
            self.world.counts["stores rolled back"] += 1
        else:
            self.world.counts["rebalances"] += 1
            self.group.rebalance(names, self.rng)

    async def _settle(self) -> None:
        """Let every task run until it waits at a point: whatever may run stands in the loop's queue, and nothing waits for a clock."""
        queue = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]  # the queue itself, so that nothing is guessed
        await asyncio.sleep(0)
        while queue:  # noqa: ASYNC110 - a turn of the loop, not a wait
            await asyncio.sleep(0)

    def _finished(self) -> bool:
        for partition, log in enumerate(self.world.clicks):
            owner = self.hosts.get(self.group.owner.get(partition, -1))
            session = owner.sessions.get(partition) if owner else None
            if session is None or session.unconfirmed or session.lost is not None or session._ticks:
                return False
            if log and session.next_offset != log[-1].offset + 1:
                return False
            if self.world.store.commit_no(partition) != session.shard.commit_no:
                return False  # stored, but its owner has not heard yet
        return True

    async def _end(self) -> None:
        for host in self.hosts.values():
            for session in host.sessions.values():
                for task in session._tasks:
                    task.cancel()
        for task in self.tasks.values():
            task.cancel()
        for worker in self.workers.values():
            self.world.kill(worker)
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    def check(self) -> Counter[str]:
        """Hold everything against the oracle."""
        if self.world.counts["takes by an older generation"]:
            raise Violation(f"seed {self.seed}: I5 a shard was taken by an older generation")
        totals: Counter[str] = Counter(self.world.counts)
        for partition in range(self.world.partitions):
            self._check_partition(partition, totals)
        totals["hand-overs"] += self.group.generation
        totals["workers"] += len(self.workers)
        totals["events"] += self.scenario.events
        return totals

    def _check_partition(self, partition: int, totals: Counter[str]) -> None:
        scenario, world = self.scenario, self.world
        fixed = champions(scenario, 1)
        oracle = OracleShard(scenario.spec, scenario.policy, lambda k, vector: float(fixed[k].scorer.risk(vector[None, :])[0]))
        ticks = iter(world.ticks[partition])
        tick = next(ticks, None)
        for record in world.clicks[partition]:
            while tick is not None and tick.next_offset <= record.offset:
                oracle.tick(tick.next_offset, tick.time_ms)
                tick = next(ticks, None)
            oracle.record(record.offset, record.timestamp, record.value)
        while tick is not None:
            oracle.tick(tick.next_offset, tick.time_ms)
            tick = next(ticks, None)

        definitions = len(scenario.spec.definitions)
        stored = {user: comparable(state, definitions) for user, state in world.store.users(partition).items()}
        expected = {user: comparable(one.row[0], definitions) for user, one in oracle.users.items()}
        self._same(stored, expected, f"I1 states of shard {partition}")
        meta = unpack_meta(world.store.meta(partition))
        self._same({k: v for k, v in meta.totals.items() if v}, dict(oracle.outcomes), f"I2 outcomes of shard {partition}")
        dead = [(letter.offset, letter.reason) for letter in (decode_dead_letter(entry.value) for entry in world.dead[partition])]
        self._same(dead, oracle.dead, f"I3 dead letters of shard {partition}")
        self._check_examples(partition, oracle, totals)
        said = [(tuple(entry.position), _what(entry.value)) for entry in world.alerts[partition]]
        if not scenario.learning:
            self._same(said, sorted(oracle.alerts), f"I3 alerts of shard {partition}")
        else:
            self._check_learning_alerts(said, oracle, partition)
        totals["alerts"] += len(said)

    def _check_examples(self, partition: int, oracle: OracleShard, totals: Counter[str]) -> None:
        got: list[tuple[int, int, str, int, bytes, int | None]] = []
        for packed in self.world.examples:
            block = unpack_block(packed)
            if block.partition != partition:
                continue
            seen = len(got) - block.first_number
            if seen < 0:
                raise Violation(f"seed {self.seed}: I4 gap in the examples of shard {partition}")
            items = block.items
            for i in range(len(items)):
                label = None if items.kind[i] == 0 else int(items.label[i])
                when = int(items.landmark_ms[i] if items.kind[i] == 0 else items.matured_ms[i])
                one = (
                    block.first_number + i,
                    when,
                    items.users[i],
                    int(items.definition[i]) * 8 + int(items.kind[i]),
                    items.vectors[i].tobytes(),
                    label,
                )
                if i < seen:
                    self._same(got[block.first_number + i], one, f"I4 repeated example of shard {partition}")
                else:
                    got.append(one)
        wanted = sorted(oracle.items, key=lambda item: item.position)
        expected = [(n, item.position[1], item.position[2], item.position[3], item.vector, item.label) for n, item in enumerate(wanted)]
        self._same(got, expected, f"I4 examples of shard {partition}")
        totals["labels"] += sum(item.label is not None for item in wanted)

    def _check_learning_alerts(self, said: list[tuple[Any, str]], oracle: OracleShard, partition: int) -> None:
        """With a model that learns: each once, in order, none without its cause, opened and ended in turn."""
        positions = [position for position, _ in said]
        if positions != sorted(set(positions)):
            raise Violation(f"seed {self.seed}: I3 alerts of shard {partition} doubled or out of order")
        snapshots = {item.position for item in oracle.items}
        is_open: dict[tuple[str, int], bool] = {}
        for position, what in said:
            offset, due, user, kind = position
            key = (user, kind // 8)
            if what == "opened":
                if (offset, due, user, kind - 2) not in snapshots or is_open.get(key):
                    raise Violation(f"seed {self.seed}: I3 alert without cause {position}")
                is_open[key] = True
            elif not is_open.get(key):
                raise Violation(f"seed {self.seed}: I3 resolved what was not open {position}")
            else:
                is_open[key] = False
        definitions = len(self.scenario.spec.definitions)
        import numpy as np

        from features.state import state_dtype

        for user, state in self.world.store.users(partition).items():
            row = np.frombuffer(state, state_dtype(definitions))[0]
            for k in range(definitions):
                if bool(row["alert_open"][k]) != is_open.get((user, k), False):
                    raise Violation(f"seed {self.seed}: I1 {user} open in the state differs from what was published")

    def _same(self, got: Any, expected: Any, what: str) -> None:
        if got == expected:
            return
        difference = _first_difference(got, expected)
        raise Violation(f"seed {self.seed}: {what}: {difference}")


def _what(value: bytes) -> str:
    alert = decode_alert(value)
    return "opened" if alert.type == "opened" else str(alert.cause)


def _first_difference(got: Any, expected: Any) -> str:
    if isinstance(got, dict) and isinstance(expected, dict):
        for key in sorted({*got, *expected}, key=str):
            if got.get(key) != expected.get(key):
                return f"{key}: " + _first_difference(got.get(key), expected.get(key))
    if isinstance(got, list) and isinstance(expected, list):
        for i, (a, b) in enumerate(zip(got, expected, strict=False)):
            if a != b:
                return f"[{i}] got {a!r:.300}, expected {b!r:.300}"
        return f"{len(got)} of {len(expected)}; extra {(got + expected)[min(len(got), len(expected))]!r:.200}"
    return f"got {got!r:.300}, expected {expected!r:.300}"


def run_seed(seed: int) -> Counter[str]:
    """Run and check one seed.

    Raises
    ------
    Violation
    """
    simulation = Simulation(seed)
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(_Nothing())) as runner:
        runner.run(simulation.run())
    return simulation.check()


class _Nothing(selectors.SelectSelector):
    """Never asks the kernel: there is no socket and no clock in here, and asking costs a system call a turn."""

    def select(self, timeout: float | None = None) -> list[Any]:
        return []


def run_seeds(seeds: Iterable[int]) -> Counter[str]:
    gc.freeze()
    gc.disable()  # a seed's objects die with it; looking for cycles among the living takes a fifth of the time
    totals: Counter[str] = Counter()
    for number, seed in enumerate(seeds, 1):
        totals += run_seed(seed)
        if number % 10 == 0:
            gc.collect()
    return totals


if __name__ == "__main__":
    first, last = int(sys.argv[1]), int(sys.argv[-1])
    print(dict(run_seeds(range(first, last + 1))))


__all__ = ["Killed", "Simulation", "Violation", "msgspec", "run_seed", "run_seeds"]
