"""Rows for programs: one JSON object with what was known and the rows in the long form; CSV with the same columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import polars as pl

from insights.analyses.analysis import Result
from insights.history.reader import AsOf
from stream.shown import csv_line


def as_of_of(as_of: AsOf, left_censored: int) -> dict[str, Any]:
    """Return what was known, as every answer carries it."""
    return {
        "watermark": as_of.watermark,
        "offsets": dict(sorted((as_of.offsets or {}).items())),
        "zone": as_of.zone,
        "week_start": as_of.week_start,
        "late": as_of.late,
        "rejected": as_of.rejected,
        "complete_from": as_of.complete_from,
        "left_censored": left_censored,
    }


def json_of_answer(as_of: AsOf, left_censored: int, rows: pl.DataFrame, name: str = "rows") -> bytes:
    """Return ``{"as_of": {...}, "rows": [...]}`` for any rows. What JSON has no form for stands as text."""
    return msgspec.json.encode({"as_of": as_of_of(as_of, left_censored), name: rows.to_dicts()}, enc_hook=str)


def json_of(result: Result) -> bytes:
    """Return ``{"as_of": {...}, "rows": [...]}``. The same question as of the same position gives the same bytes."""
    return json_of_answer(result.as_of, result.left_censored, result.rows)


def json_of_people(result: Result, people: pl.DataFrame) -> bytes:
    """Return ``{"as_of": {...}, "users": [...]}`` for the people behind a cell."""
    return json_of_answer(result.as_of, result.left_censored, people, "users")


def csv_of(frame: pl.DataFrame) -> Iterator[str]:
    """Yield the lines of a CSV file that no spreadsheet takes for formulas."""
    yield csv_line(frame.columns)
    for row in frame.iter_rows():
        yield csv_line(row)
