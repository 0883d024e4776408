"""Why a record was rejected, in the words of whoever sends it. One table says what such a payload usually is; its first row that fits is used.

A cause never holds text of the payload: it is shown in terminals and counted.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from features.events.event import WORDS, Reason
from stream.shard.dead_letters import DeadLetter

ALIASES: Mapping[str, tuple[str, ...]] = {
    "user": ("user_id", "userId", "uid", "customer_id", "customerId", "visitorid", "visitor_id", "distinct_id", "anonymousId", "client_id"),
    "ts": ("timestamp", "time", "event_time", "eventTime", "event_timestamp", "created_at", "createdAt", "occurred_at", "date"),
    "type": ("event", "event_type", "eventType", "event_name", "eventName", "name", "action"),
}
"""Field of ours -> names under which other systems send it."""
_TEXTS = ("user", "type", "event_id", "session", "item", "channel")
_LABELS = {
    "label_invalid": "no label as README shows it, or one that is known before its landmark",
    "label_definition": "names no definition of kind external: its name is another, or the trainer has not been restarted with it",
}


class Seen(NamedTuple):
    """A letter as the table looks at it."""

    reason: str
    field: str | None
    payload: bytes
    """Its first KiB."""
    event: Mapping[str, Any]
    """The payload where it is a JSON object and was kept whole, else empty."""

    @property
    def value(self) -> Any:
        """What stands in the field to blame."""
        return self.event.get(self.field or "")


class Cause(NamedTuple):
    """One row of the table: whether it fits a letter, and what it says then."""

    fits: Callable[[Seen], bool]
    words: str


def _begins(*marks: bytes) -> Callable[[Seen], bool]:
    return lambda one: one.payload.startswith(marks)


def _is(reason: str, field: str | None = None, kind: type | tuple[type, ...] = object) -> Callable[[Seen], bool]:
    """Whether the reason is this one, and so is the field where one is given, and the value there is of this type."""
    return lambda one: one.reason == reason and field in {None, one.field} and isinstance(one.value, kind)


def _time(low: float, high: float) -> Callable[[Seen], bool]:
    return lambda one: one.field == "ts" and isinstance(one.value, int | float) and low <= one.value < high


def _text(fits: Callable[[bytes], bool], *reasons: str) -> Callable[[Seen], bool]:
    return lambda one: one.reason in reasons and fits(one.payload.strip())


def _renamed(field: str, alias: str) -> Callable[[Seen], bool]:
    return lambda one: one.reason == "missing_field" and one.field == field and alias in one.event


_UNREADABLE = ("not_json", "not_utf8", "wrong_type", "not_finite")
CAUSES: tuple[Cause, ...] = (
    Cause(
        lambda one: one.payload[:1] == b"\0" and one.payload[5:6] in (b"{", b"["),
        "JSON behind a magic byte 0 and a schema id: JSON Schema framing of a schema registry; send plain JSON",
    ),
    Cause(
        lambda one: one.payload[:1] == b"\0" and len(one.payload) > 4,
        "a magic byte 0 and a schema id: Avro or Protobuf of a schema registry; send plain JSON (in Kafka Connect: JsonConverter without schemas)",
    ),
    Cause(_begins(b"Obj\x01"), "an Avro file: send one JSON object a record"),
    Cause(
        _begins(b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh"), "compressed by hand: send plain JSON and set compression.type of the producer"
    ),
    Cause(_begins(b"\xef\xbb\xbf"), "begins with a byte order mark: write UTF-8 without one"),
    Cause(_begins(b"\xff\xfe", b"\xfe\xff"), "UTF-16: write UTF-8"),
    Cause(lambda one: one.reason == "not_utf8", "another encoding, such as Latin-1: write UTF-8"),
    Cause(
        _text(lambda text: b"}\n{" in text or b"}{" in text or b"}\r\n{" in text, "not_json"),
        "several events in one record: send each as its own",
    ),
    Cause(_text(lambda text: text[:1] == b"[", *_UNREADABLE), "a list of events in one record: send each as its own"),
    Cause(_text(lambda text: text[:2] == b'"{', "wrong_type"), "JSON in a JSON text: it was encoded twice"),
    Cause(_text(lambda text: b"{'" in text, "not_json"), "single quotes: a printed Python object, no JSON"),
    Cause(
        _text(lambda text: b"{" not in text and b"," in text, "not_json"),
        "a line of CSV: send JSON, or load the file with `churnwatch ingest`",
    ),
    Cause(_text(lambda text: text[:1] == b"{" and text[-1:] != b"}", "not_json"), "JSON that was cut off"),
    Cause(_is("not_json"), "no JSON"),
    Cause(_is("not_finite"), "NaN or Infinity, which JSON does not know, or a number that is too large: leave the field out"),
    Cause(
        lambda one: one.reason == "missing_field" and ("payload" in one.event or {"before", "after", "op"} <= one.event.keys()),
        "an envelope of Debezium or Kafka Connect: unwrap it (ExtractNewRecordState, value.converter.schemas.enable=false)",
    ),
    *(
        Cause(_renamed(field, alias), f"sent under another name, {alias}: name it {field}")
        for field, aliases in ALIASES.items()
        for alias in aliases
    ),
    Cause(_is("missing_field"), "the field is not there"),
    Cause(_is("wrong_type", None, type(None)), "null, or no object of fields: leave the event out where it has no value"),
    Cause(_is("wrong_type", "ts", float), "a time with a fraction: write whole milliseconds"),
    Cause(
        lambda one: _is("wrong_type", "ts", str)(one) and one.value.strip().replace(".", "", 1).isdigit(),
        "a time as a number in quotes: leave the quotes out",
    ),
    Cause(_is("wrong_type", "ts", str), "a time without its zone, or in words of its own: write 2024-02-29T12:00:00Z, or milliseconds"),
    Cause(_is("wrong_type", "value", str), "text where a number is asked: no quotes, no currency, no separator of thousands"),
    Cause(
        lambda one: (
            one.reason == "wrong_type" and one.field in _TEXTS and isinstance(one.value, int | float) and not isinstance(one.value, bool)
        ),
        "a number where text is asked: put it in quotes",
    ),
    Cause(_is("wrong_type"), "a nested value, or true or false, where a text or a number is asked"),
    Cause(lambda one: one.reason == "ts_implausible" and one.value == 0, "0: the time was never set"),
    Cause(_time(1e8, 1e11), "seconds since the epoch: write milliseconds"),
    Cause(_time(1e17, float("inf")), "nanoseconds since the epoch: write milliseconds"),
    Cause(_time(1e14, 1e17), "microseconds since the epoch: write milliseconds"),
    Cause(_is("ts_implausible"), "a clock that was never set, or an old log (then set features.oldest)"),
    Cause(_is("future"), "the producer's clock is ahead, or the broker's is behind"),
    Cause(_is("late"), "came later than features.lateness allows: kept back by a device, sent out of order, or an old file"),
)


def usual_cause(letter: DeadLetter) -> str:
    """Say what a payload like that of a letter usually is.

    >>> from stream.shard.dead_letters import dead_letter, decode_dead_letter
    >>> usual_cause(decode_dead_letter(dead_letter(0, 7, Reason.wrong_type, 5, b'{"user": 7, "ts": 1, "type": "c"}').value))
    'a number where text is asked: put it in quotes'
    """
    if letter.reason in _LABELS:
        return _LABELS[letter.reason]
    payload = b"" if letter.payload is None else base64.b64decode(letter.payload)
    seen = Seen(letter.reason, letter.field, payload, _object(payload))
    found = next((cause.words for cause in CAUSES if cause.fits(seen)), None)
    return found or WORDS[Reason[letter.reason]]


def _object(payload: bytes) -> Mapping[str, Any]:
    try:
        whole = msgspec.json.decode(payload)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return {}
    return whole if isinstance(whole, dict) else {}
