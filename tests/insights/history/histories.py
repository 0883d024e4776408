"""Histories of tests: rows as writers hand them over, and what is read back."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from insights.history.derived import derive_all
from insights.history.erasing import erase_all
from insights.history.events import Rules
from insights.history.maintenance import compact
from insights.history.reader import open_log
from insights.history.table import Table
from insights.history.tables import EVENTS
from tests.oracles.history import Event

BERLIN = Rules("Europe/Berlin", 1_800_000, ("purchase",))


def rows_of(events: Sequence[Event], part: int = 0, first: int = 0) -> pl.DataFrame:
    """Return events as rows of the table, with offsets from `first` on."""
    n = len(events)
    columns: dict[str, Any] = {
        "user": pl.Series([one[0] for one in events], dtype=pl.String),
        "ts": pl.Series([one[1] * 1000 for one in events], dtype=pl.Int64).cast(pl.Datetime("us", "UTC")),
        "type": pl.Series([one[2] for one in events], dtype=pl.String),
        "event_id": pl.Series([one[3] for one in events], dtype=pl.String),
        "arrived": pl.Series([one[1] * 1000 for one in events], dtype=pl.Int64).cast(pl.Datetime("us", "UTC")),
        "part": pl.Series([part] * n, dtype=pl.Int32),
        "off": pl.Series(range(first, first + n), dtype=pl.Int64),
    }
    frame = pl.DataFrame(columns)
    return frame.with_columns(
        pl.lit(None, kind).alias(name) for name, kind in EVENTS.columns.items() if name not in frame.columns and name != "day"
    )


def read_back(folder: Path) -> list[Event]:
    """Return all events of a history, sorted."""
    return in_order(
        (user, ms_of(ts), kind, event_id) for user, ts, kind, event_id in asked(folder, 'select "user", ts, type, event_id from events')
    )


def in_order(events: Iterable[Event]) -> list[Event]:
    """Return events in an order of their own, for comparing."""
    return sorted(events, key=str)


def ms_of(ts: datetime) -> int:
    return round(ts.timestamp() * 1000)


def asked(folder: Path, sql: str, before_ms: int | None = None) -> list[tuple[Any, ...]]:
    """Open a history, ask one thing, close it."""
    log = open_log(folder, before_ms=before_ms)
    try:
        return log.con.execute(sql).fetchall()
    finally:
        log.con.close()


def tend(folder: Path, chance: random.Random) -> None:
    """Let one part of upkeep do its work, or none."""
    match chance.randrange(4):
        case 0:
            erase_all(folder)
        case 1:
            derive_all(folder)
        case 2:
            compact(Table.open(folder, EVENTS), over_before="9999")
