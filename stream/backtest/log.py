"""A file of events as a log: columns in order of time, and the landmarks that a file of labels or the calendar asks for."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import xxhash

from features.compiled.texts import ids_of
from features.definitions.definition import DAY_MS, ChurnDefinition
from features.events.columns import Columns
from features.files.event_json import EventIds
from features.files.faults import FileRefused, words_of
from features.files.options import ReadOptions
from features.files.reader import STDIN, EventFile, table_of
from features.files.summary import Summary
from features.files.times import local_to_utc
from features.users.spec import FIRST_EVENTS, KEY_SLOTS, FeatureSpec
from stream.faults import UsageFault
from stream.shard.records import Records

COLUMNS = ("user", "ts", "type", "value", "channel", "event_id")
KEPT = {*COLUMNS, "item"}
LABEL_COLUMNS = ("user", "landmark_ms", "label", "matured_ms")
MOST_RECORDS = 20_000
"""Most records of one step; a step never spans two days."""


@dataclass(frozen=True, slots=True)
class History:
    """Events in order of time: user (text), ts (ms), type, value, channel, and event_id where repeats could be told by it.

    Attributes
    ----------
    rejected : int
        Rows that are not usable.
    sorted_here : bool
        Whether the rows had to be put in order.
    told : sequence of Summary
        What each file holds; empty when there was none.
    """

    frame: pl.DataFrame
    rejected: int
    sorted_here: bool
    told: Sequence[Summary] = ()

    @property
    def first_ms(self) -> int:
        """Time of the first event."""
        return int(self.frame["ts"][0])

    @property
    def last_ms(self) -> int:
        """Time of the last event."""
        return int(self.frame["ts"][-1])

    @property
    def left_out(self) -> dict[str, int]:
        """Rows that are not usable, by reason and field."""
        found: dict[str, int] = {}
        for fault in (fault for summary in self.told for fault in summary.faults.values()):
            name = f"{fault.reason} ({fault.field})" if fault.field else fault.reason
            found[name] = found.get(name, 0) + fault.count
        return found


def read_history(files: Path | Sequence[Path], options: ReadOptions | None = None, set_aside: Sequence[str] = ()) -> History:
    """Read files of events as one log, without the types that are set aside.

    Raises
    ------
    UsageFault
        If a file cannot be read, or no row of all is usable.
    """
    options = options or ReadOptions(now_ms=time.time_ns() // 1_000_000, allow_future=True)
    several = [files] if isinstance(files, Path) else list(files)
    opened = [EventFile(path, options, Summary(str(path)), sys.stdin.buffer) for path in several]
    frames = []
    for number, file in enumerate(opened):
        if str(file.path) != STDIN and not file.path.is_file():
            raise UsageFault(f"{file.path}: no such file")
        read = [frame.select(name for name in frame.columns if name in KEPT) for frame in file.frames()]
        if file.summary.refused:
            raise UsageFault(f"{file.path}: {file.summary.refused}")
        if not file.summary.usable:
            raise UsageFault(f"{file.path}: not one of {file.summary.rows} rows is usable; {_why(file.summary)}")
        frames += [file.settled(frame).with_columns(file=pl.lit(number, pl.Int32)) for frame in read]
    frame = pl.concat(frames, how="diagonal").filter(~pl.col("type").is_in(list(set_aside)))
    if frame.is_empty():
        raise UsageFault(f"nobody does anything in these files: all events are of types that are set aside ({', '.join(set_aside)})")
    in_order = frame["ts"].is_sorted()
    frame = frame if in_order else frame.sort("ts", maintain_order=True)
    if len(opened) > 1:
        frame = _with_ids(frame)
    for name, kind in (("value", pl.Float64), ("channel", pl.String), ("event_id", pl.String)):
        if name not in frame.columns:
            frame = frame.with_columns(pl.lit(None, kind).alias(name))
    told = [file.summary for file in opened]
    return History(frame.select(COLUMNS), sum(one.unusable for one in told), not in_order, told)


def _why(summary: Summary) -> str:
    fault = max(summary.faults.values(), key=lambda one: one.count)
    where = f"line {fault.line}" if fault.line else f"row {fault.row}"
    return "; ".join([f"{where}: {words_of(fault.reason)}: {fault.value}", *summary.notes])


def _with_ids(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the events of several files the ids that `ingest` would: the same event in two of them is a repeat."""
    ids = EventIds()
    made = pl.Series("event_id", [one for part in frame.iter_slices(100_000) for one in ids.of(part)], pl.String)
    own = pl.col("event_id") if "event_id" in frame.columns else pl.lit(None, pl.String)
    return frame.with_columns(pl.coalesce(own, pl.lit(made)).alias("event_id"))


def key_events(history: History) -> tuple[str, ...]:
    """Return the most frequent types of the first 10,000 events, ties by name: what a worker would choose."""
    counts = history.frame.head(FIRST_EVENTS)["type"].value_counts()
    return tuple(counts.sort(["count", "type"], descending=[True, False])["type"].head(KEY_SLOTS).to_list())


def active_days(history: History, definition: ChurnDefinition, timezone: str, grace_ms: int) -> pl.DataFrame:
    """One landmark at the end of every calendar day with activity, and its label.

    The label is 1 if none of the next H days has any activity or, for `did_event`, if one of them has a target event. Labels that the log ends too early for are left out. Columns as in a file of labels.
    """
    acts = history.frame
    if definition.activity:
        acts = acts.filter(pl.col("type").is_in(definition.activity))
    local = pl.from_epoch("ts", time_unit="ms").dt.replace_time_zone("UTC").dt.convert_time_zone(timezone)
    days = acts.select("user", day=local.dt.date()).unique().sort("user", "day")
    horizon_days = definition.horizon_ms / DAY_MS
    if definition.kind == "did_event":
        hits = (
            history.frame.filter(pl.col("type").is_in(definition.target)).select("user", next=local.dt.date()).unique().sort("user", "next")
        )
        days = days.sort("day").join_asof(
            hits.sort("next"), left_on="day", right_on="next", by="user", strategy="forward", allow_exact_matches=False
        ).sort("user", "day")  # fmt: skip
        label = ((pl.col("next") - pl.col("day")).dt.total_days() <= horizon_days).fill_null(value=False)
    else:
        wait = (pl.col("day").shift(-1).over("user") - pl.col("day")).dt.total_days()
        label = (wait > horizon_days).fill_null(value=True)
    next_midnight = (days["day"].cast(pl.Int64) + 1).to_numpy() * DAY_MS
    return (
        days.with_columns(label=label.cast(pl.UInt8), landmark_ms=pl.Series(local_to_utc(next_midnight, timezone)) - 1)
        .with_columns(matured_ms=pl.col("landmark_ms") + definition.horizon_ms + grace_ms)
        .filter(pl.col("matured_ms") < history.last_ms)
        .select(LABEL_COLUMNS)
        .sort("landmark_ms", "user")
    )


def read_labels(file: Path) -> pl.DataFrame:
    """Read labels from outside: parquet or CSV with user, landmark_ms, label (0 or 1) and matured_ms.

    Raises
    ------
    UsageFault
        For columns that are missing, labels that are neither 0 nor 1, or a label that matures before its landmark.
    """
    frame = _label_columns(file)
    bad = frame.null_count().sum_horizontal()[0]
    if bad:
        row = frame.with_row_index("row", 1).filter(pl.any_horizontal(pl.all().is_null()))["row"][0]
        raise UsageFault(
            f"{file}: row {row} has an empty cell, or one that is no whole number: landmark_ms and matured_ms are milliseconds, label is 0 or 1"
        )
    if not frame["label"].is_in([0, 1]).all():
        raise UsageFault(f"{file}: a label is 0 (stayed) or 1 (churned), nothing else")
    if (frame["matured_ms"] <= frame["landmark_ms"]).any():
        raise UsageFault(f"{file}: a label is known after its landmark only: matured_ms must be greater than landmark_ms")
    return frame.unique(["user", "landmark_ms"], keep="first").sort("landmark_ms", "user").with_columns(pl.col("label").cast(pl.UInt8))


def _label_columns(file: Path) -> pl.DataFrame:
    """Read the four columns, ids as they are written; what is no number is null."""
    try:
        frame = table_of(file, LABEL_COLUMNS)
    except FileRefused as error:
        raise UsageFault(f"{file}: {error}; labels need {', '.join(LABEL_COLUMNS)}") from None
    numbers = [pl.col(name).cast(pl.Int64, strict=False) for name in LABEL_COLUMNS[1:]]
    return frame.select(pl.col("user").cast(pl.String).str.strip_chars().str.normalize("NFC"), *numbers)


def steps(history: History, spec: FeatureSpec, asked: pl.DataFrame | None) -> Iterator[Records]:
    """Yield the log in batches that end with the day, landmarks asked for in their place: after all events up to their time."""
    words = {
        (kind, channel): spec.type_word(kind) | spec.channel_bits(channel)
        for kind, channel in history.frame.select("type", "channel").unique().iter_rows()
    }
    rows = history.frame.select(
        "user",
        "ts",
        "value",
        word=pl.struct("type", "channel").map_elements(lambda one: words[one["type"], one["channel"]], pl.Int64)
        if len(words) > 1 or history.frame["channel"].null_count() < history.frame.height
        else pl.lit(next(iter(words.values())), pl.Int64),
        ask=pl.lit(value=False),
        eid=pl.Series(_hashed_ids(history.frame)),
    )
    if asked is not None:
        wanted = asked.select(
            "user",
            pl.col("landmark_ms").alias("ts"),
            pl.lit(None, pl.Float64).alias("value"),
            pl.lit(0, pl.Int64).alias("word"),
            pl.lit(value=True).alias("ask"),
            pl.lit(0, pl.UInt64).alias("eid"),
        )
        rows = pl.concat([rows, wanted]).sort("ts", "ask", maintain_order=True)
    users, ts = rows["user"].to_list(), rows["ts"].to_numpy()
    value, word, ask = rows["value"].fill_null(float("nan")).to_numpy(), rows["word"].to_numpy(), rows["ask"].to_numpy()
    eid = rows["eid"].to_numpy()
    cuts = np.flatnonzero(np.diff(ts // DAY_MS)) + 1
    edges = [0, *cuts.tolist(), len(ts)]
    for start, end in pairwise(edges):
        for at in range(start, end, MOST_RECORDS):
            part = slice(at, min(at + MOST_RECORDS, end))
            yield _records(users[part], ts[part], value[part], word[part], ask[part], eid[part], at)


def _hashed_ids(frame: pl.DataFrame) -> npt.NDArray[np.uint64]:
    """Event ids as the live path keeps them, 0 for none."""
    if "event_id" not in frame.columns or frame["event_id"].null_count() == frame.height:
        return np.zeros(frame.height, np.uint64)
    hashed = (0 if one is None else xxhash.xxh3_64_intdigest(one) or 1 for one in frame["event_id"].cast(pl.Binary).to_list())
    return np.fromiter(hashed, np.uint64, frame.height)


def _records(
    users: list[str],
    ts: npt.NDArray[np.int64],
    value: npt.NDArray[np.float64],
    word: npt.NDArray[np.int64],
    ask: npt.NDArray[np.bool_],
    eid: npt.NDArray[np.uint64],
    offset: int,
) -> Records:
    n = len(users)
    columns = Columns(
        n,
        ids_of(users),
        ts.copy(),
        ts.copy(),
        word.copy(),
        value.copy(),
        eid.copy(),
        np.zeros(n, np.uint8),
        np.zeros(n, np.bool_),
        ask.copy(),
    )
    return Records(columns, np.arange(offset, offset + n), [b""] * n, offset + n)
