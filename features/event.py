"""One click event: what is accepted, and the one reason for which anything else is rejected.

The published schema is `event.schema.json`. A payload is judged alone, against nothing but itself and its record's own timestamp, so that
a replay decides alike.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import IntEnum

import msgspec

MAX_PAYLOAD_BYTES = 65_536
MAX_USER_BYTES = 256
MAX_DEPTH = 64
MAX_FUTURE_MS = 5 * 60_000
MAX_TS_MS = 4_102_444_800_000
"""2100-01-01; event times run from 0 (1970) to here."""


class Reason(IntEnum):
    """Why a record is not applied; the number stands in the outcome column, the name in the dead letter."""

    ok = 0
    tombstone = 1
    empty = 2
    too_large = 3
    not_utf8 = 4
    not_json = 5
    not_finite = 6
    too_deep = 7
    missing_field = 8
    wrong_type = 9
    user_empty = 10
    user_too_long = 11
    ts_out_of_range = 12
    future = 13
    unknown_type = 14
    late = 200
    duplicate = 201


REJECTS = tuple(reason for reason in Reason if reason not in {Reason.ok, Reason.duplicate})
"""Everything that makes a dead letter."""


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
        Same for every retry of the same event.
    value : float or None
        Finite; money for the configured revenue events.
    props : raw JSON
        Kept by nobody; checked for depth only.
    """

    user: str
    ts: int | str
    type: str
    event_id: str | None = None
    session: str | None = None
    item: str | None = None
    value: float | None = None
    channel: str | None = None
    props: msgspec.Raw = msgspec.Raw(b"{}")


class Rejected(Exception):  # noqa: N818 - a verdict, not an error of ours
    """The payload is not an event."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.name)
        self.reason = reason


_decoder = msgspec.json.Decoder(Event)
decode_plain = _decoder.decode
"""The bare decoder, for payloads known to be neither too large nor too deep."""


def depth_of(payload: bytes) -> int:
    """Return the deepest nesting of brackets outside strings.

    >>> depth_of(b'{"a": [[1], "[[["]}')
    3
    """
    depth = deepest = 0
    in_string = escaped = False
    for byte in payload:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def decode_event(payload: bytes | None) -> Event:
    """Decode and judge one payload, all but its time.

    Raises
    ------
    Rejected
        With the first reason that applies, in the order of `Reason`.

    >>> decode_event(b'{"user": "ann", "ts": 1, "type": "click"}').user
    'ann'
    """
    if payload is None:
        raise Rejected(Reason.tombstone)
    if not payload:
        raise Rejected(Reason.empty)
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise Rejected(Reason.too_large)
    # n levels need 2n bytes: most payloads are too short to be too deep
    if len(payload) >= 2 * MAX_DEPTH and payload.count(b"{") + payload.count(b"[") > MAX_DEPTH and depth_of(payload) > MAX_DEPTH:
        raise Rejected(_reason_of_broken(payload, Reason.too_deep))
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Rejected(_reason_of(payload, error)) from None


def _reason_of_broken(payload: bytes, otherwise: Reason) -> Reason:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return Reason.not_utf8
    return otherwise


def _reason_of(payload: bytes, error: Exception) -> Reason:
    """Look closer at a payload that did not decode; slow, and off the usual path."""
    if _reason_of_broken(payload, Reason.ok):
        return Reason.not_utf8
    if isinstance(error, msgspec.ValidationError):
        if "out of range" in str(error):  # a number beyond the doubles
            return Reason.not_finite
        return Reason.missing_field if "missing required field" in str(error) else Reason.wrong_type
    return Reason.not_finite if _names_no_number(payload) else Reason.not_json


def _names_no_number(payload: bytes) -> bool:
    """Whether it would be JSON but for a NaN or an Infinity, which Python's laxer parser lets pass."""
    found: list[str] = []
    try:
        json.loads(payload, parse_constant=found.append)
    except (ValueError, RecursionError):
        return False
    return bool(found)


def time_of(ts: int | str) -> int:
    """Event time in milliseconds.

    Raises
    ------
    Rejected
        `wrong_type` for a string that is no RFC 3339 time with a zone, `ts_out_of_range` outside 1970 to 2100.

    >>> time_of("1970-01-01T00:00:01Z"), time_of(5)
    (1000, 5)
    """
    if isinstance(ts, str):
        try:
            moment = msgspec.convert(ts, datetime)
        except msgspec.ValidationError:
            raise Rejected(Reason.wrong_type) from None
        if moment.tzinfo is None:
            raise Rejected(Reason.wrong_type)
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
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
