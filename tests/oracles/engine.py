"""The engine a second time, slow and obvious: it takes one record after the other, looks at all users each time, and makes labels by looking at all events.

Shares with the product only what other oracles check (event decoding, the update and vector of one record, the models); timers, lateness,
duplicates, landmarks, labels, alerts and positions are written a second time here, from docs/architecture.md.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from features.definitions.calendar import offset_at, zone_table
from features.definitions.definition import DAY_MS
from features.definitions.rules import NO_RULES, Rules, RulesSince
from features.events.columns import ColumnReader
from features.events.event import Reason
from features.users.catalog import WIDTH
from features.users.landmarks import PHASE_STEP_MS, phase_of
from features.users.packed_state import read_states
from features.users.spec import FeatureSpec
from features.users.state import FLAG_ARMED, NEVER, POLICY_FIELDS, RING, init_state, state_dtype
from features.users.update import apply_event, apply_late
from features.users.vector import write_vector
from stream.alerts.policy import PolicySettings
from stream.kafka.wire import Tick
from stream.position import EVENT_DUE

OPENED, RESOLVED = 2, 3


@dataclass(slots=True)
class OracleUser:
    """A user: one state record that `features.users.update` folds events into, and all that the oracle decides itself, as plain values."""

    row: Any
    phase: int
    last_active_ms: list[int]  # of each definition, as everything in brackets but the ring
    hit: list[int]
    opened_ms: list[int]
    open: list[bool]
    armed: bool = False
    next_landmark_ms: int = NEVER
    seen_ms: int = NEVER
    scored_ms: int = NEVER
    ring: list[int] = field(default_factory=lambda: [0] * RING)
    ring_next: int = 0
    hits: list[tuple[int, int, int]] = field(default_factory=list)  # (ts, definition, matured before): events that set hits

    def state(self) -> Any:
        """Return the whole record, as the product should have stored it."""
        row = self.row
        row["flags"] = FLAG_ARMED if self.armed else 0
        for name in ("last_active_ms", "hit", "next_landmark_ms", "seen_ms", "scored_ms", "ring", "ring_next"):
            row[name] = getattr(self, name)
        return row


@dataclass
class Item:
    position: tuple[int, int, str, int]
    vector: bytes
    label: int | None


@dataclass
class OracleShard:
    spec: FeatureSpec
    policy: PolicySettings
    risk: Callable[[int, np.ndarray], float]
    users: dict[str, OracleUser] = field(default_factory=dict)
    max_ms: int = NEVER
    items: list[Item] = field(default_factory=list)  # snapshots and labels
    alerts: list[tuple[tuple[int, int, str, int], str]] = field(default_factory=list)
    dead: list[tuple[int, str]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    pending: list[tuple[int, int, str, int, bytes]] = field(default_factory=list)  # due, k, user, landmark, vector
    opened_today: dict[int, tuple[int, int]] = field(default_factory=dict)
    erased: dict[str, tuple[int, bool]] = field(default_factory=dict)  # when (ms), and whether they have consented since

    def __post_init__(self) -> None:
        self.zone = zone_table(self.spec.timezone)

    @property
    def watermark(self) -> int:
        return NEVER if self.max_ms == NEVER else self.max_ms - self.spec.lateness_ms

    def _user(self, name: str) -> OracleUser:
        if name not in self.users:
            count, phase = len(self.spec.definitions), phase_of(name)
            rows = np.zeros(1, state_dtype(count))
            init_state(rows, 0, phase)
            self.users[name] = OracleUser(rows[0], phase, [NEVER] * count, [0] * count, [NEVER] * count, [False] * count)
        return self.users[name]

    def play(self, log: Sequence[Any], ticks: Sequence[Tick], rules: Sequence[RulesSince] = ()) -> None:
        """Go through a log, each tick before the record it stands before. Records are decoded at once, and judged one by one."""
        by_each = [self._decoded(log, one.rules) for one in rules] or [self._decoded(log, NO_RULES)]
        decoded = [
            by_each[max([0, *(number for number, one in enumerate(rules) if one.since_offset <= record.offset)])][row]
            for row, record in enumerate(log)
        ]
        waiting = deque(ticks)
        for record, one in zip(log, decoded, strict=True):
            while waiting and waiting[0].next_offset <= record.offset:
                self._tick(waiting.popleft())
            self._record(record.offset, record.timestamp, *one)
        for tick in waiting:
            self._tick(tick)

    def _decoded(self, log: Sequence[Any], rules: Rules) -> list[tuple[Any, ...]]:
        columns = ColumnReader(self.spec, rules).read([one.value for one in log], [one.timestamp for one in log])
        fields = (columns.code, columns.ts, columns.word, columns.value, columns.eid)
        users = ["" if one is None else one.decode() for one in columns.users]
        return list(zip(users, *(one.tolist() for one in fields), strict=True))

    def _tick(self, tick: Tick) -> None:
        self._move_time(tick.next_offset, tick.time_ms, tick.time_ms, None)

    def _record(self, offset: int, append_ms: int, name: str, code: int, ts: int, word: int, value: float, eid: int) -> None:
        if code in {Reason.erase, Reason.consent}:
            self._erase_or_let_back(offset, append_ms, name, code, ts)
            return
        if code:
            reason = Reason(code).name
            if code != Reason.set_aside:
                self.dead.append((offset, reason))
            self.outcomes[reason] += 1
            return
        erased_ms, back = self.erased.get(name, (NEVER, True))
        if not back or ts <= erased_ms:
            self.outcomes["erased"] += 1
            return
        user = self._user(name)
        if eid:
            if eid in user.ring:
                self.outcomes["duplicate"] += 1
                return
            user.ring[user.ring_next] = eid
            user.ring_next = (user.ring_next + 1) % RING
        before = self.watermark
        late = ts < before
        if not late:
            self._move_time(offset, min(ts, append_ms), append_ms, name)
            # the user's own landmarks up to this event
            while user.armed and user.next_landmark_ms < ts:
                self._landmark(offset, append_ms, name, own=True)
        score = False
        if late:
            self.outcomes["late"] += 1
            self.dead.append((offset, "late"))
            apply_late(user.row, ts, word)
        else:
            self.outcomes["ok"] += 1
            score = user.seen_ms == NEVER or ts - user.seen_ms >= self.spec.session_gap_ms or ts - user.scored_ms >= self.spec.rescore_ms
            apply_event(user.row, ts, word, value, offset_at(*self.zone, ts), self.spec.session_gap_ms)
            user.seen_ms = max(user.seen_ms, ts)
        for k, definition in enumerate(self.spec.definitions):
            if (word >> (24 + k)) & 1:
                user.hits.append((ts, k, before if late else NEVER))
                _set_bits(user, k, ts, definition.horizon_ms, before - self.spec.lateness_ms - definition.horizon_ms if late else NEVER)
            if (word >> (16 + k)) & 1:
                user.last_active_ms[k] = max(user.last_active_ms[k], ts)
                if user.open[k]:
                    user.open[k] = False
                    self.alerts.append(((offset, EVENT_DUE, name, 8 * k + RESOLVED), "returned"))
        if not user.armed:
            user.armed = True
            user.next_landmark_ms = _first_instant(user.phase, max(ts, self.watermark))
        if score:
            user.scored_ms = user.seen_ms

    def _erase_or_let_back(self, offset: int, append_ms: int, name: str, code: int, ts: int) -> None:
        erased_ms, back = self.erased.get(name, (NEVER, True))
        if ts <= erased_ms:
            self.outcomes["erased"] += 1
            return
        self.outcomes[Reason(code).name] += 1
        if code == Reason.consent:
            if not back:
                self.erased[name] = erased_ms, True
            return
        self.erased[name] = max(append_ms, erased_ms), False
        user = self.users.pop(name, None)
        for k, is_open in enumerate(user.open if user else ()):
            if is_open:
                self.alerts.append(((offset, EVENT_DUE, name, 8 * k + RESOLVED), "erased"))
        self.pending = [one for one in self.pending if one[2] != name]

    def _move_time(self, offset: int, at_ms: int, append_ms: int, own: str | None) -> None:
        self.max_ms = max(self.max_ms, at_ms)
        watermark = self.watermark
        while True:
            # the earliest of everything that is due: landmarks before labels of the same time, users in order of name
            due = [
                (user.next_landmark_ms, name, 0, -1)
                for name, user in self.users.items()
                if user.armed and user.next_landmark_ms < watermark
            ]
            due += [(one[0], one[2], 1, index) for index, one in enumerate(self.pending) if one[0] < watermark]
            if not due:
                return
            _, name, kind, index = min(due)
            if kind == 0:
                self._landmark(offset, append_ms, name, own=name == own)
            else:
                self._mature(offset, self.pending.pop(index))

    def _landmark(self, offset: int, append_ms: int, name: str, *, own: bool) -> None:
        user = self.users[name]
        at = user.next_landmark_ms
        eligible = [
            k for k, definition in enumerate(self.spec.definitions) if at - definition.active_window_ms < user.last_active_ms[k] <= at
        ]
        if not eligible:
            user.armed = False
            return
        user.hit = [bits & ~_bit(at) for bits in user.hit]
        vector = np.zeros(WIDTH, np.uint8)
        write_vector(user.row, at, offset_at(*self.zone, at), np.zeros(WIDTH), vector)
        packed = vector.tobytes()
        user.scored_ms = at
        user.next_landmark_ms = at + DAY_MS
        for k in eligible:
            definition = self.spec.definitions[k]
            if definition.segment and not _meets(definition.segment, user.row, at):
                continue
            self.items.append(Item((offset, at, name, 8 * k), packed, None))
            self.pending.append((at + definition.horizon_ms + self.spec.lateness_ms, k, name, at, packed))
            if own:
                continue
            risk = self.risk(k, vector)
            if risk < self.policy.threshold or user.open[k] or at - user.opened_ms[k] < self.policy.cooldown_ms:
                continue
            if self.policy.alert_max_age_ms is not None and append_ms - at > self.policy.alert_max_age_ms:
                continue
            day, count = self.opened_today.get(k, (NEVER, 0))
            if at // DAY_MS > day:
                day, count = at // DAY_MS, 0
            if count >= self.policy.daily_cap:
                self.opened_today[k] = (day, count)
                continue
            self.opened_today[k] = (day, count + 1)
            user.open[k], user.opened_ms[k] = True, at
            self.alerts.append(((offset, at, name, 8 * k + OPENED), "opened"))

    def _mature(self, offset: int, one: tuple[int, int, str, int, bytes]) -> None:
        due, k, name, at, vector = one
        definition, user = self.spec.definitions[k], self.users[name]
        hit = any(
            other == k and at < ts <= at + definition.horizon_ms and (known == NEVER or due >= known) for ts, other, known in user.hits
        )
        self.items.append(Item((offset, due, name, 8 * k + 1), vector, definition.label(hit)))
        if user.open[k] and user.opened_ms[k] == at:
            user.open[k] = False
            self.alerts.append(((offset, due, name, 8 * k + RESOLVED), "horizon"))


def _meets(segment: Sequence[str], row: Any, at: int) -> bool:
    """The two conditions that scenarios use, from the state itself."""
    for text in segment:
        name, sign, value = text.split()
        has = {"active_days_total": int(row["active_days"]), "tenure_days": (at - int(row["first_ms"])) / DAY_MS}[name]
        if (has < float(value)) if sign == ">=" else (has > float(value)):
            return False
    return True


def _first_instant(phase: int, t_ms: int) -> int:
    day = t_ms // DAY_MS - 1
    while day * DAY_MS + phase * PHASE_STEP_MS < t_ms:
        day += 1
    return day * DAY_MS + phase * PHASE_STEP_MS


def _bit(instant_ms: int) -> int:
    return 1 << (instant_ms // DAY_MS % 64)


def _set_bits(user: OracleUser, k: int, ts: int, horizon_ms: int, not_before: int) -> None:
    """Bits of the landmark instants in [ts - H, ts), one by one."""
    at = _first_instant(user.phase, max(ts - horizon_ms, not_before))
    while at < ts:
        user.hit[k] |= _bit(at)
        at += DAY_MS


def comparable(user: str, packed: bytes | np.ndarray, definitions: int) -> dict[str, Any]:
    """Event-derived fields of a state record, as plain values."""
    row = read_states([user], [packed], definitions)[0] if isinstance(packed, bytes) else packed
    names: Sequence[str] = row.dtype.names or ()
    return {name: np.asarray(row[name]).tolist() for name in names if name not in (*POLICY_FIELDS, "pad")}
