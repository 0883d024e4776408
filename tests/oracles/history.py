"""What a history must hold, said plainly: each event once a day, in the order in which events came; the first of equals stays."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
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
