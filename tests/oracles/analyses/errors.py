"""Errors met at steps of a small log, one event after the other."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from tests.oracles.analyses.log import SYSTEMS, Event, Log


class Stay(NamedTuple):
    """One time a step was done."""

    user: str
    event: str
    day: date
    met: bool
    latency: float | None


def stays(log: Log, steps: tuple[str, ...], errors: tuple[str, ...], within: timedelta) -> list[Stay]:
    """Steps and errors are types; without steps any type is one that is no error."""

    def is_step(event: Event) -> bool:
        return event.type in steps if steps else event.type not in SYSTEMS and event.type not in errors

    found = []
    for user in sorted({event.user for event in log.events}):
        own = [event for event in log.in_order() if event.user == user]
        for at, event in enumerate(own):
            if not is_step(event):
                continue
            met = event.props.get("error", "") not in {"", "0", "false"} or event.type in errors
            for later in own[at + 1 :]:
                if is_step(later):
                    break
                met = met or (later.type in errors and later.ts - event.ts <= within)
            try:
                latency = float(event.props["latency_ms"])
            except (KeyError, ValueError):
                latency = None
            found.append(Stay(user, event.type, log.day(event.ts), met, latency))
    return found
