"""One click event: what is accepted, and the one reason for which anything else is rejected.

The published schema is `event.schema.json`. A payload is judged by itself and its record's own timestamp, and by nothing else, so that a replay
rejects the same records.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import msgspec
import numpy as np

from features.definitions.reason import Reason as Reason  # noqa: PLC0414 - handed on, because whoever decodes looks for it here; mypy needs the alias for that

MAX_PAYLOAD_BYTES = 65_536
MAX_USER_BYTES = 256
MAX_DEPTH = 64
"""How deep a payload may be nested. We set a limit, because the decoder's depends on how deep the Python stack happens to be."""
PLAIN_BYTES = 2 * MAX_DEPTH
"""A payload with fewer bytes cannot be nested too deep, because each level takes two brackets."""
MAX_FUTURE_MS = 5 * 60_000
MAX_TS_MS = 4_102_444_800_000
"""2100-01-01 in milliseconds since the epoch; event times run from 0 (1970) to here."""


WORDS = {
    Reason.ok: "applied",
    Reason.tombstone: "the record has no value",
    Reason.empty: "the value is empty",
    Reason.too_large: "the value has more than 65,536 bytes",
    Reason.not_utf8: "the value is not UTF-8",
    Reason.not_json: "the value is not JSON",
    Reason.not_finite: "a number is NaN, infinite or beyond the doubles",
    Reason.too_deep: "the value is nested more than 64 deep",
    Reason.missing_field: "user, ts or type is missing",
    Reason.wrong_type: "a field is not of its type",
    Reason.user_empty: "user is empty",
    Reason.user_too_long: "user has more than 256 bytes",
    Reason.ts_out_of_range: "ts is before 1970 or after 2100",
    Reason.future: "ts is more than 5 minutes after the broker's own stamp",
    Reason.unknown_type: "type is not one that features.strict_types names",
    Reason.ts_implausible: "ts is before features.oldest",
    Reason.user_reserved: "user is one of features.not_users",
    Reason.late: "ts is before the partition's watermark",
    Reason.duplicate: "the user's event_id was seen before",
    Reason.set_aside: "type says something of the user and is no deed of theirs",
    Reason.erase: "asks that all that is known of the user be forgotten",
    Reason.consent: "lets an erased user be known again",
    Reason.erased: "the user was erased, and this is from before, or they have not consented since",
}
"""What each reason means, for people."""

FIELDS = {
    Reason.user_empty: "user",
    Reason.user_too_long: "user",
    Reason.user_reserved: "user",
    Reason.ts_out_of_range: "ts",
    Reason.ts_implausible: "ts",
    Reason.future: "ts",
    Reason.late: "ts",
    Reason.unknown_type: "type",
}
"""The field at fault, for reasons that say it by themselves; for the others `field_of` looks into the payload."""

GOOD = (Reason.ok, Reason.duplicate, Reason.set_aside, Reason.erase, Reason.consent, Reason.erased)
"""What becomes of a record that is no dead letter."""
REJECTS = tuple(reason for reason in Reason if reason not in GOOD)
"""The reasons for which a record becomes a dead letter."""


class Event(msgspec.Struct, gc=False, frozen=True):
    """A click event as decoded; unknown fields are ignored.

    Attributes
    ----------
    user : str
        1 to 256 bytes of UTF-8.
    ts : int or str
        Milliseconds since the epoch, or RFC 3339 with a zone.
    type : str
    event_id : str or None
        The same for every retry of one event.
    value : float or None
        Finite; for the configured revenue events it is money.
    props : raw JSON
        Any value as it stands in the payload, checked for its depth only; empty when it is missing.
    """

    user: str
    ts: int | str
    type: str
    event_id: str | None = None
    session: str | None = None
    item: str | None = None
    value: float | None = None
    channel: str | None = None
    props: msgspec.Raw = msgspec.Raw(b"")


class Rejected(Exception):
    """The payload is not an event; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.name)
        self.reason = reason


_decoder = msgspec.json.Decoder(Event)
decode_plain = _decoder.decode
"""The bare decoder, only for payloads that `screen` has passed."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z)', re.DOTALL)
_FIELD = re.compile(r"field `(\w+)`|at `\$\.(\w+)")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = np.zeros(256, np.int32)
_STEP[list(b"[{")], _STEP[list(b"]}")] = 1, -1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def depth_of(payload: bytes) -> int:
    """Return how deep brackets outside strings are nested; the bytes need not be JSON.

    >>> depth_of(b'{"a": [[1], "[[["]}')
    3
    """
    brackets = _STRING.sub(b"", payload).translate(None, _NO_BRACKETS)
    return int(np.cumsum(_STEP[np.frombuffer(brackets, np.uint8)]).max(initial=0))


def screen(payload: bytes | None) -> Reason:
    """Judge what must be judged before decoding: return `ok`, or the reason why no decoder may see the payload.

    >>> screen(b"").name, screen(b"{").name
    ('empty', 'ok')
    """
    if payload is None:
        return Reason.tombstone
    if not payload:
        return Reason.empty
    if len(payload) > MAX_PAYLOAD_BYTES:
        return Reason.too_large
    if not payload.isascii():  # the decoder does not look into fields that it skips, so it would let broken text there pass
        try:
            payload.decode()
        except UnicodeDecodeError:
            return Reason.not_utf8
    # The number of opening brackets is a cheap bound of the depth; nearly every payload is below the limit by it.
    if len(payload) >= PLAIN_BYTES and payload.count(b"{") + payload.count(b"[") > MAX_DEPTH and depth_of(payload) > MAX_DEPTH:
        return Reason.too_deep
    return Reason.ok


def reason_of(payload: bytes, error: Exception) -> Reason:
    """Return why a payload that passed the screen was not decoded; slow, and off the usual path."""
    if isinstance(error, msgspec.ValidationError):
        said = str(error)
        if "out of range" in said:  # a number beyond the doubles
            return Reason.not_finite
        return Reason.missing_field if "missing required field" in said else Reason.wrong_type
    return Reason.not_finite if _names_no_number(payload) else Reason.not_json


def _names_no_number(payload: bytes) -> bool:
    """Whether only a NaN or an Infinity keeps the payload from being JSON; Python's laxer parser lets these pass."""
    found: list[str] = []
    try:
        # Numbers are kept as text, because Python refuses to turn thousands of digits into an integer.
        json.loads(payload, parse_constant=found.append, parse_int=str)
    except (ValueError, RecursionError):
        return False
    return bool(found)


def field_of(reason: Reason, payload: bytes | None) -> str | None:
    """Return the field for which a payload was rejected; None if no field is at fault, or only one that is not of the schema.

    >>> field_of(Reason.missing_field, b'{"user": "ann", "type": "click"}'), field_of(Reason.future, None), field_of(Reason.not_json, b"{")
    ('ts', 'ts', None)
    """
    if reason in FIELDS:
        return FIELDS[reason]
    if payload is None or reason not in {Reason.missing_field, Reason.wrong_type, Reason.not_finite}:
        return None
    try:
        decode_plain(payload)
    except msgspec.ValidationError as error:
        name = field_in(error)
    except (msgspec.MsgspecError, ValueError):
        name = _field_without_number(payload)
    else:
        name = "ts"  # the payload decodes, so it is the text of ts that is not a time
    return name if name in Event.__struct_fields__ else None


def field_in(error: msgspec.ValidationError) -> str | None:
    """Return the name of the field that a decoder's error message ends with, None if it names none.

    >>> field_in(msgspec.ValidationError("Expected `str`, got `int` - at `$.user`"))
    'user'
    """
    found = _FIELD.search(str(error))
    return found and (found[1] or found[2])


def _field_without_number(payload: bytes) -> str | None:
    """Return the name of the field that holds a NaN or an Infinity, None if there is none."""
    nan = object()

    def holds(node: object) -> bool:
        inner = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
        return node is nan or any(map(holds, inner))

    try:
        whole = json.loads(payload, parse_constant=lambda _: nan, parse_int=str)
    except (ValueError, RecursionError):
        return None
    return next((name for name, value in whole.items() if holds(value)), None) if isinstance(whole, dict) else None


def decode_event(payload: bytes | None) -> Event:
    """Decode and judge a single payload, except for its time and its user (see `time_of` and `check_user`).

    A worker does not call this. It reads batches (`features.events.columns`) with the same decoder and the same judgement of what cannot be read,
    and then applies the table of rules (`features.events.judge`).

    Raises
    ------
    Rejected
        With the first reason that applies, in the order of `Reason`.

    >>> decode_event(b'{"user": "ann", "ts": 1, "type": "click"}').user
    'ann'
    """
    verdict = screen(payload)
    if verdict is not Reason.ok or payload is None:
        raise Rejected(verdict)
    try:
        return decode_plain(payload)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Rejected(reason_of(payload, error)) from None


def time_of(ts: int | str) -> int:
    """Return the event time in milliseconds since the epoch.

    Raises
    ------
    Rejected
        As `wrong_type` for a text that is not an RFC 3339 time with a zone, as `ts_out_of_range` for a time outside 1970 to 2100.

    >>> time_of("1970-01-01T00:00:01Z"), time_of(5)
    (1000, 5)
    """
    if isinstance(ts, str):
        try:
            since = msgspec.convert(ts, datetime) - _EPOCH
        except (msgspec.ValidationError, TypeError):  # a TypeError is a time without a zone
            raise Rejected(Reason.wrong_type) from None
        ts = (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
    if not 0 <= ts <= MAX_TS_MS:
        raise Rejected(Reason.ts_out_of_range)
    return ts


def check_user(user: str) -> None:
    """Raise `Rejected` unless the id has 1 to 256 bytes."""
    if not user:
        raise Rejected(Reason.user_empty)
    if len(user) > MAX_USER_BYTES // 4 and len(user.encode()) > MAX_USER_BYTES:
        raise Rejected(Reason.user_too_long)
