"""Whom a release found, what their risk had promised, and who came: person by person, week by week."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.oracles.analyses.log import Event, Log

DAY = timedelta(days=1)
Risks = Mapping[str, list[tuple[datetime, float]]]
"""Of each user, landmarks and the risk said there."""


class Held(NamedTuple):
    """Somebody with a promise: by what chance they were to come, and whether they did."""

    user: str
    promised: float
    came: bool


def weeks_back(log: Log, at: datetime, weeks: int) -> datetime:
    """The same time of the clock, so many weeks before."""
    local = at.astimezone(ZoneInfo(log.zone)).replace(tzinfo=None) - timedelta(weeks=weeks)
    return local.replace(tzinfo=ZoneInfo(log.zone))


def held(log: Log, risks: Risks, at: datetime, days: int, horizon: timedelta, touched: tuple[str, str] | None, back: int) -> list[Held]:
    """Those of a release (back = 0), or of the same so many steps before it."""
    assert log.watermark is not None
    span = min(days * DAY, log.watermark - at)
    if span <= timedelta():
        return []
    step = math.ceil((2 * days + 1 if touched else days) / 7)
    moment = weeks_back(log, at, step * back)
    found = []
    for user in sorted(risks):
        own = [e for e in log.in_order() if e.user == user]
        active = [e.ts for e in own if log.is_active(e)]
        if touched is None:
            marks = [one for one in risks[user] if moment - DAY <= one[0] < moment]
            if marks:
                risk = max(marks)[1]
                found.append(Held(user, 1 - risk ** (span / horizon), any(moment <= ts < moment + span for ts in active)))
            continue
        by = [e.ts for e in own if (reached(e, touched) if back == 0 else log.is_active(e)) and moment <= e.ts < moment + days * DAY]
        if not by:
            continue
        marks = [one for one in risks[user] if min(by) <= one[0] < min(by) + DAY]
        if marks:
            mark, risk = min(marks)
            end = mark + days * DAY
            if end <= log.watermark:
                found.append(Held(user, 1 - risk ** (days * DAY / horizon), any(mark < ts < end for ts in active)))
    return found


def reached(event: Event, touched: tuple[str, str]) -> bool:
    return event.props.get(touched[0]) == touched[1]


def plain(log: Log, at: datetime, days: int, touched: tuple[str, str] | None) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Of each day with activity before and after, on equal weekdays: who, and whether they came again within so many days."""
    first = log.first_day()
    local = at.astimezone(ZoneInfo(log.zone))
    begin = log.day(at) if log.ends_at(log.day(at) - DAY) == at else log.day(local) + DAY
    back = timedelta(weeks=math.ceil(2 * days / 7))
    sides: tuple[list[tuple[str, bool]], list[tuple[str, bool]]] = ([], [])
    for n in range(days):
        day = begin + n * DAY
        if first is None or day - back < first or not log.known(log.ends_at(day + days * DAY)):
            continue
        sides[0].extend(of_day(log, day - back, days, None))
        sides[1].extend(of_day(log, day, days, touched))
    return sides


def of_day(log: Log, day: date, days: int, touched: tuple[str, str] | None) -> list[tuple[str, bool]]:
    found = []
    for user in sorted({e.user for e in log.events}):
        own = [e for e in log.in_order() if e.user == user]
        active = {log.day(e.ts) for e in own if log.is_active(e)}
        is_touched = touched is None or any(log.day(e.ts) == day and reached(e, touched) for e in own)
        if day in active and is_touched:
            found.append((user, any(day < other <= day + days * DAY for other in active)))
    return found
