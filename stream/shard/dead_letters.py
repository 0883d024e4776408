"""One dead letter for each rejected record: where it stood, why, and its first KiB."""

from __future__ import annotations

import base64

import msgspec

from features.events.event import Reason, field_of
from stream.outbox import Entry
from stream.position import DEAD_LETTER, EVENT_DUE, Position

DEAD_LETTERS = "dead_letters"
KEPT_BYTES = 1024
LABEL_REASONS = ("label_invalid", "label_definition")
"""Why a label is rejected: it cannot be read or contradicts itself, or no definition takes it."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a rejected record; `payload` is its first KiB in base64, None for a tombstone.

    A letter of `clicks` is published exactly once. A letter of `labels` may be published again, under the same offset, after the trainer was killed.
    """

    partition: int
    offset: int
    reason: str
    append_ms: int
    payload_bytes: int
    payload: str | None
    topic: str = "clicks"
    field: str | None = None


def dead_letter(partition: int, offset: int, reason: Reason, append_ms: int, value: bytes | None) -> Entry:
    """Return the entry for one rejected record.

    >>> decode_dead_letter(dead_letter(0, 7, Reason.not_json, 5, b"{").value).reason
    'not_json'
    """
    letter = _letter(partition, offset, reason.name, append_ms, value, "clicks", field_of(reason, value))
    headers = [("cw-reason", reason.name.encode())]
    return Entry(Position(offset, EVENT_DUE, "", DEAD_LETTER), DEAD_LETTERS, b"", letter, headers, append_ms)


def dead_label(offset: int, reason: str, append_ms: int, value: bytes | None, field: str | None = None) -> bytes:
    """Return the message for one rejected label.

    >>> decode_dead_letter(dead_label(7, "label_invalid", 5, b"{")).topic
    'labels'
    """
    return _letter(0, offset, reason, append_ms, value, "labels", field)


def _letter(partition: int, offset: int, reason: str, append_ms: int, value: bytes | None, topic: str, field: str | None) -> bytes:
    payload = None if value is None else base64.b64encode(value[:KEPT_BYTES]).decode()
    return _encoder.encode(
        DeadLetter(
            partition=partition,
            offset=offset,
            reason=reason,
            append_ms=append_ms,
            payload_bytes=len(value or b""),
            payload=payload,
            topic=topic,
            field=field,
        )
    )


def decode_dead_letter(value: bytes) -> DeadLetter:
    """Read a letter from the value of a message. Raises `msgspec.DecodeError` when it is none."""
    return _decoder.decode(value)


def with_field(letter: DeadLetter) -> DeadLetter:
    """Return a letter with the field to blame, also where an earlier version did not name it."""
    if letter.field is not None or letter.topic != "clicks":
        return letter
    payload = None if letter.payload is None else base64.b64decode(letter.payload)
    return msgspec.structs.replace(letter, field=field_of(Reason[letter.reason], payload))


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(DeadLetter)
