"""When is a user usually there? What their record knows of days, hours and how many events a day, as people read it; nothing of it is guessed.

A record keeps a map of active days and not their hours, and of the hours of the day only where they gather (their mean direction on the clock).
So the map can be drawn as a calendar, and the hours as one usual hour with how regular it is, but not as a table of hours by weekday.
"""

from __future__ import annotations

from math import atan2, pi
from typing import Any

import msgspec

from features.definitions.calendar import offset_at, zone_table
from features.definitions.definition import DAY_MS
from features.users.state import DAY_HOPS, NEVER

MAP_DAYS = 64
"""Days that the map of active days covers."""
COUNT_DAYS = DAY_HOPS - 1
"""Whole days for which events are counted by day."""


class Habits(msgspec.Struct, frozen=True):
    """When a user is usually there. Days are numbered from 1970-01-01, which is 0.

    Attributes
    ----------
    today : int
        The day, in the zone of the feature spec, for which this is stated.
    active_days : tuple of int
        Days in that zone with activity of the first definition, oldest first; of the last `MAP_DAYS` days, today included.
    known_from : int
        First day of these that the user can have been active on: the day of their first event, or the oldest of the map.
    events_by_day : tuple of int
        Events on each of the last `COUNT_DAYS` days of UTC, oldest first; the last one is the day for which this is stated.
    usual_hour : float or None
        Time of the day around which their events gather, in hours of that zone, 0 to 24; None where they gather nowhere.
    regularity : float
        How closely they gather there: 0 for evenly over the day, 1 for always in the same hour. Older events weigh less (half-life 30 days).
    """

    today: int
    active_days: tuple[int, ...]
    known_from: int
    events_by_day: tuple[int, ...]
    usual_hour: float | None
    regularity: float


def habits_of(state: Any, at_ms: int, timezone: str) -> Habits:
    """Return what a state record knows of a user's habits.

    Parameters
    ----------
    state : record of `features.users.state.state_dtype`
    at_ms : int
        Time to state them for, ms; at least the record's `seen_ms`.
    timezone : str
        IANA name, as in the feature spec.
    """
    zone = zone_table(timezone)
    today = (at_ms + int(offset_at(*zone, at_ms))) // DAY_MS
    first_ms = int(state["first_ms"])
    joined = today if first_ms == NEVER else (first_ms + int(offset_at(*zone, first_ms))) // DAY_MS
    oldest = today - MAP_DAYS + 1
    head, bits = int(state["day_head"]), int(state["day_map"]) if state["active_days"] else 0
    active = [head - back for back in range(MAP_DAYS - 1, -1, -1) if bits >> back & 1 and head - back >= oldest]
    hour, regularity = _usual_hour(state)
    return Habits(today, tuple(active), max(oldest, joined), _events_by_day(state, at_ms // DAY_MS), hour, regularity)


def _events_by_day(state: Any, today: int) -> tuple[int, ...]:
    if state["seen_ms"] == NEVER:  # all events so far were late, and late ones are not counted by day
        return (0,) * COUNT_DAYS
    newest = int(state["seen_ms"]) // DAY_MS
    kept = range(newest - DAY_HOPS + 1, newest + 1)
    return tuple(int(state["day"][day % DAY_HOPS]) if day in kept else 0 for day in range(today - COUNT_DAYS + 1, today + 1))


def _usual_hour(state: Any) -> tuple[float | None, float]:
    """Return the mean direction of the hours on the clock, and the length of the mean vector (Mardia and Jupp, Directional Statistics, 2.2)."""
    cos, sin, weight = float(state["hour_cos"]), float(state["hour_sin"]), float(state["decayed"][2])
    length = (cos * cos + sin * sin) ** 0.5
    if weight <= 0 or length <= 1e-6 * weight:
        return None, 0.0
    # an event counts as at the beginning of its hour; on average it was half an hour later
    return (atan2(sin, cos) * 12 / pi + 0.5) % 24, min(1.0, length / weight)
