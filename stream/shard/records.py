"""Records of a log as columns: as they were fetched (`LogRecords`), and decoded (`Records`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from features.compiled.texts import Texts
from features.events.columns import Columns, tick_columns
from stream.kafka.wire import Tick


class Record(Protocol):
    """The parts of a Kafka record that are used here."""

    @property
    def offset(self) -> int:
        """Its offset in the partition."""
        ...

    @property
    def timestamp(self) -> int:
        """Broker's append time, ms."""
        ...

    @property
    def key(self) -> bytes | None:
        """The record's key, None without one."""
        ...

    @property
    def value(self) -> bytes | None:
        """The record's value, None for a tombstone."""
        ...


@dataclass(frozen=True, slots=True)
class LogRecords:
    """Records as they were fetched, in columns of length n.

    Attributes
    ----------
    offset : int64 (n,)
        In rising order.
    append_ms : int64 (n,)
        The broker's stamps, ms since the epoch.
    keys, values : Texts
    """

    offset: npt.NDArray[np.int64]
    append_ms: npt.NDArray[np.int64]
    keys: Texts
    values: Texts

    def __len__(self) -> int:
        return len(self.offset)

    def __getitem__(self, rows: slice) -> LogRecords:
        return LogRecords(self.offset[rows], self.append_ms[rows], self.keys[rows], self.values[rows])


def of_records(records: Sequence[Record]) -> LogRecords:
    """Return the columns of records that are objects."""
    return LogRecords(
        np.array([record.offset for record in records], np.int64),
        np.array([record.timestamp for record in records], np.int64),
        Texts.of([record.key for record in records]),
        Texts.of([record.value for record in records]),
    )


@dataclass(frozen=True, slots=True)
class Records:
    """Decoded records of one partition: their columns, and where each stands in the log."""

    columns: Columns
    offsets: npt.NDArray[np.int64]
    values: Sequence[bytes | None]
    next_offset: int
    """Consumer position after the records (control records may leave a gap)."""
    time_offset: int | None = None
    """For a tick: where the next one stands in the `time` topic."""


def tick_records(tick: Tick, standing: int = 0) -> Records:
    """Return the one row of a tick, at the offset of the click it stands before, but never before where the shard stands.

    >>> [tick_records(Tick(3, 80, 7), standing).next_offset for standing in (0, 80, 100)]
    [80, 80, 100]
    """
    offset = max(tick.next_offset, standing)
    return Records(tick_columns(tick.time_ms), np.array([offset], np.int64), [None], offset, tick.time_offset + 1)
