"""In what retained and churned landmarks differ, of a small log, one landmark after the other."""

from __future__ import annotations

import math
from datetime import date, timedelta
from itertools import pairwise
from statistics import mean, median, variance

from tests.oracles.analyses.features import Mark
from tests.oracles.analyses.log import Event, Log

FOLDS = 20
T = 2.093024054408263


def figures(
    log: Log, owns: dict[str, list[Event]], mark: Mark, days: int, gap: timedelta, revenue: tuple[str, ...]
) -> dict[str, float | None]:
    """The figures of one landmark, from everybody's own events; a kind that nobody of the log has done is not among them."""
    own = owns[mark.user]
    by_day = {day: [e for e in own if log.day(e.ts) == day] for day in sorted({log.day(e.ts) for e in own})}
    near = {day: events for day, events in by_day.items() if mark.day - timedelta(days=days) < day <= mark.day}
    before = [day for day in by_day if day < mark.day]
    first = own[0]
    censored = log.complete_from is not None and first.ts < log.complete_from
    bought = [e for events in near.values() for e in events if e.type in revenue]
    every = {e.type for events in owns.values() for e in events}
    return {
        "active_days": len(near),
        "events": sum(map(len, near.values())),
        "sessions": sum(1 + sum(b.ts - a.ts >= gap for a, b in pairwise(events)) for events in near.values()),
        "kinds": mean(len({e.type for e in events}) for events in near.values()),
        "purchases": len(bought),
        "revenue": sum(e.value or 0 for e in bought),
        "pause_days": (mark.day - before[-1]).days if before else None,
        "tenure_days": None if censored else (mark.day - log.day(first.ts)).days,
        **{f"days.{kind}": sum(any(e.type == kind for e in events) for events in near.values()) for kind in sorted(every)},
        "value": _mean([e.value for events in near.values() for e in events if e.value is not None]),
    }


def _mean(values: list[float]) -> float | None:
    return mean(values) if values else None


def standardised(retained: list[float], churned: list[float]) -> float | None:
    if min(len(retained), len(churned)) < 2:
        return None
    logs = [[math.copysign(math.log1p(abs(value)), value) for value in side] for side in (retained, churned)]
    spread = math.sqrt((variance(logs[0]) + variance(logs[1])) / 2)
    return None if spread < 1e-6 else (mean(logs[0]) - mean(logs[1])) / spread


def interval(sides: list[tuple[str, bool, float]], users: list[str]) -> tuple[float, float] | None:
    """By leaving out each twentieth of the people in turn; None where that cannot be done."""
    found = []
    for fold in range(FOLDS):
        rest = [one for one in sides if (users.index(one[0]) + 1) % FOLDS != fold]
        found.append(difference(rest))
    if any(one is None for one in found):
        return None
    known = [one for one in found if one is not None]
    deviation = math.sqrt((FOLDS - 1) / FOLDS * sum((one - mean(known)) ** 2 for one in known))
    whole = difference(sides)
    assert whole is not None
    return whole - T * deviation, whole + T * deviation


def difference(sides: list[tuple[str, bool, float]]) -> float | None:
    return standardised([value for _, silent, value in sides if not silent], [value for _, silent, value in sides if silent])


def middle(found: list[Mark]) -> date:
    first, last = min(mark.day for mark in found), max(mark.day for mark in found)
    return first + timedelta(days=(last - first).days // 2)


def of_side(sides: list[tuple[str, bool, float]], *, silent: bool) -> tuple[int, float | None]:
    """How many people, and the median of their landmarks."""
    values = [value for _, is_silent, value in sides if is_silent == silent]
    return len({user for user, is_silent, _ in sides if is_silent == silent}), median(values) if values else None
