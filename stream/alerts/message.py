"""The alert message: one `opened` and at most one `resolved` per alert id, as JSON with CloudEvents headers.

The schema is published as `alert.schema.json`. The id names the fact (this user, this definition, this landmark) and neither score
nor model, so that whoever repeats the decision repeats the id.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from stream.outbox import Entry
from stream.position import Position, position_header

ALERTS = "alerts"
SCHEMA_ID = "urn:churnwatch:alert:1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ReasonCode(msgspec.Struct, frozen=True):
    """A reason for programs: `stream.alerts.sentences.say` makes the sentence from it, in either language.

    Attributes
    ----------
    code : str
        Names what is said; a code never changes its meaning.
    now : float
        In `unit`, at least 0, as exact as a coded vector is.
    usual : float or None
        What is usual for this user, in `unit`; None where that is not known.
    unit : str
        One of `stream.alerts.templates.UNITS`; a newer build may have more.
    """

    code: str
    now: float
    usual: float | None
    unit: str


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """What an engagement system reads.

    Attributes
    ----------
    alert_id : str
        32 hex digits; the same for `opened` and its `resolved`.
    type : {"opened", "resolved"}
        Which of the two messages this is.
    cause : {"returned", "horizon", "erased"} or None
        Why the alert is resolved; None on `opened`.
    risk, threshold : float or None
        Calibrated chance of churn at the landmark, and what it had to reach; None on `resolved`.
    landmark_ms : int
        Event time at which the user's silence was judged.
    valid_until_ms : int
        Landmark + horizon: after this no win-back makes sense.
    event_time_ms : int
        Landmark of an `opened`; time of the activity, end of the horizon, or time of the erasure, of a `resolved`.
    scored_ms : int
        Broker stamp of the record that caused this, ms.
    reasons : list of str
        Three sentences, which compare with the user's own habit where it is known; empty on `resolved`.
    reason_codes : list of ReasonCode
        The same reasons for programs, in the same order; empty on `resolved`, and on alerts that were opened before there were codes.
    model, model_version : str, int
        The model that scored the user; version 0 is the rule. On `resolved`, the model that serves when the alert ends.
    partition, input_offset : int
        Place in the clicks topic of the record that caused this.
    """

    alert_id: str
    type: Literal["opened", "resolved"]
    cause: Literal["returned", "horizon", "erased"] | None
    user: str
    definition: str
    risk: float | None
    threshold: float | None
    horizon_ms: int
    landmark_ms: int
    valid_until_ms: int
    event_time_ms: int
    scored_ms: int
    reasons: list[str]
    reason_codes: list[ReasonCode] = []
    model: str
    model_version: int
    partition: int
    input_offset: int


def alert_id(app: str, definition: str, user: str, landmark_ms: int) -> str:
    """Return the id of an alert, 32 hex digits: BLAKE2b-128 over app, definition, user and landmark, length-prefixed.

    >>> alert_id("app", "churn14", "ann", 0) == alert_id("app", "churn14", "ann", 0) != alert_id("app", "churn14", "ann", 1)
    True
    """
    parts = [app.encode(), definition.encode(), user.encode(), str(landmark_ms).encode()]
    return hashlib.blake2b(b"".join(len(part).to_bytes(4, "big") + part for part in parts), digest_size=16).hexdigest()


def entry_of(app: str, position: Position, alert: Alert) -> Entry:
    """Return the message as it stands in the outbox: key = user, CloudEvents 1.0 headers (Kafka binding, binary mode), and the position.

    `ce_id` is unique with `ce_source`, as CloudEvents asks: an alert id has two messages, its type tells them apart.
    """
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", f"{alert.alert_id}-{alert.type}".encode()),
        ("ce_source", f"/churnwatch/{app}/{alert.partition}".encode()),
        ("ce_type", f"churnwatch.alert.{alert.type}".encode()),
        ("ce_time", _rfc3339(alert.event_time_ms).encode()),
        ("ce_dataschema", SCHEMA_ID.encode()),
        ("content-type", b"application/json"),
        position_header(position),
    ]
    return Entry(position, ALERTS, alert.user.encode(), _encoder.encode(alert), headers, alert.scored_ms)


def _rfc3339(ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def decode_alert(value: bytes) -> Alert:
    """Read an alert from the value of a message. Raises `msgspec.DecodeError` when it is none."""
    return _decoder.decode(value)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Alert)
