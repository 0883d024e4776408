"""The engine again, slow and obvious: one record after the other, all users looked at each time, labels by looking at all events.

Shares with the product only what other oracles check (event decoding, the update and vector of one record, the models); timers, lateness,
duplicates, landmarks, labels, alerts and positions are written a second time here, from docs/architecture.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from features.calendar import offset_at, zone_table
from features.catalog import WIDTH
from features.columns import ColumnReader
from features.definition import DAY_MS
from features.event import Reason
from features.landmarks import PHASE_STEP_MS, phase_of
from features.spec import FeatureSpec
from features.state import FLAG_ARMED, NEVER, POLICY_FIELDS, RING, state_dtype
from features.update import apply_event, apply_late, init_state
from features.vector import write_vector
from stream.policy import PolicySettings
from stream.position import EVENT_DUE

OPENED, RESOLVED = 2, 3


@dataclass
class OracleUser:
    row: Any  # one state record
    hits: list[tuple[int, int, int]] = field(default_factory=list)  # (ts, definition, matured before): events that set hits
    opened_ms: list[int] = field(default_factory=list)
    open: list[bool] = field(default_factory=list)


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
    pending: list[tuple[int, int, str, int, bytes, int]] = field(default_factory=list)  # due, k, user, landmark, vector
    opened_today: dict[int, tuple[int, int]] = field(default_factory=dict)
    matured_hits: int = 0

    def __post_init__(self) -> None:
        self.reader = ColumnReader(self.spec)
        self.zone = zone_table(self.spec.timezone)

    @property
    def watermark(self) -> int:
        return NEVER if self.max_ms == NEVER else self.max_ms - self.spec.lateness_ms

    def _user(self, name: str) -> OracleUser:
        if name not in self.users:
            rows = np.zeros(1, state_dtype(len(self.spec.definitions)))
            init_state(rows, 0, phase_of(name))
            count = len(self.spec.definitions)
            self.users[name] = OracleUser(rows, opened_ms=[NEVER] * count, open=[False] * count)
        return self.users[name]

    def tick(self, offset: int, time_ms: int) -> None:
        self._move_time(offset, time_ms, time_ms, None)

    def record(self, offset: int, append_ms: int, value: bytes | None) -> None:
        columns = self.reader.read([value], [append_ms])
        reason = Reason(int(columns.code[0]))
        if reason != Reason.ok:
            self.dead.append((offset, reason.name))
            self.outcomes[reason.name] += 1
            return
        name, ts, word = columns.user[0], int(columns.ts[0]), int(columns.word[0])
        eid = columns.eid[0]
        user = self._user(name)
        row = user.row[0]
        if eid and eid in row["ring"]:
            self.outcomes["duplicate"] += 1
            return
        if eid:
            row["ring"][row["ring_next"]] = eid
            row["ring_next"] = (row["ring_next"] + 1) % RING
        before = self.watermark
        late = ts < before
        if not late:
            self._move_time(offset, min(ts, append_ms), append_ms, name)
            # his own landmarks up to his event
            while row["flags"] & FLAG_ARMED and row["next_landmark_ms"] < ts:
                self._landmark(offset, append_ms, name, own=True)
        offset_ms = offset_at(*self.zone, ts)
        score = False
        if late:
            self.outcomes["late"] += 1
            self.dead.append((offset, "late"))
            apply_late(user.row[0], ts, word)
        else:
            self.outcomes["ok"] += 1
            score = (
                row["seen_ms"] == NEVER or ts - row["seen_ms"] >= self.spec.session_gap_ms or ts - row["scored_ms"] >= self.spec.rescore_ms
            )
            _apply(user.row, ts, word, float(columns.value[0]), offset_ms, self.spec.session_gap_ms)
        for k, definition in enumerate(self.spec.definitions):
            if (word >> (24 + k)) & 1:
                user.hits.append((ts, k, before if late else NEVER))
                _set_bits(row, k, ts, definition.horizon_ms, before - self.spec.lateness_ms - definition.horizon_ms if late else NEVER)
            if (word >> (16 + k)) & 1 and user.open[k]:
                user.open[k] = False
                self.alerts.append(((offset, EVENT_DUE, name, 8 * k + RESOLVED), "returned"))
        if not row["flags"] & FLAG_ARMED:
            row["flags"] |= FLAG_ARMED
            row["next_landmark_ms"] = _first_instant(int(row["phase"]), max(ts, self.watermark))
        if score:
            row["scored_ms"] = max(ts, int(row["seen_ms"]))

    def _move_time(self, offset: int, at_ms: int, append_ms: int, own: str | None) -> None:
        self.max_ms = max(self.max_ms, at_ms)
        watermark = self.watermark
        while True:
            # the earliest of everything that is due: landmarks before labels of the same time, users in order of name
            due = [
                (int(user.row[0]["next_landmark_ms"]), name, 0, -1)
                for name, user in self.users.items()
                if user.row[0]["flags"] & FLAG_ARMED and user.row[0]["next_landmark_ms"] < watermark
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
        row = user.row[0]
        at = int(row["next_landmark_ms"])
        eligible = [
            k for k, definition in enumerate(self.spec.definitions) if at - definition.active_window_ms < row["last_active_ms"][k] <= at
        ]
        if not eligible:
            row["flags"] &= ~np.uint8(FLAG_ARMED)
            return
        bit = np.uint64(1) << np.uint64(at // DAY_MS % 64)
        vector = np.zeros(WIDTH, np.uint8)
        row["hit"] &= ~bit
        write_vector(user.row[0], at, offset_at(*self.zone, at), vector)
        row["scored_ms"] = at
        row["next_landmark_ms"] = at + DAY_MS
        for k in eligible:
            definition = self.spec.definitions[k]
            if definition.segment and not _meets(definition.segment, row, at):
                continue
            self.items.append(Item((offset, at, name, 8 * k), vector.tobytes(), None))
            self.pending.append((at + definition.horizon_ms + self.spec.lateness_ms, k, name, at, vector.tobytes(), 0))
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

    def _mature(self, offset: int, one: tuple[int, int, str, int, bytes, int]) -> None:
        due, k, name, at, vector, _ = one
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


def _apply(rows: Any, ts: int, word: int, value: float, offset_ms: int, gap_ms: int) -> None:
    apply_event(rows[0], ts, word, value, offset_ms, gap_ms)


def _first_instant(phase: int, t_ms: int) -> int:
    day = t_ms // DAY_MS - 1
    while day * DAY_MS + phase * PHASE_STEP_MS < t_ms:
        day += 1
    return day * DAY_MS + phase * PHASE_STEP_MS


def _set_bits(row: Any, k: int, ts: int, horizon_ms: int, not_before: int) -> None:
    """Bits of the landmark instants in [ts - H, ts), one by one."""
    low = max(ts - horizon_ms, not_before)
    at = _first_instant(int(row["phase"]), low)
    count = 0
    while at < ts and count < 64:
        row["hit"][k] |= np.uint64(1) << np.uint64(at // DAY_MS % 64)
        at += DAY_MS
        count += 1


def comparable(packed: bytes | np.ndarray, definitions: int) -> dict[str, Any]:
    """Event-derived fields of a state record, as plain values."""
    row = np.frombuffer(packed, state_dtype(definitions))[0] if isinstance(packed, bytes) else packed
    names: Sequence[str] = row.dtype.names or ()
    return {name: np.asarray(row[name]).tolist() for name in names if name not in (*POLICY_FIELDS, "pad")}
