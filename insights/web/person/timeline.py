"""What did somebody do? Their events as the page shows them, a page at a time, and what they said of us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from insights.asked.messages import Faulted, Told
from insights.words import Words
from stream.shown import visible

MOST = 50
"""Events on one page."""
PAGES = 2_000
"""Pages that can be turned to."""
LONGEST = 240
"""Characters of props that are shown of one event."""


class Event(NamedTuple):
    """One event: when, of which type, and what else is known of it as (name, value)."""

    when: str
    kind: str
    about: list[tuple[str, str]]


class Timeline(NamedTuple):
    """What the template shows.

    Attributes
    ----------
    why : str
        Why there are no events, in words; "".
    kinds : list of (value, text)
        Types of the person's events, with how many there are of each.
    newer, older : int or None
        Number of the page before and after.
    feedback : list of Event
        The newest things they said.
    zone : str
        In which times are said; "" where there are none.
    """

    why: str
    events: list[Event]
    kinds: list[tuple[str, str]]
    kind: str
    newer: int | None
    older: int | None
    feedback: list[Event]
    zone: str = ""


def nothing(why: str, kind: str = "") -> Timeline:
    """Return a timeline without events, which says why."""
    return Timeline(why, [], [], kind, None, None, [])


def timeline_of(found: Told | Faulted | None, kind: str, page: int, w: Words) -> Timeline:
    """Put it together; None if it was not read in time.

    Parameters
    ----------
    kind : str
        The type that is looked at; "" for all.
    page : int
        From 0 on.
    """
    if found is None:
        return nothing(w.t("person.events.slow"), kind)
    if isinstance(found, Faulted):
        return nothing(w.t("crowd.no_history") if found.reason == "no_history" else w.t(f"explore.{found.reason}"), kind)
    zone = ZoneInfo(found.as_of.zone)
    events = [_event(row, w, zone) for row in found.rows.dicts()]
    kinds = [(one, f"{visible(one)} · {w.number(n)}") for one, n in found.kinds]
    why = "" if events else w.t("person.events.none" if kind else "person.events.nothing")
    newer, older = page - 1 if page else None, page + 1 if found.more and page + 1 < PAGES else None
    return Timeline(why, events, kinds, kind, newer, older, [_event(row, w, zone) for row in found.feedback.dicts()], found.as_of.zone)


def _event(row: Mapping[str, Any], w: Words, zone: ZoneInfo) -> Event:
    at_ms = round(row["ts"].timestamp() * 1000)
    about = [(w.t(f"person.events.{name}"), visible(str(row[name]))) for name in ("channel", "item") if row[name]]
    if row["value"] is not None:
        about.append((w.t("person.events.value"), w.number(row["value"], 2 if row["value"] % 1 else 0)))
    return Event(f"{w.date(at_ms, zone)} {w.time(at_ms, zone, seconds=True)}", visible(row["type"]), about + _props(row["props"]))


def _props(text: str | None) -> list[tuple[str, str]]:
    """Return the props of an event; what is long is cut.

    >>> _props('{"plan": "pro", "n": 3, "of": {"a": [1]}}'), _props(None)
    ([('plan', 'pro'), ('n', '3'), ('of', '{"a":[1]}')], [])
    """
    try:
        props = msgspec.json.decode(text.encode()) if text else {}
    except (msgspec.DecodeError, UnicodeError):
        props = {}
    if not isinstance(props, dict):
        return []
    said = [(visible(name)[:60], value if isinstance(value, str) else msgspec.json.encode(value).decode()) for name, value in props.items()]
    return [(name, visible(value[:LONGEST]) + ("…" if len(value) > LONGEST else "")) for name, value in said[:20]]
