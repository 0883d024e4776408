"""Rows for programs: one JSON object with what was known and the rows in the long form; CSV with the same columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from insights.analyses.plain import Found, Known, Rows
from stream.shown import csv_line


def as_of_of(known: Known) -> dict[str, Any]:
    """Return what was known, as every answer carries it."""
    return {
        "watermark": known.watermark,
        "offsets": known.offsets,
        "zone": known.zone,
        "week_start": known.week_start,
        "late": known.late,
        "rejected": known.rejected,
        "complete_from": known.complete_from,
        "left_censored": known.left_censored,
    }


def json_of_rows(known: Known, rows: Rows, name: str = "rows") -> bytes:
    """Return ``{"as_of": {...}, "rows": [...]}`` for any rows. What JSON has no form for stands as text."""
    return msgspec.json.encode({"as_of": as_of_of(known), name: rows.dicts()}, enc_hook=str)


def json_of(found: Found) -> bytes:
    """Return ``{"as_of": {...}, "rows": [...]}``. The same question as of the same position gives the same bytes."""
    return json_of_rows(found.as_of, found.rows)


def json_of_people(known: Known, people: Rows) -> bytes:
    """Return ``{"as_of": {...}, "users": [...]}`` for the people behind a cell."""
    return json_of_rows(known, people, "users")


def csv_of(rows: Rows) -> Iterator[str]:
    """Yield the lines of a CSV file that no spreadsheet takes for formulas."""
    yield csv_line(rows.columns)
    for row in rows.tuples():
        yield csv_line(row)
