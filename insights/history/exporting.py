"""Events out of the history, day by day, as a file that an import takes back: Parquet, CSV or JSON Lines.

Of erased users nothing is exported, also while their rows still wait to be taken out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import msgspec
import polars as pl

from insights.history.erasures import Erasures
from insights.history.table import Table
from insights.history.tables import EVENTS

NEEDED = ("user", "ts", "type")
"""Columns without which a row is no event."""
COLUMNS = (*NEEDED, "channel", "item", "session", "value", "event_id", "props")
ENDINGS = (".parquet", ".csv", ".jsonl")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes
    ----------
    erased : int
        Rows of erased users that were left out.
    version : int
        Of the table of events.
    """

    rows: int
    days: int
    erased: int
    version: int


def export(folder: Path, out: Path, *, since: str = "", until: str = "", columns: Sequence[str] = COLUMNS) -> Exported:
    """Write events into a file, which is there whole or not at all.

    Parameters
    ----------
    folder : Path
        Of the history.
    out : Path
        Its ending says the form, one of `ENDINGS`.
    since, until : str
        First and last local day, as in 2026-03-01; "": the first and the last there is.
    columns : sequence of str
        Of `COLUMNS`; those of `NEEDED` are always there.

    Raises
    ------
    HistoryMissing
        If there is no history in the folder.
    OSError
        The file cannot be written.
    """
    table, erasures = Table.open(folder, EVENTS), Erasures.find(folder)
    kept = [name for name in COLUMNS if name in columns or name in NEEDED]
    rows = days = erased = 0

    def each() -> Iterator[pl.DataFrame]:
        nonlocal rows, days, erased
        for day in sorted({one.partition for one in table.files()}):
            if (since and day < since) or (until and day > until):
                continue
            whole = table.read(table.files_of(day))
            frame = whole if erasures is None else whole.filter(~erasures.covered(whole, "ts"))
            rows, days, erased = rows + frame.height, days + 1, erased + whole.height - frame.height
            yield frame.select(kept).sort("ts", "user", maintain_order=True)

    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as beside:
        written = Path(beside) / out.name
        _WRITERS[out.suffix](written, each(), kept)
        written.replace(out)
    return Exported(rows, days, erased, table.version)


def _parquet(out: Path, frames: Iterator[pl.DataFrame], kept: Sequence[str]) -> None:
    schema = {name: EVENTS.columns[name] for name in kept}
    parts = [out.with_name("empty")]
    pl.DataFrame(schema=schema).write_parquet(parts[0])
    for number, frame in enumerate(frames):
        parts.append(out.with_name(f"part-{number:06}"))
        frame.write_parquet(parts[-1])
    pl.scan_parquet(parts).sink_parquet(out)


def _csv(out: Path, frames: Iterator[pl.DataFrame], kept: Sequence[str]) -> None:
    with out.open("wb") as file:
        file.write((",".join(kept) + "\n").encode())
        for frame in frames:
            buffer = BytesIO()
            frame.with_columns(_ts_text()).write_csv(buffer, include_header=False, quote_style="non_numeric")
            file.write(buffer.getvalue())


def _jsonl(out: Path, frames: Iterator[pl.DataFrame], _: Sequence[str]) -> None:
    encode = msgspec.json.encode
    with out.open("wb") as file:
        for frame in frames:
            for row in frame.with_columns(_ts_text()).iter_rows(named=True):
                told = {name: value for name, value in row.items() if value is not None}
                if "props" in told:
                    told["props"] = msgspec.Raw(told["props"].encode())  # JSON already
                file.write(encode(told) + b"\n")


def _ts_text() -> pl.Expr:
    return pl.col("ts").dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")


_WRITERS = {".parquet": _parquet, ".csv": _csv, ".jsonl": _jsonl}
