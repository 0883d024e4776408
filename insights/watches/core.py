"""When does a watch open, and when does it close? (state, readings) -> (state, events), whenever and however often somebody looks.

Each period is judged in its order and the newest one again, since it may have been restated; so what is told depends on the readings, not on when somebody looked.
A new watch begins with the newest period: what was out of bounds long ago is not told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from stream.settings.watches import Watch


class Reading(NamedTuple):
    """A watched number of one period.

    Attributes
    ----------
    cohort : str
        The period, by its first day; later ones sort behind.
    n : int
        Of how many people.
    """

    cohort: str
    value: float
    n: int


class Opened(msgspec.Struct, frozen=True):
    """What opened a watch."""

    alert_id: str
    cohort: str
    value: float


class State(msgspec.Struct, frozen=True):
    """What is remembered of a watch.

    Attributes
    ----------
    rule : str
        What was watched; "" before the first look.
    judged : str
        The newest period that was judged; "" if none was.
    number : int
        How often it has opened.
    opened : Opened or None
        None while it is closed.
    """

    rule: str = ""
    judged: str = ""
    number: int = 0
    opened: Opened | None = None


class Event(msgspec.Struct, frozen=True):
    """What is to be told: the value of a record of the topic `metric_alerts` (`metric_alert.schema.json`).

    Attributes
    ----------
    cause : str
        Of an opening its rule; of a closing `back` (within bounds again) or `changed` (another thing is watched now).
    before : float or None
        The number of the period before.
    """

    alert_id: str
    type: Literal["opened", "closed"]
    cause: str
    watch: str
    analysis: str
    parameters: dict[str, Any]
    metric: str
    cell: dict[str, Any]
    on: str
    rule: str
    bound: float
    cohort: str
    value: float
    n: int
    before: float | None
    opened_cohort: str


def judge(watch: Watch, state: State, series: Sequence[Reading]) -> tuple[State, list[Event]]:
    """Judge what is new.

    Parameters
    ----------
    series : sequence of Reading
        All that are complete, or all forecasts, by period.

    >>> watch = Watch(name="a", analysis="retention", metric="retention", rule="below", bound=0.2, least=10)
    >>> state, events = judge(watch, State(), [Reading("2026-03-02", 0.1, 50), Reading("2026-03-09", 0.3, 50)])
    >>> state, events = judge(watch, state, [Reading("2026-03-09", 0.3, 50), Reading("2026-03-16", 0.1, 50), Reading("2026-03-23", 0.1, 5)])
    >>> [(one.type, one.cohort) for one in events], state.opened is not None
    ([('opened', '2026-03-16')], True)
    """
    events: list[Event] = []
    rule = rule_of(watch)
    if state.rule != rule:
        if state.opened is not None:
            events.append(_event(watch, state.opened, "closed", "changed", Reading(state.opened.cohort, state.opened.value, 0), None))
        state = State(rule, number=state.number)
    for at, reading in enumerate(series):
        if reading.cohort < state.judged or (not state.judged and at < len(series) - 1):
            continue
        before = series[at - 1] if at else None
        is_out = out_of_bounds(watch, reading, before)
        if is_out is None:
            continue
        earlier = None if before is None else before.value
        if is_out and state.opened is None:
            number = state.number + 1
            opened = Opened(_id(watch.name, rule, str(number), reading.cohort), reading.cohort, reading.value)
            events.append(_event(watch, opened, "opened", watch.rule, reading, earlier))
            state = msgspec.structs.replace(state, number=number, opened=opened)
        elif not is_out and state.opened is not None:
            events.append(_event(watch, state.opened, "closed", "back", reading, earlier))
            state = msgspec.structs.replace(state, opened=None)
        state = msgspec.structs.replace(state, judged=reading.cohort)
    return state, events


def out_of_bounds(watch: Watch, now: Reading, before: Reading | None) -> bool | None:
    """Whether a number is out of bounds; None where that cannot be said: of too few people, or without a period before."""
    if now.n < watch.least:
        return None
    if watch.rule == "above":
        return now.value > watch.bound
    if watch.rule == "below":
        return now.value < watch.bound
    if before is None or before.n < watch.least or before.value <= 0:
        return None
    change = (now.value - before.value) / before.value
    return change >= watch.bound if watch.rule == "rises" else change <= -watch.bound


def rule_of(watch: Watch) -> str:
    """Name what is watched: another name means another thing. Whom it is told to is no part of it."""
    return _id(
        *(
            repr(one)
            for one in (
                watch.analysis,
                sorted(watch.parameters.items()),
                watch.metric,
                sorted(watch.cell.items()),
                watch.rule,
                watch.bound,
                watch.on,
                watch.least,
            )
        )
    )


def _event(watch: Watch, opened: Opened, kind: Literal["opened", "closed"], cause: str, reading: Reading, before: float | None) -> Event:
    return Event(
        opened.alert_id, kind, cause, watch.name, watch.analysis, dict(watch.parameters), watch.metric, dict(watch.cell), watch.on, watch.rule,
        watch.bound, reading.cohort, reading.value, reading.n, before, opened.cohort,
    )  # fmt: skip


def _id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
