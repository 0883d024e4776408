"""What people said and did of a small log, one by one."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from tests.oracles.analyses.log import Log


class Voice(NamedTuple):
    """One person by their first feedback with a score, else by their first."""

    user: str
    score: float | None
    group: str
    was_there: bool
    over: bool
    came: bool


def voices(log: Log, horizon: timedelta) -> list[Voice]:
    found = []
    for user in sorted({event.user for event in log.events}):
        own = [event for event in log.in_order() if event.user == user]
        given = [event for event in own if event.type == "feedback"]
        if not given:
            continue
        first = next((event for event in given if event.value is not None), given[0])
        active = [event.ts for event in own if log.is_active(event)]
        found.append(
            Voice(
                user,
                first.value,
                first.props.get("plan", "") or "(none)",
                any(first.ts - horizon < at <= first.ts for at in active),
                log.watermark is not None and first.ts + horizon < log.watermark,
                any(first.ts < at <= first.ts + horizon for at in active),
            )
        )
    return found
