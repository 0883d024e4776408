"""The order of operations of a shard, as a pure generator: no clock, no I/O, no logging.

``advance`` takes columns of decoded records and yields what it needs to read (`Need`), is sent what was found (`Found`), and
returns one `Step`: a commit ready to be stored. One step, in order:

1. bring the batch's users into the arena
2. the compiled pass: dedupe, late check, own landmarks, update, vectors; it stops where more than a commit's worth of timers would be due
3. sweep: landmarks of everybody else that time has crossed
4. maturities: labels of snapshots whose horizon has passed
5. risks of all moments, in one call per definition
6. policy: what opens, what ends
7. outputs in order of position, those already published left out
8. the commit: states, wheel, snapshots, outbox, meta

The shard changes its arena before the commit is stored. If the commit does not succeed, the owner drops the whole object.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from features.arena import Arena
from features.catalog import FEATURES
from features.columns import Columns
from features.definition import DAY_MS
from features.kernel import TIME_ONLY, Moments, Params, make_moments, pass_events, pass_sweep
from features.landmarks import PHASE_STEP_MS
from features.spec import FeatureSpec
from features.state import NEVER
from features.store import Commit, Found, Need, Taken
from features.timers import Timers
from online_models.scorer import Champion
from stream.meta import ShardMeta, unpack_meta
from stream.outputs import Due, Outputs
from stream.policy import NOTHING_ADOPTED, Adopted, PolicySettings

BUDGET = 2_000
"""Most timers a commit handles, unless a single record's own landmarks are more."""

ROOM = 4 * BUDGET
"""Moments a step can hold beyond one per record."""


@dataclass(frozen=True, slots=True)
class ShardSettings:
    """What a shard is told: its name, the feature spec, the policy, and how much to keep in memory."""

    app: str
    partition: int
    spec: FeatureSpec
    policy: PolicySettings
    capacity: int = 1 << 18
    mirror: str = "none"


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one partition, decoded: columns, and where each stands in the log."""

    columns: Columns
    offsets: npt.NDArray[np.int64]
    values: Sequence[bytes | None]
    next_offset: int
    """Consumer position after them (control records may leave a gap)."""


@dataclass(slots=True)
class Step:
    """What one step did, and the commit that makes it true."""

    commit: Commit
    meta: ShardMeta
    taken: int
    """Index of the first record not taken."""
    time_ms: int
    """Broker stamp of the last record taken, NEVER if none."""
    outcomes: dict[str, int] = field(default_factory=dict)
    snapshots: int = 0
    labels: int = 0
    opened: int = 0
    resolved: int = 0
    capped: int = 0
    too_old: int = 0


class Shard:
    """One partition's engine from a take to the next.

    Parameters
    ----------
    taken : Taken
        What the store gave: token, commit number, meta.
    champions : sequence of Champion
        The model that scores each definition now; replace between steps only.
    adopted : Adopted
        Decisions already published beyond the stored position.
    """

    def __init__(
        self,
        settings: ShardSettings,
        taken: Taken,
        champions: Sequence[Champion],
        adopted: Adopted = NOTHING_ADOPTED,
    ) -> None:
        spec = settings.spec
        self.settings = settings
        self.champions = list(champions)
        self.adopted = adopted
        self.token = taken.token
        self.commit_no = taken.commit_no
        self.meta: ShardMeta = unpack_meta(taken.meta)
        self.params = params_of(spec)
        self.arena = Arena(len(spec.definitions), settings.capacity)
        waits = [definition.horizon_ms + spec.lateness_ms for definition in spec.definitions]
        self.timers = Timers(taken.wheel, waits)
        if self.meta.swept_ms != NEVER:
            self.timers.assume_pending(self.meta.swept_ms, self.meta.max_ms + DAY_MS)
        self._moments: Moments = make_moments(ROOM, len(waits), len(FEATURES))
        self._widest = 4 + max(d.active_window_ms for d in spec.definitions) // DAY_MS

    def advance(self, records: Records, start: int = 0) -> Generator[Need, Found, Step]:
        """One step: take records from `start` on as far as the timers allow, or move time towards the waiting record.

        Returns
        -------
        Step
            ``taken == start`` means that timers alone were handled and the record at `start` still waits.
        """
        spec, meta, arena = self.settings.spec, self.meta, self.arena
        columns = records.columns
        self._make_room(columns.n)
        yield from self._bring(columns.user[start:])
        slots = arena.slots(columns.user)
        slots[columns.tick] = TIME_ONLY
        watermarks = np.empty(columns.n, np.int64)
        swept = meta.swept_ms if meta.swept_ms != NEVER else self._first_time(columns, start)
        stop = self.timers.stop_ms(swept, BUDGET) if swept != NEVER else 0
        taken, max_ms, count = pass_events(
            arena.states, arena.touched, arena.last_landmark,
            slots, columns.ts, columns.append, columns.word, columns.value, columns.eid, columns.code,
            watermarks, start, meta.max_ms, stop, self._widest, self.params, self._moments,
        )  # fmt: skip
        waiting = taken == start and taken < columns.n
        outputs = Outputs(self.settings, self.champions, records, start, watermarks, self._moments, arena)
        if not waiting:
            limit = NEVER if max_ms == NEVER else max_ms - spec.lateness_ms
            due = yield from self._due(swept, limit, slice_from=None)
            last, own_slot = max(taken - 1, start), -1
        else:
            # The record at `start` carries time past more timers than one commit may handle: they go first, caused by it.
            goal = int(min(columns.ts[start], columns.append[start])) - spec.lateness_ms
            limit = min(stop, goal)
            cut = meta.cursor or (swept, "")
            if limit == swept:
                limit = min(goal, (swept // PHASE_STEP_MS + 1) * PHASE_STEP_MS)
                due = yield from self._due(swept, limit, slice_from=cut)
            else:
                due = yield from self._due(swept, limit, slice_from=None)
            watermarks[start] = goal
            last, own_slot = start, int(slots[start])
        candidates = np.unique(np.concatenate([due.slots, arena.changed().astype(np.int32)])) if due.cursor is None else due.slots
        done, count = pass_sweep(
            arena.states, arena.touched, arena.last_landmark, candidates,
            limit, own_slot, watermarks, start, last, self.params, self._moments, count,
        )  # fmt: skip
        if done < len(candidates):
            raise RuntimeError(f"shard {self.settings.partition}: {len(candidates)} users made more moments than a step holds")
        step = outputs.build(meta, taken, count, due, self.adopted)
        new = step.meta
        new.max_ms = max_ms
        new.cursor = due.cursor
        new.swept_ms = swept if due.cursor is not None else max(swept, limit)
        new.next_offset = records.next_offset if taken == columns.n else int(records.offsets[taken])
        self._write(step, due, new)
        return step

    def committed(self, step: Step) -> None:
        """Note that the step's commit is stored."""
        self.commit_no += 1
        self.meta = step.meta
        self.arena.settle(self.arena.changed(), self.commit_no)
