"""Observers hear what a session does: for metrics, for the share of the largest user, for a simulation. A session may have any number of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from features.compiled.texts import Texts
from stream.outbox import Entry

if TYPE_CHECKING:
    from stream.shard.step import Shard, Step


class Observer:
    """Hears what happened and changes nothing.

    A subclass overrides only the methods it cares about. They are called between two awaits, so they must not block.
    """

    def read(self, partition: int, users: Texts) -> None:
        """Records of these users have been read."""

    def foreign_keys(self, partition: int, records: int) -> None:
        """So many records had a key that does not name their user."""

    def stepped(self, partition: int, step: Step, shard: Shard, commit_s: float) -> None:
        """A step has been committed; the commit took `commit_s` seconds."""

    def published(self, partition: int, entries: Sequence[Entry], publish_s: float) -> None:
        """Kafka has confirmed these entries; the transaction took `publish_s` seconds, 0 where a marker confirmed them."""
