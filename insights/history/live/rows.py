"""Records of the clicks as rows of the table of events, and what they tell of time; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from features.compiled.texts import Texts, as_bytes
from features.events.columns import Columns
from features.events.event import REJECTS, Reason
from insights.history.tables import EVENTS

NEVER = -(2**62)
"""Stands for the newest time where nothing came yet."""
SHORT = 128
"""Most bytes of strings that are copied into one block, each as wide as the widest."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of one partition.

    Attributes
    ----------
    rows : frame
        The events, with the columns of the table but `day`.
    rejected : Counter of str
        By reason, the records that are no events.
    late : int
        How many of the rows are late as the engine counts it.
    newest_ms : int
        The running maximum of min(event time, arrival) behind the last record, ms since the epoch; `NEVER` if nothing came yet.
    """

    rows: pl.DataFrame
    rejected: Counter[str]
    late: int
    newest_ms: int


def read_rows(partition: int, offsets: npt.NDArray[np.int64], columns: Columns, newest_ms: int, lateness_ms: int) -> Read:
    """Return what decoded records say.

    Parameters
    ----------
    offsets : int64 (n,)
        Of the records, in rising order.
    newest_ms : int
        As `Read.newest_ms`, of what was read of the partition before.
    """
    codes, counts = np.unique(columns.code, return_counts=True)
    rejected = Counter({Reason(code).name: int(n) for code, n in zip(codes, counts, strict=True) if Reason(code) in REJECTS})
    fine = (columns.code == Reason.ok).nonzero()[0]
    rows = pl.DataFrame(
        {
            "user": _text(columns.users, fine),
            "ts": _time(columns.ts[fine]),
            "type": _text(columns.event_type, fine),
            "channel": _text(columns.channel, fine),
            "item": _text(columns.item, fine),
            "session": _text(columns.session, fine),
            "value": pl.Series(columns.value[fine]).fill_nan(None),
            "event_id": _text(columns.event_id, fine),
            "props": _text(columns.props, fine),
            "arrived": _time(columns.append[fine]),
            "part": pl.Series(np.full(len(fine), partition, np.int32)),
            "off": pl.Series(offsets[fine]),
        }
    ).with_columns(pl.when(pl.col("props") != "{}").then("props"))
    late, newest = _seen(columns.ts[fine], columns.append[fine], newest_ms, lateness_ms)
    return Read(rows, rejected, late, newest)


def joined(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return rows of several partitions as one frame, also if there are none."""
    return pl.concat(parts) if parts else pl.DataFrame(schema={name: kind for name, kind in EVENTS.columns.items() if name != "day"})


def _text(texts: Texts, rows: npt.NDArray[np.intp]) -> pl.Series:
    """Return some strings as a column; nulls are put in afterwards, so that they cost no object each."""
    taken = texts.take(rows)
    there = taken.at >= 0
    found = pl.Series(_present(taken.take(there.nonzero()[0])), dtype=pl.Binary).cast(pl.String)
    if there.all():
        return found
    return found.gather(pl.Series(there.cumsum() - 1, dtype=pl.Int64).set(pl.Series(~there), None))


def _present(texts: Texts) -> list[bytes]:
    """Return strings as objects, all at once if they are short; a zero byte at the end would be lost then."""
    lengths = texts.end - texts.at
    if len(lengths) and 0 < lengths.max() <= SHORT and lengths.min() > 0 and texts.buffer[texts.end - 1].all():
        return as_bytes(texts.buffer, texts.at, texts.end)
    return [one or b"" for one in texts]


def _time(ms: npt.NDArray[np.int64]) -> pl.Series:
    return pl.Series(ms * 1000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _seen(ts: npt.NDArray[np.int64], append: npt.NDArray[np.int64], newest_ms: int, lateness_ms: int) -> tuple[int, int]:
    """Return how many events are late, and the newest time behind them.

    >>> _seen(np.array([100, 80, 95]), np.array([100, 101, 102]), NEVER, 10)
    (1, 100)
    """
    running = np.maximum.accumulate(np.concatenate([[newest_ms], np.minimum(ts, append)]))
    return int((ts < running[:-1] - lateness_ms).sum()), int(running[-1])
