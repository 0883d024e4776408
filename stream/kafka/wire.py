"""The contract of a shard's line to Kafka: publish once, remember how far, read back what was published.

`shard_wire.py` speaks to real brokers; the simulation has another implementation. There is one object for each take of a shard.

Errors::

    WireError
    |-- Fenced           a newer owner has this shard's transactional id: stop, the shard is not ours
    `-- WireUnavailable  the broker did not answer within the bound; the outcome of a publish is unknown until the marker is read again
    ClockAhead           the broker's clock is further ahead than can be: no tick was appended, and the wire goes on
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from stream.outbox import Entry
from stream.position import Position


class WireError(Exception):
    """Root of this module's errors."""


class Fenced(WireError):
    """A newer owner has this shard's transactional id."""


class WireUnavailable(WireError):
    """The broker did not answer within the bound."""


class ClockAhead(Exception):
    """The broker's clock shows a time that cannot have come yet. Nothing was appended, and the wire can still be used.

    Attributes
    ----------
    stamp_ms, latest_ms : int
        The broker's stamp and the latest that was allowed, ms since the epoch.
    """

    def __init__(self, partition: int, stamp_ms: int, latest_ms: int) -> None:
        super().__init__(
            f"shard {partition}: the broker's clock is {(stamp_ms - latest_ms) / 1000:.0f} s further than can be by the clicks"
        )
        self.stamp_ms, self.latest_ms = stamp_ms, latest_ms


class Marker(msgspec.Struct, array_like=True, frozen=True):
    """How far a shard has published; written in the same transaction as what it vouches for."""

    position: Position
    next_offset: int
    """Input offset stored with the commit that held the last published entry."""
    rules: bytes = b""
    """Every version of the rules that the shard has applied, packed, so that they survive the loss of Redis."""


class Tick(msgspec.Struct, array_like=True, frozen=True):
    """Time itself, in the log: before clicks offset `next_offset`, the broker's clock said `time_ms`."""

    time_offset: int
    """Offset of the record in the `time` topic."""
    next_offset: int
    time_ms: int


class Wire(Protocol):
    """One shard's fenced line to Kafka."""

    async def open(self) -> None:
        """Take the transactional id: fences every earlier holder and aborts its open transaction."""
        ...

    async def last_marker(self) -> Marker | None:
        """Return the last committed marker of this shard, or None."""
        ...

    async def alerts_after(self, next_offset: int) -> Sequence[Entry]:
        """Return the committed alerts of this shard whose position's offset is at least `next_offset`, oldest first."""
        ...

    async def publish(self, entries: Sequence[Entry], marker: Marker) -> None:
        """Send the entries and the marker in one transaction. Raises Fenced or WireUnavailable."""
        ...

    async def publish_examples(self, blocks: Sequence[bytes]) -> None:
        """Send blocks in order, by an idempotent producer, to the single partition of `examples`. Raises WireUnavailable."""
        ...

    async def tick(self, next_offset: int, latest_ms: int) -> Tick:
        """Append a tick in a transaction of its own and return it as the broker stamped it.

        Raises
        ------
        ClockAhead
            The stamp is later than `latest_ms`. The transaction was aborted, so no reader ever sees the tick.
        """
        ...

    async def ticks_from(self, time_offset: int) -> Sequence[Tick]:
        """Return the committed ticks of this shard at or after an offset of the `time` topic."""
        ...

    async def close(self) -> None:
        """Release sockets; never commits anything."""
        ...
