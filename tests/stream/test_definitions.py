"""Several churn definitions on one stream: one that is appended later disturbs nothing, says since when it is valid, and is exact from then on."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from features.definitions.definition import DAY_MS, NO_LABEL, ChurnDefinition
from features.store.memory import MemoryStore
from features.users.catalog import INDEX, value_table
from features.users.landmarks import PHASE_STEP_MS, phase_of
from features.users.packed_state import read_states
from features.users.spec import FeatureSpec
from features.users.state import NEVER
from online_models.cadence import CadenceScorer
from online_models.example import CONTACTED, LABEL, SNAPSHOT, unpack_block
from online_models.scorer import Champion
from stream.alerts.policy import PolicySettings
from stream.faults import Refused
from stream.ownership.contract import Batch
from stream.ownership.opening import open_session
from stream.ownership.session import Dependencies, Session
from stream.position import KINDS
from stream.shard.meta import ShardMeta, unpack_meta
from stream.shard.records import of_records
from stream.shard.settings import ShardSettings
from tests.simulation.world import LogRecord, SimWire, Worker, World

START = 1_600_000_000_000 // DAY_MS * DAY_MS
GONE = ChurnDefinition(name="gone", active_window_ms=3 * DAY_MS, horizon_ms=2 * DAY_MS)
LONGER = ChurnDefinition(name="longer", active_window_ms=5 * DAY_MS, horizon_ms=4 * DAY_MS, activity=("buy",))
CANCEL = ChurnDefinition(name="cancel", kind="did_event", target=("cancel",), active_window_ms=4 * DAY_MS, horizon_ms=3 * DAY_MS)
USERS = 30
HOUR_MS = DAY_MS // 24
SERIAL = itertools.count()


class Free(World):
    """A world that never makes anybody wait."""

    async def pause(self, worker: Worker, point: str) -> None:
        """Go on at once."""


def clicks(days: int = 24, seed: int = 1) -> list[LogRecord]:
    """Users come, cancel and stay away; some events are a little late."""
    rng = random.Random(seed)
    rows = []
    for number in range(USERS):
        at = rng.uniform(0, 5)
        while at < days:
            rows.append((at, f"u{number}", rng.choices(["view", "buy", "cancel"], [6, 3, 1])[0]))
            at += rng.choice([0.05, 0.5, 1.0, 2.0, 6.0])
    rows.sort(key=lambda row: row[0] + (0.02 if hash_of(row) < 0.2 else 0))
    log = []
    for offset, (at, user, kind) in enumerate(rows):
        ts = START + int(at * DAY_MS)
        log.append(LogRecord(offset, ts + DAY_MS // 20, json.dumps({"user": user, "ts": ts, "type": kind}).encode()))
    return log


def hash_of(row: tuple[float, str, str]) -> float:
    return random.Random(str(row)).random()


@dataclass
class Shard0:
    """One shard over a memory store and a wire that never breaks."""

    world: Free = field(default_factory=lambda: Free(0, 1))
    store: MemoryStore = field(default_factory=lambda: MemoryStore(lambda: str(next(SERIAL))))

    async def open(self, *definitions: ChurnDefinition) -> Session:
        spec = FeatureSpec(key_events=("view", "buy"), definitions=definitions, lateness_ms=HOUR_MS)
        dependencies = Dependencies(
            store=self.store,
            make_wire=lambda partition: SimWire(self.world, Worker(0), partition),
            champions=lambda _until: [Champion(0, CadenceScorer(one.horizon_ms)) for one in definitions],
        )
        policy = PolicySettings(threshold=0.4, cooldown_ms=DAY_MS, alert_max_age_ms=None)
        return await open_session(ShardSettings("app", 0, spec, policy), dependencies, 1)

    async def play(self, log: Sequence[LogRecord], *definitions: ChurnDefinition) -> None:
        session = await self.open(*definitions)
        for at in range(0, len(log), 37):
            part = log[at : at + 37]
            await session.process(Batch("clicks", 0, part[0].offset, part[-1].offset + 1, of_records(part), 1, 1, 0))
        await session.flush()
        await session.close()

    @property
    def meta(self) -> ShardMeta:
        return unpack_meta(self.store.meta(0))

    def items(self, kind: int, name: str) -> list[tuple[int, str, bytes, int]]:
        """Return (landmark, user, vector, label) of one definition, in the order in which they left."""
        found, seen = [], 0
        for packed in self.world.examples:
            block = unpack_block(packed)
            names = np.array(block.definitions)
            # what may not have left before a stop leaves again, under the same numbers
            items = block.items.take(slice(max(0, seen - block.first_number), None))
            seen = max(seen, block.first_number + len(block.items))
            for i in np.flatnonzero((items.kind == kind) & (names[items.definition] == name)).tolist():
                found.append((int(items.landmark_ms[i]), items.users[i], items.vectors[i].tobytes(), int(items.label[i])))
        return found

    def alerts(self, k: int) -> list[bytes]:
        return [entry.value for entry in self.world.alerts[0] if entry.position.kind // KINDS == k]


def played(*parts: tuple[Sequence[LogRecord], Sequence[ChurnDefinition]]) -> Shard0:
    async def run() -> Shard0:
        shard = Shard0()
        for log, definitions in parts:
            await shard.play(log, *definitions)
        return shard

    return asyncio.run(run())


def test_nobody_counts_as_contacted_while_there_are_no_outcomes() -> None:
    shard = played((clicks(days=8), [GONE]))
    blocks = [unpack_block(packed) for packed in shard.world.examples]
    assert sum(len(block.items) for block in blocks) > 100
    assert all((block.items.flags & CONTACTED == 0).all() for block in blocks)
    said = blocks[-1].items
    said.flags = said.flags | CONTACTED
    assert (unpack_block(blocks[-1].pack()).items.flags & CONTACTED != 0).all(), "the example has room for it"


def test_an_appended_definition_changes_nothing_for_the_one_before_it() -> None:
    log = clicks()
    half = len(log) // 2
    alone = played((log, [GONE]))
    added = played((log[:half], [GONE]), (log[half:], [GONE, LONGER, CANCEL]))
    for kind in (SNAPSHOT, LABEL):
        assert alone.items(kind, "gone") == added.items(kind, "gone")
    assert len(alone.alerts(0)) > 20
    assert alone.alerts(0) == added.alerts(0)
    assert added.alerts(1), "the new one opens alerts of its own"


@pytest.mark.parametrize("definition", [LONGER, CANCEL], ids=lambda one: one.name)
def test_its_labels_are_exact_from_the_first_one_on(definition: ChurnDefinition) -> None:
    log = clicks()
    half = len(log) // 2
    shard = played((log[:half], [GONE]), (log[half:], [GONE, LONGER, CANCEL]))
    events = [msgspec.json.decode(record.value or b"") for record in log]
    after = [(one["user"], one["ts"], one["type"]) for one in events[half:]]
    first = {user: min(ts for who, ts, kind in after if who == user and definition.counts_as_activity(kind)) for user in {u for u, _, k in after if definition.counts_as_activity(k)}}  # fmt: skip
    labels = shard.items(LABEL, definition.name)
    assert len(labels) > 50
    assert {label for *_, label in labels} == {0, 1}
    for landmark, user, _, label in labels:
        assert landmark >= first[user], "nobody is eligible before their first activity that the definition saw"
        hit = any(
            who == user and landmark < ts <= landmark + definition.horizon_ms and definition.sets_hit(kind)
            for who, ts, kind in ((one["user"], one["ts"], one["type"]) for one in events)
        )
        assert label == definition.label(hit), (user, landmark)


def test_a_shard_remembers_since_when_it_follows_a_definition() -> None:
    log = clicks()
    half = len(log) // 2
    shard = played((log[:half], [GONE]), (log[half : half + 100], [GONE, LONGER]), (log[half + 100 :], [GONE, LONGER, CANCEL]))
    gone, longer, cancel = shard.meta.definitions
    newest = max(msgspec.json.decode(record.value or b"")["ts"] for record in log[:half])
    assert (gone.name, gone.since_offset, gone.since_ms) == ("gone", 0, NEVER)
    assert (longer.name, longer.since_offset, longer.since_ms) == ("longer", half, newest - HOUR_MS)
    assert (cancel.name, cancel.since_offset) == ("cancel", half + 100)


@pytest.mark.parametrize(
    "given",
    [
        [GONE],
        [LONGER, GONE],
        [GONE, msgspec.structs.replace(LONGER, horizon_ms=DAY_MS)],
    ],
    ids=["taken away", "moved", "changed"],
)
def test_a_process_with_other_definitions_is_refused_and_writes_nothing(given: list[ChurnDefinition]) -> None:
    async def run() -> None:
        log = clicks(days=8)
        shard = Shard0()
        await shard.play(log, GONE, LONGER)
        before = shard.store.commit_no(0), shard.store.users(0)
        with pytest.raises(Refused, match="definitions"):
            await shard.open(*given)
        assert (shard.store.commit_no(0), shard.store.users(0)) == before

    asyncio.run(run())


def test_a_segment_leaves_everybody_else_out() -> None:
    log = clicks()
    often = msgspec.structs.replace(GONE, name="often", segment=("active_days_total >= 4",))
    shard = played((log, [GONE, often]))
    every, some = ({(landmark, user) for landmark, user, *_ in shard.items(LABEL, name)} for name in ("gone", "often"))
    days = value_table()[INDEX["active_days_total"]]
    inside = {
        (landmark, user) for landmark, user, vector, _ in shard.items(LABEL, "gone") if days[vector[INDEX["active_days_total"]]] > 3.5
    }
    assert some == inside
    assert 50 < len(some) < len(every)
    assert 0 < len(shard.alerts(1)) < len(shard.alerts(0))
    for user, packed in shard.store.users(0).items():
        state = read_states([user], [packed], 2)[0]
        if state["active_days"] < 4:
            assert state["risk"][1] == 0


def test_an_external_definition_says_no_label() -> None:
    told = ChurnDefinition(name="contract", kind="external", active_window_ms=3 * DAY_MS, horizon_ms=2 * DAY_MS)
    shard = played((clicks(days=12), [GONE, told]))
    gone, contract = ([(landmark, user, vector) for landmark, user, vector, _ in shard.items(LABEL, name)] for name in ("gone", "contract"))
    assert len(gone) > 50
    assert gone == contract
    assert {label for *_, label in shard.items(LABEL, "contract")} == {NO_LABEL}


@pytest.mark.parametrize(
    ("late_by_ms", "label", "dead"),
    [(0, 0, 0), (HOUR_MS, 0, 0), (HOUR_MS + 1, 0, 1), (2 * HOUR_MS, 0, 1), (2 * HOUR_MS + 1, 1, 1)],
    ids=["in order", "within G", "late, label pending", "late, the last moment", "label matured"],
)
def test_an_event_out_of_order_corrects_the_label_as_long_as_it_is_pending(late_by_ms: int, label: int, dead: int) -> None:
    """ann's only return lies in the last millisecond of their horizon; the crowd's clicks have carried time further when it arrives."""
    first = START + phase_of("ann") * PHASE_STEP_MS
    back = first + GONE.horizon_ms
    events = [("ann", first), *(("bob", first + hour * HOUR_MS) for hour in range(1, 48)), ("bob", back - 1)]
    events += [("bob", back + late_by_ms), ("ann", back), ("bob", back + DAY_MS)]
    log = [LogRecord(n, ts + DAY_MS, json.dumps({"user": user, "ts": ts, "type": "view"}).encode()) for n, (user, ts) in enumerate(events)]
    shard = played((log, [GONE]))
    assert [one for landmark, user, _, one in shard.items(LABEL, "gone") if user == "ann" and landmark == first] == [label]
    assert len(shard.world.dead[0]) == dead


def test_labels_of_a_shuffled_log_are_those_of_the_log_in_order(shared_data: Path) -> None:
    """Disorder within the lateness changes no label; this is a real log, with each event up to an hour later than its place."""
    frame = pl.read_parquet(shared_data / "collegemsg" / "events.parquet").head(20_000).select("user", "ts", type="event")
    rng = np.random.default_rng(5)
    arrival = frame["ts"].to_numpy() + rng.integers(0, HOUR_MS, frame.height)

    def log_of(order: np.ndarray) -> list[LogRecord]:
        rows = frame[order.tolist()].rows(named=True)
        return [LogRecord(n, row["ts"] + HOUR_MS, msgspec.json.encode(row)) for n, row in enumerate(rows)]

    shuffled, ordered = (played((log_of(np.argsort(by, kind="stable")), [GONE, LONGER])) for by in (arrival, frame["ts"].to_numpy()))
    assert not shuffled.world.dead[0]
    told = [{(user, landmark): label for landmark, user, _, label in shard.items(LABEL, "gone")} for shard in (shuffled, ordered)]
    assert len(told[0]) > 2_500
    both = told[0].keys() & told[1].keys()
    assert len(both) > 0.99 * max(map(len, told)), "eligibility is what was known when the landmark fired"
    assert [key for key in both if told[0][key] != told[1][key]] == []
