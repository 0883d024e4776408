"""Who is in a segment, from the plain list of events: every condition asked of every user; and the log in which nobody else ever came."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from tests.oracles.analyses.log import SYSTEMS, Event, Log

SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip


def meets(log: Log, user: str, condition: tuple[str, str, Any]) -> bool:
    """Whether a user meets a condition: field, sign, value."""
    field, sign, wanted = condition
    theirs = [event for event in log.in_order() if event.user == user and event.type not in SYSTEMS]
    if not theirs:
        return False  # only what somebody did makes them a user
    return SIGNS[sign](_value(log, user, theirs, field), wanted)


def _value(log: Log, user: str, theirs: list[Event], field: str) -> Any:
    days: list[date] = [log.day(event.ts) for event in theirs]
    paid = [event for event in theirs if event.type == "purchase"]
    now = log.watermark
    if field.startswith("traits."):
        return traits(log).get((user, field[7:]))
    if now is None and field in {"tenure_days", "recency_s"}:
        return float("nan")
    return {
        "channel": theirs[0].channel or "none",
        "purchases": len(paid),
        "revenue": sum(event.value or 0.0 for event in paid),
        "count_total": len(theirs),
        "active_days_total": len(set(days)),
        "tenure_days": None if now is None else (now - theirs[0].ts).total_seconds() / 86_400,
        "recency_s": None if now is None else (now - theirs[-1].ts).total_seconds(),
        "first_day": min(days),
        "last_day": max(days),
    }[field]


def traits(log: Log) -> dict[tuple[str, str], str]:
    """The newest value of each trait that an `identify` event told."""
    return {(event.user, name): value for event in log.in_order() if event.type == "identify" for name, value in event.props.items()}


def segment(log: Log, rule: list[tuple[str, str, Any]]) -> set[str]:
    return {user for user in {event.user for event in log.events} if all(meets(log, user, one) for one in rule)}


def only(log: Log, users: set[str]) -> Log:
    return replace(log, events=[event for event in log.events if event.user in users])
