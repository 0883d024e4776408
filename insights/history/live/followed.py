"""What is it to follow a topic beside the clicks? What each writer of one can do, whatever it writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from insights.history.live.clicks import Topic
from stream.shard.records import LogRecords


class TopicWriter(Protocol):
    """Writes one topic into tables of its own. After any error it is begun again: the positions in the tables say what happened."""

    @property
    def waiting(self) -> int:
        """How many rows were read and are not committed yet."""
        ...

    def begin(self, topic: Topic, first: Mapping[int, int]) -> dict[int, int]:
        """Forget what was read, go to the newest version, and return where each partition is read on; what retention has deleted is passed over."""
        ...

    def take(self, partition: int, records: LogRecords) -> None:
        """Decode records and keep them for the next flush; what is none of ours is passed over."""
        ...

    def flush(self, ends: Mapping[int, int]) -> dict[str, int]:
        """Commit what was read, with the positions behind it; return how many rows each table got.

        Raises
        ------
        HistoryStale
            If another writer was first: `begin` again.
        """
        ...
