"""What is one of Segment's calls as an event of ours? Fields are taken from where a Segment export has them, so that a file and HTTP give the same event.

What cannot be taken over stays as it is: whoever judges the event says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any
from unicodedata import normalize

import msgspec

from features.files.judgement import IDS, NOTHING
from features.files.shapes import SHAPES

SEGMENT = next(shape for shape in SHAPES if shape.name == "Segment")
_PLACES = {field: tuple(tuple(place.split(".")) for place in places) for field, places in SEGMENT.places.items()}
ALIAS = "alias"
_encode = msgspec.json.Encoder().encode


def event_of(call: bytes, sent_at: Any = None) -> bytes:
    """Return a call as the payload of a click.

    Parameters
    ----------
    call : bytes
        One element of the batch, as JSON.
    sent_at : str, optional
        ``sentAt`` of the batch: the time of a call that has none.

    >>> event_of(b'{"type": "track", "event": "Order", "userId": 7, "timestamp": "2026-03-14T09:00:00Z", "properties": {"revenue": "9.5"}}')
    b'{"user":"7","ts":"2026-03-14T09:00:00Z","type":"Order","value":9.5,"props":{"revenue":"9.5"}}'
    >>> event_of(b'{"type": "alias", "previousId": "a-1", "userId": "ann", "timestamp": "2026-03-14T09:00:00Z"}')
    b'{"user":"ann","ts":"2026-03-14T09:00:00Z","type":"alias","props":{"previous_id":"a-1"}}'
    """
    try:
        given = msgspec.json.decode(call)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return call
    if not isinstance(given, dict):
        return call
    if sent_at is not None:
        given.setdefault("sentAt", sent_at)
    event = {field: found for field, places in _PLACES.items() if (found := _first(given, places)) is not None}
    for kind, place in SEGMENT.instead:
        if event.get("type") == kind and (true := _first(given, ((place,),))) is not None:
            event["type"] = true
    made = {field: _READ.get(field, _as_it_is)(value) for field, value in event.items()}
    if made.get("type") == ALIAS and (previous := _as_id(given.get("previousId"))) is not None:
        # a call of this type keeps the earlier id beside its user, an event in its props
        made["props"] = {**(made["props"] if isinstance(made.get("props"), dict) else {}), "previous_id": previous}
    return _encode({field: value for field, value in made.items() if value is not None})


def name_of(field: str | None) -> str | None:
    """Return what Segment calls a field of ours.

    >>> name_of("user"), name_of("value"), name_of(None)
    ('userId', 'properties.revenue', None)
    """
    return None if field is None else SEGMENT.places.get(field, (field,))[0]


def _first(call: dict[str, Any], places: tuple[tuple[str, ...], ...]) -> Any:
    """Return what stands at the first place that is filled."""
    for place in places:
        found: Any = call
        for name in place:
            found = found.get(name) if isinstance(found, dict) else None
        if found is not None and found != "":
            return found
    return None


def _as_it_is(value: Any) -> Any:
    return value


def _as_id(value: Any) -> Any:
    """Return an id as files have it: a whole number as text, blanks at both ends removed, characters composed (NFC)."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return normalize("NFC", value.strip()) if isinstance(value, str) else value


def _as_event_id(value: Any) -> Any:
    """Return an event id; nothing for a word that means nothing, or else the second event with it would be a repeat of the first."""
    found = _as_id(value)
    return None if isinstance(found, str) and found.lower() in NOTHING else found


def _as_number(value: Any) -> Any:
    """Return a number that stands in a text as a number; nothing for a word that means nothing, and for a number that is not finite."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.lower() in NOTHING:
        return None
    try:
        number = float(text)
    except ValueError:
        return value
    return number if isfinite(number) else None


_READ: Mapping[str, Callable[[Any], Any]] = {**dict.fromkeys(IDS, _as_id), "event_id": _as_event_id, "value": _as_number}
"""How the value of a field is read; any other is taken as it is."""
