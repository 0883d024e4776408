"""Who hears what a session does: the metrics, the share of the largest user, the steps of a simulation. A session may have any number of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from features.compiled.texts import Texts
from stream.outbox import Entry

if TYPE_CHECKING:
    from stream.shard.step import Shard, Step


class Observer:
    """Hears what happened and changes nothing of it; each says only what it cares for. All are called between two awaits: they must not block."""

    def read(self, partition: int, users: Texts) -> None:
        """Records of these users have been read."""

    def foreign_keys(self, partition: int, records: int) -> None:
        """So many records had a key that is not their user."""

    def stepped(self, partition: int, step: Step, shard: Shard, commit_s: float) -> None:
        """A step has been committed, which took `commit_s`."""

    def published(self, partition: int, entries: Sequence[Entry], publish_s: float) -> None:
        """Entries are confirmed by Kafka; the transaction took `publish_s`."""
