"""A file of events to the clicks topic: decoded by polars, keyed by user, each event with an id derived from the file and its row."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import xxhash

from features.store.redis import connect, load_spec
from features.users.state import NEVER
from stream.faults import UsageFault, as_new_app
from stream.kafka.clients import clicks_producer
from stream.ownership.stored import stored_metas
from stream.settings import Settings

CHUNK = 20_000
OPTIONAL = ("value", "item", "session", "channel", "event_id")


def read_events(file: Path) -> pl.DataFrame:
    """Read parquet, CSV or JSONL into the columns user, ts, type and those of `OPTIONAL` that are there, in the file's order.

    Raises
    ------
    UsageFault
        For another format, or missing columns.
    """
    if not file.exists():
        raise UsageFault(f"{file}: no such file")
    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".parquet": pl.read_parquet,
        ".csv": pl.read_csv,
        ".jsonl": pl.read_ndjson,
        ".ndjson": pl.read_ndjson,
    }
    reader = readers.get(file.suffix)
    if reader is None:
        raise UsageFault(f"{file}: {file.suffix or 'no ending'} is not one of {', '.join(readers)}")
    frame: pl.DataFrame = reader(file)
    if "type" not in frame.columns and "event" in frame.columns:
        frame = frame.rename({"event": "type"})
    missing = [name for name in ("user", "ts", "type") if name not in frame.columns]
    if missing:
        raise UsageFault(f"{file}: no column {', '.join(missing)}; there are {', '.join(frame.columns)}")
    return frame.select("user", "ts", "type", *(name for name in OPTIONAL if name in frame.columns)).with_columns(
        pl.col("user").cast(pl.String)
    )


def payloads(frame: pl.DataFrame, file: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield (key, JSON) of every row; an event id that the file does not bring is its digest and the row number."""
    digest = xxhash.xxh3_64_hexdigest(f"{file.name}:{file.stat().st_size}".encode())
    encode = msgspec.json.Encoder().encode
    for number, row in enumerate(frame.iter_rows(named=True)):
        event: dict[str, Any] = {name: value for name, value in row.items() if value is not None}
        event.setdefault("event_id", f"{digest}-{number}")
        yield event["user"].encode(), encode(event)


def newest_watermark(settings: Settings) -> int:
    """Return the furthest watermark of the app's shards, NEVER if there is none."""
    client = connect(settings["redis.url"])
    spec = load_spec(client, settings["app.name"])
    metas = stored_metas(client, settings["app.name"], spec.partitions if spec else 0)
    return max((meta.watermark_ms(settings["features.lateness"]) for meta in metas.values()), default=NEVER)


def ingest_file(settings: Settings, file: Path, *, force: bool = False) -> tuple[int, float]:
    """Send all events; return how many, and the seconds it took.

    Raises
    ------
    UsageFault
        If the file begins before the watermark: its events would be late, every one a dead letter.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    frame = read_events(file)
    if not force and frame.height and frame["ts"].dtype.is_integer():
        watermark, first = newest_watermark(settings), int(frame["ts"].min())  # type: ignore[arg-type]  # integers only
        if first < watermark:
            raise UsageFault(
                f"{file} begins {(watermark - first) / 86_400_000:.1f} days before the watermark of app {settings['app.name']!r}: its events would all be late. "
                f"Say --force to have the late ones dead-lettered, or load it into a new app: {as_new_app(settings['app.name'])}"
            )
    producer, topic = clicks_producer(settings)
    failed: list[str] = []

    def delivered(error: Any, _message: Any) -> None:
        if error is not None:
            failed.append(str(error))

    began = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task(file.name, total=frame.height)
        for number, (key, value) in enumerate(payloads(frame, file), 1):
            while True:
                try:
                    producer.produce(topic, value, key, on_delivery=delivered)
                    break
                except BufferError:
                    producer.poll(0.1)
            if number % CHUNK == 0:
                producer.poll(0)
                progress.update(task, completed=number)
        while producer.flush(1.0):
            if failed:
                break
        progress.update(task, completed=frame.height)
    if failed:
        raise UsageFault(f"{len(failed)} events were not delivered: {failed[0]}")
    return frame.height, time.monotonic() - began
