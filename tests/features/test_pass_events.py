"""Golden rows of the compiled pass: one user's state and one record, and what must come of them, in words and numbers a reader can check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from features.definitions.definition import DAY_MS, ChurnDefinition
from features.definitions.reason import Reason
from features.users.catalog import WIDTH
from features.users.kernel import ASKED, BY_RETURN, BY_SILENCE, CLICK, RETURNED, TIME_ONLY, make_moments, params_of, pass_events
from features.users.landmarks import hit_bit
from features.users.spec import FeatureSpec
from features.users.state import FLAG_ARMED, NEVER, init_state, state_dtype

HOUR_MS = 3_600_000
T = 20_000 * DAY_MS
"""Midnight, which is a landmark of the user: their phase is 0. The state below was made by one event at noon of the day before."""
NOON = T - 12 * HOUR_MS
YESTERDAY, TODAY = int(hit_bit(T - DAY_MS)), int(hit_bit(T))
SPEC = FeatureSpec(
    lateness_ms=HOUR_MS,
    definitions=(
        ChurnDefinition(name="gone", active_window_ms=2 * DAY_MS, horizon_ms=DAY_MS, activity=("click",)),
        ChurnDefinition(name="cancel", kind="did_event", target=("cancel",), active_window_ms=DAY_MS, horizon_ms=DAY_MS),
    ),
)
BEFORE: dict[str, Any] = {
    "flags": FLAG_ARMED,
    "first_ms": NOON,
    "seen_ms": NOON,
    "scored_ms": NOON,
    "session_start_ms": NOON,
    "next_landmark_ms": T,
    "last_active_ms": [NOON, NOON],
    "events": 1,
    "sessions": 1,
    "ring": [11, 0, 0, 0, 0, 0, 0, 0],
    "ring_next": 1,
    "hit": [YESTERDAY, 0],
}
SAME = BEFORE
NOBODY: dict[str, Any] = {}
"""A user nobody has seen."""


@dataclass(frozen=True)
class Row:
    """One case. `max_ms` is the running maximum before and after; a moment is (kind, due, definitions as bits)."""

    name: str
    ts: int
    expected: Mapping[str, Any]
    moments: tuple[tuple[int, int, int], ...] = ()
    code: Reason = Reason.ok
    event: str = "click"
    eid: int = 0
    append: int = 0
    given: Reason = Reason.ok
    state: Mapping[str, Any] = field(default_factory=lambda: BEFORE)
    max_ms: tuple[int, int] = (NOON, NOON)
    stop_ms: int = T + 30 * DAY_MS
    ask: bool = False
    tick: bool = False
    taken: int = 1


def after(ts: int, **changed: Any) -> dict[str, Any]:
    """What stands in the state after a second event that is not late; in a second session it is the first one."""
    if changed.get("sessions") == 2:
        changed["session_start_ms"] = ts
    return {**BEFORE, "events": 2, "seen_ms": ts, "scored_ms": ts, "last_active_ms": [ts, ts], **changed}


SOON, EVENING, NEXT_DAY = NOON + 10 * 60_000, NOON + 6 * HOUR_MS, T + 9 * HOUR_MS
ROWS = (
    Row(
        "a first event arms, is scored, and opens a session", NOON, state=NOBODY, max_ms=(NEVER, NOON),
        expected={"flags": FLAG_ARMED, "first_ms": NOON, "seen_ms": NOON, "next_landmark_ms": T, "events": 1, "sessions": 1,
                  "last_active_ms": [NOON, NOON], "hit": [YESTERDAY, 0]},
        moments=((CLICK, NOON, 0b11),),
    ),
    Row("a click soon after is folded in and not scored again", SOON, after(SOON, scored_ms=NOON), max_ms=(NOON, SOON)),
    Row("a click after a session's gap is scored", EVENING, after(EVENING, sessions=2), ((CLICK, EVENING, 0b11),), max_ms=(NOON, EVENING)),
    Row(
        "a score older than an hour is renewed within a session", NOON + HOUR_MS, state={**BEFORE, "seen_ms": NOON + HOUR_MS - 60_000},
        expected=after(NOON + HOUR_MS), moments=((CLICK, NOON + HOUR_MS, 0b11),), max_ms=(NOON, NOON + HOUR_MS),
    ),
    Row("a known event id changes nothing", EVENING, SAME, eid=11, code=Reason.duplicate),
    Row(
        "a new event id takes the next place of the ring", SOON, max_ms=(NOON, SOON), eid=12,
        expected=after(SOON, scored_ms=NOON, ring=[11, 12, 0, 0, 0, 0, 0, 0], ring_next=2),
    ),
    Row(
        "the ninth event id takes the place of the first", SOON, max_ms=(NOON, SOON), eid=19,
        state={**BEFORE, "ring": [11, 12, 13, 14, 15, 16, 17, 18], "ring_next": 0},
        expected=after(SOON, scored_ms=NOON, ring=[19, 12, 13, 14, 15, 16, 17, 18], ring_next=1),
    ),
    Row("what was rejected before changes nothing", EVENING, SAME, given=Reason.future, code=Reason.future),
    Row("an event a millisecond behind the watermark is late: only totals and last activity take it", NOON - HOUR_MS - 1,
        {**BEFORE, "events": 2, "first_ms": NOON - HOUR_MS - 1}, code=Reason.late),
    Row("an event at the watermark is not late", NOON - HOUR_MS, max_ms=(NOON, NOON),
        expected={**BEFORE, "events": 2, "first_ms": NOON - HOUR_MS}),
    Row("a late event of somebody dormant arms them again", NOON - HOUR_MS - 1, state={**BEFORE, "flags": 0}, code=Reason.late,
        expected={**BEFORE, "events": 2, "first_ms": NOON - HOUR_MS - 1}),
    Row(
        "a return after a landmark fires it first, then is scored, and hits it", NEXT_DAY, max_ms=(NOON, NEXT_DAY),
        expected=after(NEXT_DAY, sessions=2, next_landmark_ms=T + DAY_MS, hit=[YESTERDAY | TODAY, 0]),
        moments=((BY_RETURN, T, 0b11), (CLICK, NEXT_DAY, 0b11)),
    ),
    Row(
        "a landmark behind the watermark was fired by silence, whoever comes", NEXT_DAY, max_ms=(NEXT_DAY, NEXT_DAY),
        expected=after(NEXT_DAY, sessions=2, next_landmark_ms=T + DAY_MS, hit=[YESTERDAY | TODAY, 0]),
        moments=((BY_SILENCE, T, 0b11), (CLICK, NEXT_DAY, 0b11)),
    ),
    Row(
        "a landmark concerns only the definitions whose window still holds the last activity", NEXT_DAY, max_ms=(NOON, NEXT_DAY),
        state={**BEFORE, "last_active_ms": [NOON, NOON - DAY_MS]},
        expected=after(NEXT_DAY, sessions=2, next_landmark_ms=T + DAY_MS, hit=[YESTERDAY | TODAY, 0]),
        moments=((BY_RETURN, T, 0b01), (CLICK, NEXT_DAY, 0b11)),
    ),
    Row(
        "who is in no definition's window at a landmark is dormant, and armed anew by the event", NEXT_DAY, max_ms=(NOON, NEXT_DAY),
        state={**BEFORE, "last_active_ms": [T - 2 * DAY_MS, T - DAY_MS]},
        expected=after(NEXT_DAY, sessions=2, next_landmark_ms=T + DAY_MS, hit=[YESTERDAY | TODAY, 0]),
        moments=((CLICK, NEXT_DAY, 0b11),),
    ),
    Row("a target sets the hit bits of its definition alone, and is no activity of one that does not name it", NEXT_DAY, event="cancel",
        max_ms=(NOON, NEXT_DAY), moments=((BY_RETURN, T, 0b11), (CLICK, NEXT_DAY, 0b11)),
        expected=after(NEXT_DAY, sessions=2, next_landmark_ms=T + DAY_MS, hit=[YESTERDAY, TODAY], last_active_ms=[NOON, NEXT_DAY])),
    Row(
        "activity with an open alert is told; the alert stays open until the policy ends it", SOON, max_ms=(NOON, SOON),
        state={**BEFORE, "alert_open": [1, 0]}, expected=after(SOON, scored_ms=NOON, alert_open=[1, 0]), moments=((RETURNED, SOON, 0b01),),
    ),
    Row("a tick moves time and nothing else", EVENING, SAME, tick=True, append=EVENING, max_ms=(NOON, EVENING)),
    Row("a question makes a moment for every definition and changes no state", EVENING, SAME, ((ASKED, EVENING, 0b11),), ask=True,
        max_ms=(NOON, EVENING)),
    Row("a record that would carry time past the stop is not taken", EVENING, SAME, stop_ms=EVENING - HOUR_MS - 1, taken=0),
    Row("a record that carries time just up to the stop is taken", EVENING, after(EVENING, sessions=2), ((CLICK, EVENING, 0b11),),
        stop_ms=EVENING - HOUR_MS, max_ms=(NOON, EVENING)),
    Row("a clock that runs ahead of the broker's moves time no further than the broker's stamp", EVENING, after(EVENING, sessions=2),
        ((CLICK, EVENING, 0b11),), append=SOON, max_ms=(NOON, SOON)),
)  # fmt: skip


def state_of(values: Mapping[str, Any]) -> np.ndarray:
    states = np.zeros(1, state_dtype(2))
    init_state(states, 0, 0)
    for name, value in values.items():
        states[name][0] = value
    return states


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_one_record_and_one_state(row: Row) -> None:
    states, moments = state_of(row.state), make_moments(32, 2, WIDTH)
    touched, code, watermarks = np.zeros(1, np.uint8), np.array([row.given], np.uint8), np.full(1, NEVER, np.int64)
    before, latest = row.max_ms
    taken, max_ms, count = pass_events(
        states, touched, np.full(1, -1, np.int32),
        np.array([TIME_ONLY if row.tick else 0], np.int32), np.array([row.ts]), np.array([row.append or row.ts + 1]),
        np.array([SPEC.type_word(row.event)]), np.array([np.nan]), np.array([row.eid], np.uint64), np.array([row.ask]), code,
        watermarks, 0, before, row.stop_ms, 8, params_of(SPEC), moments,
    )  # fmt: skip
    assert (taken, max_ms, Reason(int(code[0]))) == (row.taken, latest, row.code)
    assert [(int(moments.kind[i]), int(moments.due[i]), int(moments.defs[i])) for i in range(count)] == list(row.moments)
    assert {name: states[name][0].tolist() for name in row.expected} == dict(row.expected)
    same = states == state_of(row.state)
    assert bool(touched[0]) == (not same[0])
