"""One message that must leave exactly once: as a step says it, and as it waits in the outbox for Kafka to confirm it."""

from __future__ import annotations

import msgspec

from stream.position import Position


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """One message that must leave exactly once, as it stands in the outbox."""

    position: Position
    topic: str
    """Logical name: `alerts` or `dead_letters`."""
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]
    cause_ms: int = 0
    """Broker stamp of the record that caused it, ms since the epoch."""


_entries = msgspec.msgpack.Decoder(Entry)
_encoder = msgspec.msgpack.Encoder()


def pack_entry(entry: Entry) -> bytes:
    """Return an entry as it is stored in the outbox."""
    return _encoder.encode(entry)


def unpack_entry(packed: bytes) -> Entry:
    """Read a stored outbox entry back. Raises `msgspec.DecodeError` when it cannot be read."""
    return _entries.decode(packed)
