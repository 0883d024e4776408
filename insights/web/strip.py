"""How is the state of the page said? A strip above the page, and a few words at the foot of the rail: what is so, what happens next, and when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import NamedTuple

from markupsafe import Markup

from insights.charts.small import meter
from insights.live.state import Kind, State, Tone
from insights.words import Words
from stream.settings import Settings

DAY_ONE: frozenset[Kind] = frozenset({"no_worker", "no_events"})
"""States in which pages about people have nothing to show but what will come."""
COMMANDS: frozenset[Kind] = frozenset({"no_worker", "no_events", "rejected", "stopped", "no_trainer", "unreadable"})
"""States that one command mends."""


class Meter(NamedTuple):
    """How far something has come: drawn, and in words."""

    drawn: Markup
    words: str


class Strip(NamedTuple):
    """A state in one language.

    Attributes
    ----------
    kind, tone : str
    title : str
        What is so; empty when all is well, and then there is no strip.
    body, next : str
        What it means, and what happens next.
    command : str
        What mends it; empty where no command does.
    dot : str
        A few words for the foot of the rail.
    meter : Meter or None
    day_one : bool
        Whether pages about people show what will come in place of nothing.
    """

    kind: Kind
    tone: Tone
    title: str
    body: str
    next: str
    command: str
    dot: str
    meter: Meter | None
    day_one: bool


def strip_of(state: State, w: Words, zone: tzinfo, now_ms: int) -> Strip:
    """Say a state.

    Parameters
    ----------
    zone : tzinfo
        In which times are said.
    now_ms : int
        The clock on the wall, ms.
    """
    kind, values = state.kind, _values(state, w, zone, now_ms)
    dot = w.t(f"state.{_dot(state)}", **values)
    command = w.t(f"state.{kind}.command") if kind in COMMANDS else ""
    if kind == "well":
        return Strip(kind, state.tone, "", "", "", command, dot, None, day_one=False)
    body = _body(state)
    return Strip(
        kind,
        state.tone,
        w.t(f"state.{kind}", **values),
        w.t(f"state.{kind}.{body}", **values),
        w.t(f"state.{kind}.{_next(state)}", **values),
        command,
        dot,
        _meter(state, w),
        kind in DAY_ONE,
    )


def _dot(state: State) -> str:
    if state.kind == "well" and state.learning.pinned:
        return "well.dot.pinned"
    return "well.dot.rule" if state.kind == "well" and state.learning.rule else f"{state.kind}.dot"


def _body(state: State) -> str:
    if state.kind == "redis" and not state.answered_ms:
        return "body.never"
    return "body.none" if state.kind == "warming" and not state.learning.left + state.learning.stayed else "body"


def _next(state: State) -> str:
    if state.kind not in {"behind", "warming"}:
        return "next"
    if state.until_ms is None:
        return "next.unknown"
    first = state.kind == "warming" and not state.learning.left + state.learning.stayed
    return "next.first" if first else "next"


def _values(state: State, w: Words, zone: tzinfo, now_ms: int) -> Mapping[str, object]:
    learning, until_ms = state.learning, state.until_ms
    counted = {"behind": state.waiting, "stopped": state.waiting, "rejected": state.records, "no_trainer": learning.left + learning.stayed}
    return {
        "n": counted.get(state.kind, 0),
        "as_of": w.t("not known yet") if state.as_of_ms is None else w.moment(state.as_of_ms, zone),
        "answered": w.moment(state.answered_ms, zone),
        "until": "" if until_ms is None else w.time(until_ms, zone),
        "date": "" if until_ms is None else w.date(until_ms, zone),
        "duration": w.duration((max(0, (until_ms or now_ms) - now_ms) if state.kind == "behind" else state.quiet_ms) / 1000),
        "left": learning.left,
        "stayed": learning.stayed,
        "needed": learning.needed,
        "version": str(learning.version),
        "shards": w.list_of(map(str, state.unreadable)),
    }


def _meter(state: State, w: Words) -> Meter | None:
    if state.kind != "warming":
        return None
    have, need = state.learning.scarcer, state.learning.needed
    return Meter(meter(have, need), w.t("state.warming.meter", have=have, need=need))


def coming_of(settings: Settings, w: Words) -> list[tuple[str, str]]:
    """Return what appears when, from the first event on: (when, what) in order."""
    horizon = w.duration((settings.definitions[0].horizon_ms + settings["features.lateness"]) / 1000)
    values = {"horizon": horizon, "n": settings["learning.min_labels"]}
    return [(w.t(f"day_one.{step}", **values), w.t(f"day_one.{step}.is")) for step in ("seconds", "day", "silence", "horizon", "enough")]
