"""Visits of a small log, one by one."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

from tests.oracles.analyses.log import SYSTEMS, Event, Log


class Visit(NamedTuple):
    user: str
    number: int
    events: list[Event]

    @property
    def seconds(self) -> float:
        return (self.events[-1].ts - self.events[0].ts).total_seconds()


def visits(log: Log, gap: timedelta, first: date, last: date) -> list[Visit]:
    """Visits that began on these days and are over."""
    found = []
    for user in sorted({e.user for e in log.events}):
        own: list[list[Event]] = []
        before: datetime | None = None
        for event in (e for e in log.in_order() if e.user == user and e.type not in SYSTEMS):
            if before is None or event.ts - before >= gap:
                own.append([])
            own[-1].append(event)
            before = event.ts
        for number, events in enumerate(own, 1):
            is_over = log.watermark is not None and events[-1].ts + gap <= log.watermark
            if is_over and first <= log.day(events[0].ts) <= last:
                found.append(Visit(user, number, events))
    return found
