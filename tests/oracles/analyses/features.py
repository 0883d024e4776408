"""Use of features before landmarks, and visits by hour, of a small log, one by one."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.oracles.analyses.log import SYSTEMS, Event, Log
from tests.oracles.analyses.silence import GROUPS


class Mark(NamedTuple):
    user: str
    day: date
    used: frozenset[str]
    silent: bool
    activity: int


def own_events(log: Log, user: str) -> list[Event]:
    return [e for e in log.in_order() if e.user == user and e.type not in SYSTEMS]


def group(active: set[date], day: date) -> int:
    near = sum(day - timedelta(days=28) < other <= day for other in active)
    return next(i for i, days in enumerate(GROUPS) if near in days)


def marks(log: Log, within: int, horizon: timedelta) -> list[Mark]:
    found = []
    for user in sorted({e.user for e in log.events}):
        own = own_events(log, user)
        active = {log.day(e.ts) for e in own if log.is_active(e)}
        for day in sorted(active):
            mark = log.ends_at(day) - timedelta(microseconds=1)
            if log.watermark is None or mark + horizon >= log.watermark:
                continue
            used = frozenset(e.type for e in own if day - timedelta(days=within) < log.day(e.ts) <= day)
            silent = not any(log.is_active(e) and mark < e.ts <= mark + horizon for e in own)
            found.append(Mark(user, day, used, silent, group(active, day)))
    return found


def difference(found: list[Mark], feature: str, *, equal: bool) -> float | None:
    """How much larger is the share who came again among users of the feature, pooled over groups by the products of their sizes?"""
    above = below = 0.0
    for one in range(len(GROUPS)) if equal else (None,):
        here = [mark for mark in found if one in (None, mark.activity)]
        users, others = [mark for mark in here if feature in mark.used], [mark for mark in here if feature not in mark.used]
        if users and others:
            weight = len(users) * len(others) / len(here)
            above += weight * (sum(not mark.silent for mark in users) / len(users) - sum(not mark.silent for mark in others) / len(others))
            below += weight
    return above / below if below else None


class Visit(NamedTuple):
    user: str
    hour: int
    silent: bool
    activity: int


def visits(log: Log, gap: timedelta, horizon: timedelta) -> list[Visit]:
    found = []
    for user in sorted({e.user for e in log.events}):
        own = [e for e in own_events(log, user) if log.is_active(e)]
        days = {log.day(e.ts) for e in own}
        nexts: list[datetime | None] = [after.ts for _, after in pairwise(own)]
        for event, after in zip(own, [*nexts, None], strict=False):
            ends = after is None or after - event.ts >= gap
            if ends and log.watermark is not None and event.ts + horizon < log.watermark:
                silent = after is None or after > event.ts + horizon
                found.append(Visit(user, event.ts.astimezone(ZoneInfo(log.zone)).hour, silent, group(days, log.day(event.ts))))
    return found
