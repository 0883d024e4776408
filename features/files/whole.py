"""Files judged as a whole: everything is read and put in order before anything is done with it, and what is not good enough is refused first."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from features.files.faults import FileRefused
from features.files.order import Order
from features.files.reader import EventFile

SPILLED = {".parquet": 1.5, ".gz": 1.5, ".zst": 1.5}
"""Least number of bytes that go to the spill folder for each byte of a compressed file; for an uncompressed file it is 0.4."""


def judged(files: Sequence[EventFile], order: Order, progress: Callable[[int], None]) -> None:
    """Read every file into `order`; each file's summary is complete afterwards. A column `file` says by its number where a row is from.

    Raises
    ------
    FileRefused
        If the disk has no room for the events that do not fit into memory.
    """
    done = 0
    for number, file in enumerate(files):
        before = done
        for frame in file.frames(lambda at, before=before: progress(before + at)):  # type: ignore[misc]  # mypy knows no lambda with a default
            order.add(frame.with_columns(file=pl.lit(number, pl.Int32)), file.settled)
        done += size_of(file.path)
        progress(done)


def refuse_without_room(files: Sequence[EventFile], order: Order) -> None:
    """Refuse files that do not fit into memory if the disk lacks room for them, before hours are spent on reading.

    Raises
    ------
    FileRefused
        If there is less room than will be needed at least. The true need shows only while reading, so it is checked again before each part is written.
    """
    needed = sum(size_of(file.path) * SPILLED.get(file.path.suffix.lower(), 0.4) for file in files)
    free = shutil.disk_usage(order.spill).free
    if needed > order.memory_bytes and free < needed:
        raise FileRefused(
            f"the files do not fit into memory, and {order.spill.parent} has {free / 1e9:.1f} GB free of at least {needed / 1e9:.1f} GB that are needed: "
            "say --spill with a folder that has more room"
        )


def size_of(path: Path) -> int:
    """Bytes of a file; 0 for standard input."""
    return path.stat().st_size if path.is_file() else 0


def refuse_unusable(files: Sequence[EventFile], skip_bad: int) -> None:
    """Refuse to go on with files that cannot be read, or with more unusable rows than were allowed.

    Raises
    ------
    FileRefused
        If a file was refused, more than `skip_bad` rows are unusable, or no row is usable.
    """
    refused = [file for file in files if file.summary.refused]
    if refused:
        raise FileRefused(f"{refused[0].summary.file}: {refused[0].summary.refused}")
    unusable, rows = (sum(getattr(file.summary, name) for file in files) for name in ("unusable", "rows"))
    if unusable > skip_bad:
        raise FileRefused(f"{unusable:,} of {rows:,} rows are unusable; mend them, or leave them out with --skip-bad {unusable}")
    if not any(file.summary.usable for file in files):
        raise FileRefused("not one row is usable")
