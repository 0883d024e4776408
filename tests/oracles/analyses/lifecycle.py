"""Lifecycle, daily states, their rates and stickiness, by looking at every user and every unit."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tests.oracles.analyses.calendar import after, begin
from tests.oracles.analyses.log import Log

Value = int | None


def active_units(log: Log, unit: str) -> dict[str, set[datetime]]:
    """For each user the units they were active in, by their beginnings."""
    found: dict[str, set[datetime]] = {}
    for event in log.in_order():
        if log.is_active(event):
            found.setdefault(event.user, set()).add(begin(unit, event.ts, log.zone, log.week_start))
    return found


def state_of(log: Log, begins: datetime, ends: datetime) -> str:
    if log.watermark is None or begins >= log.watermark or (log.complete_from is not None and begins < log.complete_from):
        return "none"
    return "complete" if ends <= log.watermark else "open"


def lifecycle(log: Log, unit: str, at: datetime) -> tuple[dict[str, Value], str]:
    """The five counts of the unit that begins at `at`, and its state."""
    ends = after(unit, at, 1, log.zone, log.week_start)
    state = state_of(log, at, ends)
    before = begin(unit, at - timedelta(minutes=1), log.zone, log.week_start)
    counts: dict[str, Value] = dict.fromkeys(("active", "new", "returning", "resurrected", "dormant"), 0)
    for units in active_units(log, unit).values():
        if at in units:
            name = "new" if min(units) == at else "returning" if before in units else "resurrected"
            counts[name] = (counts[name] or 0) + 1
            counts["active"] = (counts["active"] or 0) + 1
        elif before in units:
            counts["dormant"] = (counts["dormant"] or 0) + 1
    if state == "none":
        counts = dict.fromkeys(counts)
    if state == "open":
        counts["dormant"] = None
    return counts, state


def active_days(log: Log) -> dict[str, set[date]]:
    found: dict[str, set[date]] = {}
    for event in log.in_order():
        if log.is_active(event):
            found.setdefault(event.user, set()).add(log.day(event.ts))
    return found


def daily_state(days: set[date], day: date, most: int | None) -> str | None:
    """The state of somebody on a day; None before their first, or when they have been silent for too long."""
    earlier = [one for one in days if one < day]
    if day in days:
        if not earlier:
            return "new"
        gap = (day - max(earlier)).days
        return "current" if gap <= 7 else "reactivated" if gap <= 30 else "resurrected"
    if not earlier:
        return None
    gap = (day - max(earlier)).days
    if most is not None and gap > most:
        return None
    return "at_risk_week" if gap <= 7 else "at_risk_month" if gap <= 30 else "dormant"


def daily_states(log: Log, day: date, most: int | None) -> dict[str, int]:
    states = [daily_state(days, day, most) for days in active_days(log).values()]
    return {name: states.count(name) for name in states if name}


def rate(log: Log, day: date, state: str) -> tuple[int, int]:
    """How many came again on the next day, of how many in the state."""
    people = [days for days in active_days(log).values() if daily_state(days, day, None) == state]
    return sum(day + timedelta(days=1) in days for days in people), len(people)


def stickiness(log: Log, unit: str, first: datetime, last: datetime) -> dict[int, int]:
    """How many users were active in exactly k of the units from the one that begins at `first` to that at `last`."""
    counts: dict[int, int] = {}
    for units in active_units(log, unit).values():
        k = sum(first <= at <= last for at in units)
        if k:
            counts[k] = counts.get(k, 0) + 1
    return counts
