"""Fold one event into one state record, in place. Compiled; it never allocates.

Hops, decayed counts, the day map and totals come out the same in whatever order events arrive, within the allowed lateness. Sessions and gaps
depend on the order of arrival: an event older than the newest one seen belongs to the open session, and makes no gap.
"""

from __future__ import annotations

from math import exp2, log1p
from typing import Any

import numpy as np
from numba import njit

from features.compiled.word import channel, funnel_step, is_activity, is_error, is_revenue, key_slot
from features.definitions.definition import DAY_MS
from features.users.state import DAY_HOPS, FIVE_MIN_HOPS, HOUR_HOPS, KEYS, NEVER

HOUR_MS = 3_600_000
FIVE_MIN_MS = 300_000
FULL = np.uint16(65_535)
MOST_32 = float(np.finfo(np.float32).max)
MOST_64 = float(np.finfo(np.float64).max)
FULL_32 = np.uint32(4_294_967_295)
_angle = 2 * np.pi * np.arange(24) / 24
COS_OF_HOUR = np.cos(_angle)
SIN_OF_HOUR = np.sin(_angle)


@njit(cache=True, nogil=True)
def _count_hop(ring: Any, length: int, head: int, hop: int) -> None:
    """Count one event in its hop. `head` is the newest hop so far; the ring is indexed by hop number modulo its length."""
    if hop >= head + length:
        for place in range(length):
            ring[place] = 0
    elif hop > head:
        place = head % length
        for _ in range(hop - head):
            place = place + 1 if place + 1 < length else 0
            ring[place] = 0
    elif hop <= head - length:
        return
    place = hop % length
    if ring[place] < FULL:
        ring[place] += np.uint16(1)


@njit(cache=True, nogil=True)
def _mark_day(s: Any, day: int) -> None:
    if s.active_days == 0 or day >= s.day_head + 64:
        s.day_map = np.uint64(1)
        s.day_head = day
        s.active_days += np.uint32(1)
    elif day > s.day_head:
        s.day_map = (s.day_map << np.uint64(day - s.day_head)) | np.uint64(1)
        s.day_head = day
        s.active_days += np.uint32(1)
    elif day > s.day_head - 64:
        bit = np.uint64(1) << np.uint64(s.day_head - day)
        if not s.day_map & bit:
            s.day_map |= bit
            s.active_days += np.uint32(1)


@njit(cache=True, nogil=True)
def _bounded(total: float, most: float) -> float:
    """Keep a sum finite: an infinite one would stay so for good, and the difference of two infinite sums is not a number."""
    return min(max(total, -most), most)


@njit(cache=True, nogil=True)
def apply_event(s: Any, ts: int, word: int, value: float, utc_offset_ms: int, session_gap_ms: int) -> None:
    """Fold an event that is not late.

    Parameters
    ----------
    s : record of `features.users.state.state_dtype`
    ts : int
        Event time, ms.
    word : int
        `FeatureSpec.type_word` with the channel's bits.
    value : float
        NaN for none.
    utc_offset_ms : int
        Offset of the project's zone at `ts`, ms east of UTC.
    session_gap_ms : int
        A silence of at least this many milliseconds ends a session.
    """
    fresh = s.seen_ms == NEVER
    head = ts if fresh else s.seen_ms
    if s.events < FULL_32:
        s.events += np.uint32(1)
    s.first_ms = ts if s.first_ms == NEVER else min(s.first_ms, ts)

    # hops
    _count_hop(s.five_min, FIVE_MIN_HOPS, head // FIVE_MIN_MS, ts // FIVE_MIN_MS)
    _count_hop(s.hour, HOUR_HOPS, head // HOUR_MS, ts // HOUR_MS)
    _count_hop(s.day, DAY_HOPS, head // DAY_MS, ts // DAY_MS)

    # decayed sums: the stored ones are as of `head`, and an event weighs 2^(-age / half-life)
    age_days = (ts - head) / DAY_MS
    by_1, by_7, by_30 = 1.0, 1.0, 1.0
    if age_days > 0:
        fade_1, fade_7, fade_30 = exp2(-age_days), exp2(-age_days / 7), exp2(-age_days / 30)
        s.decayed[0] *= fade_1
        s.decayed[1] *= fade_7
        s.decayed[2] *= fade_30
        for k in range(KEYS):
            s.key_count[k] *= fade_7
            s.key_value[k] *= fade_7
        s.errors *= fade_7
        s.hour_cos *= fade_30
        s.hour_sin *= fade_30
    elif age_days < 0:
        by_1, by_7, by_30 = exp2(age_days), exp2(age_days / 7), exp2(age_days / 30)
    s.decayed[0] += by_1
    s.decayed[1] += by_7
    s.decayed[2] += by_30
    known_value = value == value  # noqa: PLR0124 - only NaN differs from itself, and math.isnan costs a call
    key = key_slot(word)
    if key < KEYS:
        s.key_count[key] += by_7
        if known_value:
            s.key_value[key] = _bounded(s.key_value[key] + by_7 * value, MOST_32)
    if is_error(word):
        s.errors += by_7
    local = ts + utc_offset_ms
    hour = (local // HOUR_MS) % 24
    s.hour_cos += by_30 * COS_OF_HOUR[hour]
    s.hour_sin += by_30 * SIN_OF_HOUR[hour]

    # money
    if is_revenue(word):
        s.purchases += np.uint32(1)
        s.purchase_ms = max(s.purchase_ms, ts)
        if known_value:
            s.revenue = _bounded(s.revenue + value, MOST_64)

    s.funnel_step = max(s.funnel_step, funnel_step(word))
    if s.channel == 0:
        s.channel = channel(word)

    # sessions, in order of arrival
    if fresh:
        s.session_start_ms = ts
        s.sessions = np.uint32(1)
    elif ts - head >= session_gap_ms:
        s.session_last_s = (head - s.session_start_ms) / 1000
        s.session_sum_s += s.session_last_s
        s.sessions += np.uint32(1)
        s.session_start_ms = ts

    # days and habit count the activity of the first definition only
    if is_activity(word, 0):
        _mark_day(s, local // DAY_MS)
        last = s.last_active_ms[0]
        if last != NEVER and ts - last >= session_gap_ms:
            gap_s = (ts - last) / 1000
            x = log1p(gap_s / 3600)
            s.gaps += np.uint32(1)
            delta = x - s.gap_mean
            s.gap_mean += delta / s.gaps
            s.gap_m2 += delta * (x - s.gap_mean)
            s.gap_max_s = max(s.gap_max_s, gap_s)
    for k in range(s.last_active_ms.shape[0]):
        if is_activity(word, k):
            s.last_active_ms[k] = max(s.last_active_ms[k], ts)
    s.seen_ms = max(head, ts)


@njit(cache=True, nogil=True)
def apply_late(s: Any, ts: int, word: int) -> None:
    """Fold an event behind the watermark: only what does not depend on order, which is totals, first and last activity."""
    if s.events < FULL_32:
        s.events += np.uint32(1)
    s.first_ms = ts if s.first_ms == NEVER else min(s.first_ms, ts)
    for k in range(s.last_active_ms.shape[0]):
        if is_activity(word, k):
            s.last_active_ms[k] = max(s.last_active_ms[k], ts)
