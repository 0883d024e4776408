"""Every feature from the plain list of a user's events: slow, obvious, and sharing no code with the fast path.

Events come in order of arrival as `Seen`; `late` ones count only where the docs say so (totals, first and last activity).
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

NAN = math.nan
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
GAP = 30 * MINUTE


@dataclass(frozen=True)
class Seen:
    ts: int
    key: int | None = None  # 0..7
    active: bool = True  # counts as activity of the first definition
    revenue: bool = False
    error: bool = False
    step: int = 0
    channel: int = 0
    value: float | None = None
    late: bool = False


def local(ms: int, zone: ZoneInfo) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).astimezone(zone)


def local_day(ms: int, zone: ZoneInfo) -> int:
    return (local(ms, zone).date() - datetime(1970, 1, 1, tzinfo=UTC).date()).days


def window(events: list[Seen], t: int, width: int, hop: int) -> int:
    """Sawtooth: from the beginning of the hop that holds t - width, up to t."""
    return sum(e.ts // hop >= (t - width) // hop for e in events)


def decayed(weights: list[tuple[int, float]], t: int, half_life_days: float) -> float:
    return sum(w * 2 ** (-(t - ts) / DAY / half_life_days) for ts, w in weights)


def features(arrived: list[Seen], t: int, zone_name: str) -> dict[str, float]:
    zone = ZoneInfo(zone_name)
    events = [e for e in arrived if not e.late]
    everything = arrived
    seen = max(e.ts for e in events)
    first = min(e.ts for e in everything)
    active_all = [e.ts for e in everything if e.active]
    silence = (t - max(active_all)) / 1000 if active_all else NAN
    tenure = (t - first) / DAY
    out: dict[str, float] = {
        "recency_s": (t - seen) / 1000,
        "active_recency_s": silence,
        "tenure_days": tenure,
        "count_1h": window(events, t, HOUR, 5 * MINUTE),
        "count_24h": window(events, t, DAY, HOUR),
        "count_7d": window(events, t, 7 * DAY, DAY),
        "count_28d": window(events, t, 28 * DAY, DAY),
        "count_total": len(everything),
    }
    ones = [(e.ts, 1.0) for e in events]
    for name, half_life in (("decayed_1d", 1), ("decayed_7d", 7), ("decayed_30d", 30)):
        out[name] = decayed(ones, t, half_life)

    # days
    today = local_day(t, zone)
    known: set[int] = set()
    newest = None
    total = 0
    for e in events:
        if not e.active:
            continue
        day = local_day(e.ts, zone)
        if newest is not None and day <= newest - 64:
            continue  # further back than the map of 64 days reaches
        if day not in known:
            total += 1
            known.add(day)
        newest = day if newest is None else max(newest, day)
        known = {one for one in known if one > newest - 64}
    ages = {today - day for day in known}
    out["active_days_7"] = sum(0 <= age < 7 for age in ages)
    out["active_days_28"] = sum(0 <= age < 28 for age in ages)
    out["active_days_64"] = sum(0 <= age < 64 for age in ages)
    out["active_days_8_14"] = sum(7 <= age < 14 for age in ages)
    out["active_days_15_28"] = sum(14 <= age < 28 for age in ages)
    out["active_days_total"] = total
    streak = 0
    while newest is not None and newest - streak in known:
        streak += 1
    out["streak_days"] = streak
    before = sorted(day for day in known if newest is not None and day < newest)
    out["day_gap_days"] = (newest - before[-1]) if before and newest is not None else (64 if total > 1 else NAN)
    out["active_share"] = min(1.0, total / (1 + max(tenure, 0.0)))

    # sessions: an event 30 minutes or more after the newest one opens a new one
    sessions: list[list[int]] = []
    newest_ts: int | None = None
    for e in events:
        if newest_ts is None or e.ts - newest_ts >= GAP:
            sessions.append([e.ts, e.ts])
        sessions[-1][1] = max(sessions[-1][1], e.ts)
        newest_ts = e.ts if newest_ts is None else max(newest_ts, e.ts)
    lengths = [(end - start) / 1000 for start, end in sessions[:-1]]
    out["sessions"] = len(sessions)
    out["session_mean_s"] = sum(lengths) / len(lengths) if lengths else NAN
    out["session_last_s"] = lengths[-1] if lengths else NAN

    # pauses between activity, in order of arrival; late activity moves the last one but makes no pause
    pauses: list[float] = []
    last: int | None = None
    for e in everything:
        if not e.active:
            continue
        if not e.late and last is not None and e.ts - last >= GAP:
            pauses.append((e.ts - last) / 1000)
        last = e.ts if last is None else max(last, e.ts)
    out["gaps"] = len(pauses)
    if pauses:
        logs = [math.log1p(p / 3600) for p in pauses]
        mean = sum(logs) / len(logs)
        spread = math.sqrt((sum((x - mean) ** 2 for x in logs) + 0.5) / len(logs))
        out["gap_mean_s"] = (math.exp(mean) - 1) * 3600
        out["gap_spread"] = spread
        out["gap_max_s"] = max(pauses)
        out["gap_z"] = (math.log1p(silence / 3600) - mean) / spread
        out["gap_to_max"] = silence / max(*pauses, 1.0)
    else:
        out |= dict.fromkeys(("gap_mean_s", "gap_spread", "gap_max_s", "gap_z", "gap_to_max"), NAN)
    out["trend_7d_28d"] = math.log((out["count_7d"] / 7 + 0.05) / (out["count_28d"] / 28 + 0.05))
    out["burst_24h"] = math.log((out["count_24h"] + 0.1) / (out["count_28d"] / 28 + 0.1))

    for k in range(8):
        mine = [e for e in events if e.key == k]
        out[f"key_{k}_count"] = decayed([(e.ts, 1.0) for e in mine], t, 7)
        out[f"key_{k}_value"] = max(0.0, decayed([(e.ts, e.value) for e in mine if e.value is not None], t, 7))
    week = decayed(ones, seen, 7)
    out["error_share"] = decayed([(e.ts, 1.0) for e in events if e.error], seen, 7) / week
    bought = [e for e in events if e.revenue]
    money = 0.0
    for e in bought:  # a sum stops at the largest double, in order of arrival
        money = min(max(money + (e.value or 0.0), -sys.float_info.max), sys.float_info.max)
    out["revenue"] = max(0.0, money)
    out["purchases"] = len(bought)
    out["purchase_recency_days"] = (t - max(e.ts for e in bought)) / DAY if bought else NAN

    angle = [(e.ts, 2 * math.pi * local(e.ts, zone).hour / 24) for e in events]
    cosine = decayed([(ts, math.cos(a)) for ts, a in angle], seen, 30)
    sine = decayed([(ts, math.sin(a)) for ts, a in angle], seen, 30)
    length, weight = math.hypot(cosine, sine), decayed(ones, seen, 30)
    out["hour_regularity"] = min(1.0, length / weight)
    now = 2 * math.pi * local(t, zone).hour / 24
    out["hour_match"] = (cosine * math.cos(now) + sine * math.sin(now)) / length if length > 1e-6 * weight else NAN
    out["weekday"] = local(t, zone).weekday()
    out["funnel_step"] = max(e.step for e in events)
    out["channel"] = next((e.channel for e in events if e.channel), 0)
    return out
