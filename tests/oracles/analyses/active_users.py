"""Active users of a day, by looking at every user and every day of the window."""

from __future__ import annotations

from datetime import date, timedelta

from tests.oracles.analyses.log import Log


def active_users(log: Log, day: date, width: int) -> tuple[int | None, str]:
    """How many were active in the `width` days that end with a day, and whether that is complete, open, or not to be known (none)."""
    first = log.first_day()
    window = [day - timedelta(days=back) for back in range(width)]
    if first is None or min(window) < first:
        return None, "none"
    users = {event.user for event in log.in_order() if log.is_active(event) and log.day(event.ts) in window}
    return len(users), "complete" if log.known(log.ends_at(day)) else "open"
