"""What does the past add to the page? Days of alerts, who came back, how right it was, and the lines of those shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from features.definitions.definition import DAY_MS, ChurnDefinition
from insights.past.past import Past
from insights.past.rows import CameBack, DayOfAlerts, JudgedBand

LINE_DAYS = 14
"""Days of a person's line."""
OVER_DAYS = 42
"""Days of the chart of people at risk over time."""
BACK_DAYS, RIGHT_DAYS = 30, 60
"""Days over which it is counted who came back, and how right alerts were: those whose time was up in these days."""


class Before(NamedTuple):
    """What the past says, by one definition.

    Attributes
    ----------
    days : list of DayOfAlerts
        The last weeks, the present day last.
    back : CameBack
    judged : list of JudgedBand
    lines : mapping
        The risk of each of the last 14 days, the oldest first, by person.
    """

    days: list[DayOfAlerts]
    back: CameBack
    judged: list[JudgedBand]
    lines: Mapping[str, Sequence[float | None]]


def look_back(past: Past, definition: ChurnDefinition, lateness_ms: int, as_of_ms: int, is_open: int, users: Sequence[str]) -> Before:
    """Ask the past.

    Parameters
    ----------
    lateness_ms : int
        Allowed lateness, ms: an alert's time is up so long after its horizon.
    as_of_ms : int
        The events' present time, ms.
    is_open : int
        How many alerts are open by the board: the present day's count, so that chart and figure cannot disagree.
    users : sequence of str
        Whose lines are shown.
    """
    name = definition.name
    up_ms = as_of_ms - lateness_ms - definition.horizon_ms  # the time of what was flagged before this is up
    today = past.day_of(as_of_ms)
    *days, now = past.open_by_day(name, today - OVER_DAYS + 1, today)
    lines = past.risk_lines(users, name, LINE_DAYS, as_of_ms) if users else {}
    return Before(
        days=[*days, replace(now, open_at_end=is_open)],
        back=back_of(past, definition, lateness_ms, as_of_ms),
        judged=past.how_right(name, up_ms - RIGHT_DAYS * DAY_MS, as_of_ms),
        lines={user: by_day(line, as_of_ms) for user, line in lines.items()},
    )


def back_of(past: Past, definition: ChurnDefinition, lateness_ms: int, as_of_ms: int) -> CameBack:
    """Return how many came back of the alerts whose time was up of late; see `look_back`."""
    up_ms = as_of_ms - lateness_ms - definition.horizon_ms
    return past.came_back_share(definition.name, up_ms - BACK_DAYS * DAY_MS, up_ms)


def by_day(line: Sequence[tuple[int, float]], as_of_ms: int) -> list[float | None]:
    """Return a line of stated risks, (landmark in ms, risk), as one value for each of the last days, the oldest first.

    >>> by_day([(DAY_MS * 9, 0.5), (DAY_MS * 10, 0.75)], DAY_MS * 10)[-3:]
    [None, 0.5, 0.75]
    """
    days: list[float | None] = [None] * LINE_DAYS
    for landmark_ms, risk in line:
        ago = (as_of_ms - landmark_ms) // DAY_MS
        if 0 <= ago < LINE_DAYS:
            days[LINE_DAYS - 1 - ago] = risk
    return days
