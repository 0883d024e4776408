"""Tenure and frequency of everybody in a small log, one by one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from tests.oracles.analyses.log import Log


class Place(NamedTuple):
    """Where somebody stands in the grid."""

    user: str
    tenure: str
    frequency: str


def grid(log: Log, until: date, tenures: tuple[tuple[int, str], ...], often: tuple[tuple[int, str], ...], within: int) -> list[Place]:
    """Brackets are (least days, name), rising."""
    places = []
    for user in sorted({event.user for event in log.events}):
        days = {log.day(event.ts) for _, event in log.counted() if event.user == user and log.is_active(event)}
        days = {day for day in days if day <= until}
        near = [day for day in days if day > until - timedelta(days=within)]
        if not near:
            continue
        tenure = [name for least, name in tenures if (until - min(days)).days >= least][-1]
        seen = [event.ts for _, event in log.counted() if event.user == user and event.type != "identify"]
        if log.complete_from is not None and min(seen) < log.complete_from and tenure != tenures[-1][1]:
            tenure = "(not known)"
        places.append(Place(user, tenure, [name for least, name in often if len(near) >= least][-1]))
    return places
