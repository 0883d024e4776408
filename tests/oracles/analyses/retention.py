"""Retention, by looking at every user, every cohort and every event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.oracles.analyses.calendar import after, begin, label
from tests.oracles.analyses.log import SYSTEMS, Event, Log

Test = Callable[[Event], bool]


@dataclass(frozen=True)
class Asked:
    unit: str = "day"
    kind: str = "first"
    starts: Test = lambda event: True
    of_type: Test = lambda event: True  # what `first_event_is` looks for, before the conditions
    returns: Test = lambda event: True
    value: Callable[[Event], str] = lambda event: ""
    unbounded: bool = False
    window: str = "calendar"
    least: int = 1
    same_unit: bool = False
    cells: tuple[tuple[int, int], ...] = ((0, 0), (1, 1))
    horizon: timedelta = timedelta(days=14)


def entries(log: Log, asked: Asked) -> list[tuple[Event, datetime]]:
    """The event by which somebody enters, and when its cohort begins."""
    events = log.in_order()
    found: list[tuple[Event, datetime]] = []
    for user in sorted({event.user for event in events}):
        own = [event for event in events if event.user == user]
        seen = min((event.ts for event in own if log.is_active(event) or event.type not in SYSTEMS), default=None)
        cohort_of = {id(event): begin(asked.unit, event.ts, log.zone, log.week_start) for event in own}
        if asked.kind == "recurring":
            by_unit: dict[datetime, Event] = {}
            for event in own:
                if asked.starts(event):
                    by_unit.setdefault(cohort_of[id(event)], event)
            found += [(event, cohort) for cohort, event in by_unit.items()]
            continue
        if log.complete_from is not None and (seen is None or seen < log.complete_from):
            continue
        if asked.kind == "first":
            first = next((event for event in own if asked.starts(event)), None)
        else:
            first = next((event for event in own if asked.of_type(event)), None)
            if first is not None and not asked.starts(first):
                first = None
        if first is not None:
            found.append((first, cohort_of[id(first)]))
    return found


def cell_time(log: Log, asked: Asked, cohort: datetime, low: int, high: int) -> tuple[datetime, datetime]:
    def nth(k: int) -> datetime:
        return after(asked.unit, cohort, k, log.zone, log.week_start)

    if high == 0 and not asked.same_unit:
        return cohort, nth(1)
    more = asked.horizon if asked.unbounded else timedelta()
    if asked.window == "days":
        return after("day", cohort, low, log.zone, log.week_start), after("day", nth(1), high, log.zone, log.week_start) + more
    if asked.window == "24h":
        return cohort + timedelta(hours=24 * low), nth(1) + timedelta(hours=24 * (high + 1)) + more
    return nth(low), nth(high + 1) + more


def came_back(log: Log, asked: Asked, entry: Event, cohort: datetime, low: int, high: int) -> bool:
    """Whether somebody was back in a unit from `low` to `high` after the one of their entry."""
    if high == 0 and not asked.same_unit:
        return True
    times: dict[int, int] = {}
    for event in log.in_order():
        if event.user != entry.user or not asked.returns(event) or event.ts <= entry.ts:
            continue
        if asked.window == "days":
            k = (log.day(event.ts) - log.day(entry.ts)).days
        elif asked.window == "24h":
            k = (event.ts - entry.ts) // timedelta(hours=24)
        else:
            k = 0
            while after(asked.unit, cohort, k + 1, log.zone, log.week_start) <= event.ts:
                k += 1
        times[k] = times.get(k, 0) + 1
    units = [k for k, number in times.items() if number >= asked.least and (k > 0 or asked.same_unit)]
    return any(low <= k and (asked.unbounded or k <= high) for k in units)


def retention(log: Log, asked: Asked, first: datetime, last: datetime) -> dict[tuple[str, str, int], tuple[int, int | None, str]]:
    """For each cohort from the one that begins at `first` to that at `last`, group and cell: size, how many were back, state."""
    table = {}
    everybody = entries(log, asked)
    groups = sorted({asked.value(event) for event, cohort in everybody if first <= cohort <= last})
    cohort = first
    while cohort <= last:
        for group in groups:
            inside = [event for event, began in everybody if began == cohort and asked.value(event) == group]
            for low, high in asked.cells:
                begins, ends = cell_time(log, asked, cohort, low, high)
                state = "none" if log.watermark is None or begins >= log.watermark else "complete" if ends <= log.watermark else "open"
                back = sum(came_back(log, asked, event, cohort, low, high) for event in inside)
                table[label(asked.unit, cohort, log.zone), group, low] = (len(inside), None if state == "none" else back, state)
        cohort = after(asked.unit, cohort, 1, log.zone, log.week_start)
    return table
