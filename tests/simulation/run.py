"""One seed: workers, faults, and the oracle's verdict. `python -m tests.simulation.run SEED` replays one exactly, `... FIRST LAST` runs many."""

from __future__ import annotations

import asyncio
import gc
import random
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from features.definitions.definition import DAY_MS
from features.events.event import MAX_FUTURE_MS
from features.store.contract import StoreUnavailable, TakeRefused
from features.users.catalog import WIDTH
from features.users.packed_state import read_states
from online_models.example import LABEL, ExampleBlock, unpack_block, unpack_lists
from online_models.scorer import Champion
from stream.alerts.message import decode_alert
from stream.kafka.wire import ClockAhead
from stream.ownership.contract import Batch, GapDetected, ShardLost
from stream.ownership.event_clock import LEAST_SLACK_MS
from stream.ownership.host import Host
from stream.ownership.observer import Observer
from stream.ownership.session import Dependencies
from stream.position import KINDS, kind_of
from stream.shard.dead_letters import decode_dead_letter
from stream.shard.gone import digest_of_user
from stream.shard.meta import unpack_meta
from stream.shard.records import of_records
from stream.shard.settings import ShardSettings
from stream.shard.step import Shard, Step
from tests.oracles.engine import OracleShard, comparable
from tests.simulation.loop import Loop
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


class Steps(Observer):
    """Counts steps, and those that moved nothing but time: they took no record, and no timer fired."""

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._offset: dict[int, int] = {}

    def stepped(self, partition: int, step: Step, shard: Shard, commit_s: float) -> None:
        """See `stream.ownership.observer.Observer`."""
        moved = step.meta.next_offset != self._offset.get(partition)
        self._offset[partition] = step.meta.next_offset
        self._counts["steps"] += 1
        self._counts["empty steps"] += not moved and not step.outputs.for_trainer.examples.users and not step.commit.disarmed


class Simulation:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.scenario: Scenario = make_scenario(seed)
        self.world = World(seed, len(self.scenario.clicks))
        self.world.clicks = self.scenario.clicks
        self.rng = random.Random(f"faults {seed}")
        self.changes = random.Random(f"changes {seed}")
        """Draws for what was added later, so that the faults of older seeds stay as they were."""
        self.group = Group(self.world.partitions)
        self.workers: dict[int, Worker] = {}
        self.hosts: dict[int, Host] = {}
        self.loop = Loop()
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
        dependencies = Dependencies(
            store=SimStore(self.world, worker, lost_answers=0.02),
            make_wire=lambda partition: SimWire(self.world, worker, partition, trouble=0.04),
            champions=self.champions,
            observers=[Steps(self.world.counts)],
            rebuild=True,
            monotonic_ms=lambda: self.world.now_ms,
        )
        settings = ShardSettings(
            APP,
            0,
            self.scenario.spec,
            self.scenario.policy,
            rules=self.changes.choice(self.scenario.rules),
            capacity=self.rng.choice([4, 1000]),
            budget=self.rng.choice(self.scenario.budgets),
        )
        self.workers[name] = worker
        self.hosts[name] = Host(settings, dependencies, lambda _p, _e: None)
        self.loop.create_task(self.work(worker, self.hosts[name]))
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
                    position[partition] = batch.start  # it is put back unread, since nobody may take it now
                    return
                await host.process(batch)
            elif session is not None and self.scenario.ticks and self.rng.random() < 0.1 and not self.draining:
                await session.tick()
        except GapDetected as gap:
            position[partition] = gap.expected
        except ClockAhead:
            return
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
        log = self.world.clicks[partition]
        at = bisect_left(log, start, key=attrgetter("offset"))
        if at == len(log):
            return None
        cut = self.rng.randint(1, min(len(log) - at, self.rng.choice([3, 40, 500])))
        records = log[at : at + cut]
        self.world.now_ms = max(self.world.now_ms, records[-1].timestamp)
        return Batch("clicks", partition, start, records[-1].offset + 1, of_records(records), epoch, generation, log[-1].offset + 1)

    def run(self) -> None:
        """Play the scenario with its faults, to the end.

        Raises
        ------
        Violation
            There is no end.
        """
        try:
            self._run()
        finally:
            for worker in self.workers.values():
                self.world.kill(worker)
            self.loop.end()

    def _run(self) -> None:
        for _ in range(self.rng.choice([2, 2, 3])):
            self.start_worker()
        saved: list[Any] = []
        for turn in range(MAX_TURNS):
            self.loop.settle()
            if self.bugs:
                raise self.bugs[0]
            if not self.draining and self.rng.random() < 0.02 and self._may_go_back():
                saved = [*saved[-2:], self.world.store.snapshot()]
            if not self.draining and turn > 40 and self.rng.random() < 0.01:
                self._fault(saved)
            if self.scenario.wrong_clocks and self.changes.random() < 0.1:
                self.world.clock_error_ms = self.changes.choice([0, 0, 2 * DAY_MS, -2 * DAY_MS, self.scenario.spec.lateness_ms])
            if self.faults <= 0 and not self.draining:
                self.draining = True
                for worker in self.workers.values():
                    worker.asleep = 0
                self.group.rebalance(self.members(), self.rng)
            if self.draining and self._finished():
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
            at = self.rng.randrange(len(saved))
            self.world.store.restore(saved[at])
            del saved[at + 1 :]  # a server that went back knows nothing of what it stored after that moment
            self.world.counts["stores rolled back"] += 1
        else:
            self.world.counts["rebalances"] += 1
            self.group.rebalance(names, self.rng)

    def _finished(self) -> bool:
        """Whether each shard's owner, whom the store still knows, has committed all clicks and ticks, and Kafka has confirmed what they made."""
        for partition, log in enumerate(self.world.clicks):
            owner = self.hosts.get(self.group.owner.get(partition, -1))
            session = owner.sessions.get(partition) if owner else None
            if session is None or session.unconfirmed or session.lost is not None:
                return False
            if log and session.next_offset != log[-1].offset + 1:
                return False
            if session.shard.meta.time_offset != len(self.world.ticks[partition]):
                return False  # one that is being applied waits in no queue any more
            if self.world.store.token(partition) != session.shard.token:
                return False  # the shard was taken, or the store went back, and its owner has not heard yet
            if self.world.store.commit_no(partition) != session.shard.commit_no:
                return False  # stored, but its owner has not heard yet
        return True

    def check(self) -> Counter[str]:
        """Compare everything with the oracle."""
        if self.world.counts["takes by an older generation"]:
            raise Violation(f"seed {self.seed}: I5 a shard was taken by an older generation")
        if self.world.furthest_tick_ms > max(self.scenario.spec.lateness_ms, LEAST_SLACK_MS) + MAX_FUTURE_MS:
            raise Violation(f"seed {self.seed}: a wrong clock was believed by {self.world.furthest_tick_ms} ms")
        totals: Counter[str] = Counter(self.world.counts)
        if self.scenario.crowd and totals["empty steps"] * 20 > totals["steps"]:
            raise Violation(f"seed {self.seed}: I7 {totals['empty steps']} of {totals['steps']} steps did nothing but move time")
        blocks = [unpack_block(packed) for packed in self.world.examples]
        for partition in range(self.world.partitions):
            self._check_partition(partition, [block for block in blocks if block.partition == partition], totals)
        totals["hand-overs"] += self.group.generation
        totals["workers"] += len(self.workers)
        totals["events"] += self.scenario.events
        totals["rules changed"] += sum(len(unpack_meta(self.world.store.meta(p)).rules) - 1 for p in range(self.world.partitions))
        return totals

    def _check_partition(self, partition: int, blocks: list[ExampleBlock], totals: Counter[str]) -> None:
        scenario, world = self.scenario, self.world
        fixed = champions(scenario, 1)
        oracle = OracleShard(scenario.spec, scenario.policy, lambda k, vector: float(fixed[k].scorer.risk(vector[None, :])[0]))
        meta = unpack_meta(world.store.meta(partition))
        oracle.play(world.clicks[partition], world.ticks[partition], meta.rules)

        self._check_erasures(partition, oracle)
        totals["users erased"] += len(oracle.erased)
        totals["users let back"] += sum(back for _, back in oracle.erased.values())
        totals["events of erased users"] += oracle.outcomes["erased"]
        definitions = len(scenario.spec.definitions)
        stored = {user: comparable(user, state, definitions) for user, state in world.store.users(partition).items()}
        expected = {user: comparable(user, one.state(), definitions) for user, one in oracle.users.items()}
        self._same(stored, expected, f"I1 states of shard {partition}")
        self._same({k: v for k, v in meta.totals.items() if v}, dict(oracle.outcomes), f"I2 outcomes of shard {partition}")
        dead = [(letter.offset, letter.reason) for letter in (decode_dead_letter(entry.value) for entry in world.dead[partition])]
        self._same(dead, oracle.dead, f"I3 dead letters of shard {partition}")
        if len(world.judged_by[partition]) <= 1 or not world.counts["stores rolled back"]:
            # examples that a store forgot and Kafka did not are made anew by the rules of the day (docs/decisions/0014-rules-have-offsets.md)
            self._check_examples(partition, blocks, oracle, totals)
        said = [(tuple(entry.position), _what(entry.value)) for entry in world.alerts[partition]]
        if not scenario.learning:
            self._same(said, sorted(oracle.alerts), f"I3 alerts of shard {partition}")
        else:
            self._check_learning_alerts(said, oracle, partition)
        totals["alerts"] += len(said)

    def _check_erasures(self, partition: int, oracle: OracleShard) -> None:
        """Nothing is left of erased users but a digest of each, with when it was and whether they are back."""
        store, salt = self.world.store, unpack_meta(self.world.store.meta(partition)).salt
        remembered = {digest_of_user(user, salt): at.to_bytes(8, "big") + bytes([back]) for user, (at, back) in oracle.erased.items()}
        self._same(store.gone(partition), remembered, f"I8 erased users of shard {partition}")
        snapshots, _ = unpack_lists(store.pending(partition), WIDTH)
        waiting = {(user or b"").decode() for user in snapshots.users}
        for user in oracle.erased.keys() - oracle.users.keys():
            if user in store.wheel(partition) | store.users(partition).keys() | store.mirror(partition).keys() | waiting:
                raise Violation(f"seed {self.seed}: I8 something is left of {user} in shard {partition}")

    def _check_examples(self, partition: int, blocks: list[ExampleBlock], oracle: OracleShard, totals: Counter[str]) -> None:
        got: list[tuple[int, int, str, int, bytes, int | None]] = []
        for block in blocks:
            seen = len(got) - block.first_number
            if seen < 0:
                raise Violation(f"seed {self.seed}: I4 gap in the examples of shard {partition}")
            told = list(_told(block))
            self._same(got[block.first_number :][: len(told)], told[:seen], f"I4 repeated examples of shard {partition}")
            got += told[seen:]
        wanted = sorted(oracle.items, key=lambda item: item.position)
        expected = [(n, item.position[1], item.position[2], item.position[3], item.vector, item.label) for n, item in enumerate(wanted)]
        self._same(got, expected, f"I4 examples of shard {partition}")
        totals["labels"] += sum(item.label is not None for item in wanted)

    def _check_learning_alerts(self, said: list[tuple[Any, str]], oracle: OracleShard, partition: int) -> None:
        """With a model that learns, alerts still come once each, in order, none without its cause, opened and ended in turn."""
        positions = [position for position, _ in said]
        if positions != sorted(set(positions)):
            raise Violation(f"seed {self.seed}: I3 alerts of shard {partition} doubled or out of order")
        snapshots = {item.position for item in oracle.items}
        is_open: dict[tuple[str, int], bool] = {}
        for position, what in said:
            offset, due, user, kind = position
            key = (user, kind // KINDS)
            if what == "opened":
                if (offset, due, user, kind - 2) not in snapshots or is_open.get(key):
                    raise Violation(f"seed {self.seed}: I3 alert without cause {position}")
                is_open[key] = True
            elif not is_open.get(key):
                raise Violation(f"seed {self.seed}: I3 resolved what was not open {position}")
            else:
                is_open[key] = False
        definitions = len(self.scenario.spec.definitions)
        users = self.world.store.users(partition)
        for user, row in zip(users, read_states(list(users), list(users.values()), definitions), strict=True):
            for k in range(definitions):
                if bool(row["alert_open"][k]) != is_open.get((user, k), False):
                    raise Violation(f"seed {self.seed}: I1 {user} open in the state differs from what was published")

    def _same(self, got: Any, expected: Any, what: str) -> None:
        if got == expected:
            return
        difference = _first_difference(got, expected)
        raise Violation(f"seed {self.seed}: {what}: {difference}")


def _told(block: ExampleBlock) -> Iterator[tuple[int, int, str, int, bytes, int | None]]:
    """Number, time, user, kind, vector and label of each example."""
    items = block.items
    columns = (items.kind, items.definition, items.label, items.landmark_ms, items.matured_ms)
    rows = zip(items.users, items.vectors, *(column.tolist() for column in columns), strict=True)
    for number, (user, vector, kind, definition, label, landmark_ms, matured_ms) in enumerate(rows, block.first_number):
        is_label = kind == LABEL
        yield (
            number,
            matured_ms if is_label else landmark_ms,
            user,
            kind_of(definition, kind),
            vector.tobytes(),
            label if is_label else None,
        )


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
    simulation.run()
    return simulation.check()


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


__all__ = ["Killed", "Simulation", "Violation", "run_seed", "run_seeds"]
