"""A file of events as a log: columns in order of time, and the landmarks that a file of labels or the calendar asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from features.compiled.texts import ids_of
from features.definitions.definition import DAY_MS, ChurnDefinition
from features.events.columns import Columns
from features.events.event import MAX_TS_MS
from features.users.spec import FIRST_EVENTS, KEY_SLOTS, FeatureSpec
from stream.faults import UsageFault
from stream.intake.ingest import read_events
from stream.shard.records import Records

LABEL_COLUMNS = ("user", "landmark_ms", "label", "matured_ms")
MOST_RECORDS = 20_000
"""Most records of one step; a step never spans two days."""


@dataclass(frozen=True, slots=True)
class History:
    """Events in order of time: user (text), ts (ms), type, and value, channel where the file has them."""

    frame: pl.DataFrame
    rejected: int
    """Rows without a user, a type or a usable time."""
    sorted_here: bool
    """Whether the file had to be put in order."""

    @property
    def first_ms(self) -> int:
        """Time of the first event."""
        return int(self.frame["ts"][0])

    @property
    def last_ms(self) -> int:
        """Time of the last event."""
        return int(self.frame["ts"][-1])


def read_history(file: Path) -> History:
    """Read a file of events.

    Raises
    ------
    UsageFault
        For a format or columns that are not there, or when no event is usable.
    """
    frame = read_events(file)
    if frame["ts"].dtype == pl.String:
        frame = frame.with_columns(pl.col("ts").str.to_datetime(time_zone="UTC", strict=False).dt.epoch("ms"))
    elif frame["ts"].dtype.is_temporal():
        frame = frame.with_columns(pl.col("ts").dt.epoch("ms"))
    if "value" not in frame.columns:
        frame = frame.with_columns(value=pl.lit(None, pl.Float64))
    if "channel" not in frame.columns:
        frame = frame.with_columns(channel=pl.lit(None, pl.String))
    frame = frame.select(
        "user", pl.col("ts").cast(pl.Int64, strict=False), pl.col("type").cast(pl.String), pl.col("value").cast(pl.Float64), "channel"
    )
    usable = frame.filter((pl.col("user").str.len_bytes() > 0) & pl.col("type").is_not_null() & pl.col("ts").is_between(0, MAX_TS_MS))
    if not usable.height:
        raise UsageFault(f"{file}: not one of {frame.height} rows has a user, a type and a time in milliseconds")
    in_order = usable["ts"].is_sorted()
    return History(usable if in_order else usable.sort("ts", maintain_order=True), frame.height - usable.height, not in_order)


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
    end_of_day = (
        (pl.col("day") + pl.duration(days=1))
        .cast(pl.Datetime("ms"))
        .dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    )
    return (
        days.with_columns(label=label.cast(pl.UInt8), landmark_ms=end_of_day.dt.epoch("ms") - 1)
        .drop_nulls("landmark_ms")
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
    if not file.exists():
        raise UsageFault(f"{file}: no such file")
    frame = pl.read_parquet(file) if file.suffix == ".parquet" else pl.read_csv(file)
    missing = [name for name in LABEL_COLUMNS if name not in frame.columns]
    if missing:
        raise UsageFault(f"{file}: no column {', '.join(missing)}; labels need {', '.join(LABEL_COLUMNS)}")
    frame = frame.select(
        pl.col("user").cast(pl.String),
        pl.col("landmark_ms").cast(pl.Int64),
        pl.col("label").cast(pl.Int64),
        pl.col("matured_ms").cast(pl.Int64),
    )
    if frame.null_count().sum_horizontal()[0]:
        raise UsageFault(f"{file}: there are rows with an empty cell")
    if not frame["label"].is_in([0, 1]).all():
        raise UsageFault(f"{file}: a label is 0 (stayed) or 1 (churned), nothing else")
    if (frame["matured_ms"] <= frame["landmark_ms"]).any():
        raise UsageFault(f"{file}: a label is known after its landmark only: matured_ms must be greater than landmark_ms")
    return frame.unique(["user", "landmark_ms"], keep="first").sort("landmark_ms", "user").with_columns(pl.col("label").cast(pl.UInt8))


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
    )
    if asked is not None:
        wanted = asked.select(
            "user",
            pl.col("landmark_ms").alias("ts"),
            pl.lit(None, pl.Float64).alias("value"),
            pl.lit(0, pl.Int64).alias("word"),
            pl.lit(value=True).alias("ask"),
        )
        rows = pl.concat([rows, wanted]).sort("ts", "ask", maintain_order=True)
    users, ts = rows["user"].to_list(), rows["ts"].to_numpy()
    value, word, ask = rows["value"].fill_null(float("nan")).to_numpy(), rows["word"].to_numpy(), rows["ask"].to_numpy()
    cuts = np.flatnonzero(np.diff(ts // DAY_MS)) + 1
    edges = [0, *cuts.tolist(), len(ts)]
    for start, end in pairwise(edges):
        for at in range(start, end, MOST_RECORDS):
            part = slice(at, min(at + MOST_RECORDS, end))
            yield _records(users[part], ts[part], value[part], word[part], ask[part], at)


def _records(
    users: list[str],
    ts: npt.NDArray[np.int64],
    value: npt.NDArray[np.float64],
    word: npt.NDArray[np.int64],
    ask: npt.NDArray[np.bool_],
    offset: int,
) -> Records:
    n = len(users)
    none = np.zeros(n, np.uint64)
    columns = Columns(
        n,
        ids_of(users),
        ts.copy(),
        ts.copy(),
        word.copy(),
        value.copy(),
        none,
        np.zeros(n, np.uint8),
        np.zeros(n, np.bool_),
        ask.copy(),
    )
    return Records(columns, np.arange(offset, offset + n), [b""] * n, offset + n)
