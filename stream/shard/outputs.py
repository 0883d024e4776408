"""What a step says to the world: risks, snapshots, labels, alerts and dead letters, in order of position.

Takes the moments of the compiled pass and the matured snapshots, asks the champions for risks and the policy for decisions, and
leaves out what the shard has already published.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt

from features.definitions.definition import DAY_MS, NO_LABEL
from features.events.event import Reason
from features.users.arena import Arena
from features.users.catalog import NAMES, WIDTH, value_table
from features.users.kernel import ASKED, BY_RETURN, BY_SILENCE, RETURNED, Moments
from features.users.named import mirror_fields
from features.users.segment import inside, segment_of
from features.users.state import NEVER
from online_models.example import (
    LABEL,
    LEFT_CENSORED,
    OWN_RETURN,
    SNAPSHOT,
    Examples,
    Snapshots,
    concatenate,
    empty_examples,
    pack_rows,
    unpack_lists,
)
from online_models.scorer import Champion
from stream.alerts.message import Alert, alert_id, entry_of
from stream.alerts.policy import Adopted, DayCount, Ending, Landmark, Opened, Resolved, Verdict, decide, may_open
from stream.alerts.reasons import reasons
from stream.outbox import Entry
from stream.position import EVENT_DUE, OPENED, RESOLVED, Position
from stream.shard.dead_letters import dead_letter
from stream.shard.records import Records
from stream.shard.settings import ShardSettings

_VALUES = value_table()
_NO_EXAMPLES = empty_examples(WIDTH)


@dataclass(slots=True)
class Matured:
    """Snapshots whose labels are due now: columns of n."""

    k: npt.NDArray[np.uint8]
    """Definition index."""
    landmark_ms: npt.NDArray[np.int64]
    due_ms: npt.NDArray[np.int64]
    slots: npt.NDArray[np.int32]
    snapshots: Snapshots

    def take(self, index: npt.NDArray[np.intp]) -> Matured:
        """Return those at some indices."""
        return Matured(self.k[index], self.landmark_ms[index], self.due_ms[index], self.slots[index], self.snapshots.take(index))


NOTHING_MATURED = Matured(
    np.zeros(0, np.uint8), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32), unpack_lists([], WIDTH)[0]
)


@dataclass(slots=True)
class Said:
    """Everything a step says."""

    alerts: list[Entry] = field(default_factory=list)
    """Alerts and dead letters in order of position, those already published left out."""
    examples: Examples = field(default_factory=lambda: _NO_EXAMPLES)
    chunks: dict[tuple[int, int], bytes] = field(default_factory=dict)
    """Pending snapshots to store, by (definition index, landmark)."""
    counts: dict[tuple[int, int], int] = field(default_factory=dict)
    decided: dict[tuple[int, str], int] = field(default_factory=dict)
    """Alerts decided, by (definition index, "opened" or "resolved")."""
    capped: int = 0
    too_old: int = 0
    mirror: dict[str, dict[str, str]] = field(default_factory=dict)
    """user -> named features in words of their own unit, for those whom the settings mirror."""


class Speaker:
    """Turns one step's moments into what is said.

    Parameters
    ----------
    watermarks : int64 (records,)
        W after each record that the step took.
    first, last : int
        Range of records that can be the cause of a timer.
    censored_before_ms, examples_after : int
        See `stream.shard.meta.ShardMeta`.
    """

    def __init__(
        self,
        settings: ShardSettings,
        champions: Sequence[Champion],
        records: Records,
        arena: Arena,
        moments: Moments,
        count: int,
        watermarks: npt.NDArray[np.int64],
        first: int,
        last: int,
        censored_before_ms: int = NEVER,
        examples_after: int = -1,
    ) -> None:
        self._censored_before_ms, self._examples_after = censored_before_ms, examples_after
        self._settings, self._champions, self._records, self._arena = settings, champions, records, arena
        self._kind = moments.kind[:count]
        self._slot = moments.slot[:count]
        self._due = moments.due[:count]
        self._cause = moments.cause[:count]
        self._defs = moments.defs[:count]
        self._return_at = moments.return_at[:count]
        self._vectors = moments.vectors[:count]
        self._watermarks, self._first, self._last = watermarks, first, last
        self._risks: list[npt.NDArray[np.float32]] = []

    def say(self, taken: int, matured: Matured, adopted: Adopted, opened_today: Sequence[DayCount]) -> Said:
        """Do all of it; changes the arena's policy fields and `opened_today`."""
        said, entries = Said(), list(self._dead_letters(taken))
        if len(self._kind) or len(matured.slots):
            self._score()
            self._remember_examples(said, matured)
            entries += [entry for k in range(len(self._champions)) for entry in self._alerts(k, matured, adopted, opened_today[k], said)]
        if self._settings.mirror == "all":
            self._mirror(said, np.flatnonzero(self._kind != RETURNED).tolist())
        said.alerts = sorted((entry for entry in entries if not adopted.covers(entry.position)), key=lambda entry: entry.position)
        return said

    def _score(self) -> None:
        """Risks of all moments, one call per definition; the last one of a user is their risk from now on.

        Who is outside a definition's segment has no risk by it, and is not eligible.
        """
        rows = (self._kind != RETURNED).nonzero()[0]
        slots, spec = self._slot[rows], self._settings.spec
        for k, champion in enumerate(self._champions):
            risks = np.zeros(len(self._kind), np.float32)
            if len(rows):
                risks[rows] = champion.scorer.risk(self._vectors[rows])
                if spec.definitions[k].segment:
                    outside = rows[~inside(segment_of(spec.definitions[k].segment, spec.channels), self._vectors[rows])]
                    risks[outside] = 0
                    self._defs[outside] &= 255 ^ (1 << k)
                self._arena.states["risk"][slots, k] = _to_u16(risks[rows])
                self._arena.states["model_version"][slots, k] = champion.version
            self._risks.append(risks)

    def _remember_examples(self, said: Said, matured: Matured) -> None:
        spec, arena = self._settings.spec, self._arena
        offsets = self._records.offsets
        parts, causes, slots = [], [], []
        at_landmark = (self._kind == BY_SILENCE) | (self._kind == BY_RETURN) | (self._kind == ASKED)
        for k, definition in enumerate(spec.definitions):
            rows = (at_landmark & ((self._defs & (1 << k)) != 0)).nonzero()[0]
            if not len(rows):
                continue
            flags = (self._kind[rows] == BY_RETURN) * OWN_RETURN
            flags |= (arena.states["first_ms"][self._slot[rows]] < self._censored_before_ms) * LEFT_CENSORED
            due = self._due[rows]
            parts.append(
                _examples(
                    SNAPSHOT,
                    k,
                    due,
                    due + (definition.horizon_ms + spec.lateness_ms),
                    _to_u16(self._risks[k][rows]),
                    np.full(len(rows), self._champions[k].version, np.uint32),
                    flags,
                    np.full(len(rows), NO_LABEL),
                    self._vectors[rows],
                )
            )
            causes.append(offsets[self._cause[rows]])
            slots.append(self._slot[rows])
        for k, definition in enumerate(spec.definitions):
            one = matured.take((matured.k == k).nonzero()[0]) if len(spec.definitions) > 1 else matured
            if not len(one.slots):
                continue
            hit = (arena.states["hit"][one.slots, k] >> (one.landmark_ms // DAY_MS & 63).astype(np.uint64)) & np.uint64(1) != 0
            label = np.where(hit, definition.label(hit=True), definition.label(hit=False))
            old = one.snapshots
            parts.append(_examples(LABEL, k, one.landmark_ms, one.due_ms, old.risk, old.model_version, old.flags, label, old.vectors))
            causes.append(self._causes_of(one.due_ms))
            slots.append(one.slots)
        if not parts:
            return
        every, of = concatenate(parts, WIDTH), np.concatenate(slots)
        users = arena.users
        every.users = [users[slot] for slot in of.tolist()]
        when = np.where(every.kind == SNAPSHOT, every.landmark_ms, every.matured_ms)
        kinds = every.definition.astype(np.int64) * 8 + every.kind
        place = {user: number for number, user in enumerate(sorted(set(every.users)))}
        by_user = np.fromiter(map(place.__getitem__, every.users), np.int64, len(every))
        cause = np.concatenate(causes)
        order = np.lexsort((kinds, by_user, when, cause))
        said.examples = every.take(order)
        if spec.landmarks == "daily":
            self._pack_pending(said, of[order])
        if self._examples_after >= 0:
            said.examples = said.examples.take(np.flatnonzero(cause[order] > self._examples_after))

    def _pack_pending(self, said: Said, slots: npt.NDArray[np.int32]) -> None:
        items = said.examples
        snapshots = (items.kind == SNAPSHOT).nonzero()[0]
        if not len(snapshots):
            return
        rows = snapshots[np.lexsort((items.landmark_ms[snapshots], items.definition[snapshots]))]
        k, landmark_ms = items.definition[rows], items.landmark_ms[rows]
        users = self._arena.ids(slots[rows])
        packed, ends = pack_rows(Snapshots(users, items.risk[rows], items.model_version[rows], items.flags[rows], items.vectors[rows]))
        changes = (landmark_ms[1:] != landmark_ms[:-1]) | (k[1:] != k[:-1])
        start = row = 0
        for last in [*changes.nonzero()[0].tolist(), len(rows) - 1]:
            key, end = (int(k[last]), int(landmark_ms[last])), int(ends[last])
            said.chunks[key], said.counts[key] = bytes(packed[start:end]), last + 1 - row
            start, row = end, last + 1

    def _causes_of(self, due_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Offset of the first record whose W exceeds each due time."""
        index = self._first + self._watermarks[self._first : self._last + 1].searchsorted(due_ms, side="right")
        return self._records.offsets[np.minimum(index, self._last)]

    def _alerts(self, k: int, matured: Matured, adopted: Adopted, count: DayCount, said: Said) -> Iterable[Entry]:
        arena = self._arena
        landmarks = list(self._candidates(k, adopted, said))
        endings = [*self._returns(k), *self._horizons(k, matured)]
        if not landmarks and not endings:
            return []
        ended = {ending.slot for ending in endings if ending.cause == "returned"}
        slots = {item.slot for item in landmarks} | ended | {item.slot for item in endings}
        states = arena.states
        before = {slot: (slot in ended or bool(states["alert_open"][slot, k]), int(states["opened_ms"][slot, k])) for slot in slots}
        verdict: Verdict = decide(self._settings.policy, landmarks, endings, before, count, 8 * k, adopted)
        for slot, (is_open, opened_ms) in verdict.alert.items():
            states["alert_open"][slot, k], states["opened_ms"][slot, k] = is_open, opened_ms
            arena.touched[slot] = 1
        said.capped += verdict.capped
        entries = []
        for decision in verdict.decisions:
            kind = "opened" if isinstance(decision, Opened) else "resolved"
            said.decided[k, kind] = said.decided.get((k, kind), 0) + 1
            if isinstance(decision, Opened) and self._settings.mirror == "alerted":
                self._mirror(said, [decision.landmark.row])
            entries.append(self._opened(k, decision.landmark) if isinstance(decision, Opened) else self._resolved(k, decision))
        return entries

    def _candidates(self, k: int, adopted: Adopted, said: Said) -> Iterable[Landmark]:
        """Yield landmarks by silence that the policy may open, or that may have been published as opened."""
        records, users = self._records, self._arena.users
        eligible = self._of_kind(k, BY_SILENCE)
        if not len(eligible):
            return
        causes, dues = self._cause[eligible], self._due[eligible]
        opened_ms = self._arena.states["opened_ms"][self._slot[eligible], k]
        may, too_old = may_open(self._settings.policy, self._risks[k][eligible], dues, records.columns.append[causes] - dues, opened_ms)
        replayed = records.offsets[causes] <= adopted.until.offset
        said.too_old += int((too_old & ~replayed).sum())
        kept = may | replayed
        for row, opens in zip(eligible[kept].tolist(), may[kept].tolist(), strict=True):
            cause, slot = int(self._cause[row]), int(self._slot[row])
            due = int(self._due[row])
            back = int(self._return_at[row, k])
            yield Landmark(
                position=Position(int(records.offsets[cause]), due, users[slot], 8 * k + OPENED),
                slot=slot,
                may=opens,
                risk=float(self._risks[k][row]),
                row=row,
                cause=cause,
                return_offset=int(records.offsets[back]) if back >= 0 else -1,
                return_ms=int(records.columns.ts[back]) if back >= 0 else 0,
            )

    def _of_kind(self, k: int, kind: int) -> npt.NDArray[np.intp]:
        """Moments of one kind that concern a definition."""
        return np.asarray(((self._kind == kind) & ((self._defs & (1 << k)) != 0)).nonzero()[0], np.intp)

    def _returns(self, k: int) -> Iterable[Ending]:
        for row in self._of_kind(k, RETURNED).tolist():
            slot = int(self._slot[row])
            offset = int(self._records.offsets[self._cause[row]])
            yield Ending(Position(offset, EVENT_DUE, self._arena.users[slot], 8 * k + RESOLVED), slot, "returned", int(self._due[row]))

    def _horizons(self, k: int, matured: Matured) -> Iterable[Ending]:
        """Yield the ends of alerts that were opened at a landmark which matures now."""
        opened_ms = self._arena.states["opened_ms"][matured.slots, k]
        mine = ((matured.k == k) & (opened_ms == matured.landmark_ms)).nonzero()[0]
        if not len(mine):
            return
        horizon_ms, due_ms = self._settings.spec.definitions[k].horizon_ms, matured.due_ms[mine]
        columns = (matured.slots[mine], matured.landmark_ms[mine], due_ms, self._causes_of(due_ms))
        for slot, landmark, due, offset in zip(*(column.tolist() for column in columns), strict=True):
            yield Ending(Position(offset, due, self._arena.users[slot], 8 * k + RESOLVED), slot, "horizon", landmark + horizon_ms, landmark)

    def _mirror(self, said: Said, rows: Sequence[int]) -> None:
        """Name the features of some moments; the last one of a user stands."""
        for row in rows:
            values = _VALUES[np.arange(WIDTH), self._vectors[row]].tolist()
            named = {name: None if value != value else value for name, value in zip(NAMES, values, strict=True)}  # noqa: PLR0124 - NaN
            said.mirror[self._arena.users[self._slot[row]]] = mirror_fields(named)

    def _opened(self, k: int, landmark: Landmark) -> Entry:
        vector, settings = self._vectors[landmark.row], self._settings
        why = reasons(self._champions[k].scorer.terms(vector), vector, settings.spec)
        alert = self._alert(k, landmark.slot, landmark.position, landmark.position.due_ms)
        return entry_of(
            settings.app,
            landmark.position,
            msgspec.structs.replace(
                alert,
                type="opened",
                risk=round(landmark.risk, 4),
                threshold=settings.policy.threshold,
                event_time_ms=landmark.position.due_ms,
                reasons=[one.text for one in why],
            ),
        )

    def _resolved(self, k: int, decision: Resolved) -> Entry:
        alert = self._alert(k, decision.slot, decision.position, decision.opened_ms)
        return entry_of(
            self._settings.app, decision.position, msgspec.structs.replace(alert, cause=decision.cause, event_time_ms=decision.time_ms)
        )

    def _alert(self, k: int, slot: int, position: Position, landmark_ms: int) -> Alert:
        settings, user = self._settings, self._arena.users[slot]
        definition, champion = settings.spec.definitions[k], self._champions[k]
        cause = int(np.searchsorted(self._records.offsets, position.offset))
        return Alert(
            alert_id=alert_id(settings.app, definition.name, user, landmark_ms),
            type="resolved",
            cause=None,
            user=user,
            definition=definition.name,
            risk=None,
            threshold=None,
            horizon_ms=definition.horizon_ms,
            landmark_ms=landmark_ms,
            valid_until_ms=landmark_ms + definition.horizon_ms,
            event_time_ms=landmark_ms,
            scored_ms=int(self._records.columns.append[cause]),
            reasons=[],
            model=champion.scorer.name,
            model_version=champion.version,
            partition=settings.partition,
            input_offset=position.offset,
        )

    def _dead_letters(self, taken: int) -> Iterable[Entry]:
        records = self._records
        for i in (records.columns.code[self._first : taken].nonzero()[0] + self._first).tolist():
            reason = Reason(int(records.columns.code[i]))
            if reason is Reason.duplicate:
                continue
            yield dead_letter(self._settings.partition, int(records.offsets[i]), reason, int(records.columns.append[i]), records.values[i])


def _to_u16(risk: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    return np.rint(risk.astype(np.float64) * 65_535).astype(np.uint16)


def _examples(
    kind: int,
    k: int,
    landmark: npt.NDArray[np.int64],
    matured: npt.NDArray[np.int64],
    risk: npt.NDArray[np.uint16],
    version: npt.NDArray[np.uint32],
    flags: npt.NDArray[np.uint8],
    label: npt.NDArray[np.int64],
    vectors: npt.NDArray[np.uint8],
) -> Examples:
    n = len(landmark)
    return Examples(
        kind=np.full(n, kind, np.uint8),
        definition=np.full(n, k, np.uint8),
        landmark_ms=np.asarray(landmark, np.int64),
        matured_ms=np.asarray(matured, np.int64),
        risk=np.asarray(risk, np.uint16),
        model_version=np.asarray(version, np.uint32),
        flags=np.asarray(flags, np.uint8),
        label=np.asarray(label, np.uint8),
        vectors=vectors,
        users=[],
    )
