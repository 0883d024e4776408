"""The order of operations of a shard, as a pure generator: no clock, no I/O, no logging.

``advance`` takes columns of decoded records and yields what it needs to read (`Need`), is sent what was found (`Found`), and
returns one `Step`: a commit ready to be stored. One step, in order:

1. bring the batch's users into the arena; set aside what erased users did. A record that erases somebody is a step of its own (`stream.shard.erasing`)
2. run the compiled pass: dedupe, late check, own landmarks, update, vectors; it stops before more timers are due than one commit may hold
3. sweep: landmarks of everybody else that time has crossed
4. maturities: labels of snapshots whose horizon has passed
5. risks of all moments, in one call per definition
6. policy: what opens, what ends
7. outputs in order of position, those already published left out
8. the commit: states, wheel, snapshots, outbox, meta

The shard changes its arena before the commit is stored. If the commit does not succeed, the owner drops the whole object.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import msgspec
import numpy as np
import numpy.typing as npt

from features.compiled.texts import Texts, ids_of
from features.definitions.definition import DAY_MS
from features.events.columns import Columns
from features.events.event import MAX_FUTURE_MS, Reason
from features.store.contract import Commit, Damaged, Found, Need, Taken
from features.store.keys import digest_of, shard_keys
from features.users.arena import Arena
from features.users.catalog import WIDTH
from features.users.kernel import TIME_ONLY, Moments, make_moments, params_of, pass_events, pass_sweep
from features.users.landmarks import PHASE_STEP_MS
from features.users.state import FLAG_ARMED, NEVER, DamagedRecord
from online_models.example import ExampleBlock, Snapshots, unpack_lists
from online_models.scorer import Champion
from stream.alerts.policy import NOTHING_ADOPTED, Adopted
from stream.outbox import pack_entry
from stream.shard.decisions import ended_by_erasure
from stream.shard.erasing import erase, next_mark, set_aside, without
from stream.shard.examples import ForTrainer
from stream.shard.gone import Gone
from stream.shard.meta import NOT_YET, ShardMeta, unpack_meta
from stream.shard.moments import NOTHING_MATURED, Matured, StepFacts
from stream.shard.outputs import StepOutputs, step_outputs
from stream.shard.records import Records
from stream.shard.settings import ShardSettings
from stream.shard.timers import Timers, next_slice

_ByBucket = dict[int, list[str]]
_NAME_OF = {reason.value: reason.name for reason in Reason}


@dataclass(slots=True)
class Step:
    """What one step did, and the commit that makes it true."""

    commit: Commit
    meta: ShardMeta
    taken: int
    """Index of the first record not taken; equal to `start` when timers alone were handled."""
    outputs: StepOutputs
    outcomes: dict[str, int] = field(default_factory=dict)
    dropped: dict[tuple[int, int], int] = field(default_factory=dict)
    """How many pending snapshots of erased users were taken out of each list, by (definition index, landmark)."""


@dataclass(slots=True)
class _Due:
    """The timers to fire: users whose landmark may be due, snapshots that mature, and how far in time this goes."""

    slots: npt.NDArray[np.int32]
    matured: Matured
    since: int
    """Time (ms) at which the window begins: every timer before it has fired."""
    finished: list[tuple[int, int]] = field(default_factory=list)
    """Lists of pending snapshots, by (definition index, landmark), that are used up."""
    cursor: tuple[int, str] | None = None
    """Where to go on within the instant; None when it is finished."""


class Shard:
    """One partition's engine from a take to the next.

    Parameters
    ----------
    taken : Taken
        What the store gave: token, commit number, meta.
    champions : sequence of Champion
        The model that scores each definition now; replaced between steps only.
    adopted : Adopted
        Decisions already published beyond the stored position.
    meta : ShardMeta, optional
        Where the shard stands; by default what was stored.
    """

    def __init__(
        self,
        settings: ShardSettings,
        taken: Taken,
        champions: Sequence[Champion],
        adopted: Adopted = NOTHING_ADOPTED,
        meta: ShardMeta | None = None,
    ) -> None:
        spec = settings.spec
        self.settings = settings
        self.champions = list(champions)
        self.adopted = adopted
        self.token = taken.token
        self.commit_no = taken.commit_no
        self.meta = unpack_meta(taken.meta) if meta is None else meta
        self.published = self.meta.published
        self.params = params_of(spec)
        self.gone = Gone(taken.gone, self.meta.salt)
        self.arena = Arena(len(spec.definitions), settings.capacity)
        self.timers = Timers(taken.wheel, [definition.horizon_ms + spec.lateness_ms for definition in spec.definitions])
        if self.meta.swept_ms != NEVER:
            # A landmark lies before the time swept, or before its user's own event.
            self.timers.assume_pending(self.meta.swept_ms, max(self.meta.swept_ms, self.meta.max_ms + MAX_FUTURE_MS))
        self._names = [definition.name for definition in spec.definitions]
        self._widest = 4 + max(definition.active_window_ms for definition in spec.definitions) // DAY_MS
        self._moments: Moments = make_moments(1, len(self._names), WIDTH)

    def advance(self, records: Records, start: int = 0) -> Generator[Need, Found, Step]:
        """Make one step: take records from `start` on as far as the timers allow, or move time towards the record that waits there."""
        lateness, meta, arena, columns = self.settings.spec.lateness_ms, self.meta, self.arena, records.columns
        slots = yield from self._slots(self._concerned(columns))
        slots[columns.tick] = TIME_ONLY
        mark = next_mark(columns, slots, start, arena, self.gone)
        if mark == start < columns.n:
            return (yield from self._erase(records, slots, start))
        if self.gone:
            set_aside(columns, slots, start, mark, arena)
        self._make_room(mark - start)
        watermarks = np.full(columns.n, NEVER, np.int64)
        censored_before_ms = meta.censored_before_ms
        if censored_before_ms == NOT_YET:
            censored_before_ms = _censored_before(columns, start, mark, max(one.active_window_ms for one in self.settings.spec.definitions))
        swept = meta.swept_ms if meta.swept_ms != NEVER else _first_time(columns, start, mark, lateness)
        stop = swept  # no time yet, or in the middle of a crowded instant: that is finished first
        if swept != NEVER and meta.cursor is None:
            stop = self.timers.stop_ms(swept, self.settings.budget)
        taken, max_ms, count = pass_events(
            arena.states, arena.touched, arena.last_landmark,
            slots, columns.ts[:mark], columns.append, columns.word, columns.value, columns.eid, columns.ask, columns.code,
            watermarks, start, meta.max_ms, stop, self._widest, self.params, self._moments,
        )  # fmt: skip
        if taken > start:
            limit = NEVER if max_ms == NEVER else max_ms - lateness
            due = yield from self._due(swept, limit)
            last, own_slot = taken - 1, -1
        else:
            # The record that waits carries time past more timers than one commit may handle: they go first, caused by it.
            goal = int(min(columns.ts[start], columns.append[start])) - lateness
            watermarks[start] = goal
            last, own_slot = start, int(slots[start])
            limit = min(stop, goal)
            if self.timers.any_due(swept, limit):
                due = yield from self._due(swept, limit)
            else:
                since, limit = limit, min(goal, (limit // PHASE_STEP_MS + 1) * PHASE_STEP_MS)
                due = yield from self._slice(since, limit, meta.cursor)
        count = self._sweep(due, limit, own_slot, watermarks, start, last, count)
        facts = StepFacts(
            self.settings, self.champions, records, arena, self._moments, count, due.matured, watermarks, first=start, last=last
        )
        outputs = step_outputs(facts, taken, self.adopted, meta, censored_before_ms)
        outcomes = _outcomes(columns, start, taken)
        new = ShardMeta(
            next_offset=records.next_offset if taken == columns.n else int(records.offsets[taken]),
            max_ms=max_ms,
            swept_ms=due.since if due.cursor is not None else max(swept, limit),
            cursor=due.cursor,
            example_no=meta.example_no + len(outputs.for_trainer.examples),
            time_offset=records.time_offset if records.time_offset is not None and taken == columns.n else meta.time_offset,
            lineage=meta.lineage,
            spec_hash=meta.spec_hash,
            opened_today=outputs.opened_today,
            published=self.published,
            censored_before_ms=censored_before_ms,
            examples_after=meta.examples_after,
            totals={name: meta.totals.get(name, 0) + outcomes.get(name, 0) for name in {*meta.totals, *outcomes}},
            definitions=meta.definitions,
            rules=meta.rules,
            gone=meta.gone,
            salt=meta.salt,
        )
        armed, disarmed, fresh = self._turned()
        new.armed = self.timers.armed + sum(map(len, armed.values())) - sum(map(len, disarmed.values()))
        return Step(self._commit(new, outputs, due, armed, disarmed, fresh), new, taken, outputs, outcomes)

    def committed(self, step: Step) -> None:
        """Note that the step's commit is stored."""
        commit = step.commit
        self.commit_no += 1
        self.meta = step.meta
        for bucket, users in commit.armed.items():
            self.timers.arm(bucket, len(users))
        for bucket, users in commit.disarmed.items():
            self.timers.arm(bucket, -len(users))
        for (k, landmark), count in step.outputs.for_trainer.counts.items():
            self.timers.add_pending(k, landmark, count)
        for name, landmark in commit.matured:
            self.timers.drop_pending(self._names.index(name), landmark)
        for (k, landmark), count in step.dropped.items():
            self.timers.lose_pending(k, landmark, count)
        self.arena.settle(self.arena.changed(), self.commit_no)

    def _concerned(self, columns: Columns) -> Texts:
        """Return the user of each record, None where none is needed: while nobody is erased, nobody need be let back."""
        consents = (columns.code == Reason.consent).nonzero()[0]
        if self.gone or not len(consents):
            return columns.users
        users = Texts(columns.users.buffer, columns.users.at.copy(), columns.users.end.copy())
        users.at[consents] = users.end[consents] = -1
        return users

    def _erase(self, records: Records, slots: npt.NDArray[np.int32], start: int) -> Generator[Need, Found, Step]:
        """Take records that erase users, or let them be known again. Whatever was due before them has fired."""
        columns, meta, arena = records.columns, self.meta, self.arena
        facts = StepFacts(
            self.settings, self.champions, records, arena, self._moments, 0, NOTHING_MATURED, np.zeros(columns.n, np.int64), start, start
        )
        found = erase(columns, slots, start, arena, self.gone)
        lists = self.timers.lists_of(found.stored.values())
        named = [(self._names[k], landmark) for k, landmark in lists]
        read = (yield Need(snaps=named)) if lists else Found()
        rewritten: dict[tuple[str, int], bytes] = {}
        dropped: dict[tuple[int, int], int] = {}
        for one, name, chunks in zip(lists, named, read.chunks, strict=True):
            try:
                kept, count = without(chunks, found.stored)
            except ValueError as error:
                key = shard_keys(self.settings.app, self.settings.partition).snap(*name)
                raise Damaged(self.settings.partition, str(error), key) from None
            if count:
                rewritten[name], dropped[one] = kept, count if kept else -1
        entries = ended_by_erasure(facts, found.alerts)
        outputs = StepOutputs(
            entries=[entry for entry in entries if not self.adopted.covers(entry.position)],
            for_trainer=ForTrainer(),
            opened_today=meta.opened_today,
            decided={(k, "resolved"): sum(one[2] == k for one in found.alerts) for k in {one[2] for one in found.alerts}},
        )
        outcomes = _outcomes(columns, start, found.stop)
        new = msgspec.structs.replace(
            meta,
            next_offset=records.next_offset if found.stop == columns.n else int(records.offsets[found.stop]),
            published=self.published,
            totals={name: meta.totals.get(name, 0) + outcomes.get(name, 0) for name in {*meta.totals, *outcomes}},
            armed=self.timers.armed - sum(map(len, found.armed.values())),
            gone=len(self.gone),
        )
        watermark_ms = meta.watermark_ms(self.settings.spec.lateness_ms)
        block = ExampleBlock(
            meta.lineage, self.settings.partition, meta.example_no, watermark_ms, meta.spec_hash, self._names, outputs.for_trainer.examples,
            found.told,
        )  # fmt: skip
        commit = Commit(
            token=self.token,
            commit_no=self.commit_no,
            meta=new.pack(),
            disarmed=found.armed,
            outbox=[pack_entry(entry) for entry in outputs.entries],
            exbox=[block.pack()] if found.told else [],
            erased=list(found.stored),
            rewritten=rewritten,
            gone=self.gone.changed(),
        )
        return Step(commit, new, found.stop, outputs, outcomes, dropped)

    def _slots(self, users: Texts) -> Generator[Need, Found, npt.NDArray[np.int32]]:
        """Return the slot of each user, int32 (n,), and bring in users who are not in the arena. Records without a user have slot -1."""
        slots = self.arena.slots(users)
        absent = ((slots < 0) & (users.at >= 0) & (users.at < users.end)).nonzero()[0]
        if len(absent):
            some = users.take(absent)
            missing = Texts.of(list(dict.fromkeys(some)))
            found = yield Need(users=missing)
            self._admit(missing, found.states)
            slots[absent] = self.arena.slots(some)
        return slots

    def _admit(self, users: Texts, states: Sequence[bytes | None]) -> None:
        first = len(self.arena)
        try:
            self.arena.admit(users, states)
        except DamagedRecord as error:
            there = [user for user, state in zip(users, states, strict=True) if state is not None]
            raise self._damaged(str(error), there[error.row]) from None
        if self.gone:
            for slot in range(first, len(self.arena)):
                if self.arena.fresh[slot] or self.gone.some_are_back:
                    self.arena.barred_ms[slot] = self.gone.barred_ms(self.arena.users[slot])

    def _damaged(self, why: str, user: bytes | None) -> Damaged:
        key = shard_keys(self.settings.app, self.settings.partition).state((user or b"").decode())
        return Damaged(self.settings.partition, why, digest_of(key))

    def _make_room(self, records: int) -> None:
        wanted = 2 * records + (self.settings.budget + 64) * self._widest
        if len(self._moments.kind) < wanted:
            self._moments = make_moments(wanted, len(self._names), WIDTH)

    def _due(self, since: int, until: int) -> Generator[Need, Found, _Due]:
        """Return everything due in ``[since, until)``, ms."""
        members, matured, lists = yield from self._read_due(since, until)
        return _Due(self.arena.changed(and_also=members).astype(np.int32), matured, since, lists)

    def _read_due(self, since: int, until: int) -> Generator[Need, Found, tuple[npt.NDArray[np.int32], Matured, list[tuple[int, int]]]]:
        """Read the wheel's members and the pending snapshots of a window, and bring all their users into the arena."""
        buckets: list[int] = []
        lists: list[tuple[int, int]] = []
        if since != NEVER and until > since:
            buckets, lists = self.timers.buckets_due(since, until), self.timers.lists_due(since, until)
        found = Found()
        if buckets or lists:
            found = yield Need(buckets=buckets, snaps=[(self._names[k], landmark) for k, landmark in lists])
        members = list(chain.from_iterable(found.members))
        there: list[tuple[int, int]] = []
        for one, chunks in zip(lists, found.chunks, strict=True):
            if chunks:
                there.append(one)
            else:
                self.timers.drop_pending(*one)  # assumed at the take, and not there
        if not there:
            slots = yield from self._slots(ids_of(members))
            self._must_be_known(slots, len(members))
            return slots, NOTHING_MATURED, []
        snapshots, counts = self._unpacked(there, list(filter(None, found.chunks)))
        slots = yield from self._slots(Texts.join([ids_of(members), snapshots.users]))
        self._must_be_known(slots, len(members))
        k = np.array([k for k, _ in there], np.uint8).repeat(counts)
        landmark_ms = np.array([landmark for _, landmark in there], np.int64).repeat(counts)
        due_ms = landmark_ms + np.array(self.timers.waits_ms, np.int64)[k]
        matured = Matured(k, landmark_ms, due_ms, slots[len(members) :], snapshots)
        return slots[: len(members)], matured, there

    def _unpacked(self, lists: Sequence[tuple[int, int]], chunks: Sequence[Sequence[bytes]]) -> tuple[Snapshots, list[int]]:
        """Unpack lists of pending snapshots. Raises Damaged, with the key of the list, when one cannot be read."""
        try:
            return unpack_lists(chunks, WIDTH)
        except ValueError:
            keys = shard_keys(self.settings.app, self.settings.partition)
            for (k, landmark), some in zip(lists, chunks, strict=True):
                try:
                    unpack_lists([some], WIDTH)
                except ValueError as error:
                    raise Damaged(self.settings.partition, str(error), keys.snap(self._names[k], landmark)) from None
            raise

    def _must_be_known(self, slots: npt.NDArray[np.int32], members: int) -> None:
        """Raise Damaged unless each user in the wheel has a state that says so, and each user with a pending snapshot has a state."""
        unknown = self.arena.fresh[slots]
        unknown[:members] |= ~self.arena.armed[slots[:members]]
        if unknown.any():
            user = self.arena.users[slots[unknown.argmax()]]
            raise self._damaged("a user has timers, and no state that says so", user.encode())

    def _slice(self, since: int, until: int, cursor: tuple[int, str] | None) -> Generator[Need, Found, _Due]:
        """Return at most a budget's worth of one crowded instant, in order of (due time, user), after the cursor."""
        members, matured, lists = yield from self._read_due(since, until)
        states, users = self.arena.states, self.arena.users
        ready = members[((states["flags"][members] & FLAG_ARMED) != 0) & (states["next_landmark_ms"][members] < until)]
        names = [users[slot] for slot in [*ready.tolist(), *matured.slots.tolist()]]
        due_ms = np.concatenate([states["next_landmark_ms"][ready], matured.due_ms])
        chosen, after = next_slice(due_ms, names, self.settings.budget, cursor)
        return _Due(
            slots=ready[chosen[: len(ready)]],
            matured=matured.take(chosen[len(ready) :].nonzero()[0]),
            finished=lists if after is None else [],
            since=since,
            cursor=after,
        )

    def _sweep(self, due: _Due, limit: int, own_slot: int, watermarks: npt.NDArray[np.int64], first: int, last: int, count: int) -> int:
        arena = self.arena
        done, count = pass_sweep(
            arena.states, arena.touched, arena.last_landmark, due.slots,
            limit, own_slot, watermarks, first, last, self.params, self._moments, count,
        )  # fmt: skip
        if done < len(due.slots):
            raise RuntimeError(f"shard {self.settings.partition}: a step made more moments than it has room for")
        return count

    def _turned(self) -> tuple[_ByBucket, _ByBucket, _ByBucket]:
        """Return the users armed and disarmed since the last commit, and those who had no state then, each by bucket."""
        arena = self.arena
        slots = arena.changed()
        now, before = (arena.states["flags"][slots] & FLAG_ARMED) != 0, arena.armed[slots]
        return self._by_bucket(slots[now & ~before]), self._by_bucket(slots[before & ~now]), self._by_bucket(slots[arena.fresh[slots]])

    def _by_bucket(self, slots: npt.NDArray[np.intp]) -> _ByBucket:
        found: _ByBucket = {}
        for slot, phase in zip(slots.tolist(), self.arena.states["phase"][slots].tolist(), strict=True):
            found.setdefault(phase, []).append(self.arena.users[slot])
        return found

    def _commit(self, meta: ShardMeta, outputs: StepOutputs, due: _Due, armed: _ByBucket, disarmed: _ByBucket, fresh: _ByBucket) -> Commit:
        arena, names = self.arena, self._names
        slots = arena.changed()
        before_ms = self.meta.watermark_ms(self.settings.spec.lateness_ms)
        block = ExampleBlock(
            meta.lineage, self.settings.partition, self.meta.example_no, meta.watermark_ms(self.settings.spec.lateness_ms),
            meta.spec_hash, names, outputs.for_trainer.examples,
        )  # fmt: skip
        return Commit(
            token=self.token,
            commit_no=self.commit_no,
            meta=meta.pack(),
            users=arena.ids(slots),
            states=arena.packed(slots),
            fresh=fresh,
            armed=armed,
            disarmed=disarmed,
            snaps={(names[k], landmark): chunk for (k, landmark), chunk in outputs.for_trainer.chunks.items()},
            matured=[(names[k], landmark) for k, landmark in due.finished],
            outbox=[pack_entry(entry) for entry in outputs.entries],
            mirror=outputs.mirror,
            exbox=[block.pack()]
            if len(outputs.for_trainer.examples) or block.watermark_ms // PHASE_STEP_MS > before_ms // PHASE_STEP_MS
            else [],
        )


async def answered(steps: Generator[Need, Found, Step], read: Callable[[Need], Awaitable[Found]]) -> Step:
    """Give a step what it needs to read, as often as it asks, and return it."""
    try:
        need = next(steps)
        while True:
            need = steps.send(await read(need))
    except StopIteration as end:
        step: Step = end.value
        return step


def _first_time(columns: Columns, start: int, stop: int, lateness_ms: int) -> int:
    """Return W after the first event ever, NEVER if there is none yet; no timer is due before it."""
    fine = np.flatnonzero(columns.code[start:stop] == Reason.ok) + start
    return NEVER if not len(fine) else int(np.minimum(columns.ts[fine], columns.append[fine]).min()) - lateness_ms


def _censored_before(columns: Columns, start: int, stop: int, active_window_ms: int) -> int:
    """Return the time of the first event of a log whose beginning is gone, plus the active window, ms; NOT_YET if there is none yet."""
    fine = np.flatnonzero((columns.code[start:stop] == Reason.ok) & ~columns.tick[start:stop]) + start
    return NOT_YET if not len(fine) else int(min(columns.ts[fine[0]], columns.append[fine[0]])) + active_window_ms


def _outcomes(columns: Columns, start: int, taken: int) -> dict[str, int]:
    counts = np.bincount(columns.code[start:taken][~(columns.tick[start:taken] | columns.ask[start:taken])])
    return {_NAME_OF[code]: int(counts[code]) for code in counts.nonzero()[0].tolist()}
