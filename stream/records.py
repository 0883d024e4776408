"""Records of a log as columns over one buffer: a fetched batch as the shards read it, without an object a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from features.texts import Texts


class Record(Protocol):
    """A Kafka record, as much of it as is looked at."""

    @property
    def offset(self) -> int:
        """Where it stands."""
        ...

    @property
    def timestamp(self) -> int:
        """Broker's append time, ms."""
        ...

    @property
    def key(self) -> bytes | None:
        """Of the record."""
        ...

    @property
    def value(self) -> bytes | None:
        """Of the record."""
        ...


@dataclass(frozen=True, slots=True)
class LogRecords:
    """Columns of n.

    Attributes
    ----------
    offset : int64 (n,)
        Rising.
    append_ms : int64 (n,)
        The broker's stamps.
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
    """Columns of records that are objects."""
    return LogRecords(
        np.array([record.offset for record in records], np.int64),
        np.array([record.timestamp for record in records], np.int64),
        Texts.of([record.key for record in records]),
        Texts.of([record.value for record in records]),
    )
