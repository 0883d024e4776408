"""What a history must hold, said plainly: each event once a day, in the order in which events came; the first of equals stays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Event = tuple[str, int, str, str | None]
"""User, time in ms since the epoch, type, event id."""


def day_of(ts_ms: int, zone: str) -> date:
    return datetime.fromtimestamp(ts_ms / 1000, UTC).astimezone(ZoneInfo(zone)).date()


def kept(events: Iterable[Event], zone: str) -> list[Event]:
    """Return the events that stay; one without an id is never a repeat."""
    seen: set[tuple[str, str, date]] = set()
    found = []
    for user, ts_ms, kind, event_id in events:
        key = (user, event_id or "", day_of(ts_ms, zone))
        if event_id is not None and key in seen:
            continue
        seen.add(key)
        found.append((user, ts_ms, kind, event_id))
    return found


class Row(NamedTuple):
    """An event as the history keeps it: `Event`, with what the derived tables need."""

    user: str
    ts_ms: int
    kind: str
    channel: str | None
    value: float | None
    place: tuple[int, int, str]
    """Part, offset and event id."""
    props: dict[str, Any] | None = None


def user_days(rows: Iterable[Row], zone: str, gap_ms: int, revenue: Sequence[str], reserved: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return user, day, channel, events, sessions, types, purchases, revenue, first and last time (ms) of each user's days."""
    by: dict[tuple[str, date], list[Row]] = {}
    for row in rows:
        if row.kind not in reserved:
            by.setdefault((row.user, day_of(row.ts_ms, zone)), []).append(row)
    found = []
    for (user, day), many in sorted(by.items()):
        many.sort(key=lambda row: (row.ts_ms, row.place))
        times = [row.ts_ms for row in many]
        sessions = 1 + sum(after - before >= gap_ms for before, after in pairwise(times))
        money = [row.value or 0.0 for row in many if row.kind in revenue]
        types = sorted({row.kind for row in many})
        found.append((user, day, many[0].channel, len(many), sessions, types, len(money), sum(money), times[0], times[-1]))
    return found


def users(days: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return user, first day, first time (ms), channel, last day, events, purchases and revenue of each user."""
    by: dict[str, list[tuple[Any, ...]]] = {}
    for row in days:
        by.setdefault(row[0], []).append(row)
    return [
        (user, many[0][1], many[0][8], many[0][2], many[-1][1], *(sum(row[at] for row in many) for at in (3, 6, 7)))
        for user, many in sorted(by.items())
    ]


def traits(rows: Iterable[Row]) -> list[tuple[str, str, str, int]]:
    """Return user, name, newest value and its time (ms) of all that was told of users."""
    newest: dict[tuple[str, str], tuple[str, int]] = {}
    for row in sorted(rows, key=lambda row: (row.ts_ms, row.place)):
        for name, value in (row.props or {}).items() if row.kind == "identify" else ():
            if value not in {None, ""}:
                newest[row.user, name] = (str(value), row.ts_ms)
    return sorted((*who, *told) for who, told in newest.items())
