"""Files into the history: usable rows in order of time, each file's position committed with its rows.

A file is known by its content. So the same file imported twice, renamed or not, changes nothing, and an import that was killed goes on where its last commit is.
Two files that share events (daily exports that overlap) do not double them either: an event without an id gets one from its content, as `ingest` gives it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import xxhash

from features.files.event_json import EventIds, with_ids
from features.files.options import ReadOptions
from features.files.order import Order
from insights.history.events import Events
from insights.history.faults import HistoryRefused, HistoryStale
from insights.history.standing import Standing
from insights.history.tables import EVENTS

COMMIT_ROWS = 1_000_000
PART = -1
"""Stands in the column `part` of a row that came from a file."""
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """One file, known by what it holds and by how it is read.

    Attributes
    ----------
    name : str
        Its position in the table: the next row, among the usable ones in order of time.
    how : int
        A number for the options by which it is read.
    rows : int
        Its usable rows.
    """

    name: str
    how: int
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the rows of all files."""

    rows: int
    repeats: int
    known: int
    """Rows that an earlier import has committed."""


def source_of(path: Path, options: ReadOptions) -> Source:
    """Return what a file is known by, from all its bytes."""
    digest = xxhash.xxh3_128()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    read = (
        sorted(options.mapping.items()), options.constant_type, options.zone, options.ts_unit, options.ts_format, options.oldest_ms, options.encoding,
        options.separator, sorted(options.not_users), sorted(options.known_types),
    )  # fmt: skip
    return Source(f"import/{digest.hexdigest()}", xxhash.xxh3_64_intdigest(repr(read).encode()) >> 1)


def done(events: Events, source: Source) -> bool:
    """Whether all of a file has been imported."""
    rows = events.table.position(f"{source.name}/rows")
    return rows > 0 and events.table.position(source.name) >= rows


def import_files(
    events: Events, order: Order, sources: Sequence[Source], progress: Callable[[int], None] = lambda _: None, commit_rows: int = COMMIT_ROWS,
) -> Imported:  # fmt: skip
    """Commit the rows of all files that are not there yet.

    Parameters
    ----------
    order : Order
        The usable rows; column `file` is the number of the row's source in `sources`.
    progress : callable
        Is told how many rows are done.
    commit_rows : int
        Least rows of a commit, but for the last.

    Raises
    ------
    HistoryRefused
        If the import of a file was begun with other options.
    """
    ids, arrived_ms = EventIds(), time.time_ns() // 1_000_000
    begun = [_begun(events, source) for source in sources]
    seen = [0] * len(sources)
    rows = repeats = known = 0
    for frame in _large(order.batches(), commit_rows):
        placed, seen = _placed(with_ids(frame, ids), seen)
        new = placed.filter(pl.col("off") >= pl.Series(begun, dtype=pl.Int64).gather(placed["file"]))
        known += placed.height - new.height
        if new.height:
            appended = _append(events, new, sources, seen, arrived_ms)
            rows, repeats = rows + appended[0], repeats + appended[1]
        progress(sum(seen))
    return Imported(rows, repeats, known)


def _begun(events: Events, source: Source) -> int:
    """Return the first row that is not there yet."""
    how = events.table.position(f"{source.name}/how")
    if how not in {0, source.how}:
        raise HistoryRefused(
            "a part of this file was imported with other options, so its rows would be there twice: give the options of that time, and it goes on where it stopped"
        )
    # if other rows are usable than at that time, the places of rows have moved: begin anew, what is there already is dropped by its ids
    return events.table.position(source.name) if events.table.position(f"{source.name}/rows") == source.rows else 0


def _large(batches: Iterator[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """Join batches, so that few commits are made and a day is in few files."""
    waiting: list[pl.DataFrame] = []
    for batch in batches:
        waiting.append(batch)
        if sum(one.height for one in waiting) >= rows:
            yield pl.concat(waiting, how="diagonal")
            waiting = []
    if waiting:
        yield pl.concat(waiting, how="diagonal")


def _placed(frame: pl.DataFrame, seen: Sequence[int]) -> tuple[pl.DataFrame, list[int]]:
    """Number the rows of each file in `off`, after those that came before; return these numbers' ends, too."""
    before = pl.Series(seen, dtype=pl.Int64).gather(frame["file"])
    placed = frame.with_columns(off=pl.int_range(pl.len(), dtype=pl.Int64).over("file") + before)
    counts = dict(frame["file"].value_counts().iter_rows())
    return placed, [one + counts.get(number, 0) for number, one in enumerate(seen)]


def _append(events: Events, new: pl.DataFrame, sources: Sequence[Source], seen: Sequence[int], arrived_ms: int) -> tuple[int, int]:
    """Commit rows with the positions of their files; as long as somebody else commits first, begin again with what is there by now."""
    rows = _as_events(new, arrived_ms)
    files = new["file"].unique().to_list()
    while True:
        table = events.table
        starts = {sources[one].name: table.position(sources[one].name) for one in files}
        ends: dict[str, int] = {}
        for one in files:
            ends |= {
                sources[one].name: seen[one],
                f"{sources[one].name}/how": sources[one].how,
                f"{sources[one].name}/rows": sources[one].rows,
            }
        try:
            appended = events.append(rows, starts, ends, _said(table.standing, int(new["ts"][-1])))
        except HistoryStale:
            events.renew()
        else:
            return appended.rows, appended.repeats


def _said(standing: Standing, newest_ms: int) -> Standing:
    """All is known up to the newest event of the files, unless a topic is followed too, which knows better."""
    if standing.ends:
        return standing
    return replace(standing, watermark_ms=max(standing.watermark_ms or 0, newest_ms))


def _as_events(frame: pl.DataFrame, arrived_ms: int) -> pl.DataFrame:
    """Return rows of files as the table of events has them."""
    wide = frame.with_columns(
        pl.lit(None, kind).alias(name)
        for name, kind in EVENTS.columns.items()
        if name not in frame.columns and name not in {"day", "arrived", "part"}
    )
    return wide.with_columns(
        ts=pl.from_epoch(pl.col("ts"), "ms").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        props=pl.when(pl.col("props") != "{}").then("props"),
        arrived=pl.from_epoch(pl.lit(arrived_ms), "ms").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        part=pl.lit(PART, pl.Int32),
    ).select(name for name in EVENTS.columns if name != "day")
