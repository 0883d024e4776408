"""Who was invited by whom in a small log, and on which days they were there, one by one."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from tests.oracles.analyses.log import SYSTEMS, Log


class Followed(NamedTuple):
    user: str
    role: str
    entered: date
    days: frozenset[date]
    invited: int


def followed(log: Log) -> list[Followed]:
    """Whoever the prop `by` of somebody's first event names has invited them."""
    own = {user: [event for event in log.in_order() if event.user == user] for user in sorted({event.user for event in log.events})}
    days = {user: frozenset(log.day(event.ts) for event in events if log.is_active(event)) for user, events in own.items()}
    found, invited = [], dict[str, list[date]]()
    for user, events in own.items():
        seen = [event.ts for event in events if event.type not in SYSTEMS]
        if not days[user] or (log.complete_from is not None and min(seen) < log.complete_from):
            continue
        by, entered = events[0].props.get("by", ""), min(days[user])
        if by and by != user:
            invited.setdefault(by, []).append(entered)
        found.append(Followed(user, "invited" if by and by != user else "others", entered, days[user], 0))
    return found + [Followed(user, "inviters", min(came), days[user], len(came)) for user, came in invited.items() if days.get(user)]
