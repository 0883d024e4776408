"""Reads a file as `ingest --check` does, and hands out what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from features.files.options import ReadOptions
from features.files.reader import EventFile
from features.files.summary import Summary

CASES = Path(__file__).parents[2] / "cases" / "inputs"
NOW_MS = 1_795_800_000_000
"""2026-11-28; the cases were made in the weeks before."""


def read(file: Path, **told: Any) -> tuple[pl.DataFrame, Summary]:
    """Usable rows and summary of a file; every row must be in one of the two."""
    one = EventFile(file, ReadOptions(now_ms=NOW_MS, **told), Summary(file.name))
    frames = list(one.frames())
    summary = one.summary
    settled = [one.settled(frame) for frame in frames]
    frame = pl.concat(settled, how="diagonal") if settled else pl.DataFrame(schema={"user": pl.String, "ts": pl.Int64, "type": pl.String})
    assert summary.rows == summary.usable + summary.unusable
    assert frame.height == summary.usable
    return frame, summary


def opened(file: Path, **told: Any) -> EventFile:
    """Return a file that has been read to its end."""
    one = EventFile(file, ReadOptions(now_ms=NOW_MS, **told), Summary(file.name))
    for _ in one.frames():
        pass
    return one


def text(folder: Path, content: str | bytes, name: str = "events.csv") -> Path:
    """Write a file."""
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def csv(folder: Path, *rows: str, header: str = "user,ts,type,value") -> Path:
    """Write a CSV file of some rows."""
    return text(folder, "\n".join([header, *rows, ""]))


def reasons(summary: Summary) -> dict[tuple[str, str], int]:
    """How often each fault occurs, by (reason, field)."""
    return {kind: fault.count for kind, fault in summary.faults.items()}
