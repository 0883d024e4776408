"""The compiled pass over a batch: it finds duplicates and late events, fires landmarks, updates states, and writes vectors.

The rules are in docs/architecture.md. The pass works on three things: the state records (one row a slot), the columns of the batch, and `Moments`,
the preallocated arrays into which it writes what happened. It never allocates, never looks at a clock, and knows nothing of models: what must
be scored leaves it as a row of coded features.

Shapes: ``states`` (slots,) of `features.users.state.state_dtype`; columns (records,); ``moments.*`` (capacity,); ``vectors`` (capacity, F) uint8.

`stream.processes.warm` compiles the pass into the cache.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from features.compiled.prefetch import prefetch
from features.compiled.texts import Texts
from features.compiled.weave import ends_of, unravel, weave
from features.compiled.word import is_activity, sets_hit
from features.definitions.calendar import offset_at, zone_table
from features.definitions.definition import DAY_MS, ChurnDefinition
from features.definitions.reason import Reason
from features.users.catalog import WIDTH
from features.users.landmarks import first_instant, hit_bit, hit_mask
from features.users.spec import FeatureSpec
from features.users.state import FLAG_ARMED, NEVER, RING, fresh_record
from features.users.update import apply_event, apply_late
from features.users.vector import write_vector

OK, LATE, DUPLICATE = int(Reason.ok), int(Reason.late), int(Reason.duplicate)
"""The outcomes that the pass itself decides, in column `code`; a record with another code than 0 was rejected before the pass."""

BY_SILENCE, BY_RETURN, CLICK, RETURNED, ASKED = 0, 1, 2, 3, 4
"""Kinds of moments, in this order: a landmark fired by silence; a landmark fired by the user's own return; a click that is scored; activity while
an alert is open; a landmark that a record asked for."""

TIME_ONLY = -1
"""Slot of a record that carries time and nothing else (a tick)."""


AHEAD = 6
"""How many records ahead a state is fetched into the cache."""


class Moments(NamedTuple):
    """What happened in a pass; for each user in order of happening. The ``count`` that the pass returns says how many rows are filled."""

    kind: npt.NDArray[np.uint8]
    slot: npt.NDArray[np.int32]
    due: npt.NDArray[np.int64]
    """The landmark, or the event time of a click or an activity, ms."""
    cause: npt.NDArray[np.int32]
    """Index in the batch of the record that caused it."""
    defs: npt.NDArray[np.uint8]
    """Bit k stands for definition k. At a landmark it says that the user is eligible; for RETURNED, that they were active with an open alert."""
    previous: npt.NDArray[np.int32]
    """For a landmark, the moment of the same slot's landmark before it in the pass, or -1."""
    return_at: npt.NDArray[np.int32]
    """(capacity, D): index of the record with the first activity after this landmark in the pass, or -1."""
    vectors: npt.NDArray[np.uint8]
    """(capacity, F): the coded features; not written for RETURNED."""
    raw: npt.NDArray[np.float64]
    """(F,): work space."""


class Params(NamedTuple):
    """Numbers of the feature spec in the form that the pass needs; times and durations are in milliseconds."""

    daily: int
    """1 if armed users have a landmark a day; 0 if there is one only where a record asks for it."""
    lateness: int
    session_gap: int
    rescore: int
    active_window: npt.NDArray[np.int64]
    horizon: npt.NDArray[np.int64]
    transitions: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]


def make_moments(capacity: int, definitions: int, features: int) -> Moments:
    """Return arrays for at most `capacity` moments."""
    return Moments(
        kind=np.zeros(capacity, np.uint8),
        slot=np.zeros(capacity, np.int32),
        due=np.zeros(capacity, np.int64),
        cause=np.zeros(capacity, np.int32),
        defs=np.zeros(capacity, np.uint8),
        previous=np.zeros(capacity, np.int32),
        return_at=np.zeros((capacity, definitions), np.int32),
        vectors=np.zeros((capacity, features), np.uint8),
        raw=np.zeros(features),
    )


@njit(cache=True, nogil=True)
def fire_landmarks(
    states: Any,
    slot: int,
    limit: int,
    silent_before: int,
    own_cause: int,
    watermarks: Any,
    first: int,
    last_landmark: Any,
    params: Params,
    moments: Moments,
    count: int,
) -> int:
    """Fire the user's landmarks with ``due < limit``; return the new number of moments.

    A landmark with ``due < silent_before`` is fired by silence: an earlier record of the pass had moved the watermark past it, and the first
    such one in ``watermarks[first:own_cause]`` is the cause. Other landmarks are fired by the user's own return, at record `own_cause`.
    """
    s = states[slot]
    definitions = params.horizon.shape[0]
    while s.flags & FLAG_ARMED and s.next_landmark_ms < limit:
        due = s.next_landmark_ms
        eligible = 0
        for k in range(definitions):
            active = s.last_active_ms[k]
            if due - params.active_window[k] < active <= due:
                eligible |= 1 << k
        if eligible == 0:
            s.flags &= ~FLAG_ARMED
            break
        bit = hit_bit(due)
        for k in range(definitions):
            s.hit[k] &= ~bit
            moments.return_at[count, k] = -1
        if due < silent_before:
            moments.kind[count] = BY_SILENCE
            low, high = first, own_cause
            while low < high:
                middle = (low + high) // 2
                if watermarks[middle] > due:
                    high = middle
                else:
                    low = middle + 1
            moments.cause[count] = low
        else:
            moments.kind[count] = BY_RETURN
            moments.cause[count] = own_cause
        moments.slot[count] = slot
        moments.due[count] = due
        moments.defs[count] = eligible
        moments.previous[count] = last_landmark[slot]
        last_landmark[slot] = count
        write_vector(s, due, offset_at(params.transitions, params.offsets, due), moments.raw, moments.vectors[count])
        count += 1
        s.scored_ms = due
        s.next_landmark_ms = due + DAY_MS
    return count


@njit(cache=True, nogil=True)
def pass_events(
    states: Any,
    touched: Any,
    last_landmark: Any,
    slot: Any,
    ts: Any,
    append: Any,
    word: Any,
    value: Any,
    eid: Any,
    ask: Any,
    code: Any,
    watermarks: Any,
    start: int,
    max_ms: int,
    stop_ms: int,
    room: int,
    params: Params,
    moments: Moments,
) -> tuple[int, int, int]:
    """Apply records in order, from `start` to the end, or until time would pass `stop_ms`, or until moments might overflow.

    Parameters
    ----------
    touched : uint8 (slots,)
        Set to 1 where a state changed.
    last_landmark : int32 (slots,)
        Work space, -1 before the pass.
    ask : bool (records,)
        Whether the record is no event, but asks for a landmark of its user at its time.
    code : uint8 (records,)
        On entry 0, or the reason of a rejected record; the pass writes LATE and DUPLICATE.
    watermarks : int64 (records,)
        Filled with the watermark W (ms) after each record taken.
    room : int
        The most moments that one record can make; the pass stops when fewer are free.

    Returns
    -------
    taken, max_ms, count
        Index of the first record not taken, which changed nothing; the newest time (ms) after the last record taken; how many moments were written.
    """
    n = ts.shape[0]
    count = 0
    definitions = params.horizon.shape[0]
    capacity = moments.kind.shape[0]
    i = start
    while i < n:
        ahead = min(i + AHEAD, n - 1)
        prefetch(states, max(slot[ahead], 0))
        before = max_ms - params.lateness if max_ms != NEVER else NEVER
        if code[i] != OK:
            watermarks[i] = before
            i += 1
            continue
        if capacity - count < room:
            break
        t = ts[i]
        at = min(t, append[i])
        sl = slot[i]
        s = states[max(sl, 0)]
        if sl != TIME_ONLY and eid[i] != 0:
            seen = False
            for r in range(RING):
                if s.ring[r] == eid[i]:
                    seen = True
            if seen:
                code[i] = DUPLICATE
                watermarks[i] = before
                i += 1
                continue
        late = t < before
        if not late and at > max_ms:
            if at - params.lateness > stop_ms:
                break
            max_ms = at
        after = max_ms - params.lateness
        watermarks[i] = after
        if sl == TIME_ONLY:
            i += 1
            continue
        if ask[i]:
            moments.kind[count] = ASKED
            moments.slot[count] = sl
            moments.due[count] = t
            moments.cause[count] = i
            moments.defs[count] = (1 << definitions) - 1
            write_vector(s, t, offset_at(params.transitions, params.offsets, t), moments.raw, moments.vectors[count])
            count += 1
            i += 1
            continue
        touched[sl] = 1
        if eid[i] != 0:
            s.ring[s.ring_next] = eid[i]
            s.ring_next = (s.ring_next + 1) % RING
        limit = before if late else max(t, before)
        if s.flags & FLAG_ARMED and s.next_landmark_ms < limit:
            count = fire_landmarks(states, sl, limit, before, i, watermarks, start, last_landmark, params, moments, count)
        offset = offset_at(params.transitions, params.offsets, t)
        w = word[i]
        score = False
        if late:
            code[i] = LATE
            apply_late(s, t, w)
        else:
            score = s.seen_ms == NEVER or t - s.seen_ms >= params.session_gap or t - s.scored_ms >= params.rescore
            apply_event(s, t, w, value[i], offset, params.session_gap)
        ended = 0
        for k in range(definitions):
            if sets_hit(w, k):
                low = t - params.horizon[k]
                if late:
                    # The label of a matured landmark must not depend on where the batch was cut, so a late event leaves it as it is.
                    low = max(low, before - params.lateness - params.horizon[k])
                s.hit[k] |= hit_mask(s.phase, low, t)
            if is_activity(w, k):
                if s.alert_open[k]:  # the pass only reports it; the alert is ended afterwards, where alerts are decided
                    ended |= 1 << k
                m = last_landmark[sl]
                while m >= 0 and moments.return_at[m, k] < 0:
                    moments.return_at[m, k] = i
                    m = moments.previous[m]
        if params.daily and not s.flags & FLAG_ARMED:
            s.flags |= FLAG_ARMED
            s.next_landmark_ms = first_instant(s.phase, max(t, after))
        if ended:
            moments.kind[count] = RETURNED
            moments.slot[count] = sl
            moments.due[count] = t
            moments.cause[count] = i
            moments.defs[count] = ended
            count += 1
        if score:
            moments.kind[count] = CLICK
            moments.slot[count] = sl
            at = max(t, s.seen_ms)  # an event out of order is scored as of the newest event, with all that is known
            moments.due[count] = at
            moments.cause[count] = i
            moments.defs[count] = (1 << definitions) - 1
            write_vector(s, at, offset_at(params.transitions, params.offsets, at), moments.raw, moments.vectors[count])
            count += 1
            s.scored_ms = at
        i += 1
    return i, max_ms, count


@njit(cache=True, nogil=True)
def pass_sweep(
    states: Any,
    touched: Any,
    last_landmark: Any,
    slots: Any,
    limit: int,
    own_slot: int,
    watermarks: Any,
    first: int,
    last: int,
    params: Params,
    moments: Moments,
    count: int,
) -> tuple[int, int]:
    """Fire, by silence, the landmarks with ``due < limit`` of the users in `slots`, which no record of their own has fired.

    Parameters
    ----------
    own_slot : int
        The user whose own record `last` moves time past `limit`: their landmarks are fired by their own return. -1 if there is no such record.
    watermarks, first, last
        The cause of a landmark is the first record in ``[first, last]`` whose watermark exceeds the due time, or `last` if none does.

    Returns
    -------
    done, count
        How many of `slots` were swept (fewer if there was no more room for moments), and the new number of moments.
    """
    capacity = moments.kind.shape[0]
    for j in range(slots.shape[0]):
        prefetch(states, slots[min(j + AHEAD, slots.shape[0] - 1)])
        # A user has at most one landmark a day, and none once dormant.
        room = 2 + (limit - states[slots[j]].next_landmark_ms) // DAY_MS if limit > states[slots[j]].next_landmark_ms else 0
        if capacity - count < min(room, 80):
            return j, count
        before = count
        silent = NEVER if slots[j] == own_slot else limit
        count = fire_landmarks(states, slots[j], limit, silent, last, watermarks, first, last_landmark, params, moments, count)
        if count > before or not states[slots[j]].flags & FLAG_ARMED:
            touched[slots[j]] = 1
    return slots.shape[0], count


def params_of(spec: FeatureSpec) -> Params:
    """Return the numbers of a feature spec in the form that the pass needs."""
    starts, offsets = zone_table(spec.timezone)
    return Params(
        daily=int(spec.landmarks == "daily"),
        lateness=spec.lateness_ms,
        session_gap=spec.session_gap_ms,
        rescore=spec.rescore_ms,
        active_window=np.array([d.active_window_ms for d in spec.definitions], np.int64),
        horizon=np.array([d.horizon_ms for d in spec.definitions], np.int64),
        transitions=starts,
        offsets=offsets,
    )


def warm(definitions: int = 1) -> None:
    """Compile the passes for this number of definitions and the packing of their states, or load them from the cache."""
    states = fresh_record(definitions).copy()
    params = params_of(FeatureSpec(definitions=tuple(ChurnDefinition(name=f"d{k}") for k in range(definitions))))
    moments = make_moments(64, definitions, WIDTH)
    one, scratch = np.zeros(1, np.uint8), np.full(1, -1, np.int32)
    zeros, code = np.zeros(1, np.int64), np.zeros(1, np.uint8)
    pass_events(
        states, one, scratch, np.zeros(1, np.int32), zeros, zeros, zeros, np.zeros(1), np.zeros(1, np.uint64), np.zeros(1, np.bool_), code,
        zeros.copy(), 0, NEVER, 0, 20, params, moments,
    )  # fmt: skip
    pass_sweep(states, one, scratch, np.zeros(1, np.int32), 0, -1, zeros, 0, 0, params, moments, 0)
    woven = weave(Texts(one, zeros, zeros + 1), np.array([[1, 0]], np.uint8))  # in a buffer that may be written to, as the arena's ids are
    unravel(bytes(woven), ends_of([woven]), 2)
