"""How far the topics have been read, and how far event time has come by that. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from features.definitions.definition import DAY_MS

KEPT_MS = 90 * DAY_MS
"""Event time that is kept, counted back from the newest; the topics keep as much."""
LIVE_MS = 600_000
"""A shard is alive while its newest block is at most so far behind the newest of all, by the broker's time, ms."""


@dataclass(frozen=True, slots=True)
class ShardRead:
    """How far a shard's examples have been read.

    Attributes
    ----------
    lineage : str
        Names the history that the numbers belong to.
    last_number : int
        Number of the last example.
    watermark_ms, stamp_ms : int
        The shard's watermark, event time, and the broker's time of its newest block; ms.
    """

    lineage: str
    last_number: int
    watermark_ms: int
    stamp_ms: int


@dataclass(slots=True)
class Standing:
    """How far the topics have been read.

    Attributes
    ----------
    positions : dict of (topic, partition) to int
        The offset to read next.
    shards : dict of partition to ShardRead
    told_offset : int
        Offset in the topic `labels` of the next label from outside.
    """

    positions: dict[tuple[str, int], int] = field(default_factory=dict)
    shards: dict[int, ShardRead] = field(default_factory=dict)
    told_offset: int = 0

    def copy(self) -> Standing:
        """Return the same standing, to be changed."""
        return Standing(dict(self.positions), dict(self.shards), self.told_offset)

    @property
    def newest_ms(self) -> int:
        """The furthest that event time has come in any shard, ms; 0 before the first event. It never goes back."""
        return max((max(0, one.watermark_ms) for one in self.shards.values()), default=0)

    @property
    def as_of_ms(self) -> int | None:
        """How far event time has come in every shard that is alive, ms: what happened until then is known. None before the first event.

        >>> Standing(shards={0: ShardRead("0", 9, 700, 0), 1: ShardRead("0", 9, 500, 0), 2: ShardRead("0", 9, 100, -LIVE_MS - 1)}).as_of_ms
        500
        """
        shards = [one for one in self.shards.values() if one.watermark_ms >= 0]
        newest = max((one.stamp_ms for one in shards), default=0)
        return min((one.watermark_ms for one in shards if newest - one.stamp_ms <= LIVE_MS), default=None)

    @property
    def kept_from_ms(self) -> int:
        """The oldest time that is kept, ms."""
        return max(0, self.newest_ms - KEPT_MS)
