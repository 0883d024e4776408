"""The log as analyses see it: views to ask, and what was known when it was opened.

Views of the connection::

    events    user, ts, type, channel, item, session, value, event_id, props (JSON), arrived, part, off, day (local)
    user_day  user, day, channel, events, sessions, types, purchases, revenue, first_ts, last_ts, month
    users     user, first_day, first_ts, channel, last_day, events, purchases, revenue
    traits    user, name, value (the newest), ts, part, off, event_id
    ids       id, person and more: which id counts under which other; `user` of all others is the person

    alerts, scores, outcomes    what the engine said, and what came of it; empty where none was followed

as `insights.history` has them (docs/history.md).

Events of one instant are in the order of `PLACE`.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from insights.analyses.units import Name, Unit
from insights.history.days import told_sql, traits_sql, user_day_sql, users_sql
from insights.history.events import Rules
from insights.history.persons import followed_sql, joined_sql, persons_in
from insights.history.reader import AsOf
from insights.history.tables import FOLLOWED, TableSpec

EVENTS: dict[str, Any] = {
    "user": pl.String, "ts": pl.Datetime("us", "UTC"), "type": pl.String, "channel": pl.String, "item": pl.String, "session": pl.String,
    "value": pl.Float64, "event_id": pl.String, "props": pl.String, "arrived": pl.Datetime("us", "UTC"), "part": pl.Int32, "off": pl.Int64,
}  # fmt: skip
"""Columns of a frame of events, all but user, ts and type optional; `day` comes from `ts` and the zone."""
PLACE = "(ts, part, off, event_id)"
"""SQL of what orders events: their time, then their place in the log, so that no result depends on the order in which rows are read."""
_NAME = re.compile(r"\$(v\d+)\b")


class Crowd:
    """An open log.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        With the views above.
    as_of : AsOf
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, as_of: AsOf) -> None:
        self.con = con
        self.as_of = as_of

    def frame(self, sql: str, values: dict[str, object] | None = None) -> pl.DataFrame:
        """Ask, and return the answer as a frame. `values` are bound to the `$names` of the SQL; those it does not name are left out."""
        there = set(_NAME.findall(sql))
        named = {name: value for name, value in (values or {}).items() if name in there}
        return pl.DataFrame(self.con.sql(sql, params=named or None))

    def unit(self, name: Name, week_start: str | None = None) -> Unit:
        """Return a calendar unit as this log has it, or with weeks that begin otherwise."""
        return Unit(name, self.as_of.zone, week_start or self.as_of.week_start)

    def knows(self, until: datetime) -> bool:
        """Whether all that happened before an instant is known."""
        return self.as_of.watermark is not None and until <= self.as_of.watermark

    def left_censored(self) -> int:
        """Return the number of users who were there before the log is complete."""
        since = self.as_of.complete_from
        if since is None:
            return 0
        return int(self.con.execute("SELECT count(*) FROM users WHERE first_ts < $since", {"since": since}).fetchall()[0][0])

    def close(self) -> None:
        """Close the connection."""
        self.con.close()


def crowd_of(events: pl.DataFrame, as_of: AsOf, followed: Mapping[str, pl.DataFrame] | None = None) -> Crowd:
    """Return the log that a frame of events makes, as if the history had taken it in this order.

    Events repeated by `event_id` count once within a day. The derived views are made from the first.

    Parameters
    ----------
    events : pl.DataFrame
        Columns of `EVENTS`; user, ts and type are needed.
    followed : mapping of str to pl.DataFrame
        Rows of `alerts`, `scores` or `outcomes`, as far as there are any; columns that are not given are null.
    """
    missing = [
        pl.lit(None, kind).alias(name) for name, kind in EVENTS.items() if name not in events.columns and name not in {"part", "off"}
    ]
    whole = events.with_columns(missing)
    if "off" not in events.columns:
        whole = whole.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias("off"))
    if "part" not in events.columns:
        whole = whole.with_columns(pl.lit(-1, pl.Int32).alias("part"))
    whole = whole.select(pl.col(name).cast(kind) for name, kind in EVENTS.items())
    whole = whole.with_columns(pl.col("ts").dt.convert_time_zone(as_of.zone).dt.date().alias("day"))
    named = pl.col("event_id").is_not_null()
    first = pl.struct("user", "event_id", "day").is_first_distinct()
    whole = whole.sort("part", "off", maintain_order=True).filter(~named | first)
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    tables = {"events": whole, **{spec.name: _rows_of(spec, (followed or {}).get(spec.name)) for spec in FOLLOWED}}
    with tempfile.TemporaryDirectory() as folder:  # DuckDB reads a frame only by way of pyarrow, a file without it
        for name, rows in tables.items():
            file = Path(folder) / f"{name}.parquet"
            rows.write_parquet(file)
            con.execute(f"CREATE TABLE came_{name} AS SELECT * FROM read_parquet($file)", {"file": str(file)})
    rules = Rules(as_of.zone, as_of.session_gap_ms, as_of.revenue)
    joined = persons_in(con, "", "SELECT * FROM came_events")
    con.execute(f"CREATE VIEW events AS {joined_sql('SELECT * FROM came_events', joined)}")
    for spec in FOLLOWED:
        con.execute(f"CREATE VIEW {spec.name} AS {followed_sql(spec, f'SELECT * FROM came_{spec.name}', joined)}")
    con.execute(f"CREATE VIEW user_day AS {user_day_sql('events', rules)}")
    con.execute(f"CREATE VIEW users AS {users_sql('user_day')}")
    con.execute(f"CREATE VIEW traits AS {traits_sql(told_sql('events'))}")
    return Crowd(con, as_of)


def _rows_of(spec: TableSpec, rows: pl.DataFrame | None) -> pl.DataFrame:
    given = pl.DataFrame(schema=spec.columns) if rows is None else rows
    missing = [pl.lit(None, kind).alias(name) for name, kind in spec.columns.items() if name not in given.columns]
    return given.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in spec.columns.items())
