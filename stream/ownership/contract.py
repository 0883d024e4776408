"""What passes between the transport and whoever owns the shards."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from stream.shard.records import LogRecords


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one partition from one fetch.

    Attributes
    ----------
    start, next : int
        Consumer position before and after; ``start`` of a batch equals ``next`` of the one before it.
    epoch, generation : int
        Those of the take under which it was fetched.
    highwater : int
        Offset after the last committed record, as known at the fetch.
    """

    topic: str
    partition: int
    start: int
    next: int
    records: LogRecords
    epoch: int
    generation: int
    highwater: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the owner of a shard goes on reading, and under which take."""

    epoch: int
    next: int


class GapDetected(Exception):
    """A batch does not begin where the shard stands."""

    def __init__(self, partition: int, expected: int, got: int) -> None:
        super().__init__(f"shard {partition} stands at {expected}, the batch begins at {got}")
        self.partition, self.expected, self.got = partition, expected, got


class ShardLost(Exception):
    """The shard must be taken again before it can go on."""


class ShardHost(Protocol):
    """The owner of this process's shards, as the transport sees it."""

    async def take(self, partition: int, generation: int, *, force: bool = False, first: int = 0) -> Standing:
        """Take a shard of a log that begins at `first`. Raises `features.store.contract.TakeRefused` when a higher generation holds it."""
        ...

    async def revoke(self, partitions: Collection[int]) -> None:
        """Drop these shards. It is called before the group is joined again."""
        ...

    async def process(self, batch: Batch) -> None:
        """Apply a batch. Raises GapDetected or ShardLost; anything else is a bug of ours and stops the process."""
        ...

    def ready(self, partition: int) -> bool:
        """Whether another batch of this partition may be fetched now. Must not block."""
        ...
