"""The feature vector of a state record at an observation time: raw (in own units, NaN = missing) and coded (one byte a feature)."""

from __future__ import annotations

from math import exp, exp2, log, log1p, sqrt
from typing import Any

import numpy as np
from numba import njit

from features.definitions.definition import DAY_MS
from features.users.catalog import AT, WIDTH, scale_tables
from features.users.state import DAY_HOPS, FIVE_MIN_HOPS, HOUR_HOPS, KEYS, NEVER
from features.users.update import COS_OF_HOUR, FIVE_MIN_MS, HOUR_MS, SIN_OF_HOUR

_IS_LOGARITHMIC, FACTOR, LOWEST, STEPS = np.ascontiguousarray(scale_tables().T)
LOGARITHMIC = np.flatnonzero(_IS_LOGARITHMIC > 0)
NAN = float("nan")
PRIOR_SPREAD = 0.5
"""Spread of log pauses that is assumed beforehand; it weighs as much as one observation."""


@njit(cache=True, nogil=True)
def popcount(x: Any) -> int:
    """Return how many bits of a 64-bit word are set (Warren, Hacker's Delight, 5-1).

    >>> int(popcount(np.uint64(0b1011)))
    3
    """
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> np.uint64(56)  # type: ignore[no-any-return]  # numba wants no cast


@njit(cache=True, nogil=True)
def _window(ring: Any, length: int, oldest: int, newest: int) -> int:
    """Return the number of events in hops `oldest` to `newest`, all of which the ring must hold."""
    total = 0
    place = oldest % length
    for _ in range(oldest, newest + 1):
        total += ring[place]
        place = place + 1 if place + 1 < length else 0
    return total


@njit(cache=True, nogil=True)
def raw_vector(s: Any, t: int, utc_offset_ms: int, out: Any) -> None:
    """Write every feature into `out` in its own unit; NaN where it is missing.

    Parameters
    ----------
    s : record of `features.users.state.state_dtype`
    t : int
        Observation time, ms, not before `s.seen_ms`.
    utc_offset_ms : int
        Offset of the project's zone at `t`, ms east of UTC.
    out : float64 (F,)
    """
    seen = s.seen_ms
    if seen == NEVER:  # all events so far were late
        seen = s.first_ms
    recency_s = (t - seen) / 1000
    out[AT.recency_s] = recency_s
    active = s.last_active_ms[0]
    silence_s = NAN if active == NEVER else (t - active) / 1000
    out[AT.active_recency_s] = silence_s
    tenure = (t - s.first_ms) / DAY_MS
    out[AT.tenure_days] = tenure
    newest = seen // FIVE_MIN_MS
    out[AT.count_1h] = _window(s.five_min, FIVE_MIN_HOPS, max((t - HOUR_MS) // FIVE_MIN_MS, newest - FIVE_MIN_HOPS + 1), newest)
    newest = seen // HOUR_MS
    day_count = _window(s.hour, HOUR_HOPS, max((t - DAY_MS) // HOUR_MS, newest - HOUR_HOPS + 1), newest)
    newest = seen // DAY_MS
    before = newest - DAY_HOPS + 1
    since_week = max((t - 7 * DAY_MS) // DAY_MS, before)
    week = _window(s.day, DAY_HOPS, since_week, newest)
    month = week + _window(s.day, DAY_HOPS, max((t - 28 * DAY_MS) // DAY_MS, before), min(since_week - 1, newest))
    out[AT.count_24h], out[AT.count_7d], out[AT.count_28d], out[AT.count_total] = day_count, week, month, s.events
    age = (t - seen) / DAY_MS
    fade_7, fade_30 = exp2(-age / 7), exp2(-age / 30)
    out[AT.decayed_1d] = s.decayed[0] * exp2(-age)
    out[AT.decayed_7d] = s.decayed[1] * fade_7
    out[AT.decayed_30d] = s.decayed[2] * fade_30

    local = t + utc_offset_ms
    today = local // DAY_MS
    zero = np.uint64(0)
    days = s.day_map
    if s.active_days == 0 or today - s.day_head >= 64:
        days = zero
    elif today > s.day_head:
        days = days << np.uint64(today - s.day_head)
    first_14, first_28 = popcount(days & np.uint64(0x3FFF)), popcount(days & np.uint64(0xFFFFFFF))
    out[AT.active_days_7] = popcount(days & np.uint64(0x7F))
    out[AT.active_days_28] = first_28
    out[AT.active_days_64] = popcount(days)
    out[AT.active_days_8_14] = first_14 - out[AT.active_days_7]
    out[AT.active_days_15_28] = first_28 - first_14
    out[AT.active_days_total] = s.active_days
    streak, gap = 0, 0
    if s.active_days > 0:
        rest = s.day_map
        while rest & np.uint64(1):
            streak += 1
            rest = rest >> np.uint64(1)
        rest = s.day_map >> np.uint64(1)
        if rest:
            gap = 1
            while not rest & np.uint64(1):
                gap += 1
                rest = rest >> np.uint64(1)
    out[AT.streak_days] = streak
    out[AT.day_gap_days] = gap if gap > 0 else (64.0 if s.active_days > 1 else NAN)
    out[AT.active_share] = min(1.0, s.active_days / (1 + max(tenure, 0.0)))

    out[AT.sessions] = s.sessions
    closed = s.sessions - 1 if s.sessions > 0 else 0
    out[AT.session_mean_s] = s.session_sum_s / closed if closed > 0 else NAN
    out[AT.session_last_s] = s.session_last_s if closed > 0 else NAN
    if s.gaps > 0:
        spread = sqrt((s.gap_m2 + PRIOR_SPREAD) / s.gaps)
        out[AT.gap_mean_s] = (exp(s.gap_mean) - 1) * 3600
        out[AT.gap_spread] = spread
        out[AT.gap_max_s] = s.gap_max_s
        out[AT.gap_z] = (log1p(silence_s / 3600) - s.gap_mean) / spread
        out[AT.gap_to_max] = silence_s / max(s.gap_max_s, 1.0)
    else:
        out[AT.gap_mean_s] = out[AT.gap_spread] = out[AT.gap_max_s] = out[AT.gap_z] = out[AT.gap_to_max] = NAN
    out[AT.gaps] = s.gaps
    out[AT.trend_7d_28d] = log((week / 7 + 0.05) / (month / 28 + 0.05))
    out[AT.burst_24h] = log((day_count + 0.1) / (month / 28 + 0.1))
    for k in range(KEYS):
        out[AT.key_0_count + k] = s.key_count[k] * fade_7
        out[AT.key_0_value + k] = max(s.key_value[k] * fade_7, 0.0)
    out[AT.error_share] = s.errors / s.decayed[1] if s.decayed[1] > 0 else 0.0
    out[AT.revenue] = max(s.revenue, 0.0)
    out[AT.purchases] = s.purchases
    out[AT.purchase_recency_days] = NAN if s.purchase_ms == NEVER else (t - s.purchase_ms) / DAY_MS
    length = sqrt(s.hour_cos * s.hour_cos + s.hour_sin * s.hour_sin)
    out[AT.hour_regularity] = min(1.0, length / s.decayed[2]) if s.decayed[2] > 0 else 0.0
    hour = (local // HOUR_MS) % 24
    match = s.hour_cos * COS_OF_HOUR[hour] + s.hour_sin * SIN_OF_HOUR[hour]
    out[AT.hour_match] = match / length if length > 1e-6 * s.decayed[2] and length > 0 else NAN
    out[AT.weekday] = (today + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    out[AT.funnel_step] = s.funnel_step
    out[AT.channel] = s.channel


@njit(cache=True, nogil=True)
def code_vector(raw: Any, out: Any) -> None:
    """Code a raw vector into ``out``, uint8 (F,), 0 = missing (see `features.users.catalog`). The raw vector is overwritten."""
    for feature in LOGARITHMIC:
        if raw[feature] > 0:  # most counts are zero, and a logarithm costs as much as all else of ten features
            raw[feature] = log1p(raw[feature] * FACTOR[feature])
        elif raw[feature] < 0:
            raw[feature] = 0.0
    for f in range(WIDTH):  # nothing but arithmetic, so that the compiler can code several features at once
        x = raw[f]
        place = (x - LOWEST[f]) * STEPS[f]
        place = place if place > 0 else 0.0
        place = place if place < 254 else 254.0
        out[f] = 1 + int(place + 0.5) if x == x else 0  # noqa: PLR0124 - NaN


@njit(cache=True, nogil=True)
def write_vector(s: Any, t: int, utc_offset_ms: int, raw: Any, out: Any) -> None:
    """Write the coded vector of a state at time `t` into ``out``, uint8 (F,); ``raw``, float64 (F,), is work space."""
    raw_vector(s, t, utc_offset_ms, raw)
    code_vector(raw, out)
