"""Looks at each watch, keeps how it stands, and lets its events go out. Several processes may do so over one store."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from insights.analyses.plain import Entry
from insights.asked.questions import entry_named, read
from insights.store import watching
from insights.store.watching import Kept
from insights.watches.core import Event, State, judge
from insights.watches.readings import readings_of
from insights.web.parts import Parts
from stream.faults import UsageFault
from stream.settings.watches import Watch

log = logging.getLogger(__name__)

_STATE = msgspec.json.Decoder(State)
EVENT = msgspec.json.Decoder(Event)
KEPT_MS = 400 * 86_400_000


class Looked(NamedTuple):
    """What a look at one watch found.

    Attributes
    ----------
    events : list of Event
    trouble : str
        Why it could not be judged, in English; "" if it was.
    """

    watch: Watch
    state: State
    events: list[Event]
    trouble: str = ""


def state_of(found: Kept | None) -> State:
    """Return a state as it was kept."""
    return State() if found is None else _STATE.decode(found.state)


def check(watch: Watch, entry: Entry) -> None:
    """Judge what a watch asks.

    Raises
    ------
    UsageFault
        Its parameters, metric or cell are none of the analysis.
    """
    where = f"the watch {watch.name!r}"
    try:
        read(entry, watch.parameters)
    except UsageFault as error:
        raise UsageFault(f"{where} asks {watch.analysis} what it does not take: {error}") from None
    metrics = [one.name for one in entry.metrics]
    if watch.metric not in metrics:
        raise UsageFault(f"{where}: {watch.analysis} has no metric {watch.metric!r}; there are: {', '.join(metrics)}")
    columns = {"k", "group", *(name for name, _ in entry.columns)}
    for name in watch.cell:
        if name not in columns:
            raise UsageFault(f"{where}: {watch.analysis} has no {name!r} to choose a cell by; there are: {', '.join(sorted(columns))}")


def check_all(parts: Parts) -> None:
    """Judge all watches; see `check`. Without a history nothing can be asked, and nothing is judged."""
    if parts.settings.watches and parts.asked.has_history:
        catalog = parts.asked.catalog()
        for watch in parts.settings.watches:
            check(watch, entry_named(watch.analysis, catalog))


def look(parts: Parts, watch: Watch, *, wait_s: float = 0.0) -> Looked:
    """Look at one watch: what it says is kept before it is told."""
    with parts.store.read() as db:
        before = watching.kept(db, watch.name)
    state = state_of(before)
    answer = parts.asked.look(watch.analysis, watch.parameters, persons=False, wait_s=wait_s)
    if answer.result is None:
        return Looked(watch, state, [], answer.words or "it is being computed")
    known = answer.result.as_of
    if known.watermark is None:
        return Looked(watch, state, [], "there is no event yet")
    day = datetime.fromtimestamp(known.watermark.timestamp(), ZoneInfo(known.zone)).date().isoformat()
    try:
        series = readings_of(watch, answer.result.rows.dicts(), day)
    except UsageFault as error:
        return Looked(watch, state, [], str(error))
    after, events = judge(watch, state, series)
    if after != state or before is None:
        bodies = [msgspec.json.encode(one).decode() for one in events]
        with parts.store.write() as db:
            if not watching.keep(
                db, watch.name, 0 if before is None else before.version, msgspec.json.encode(after).decode(), bodies, parts.now_ms()
            ):
                return Looked(watch, state, [], "another process looked at the same time")
    return Looked(
        watch, after, events, "" if series else "there is no complete period yet" if watch.on == "complete" else "there is no forecast yet"
    )


def look_at_all(parts: Parts, *, wait_s: float = 0.0) -> list[Looked]:
    """Look at all watches."""
    found = [look(parts, one, wait_s=wait_s) for one in parts.settings.watches]
    with parts.store.write() as db:
        watching.forget(db, parts.now_ms() - KEPT_MS)
    return found


def standing(parts: Parts) -> list[tuple[Watch, State, int]]:
    """Return how each watch stands as it was last kept, and when that was, ms; 0 for never."""
    with parts.store.read() as db:
        kept: Sequence[tuple[Watch, Kept | None]] = [(one, watching.kept(db, one.name)) for one in parts.settings.watches]
    return [(watch, state_of(one), 0 if one is None else one.looked_ms) for watch, one in kept]
