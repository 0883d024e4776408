"""The log as analyses see it: three views to ask, and what was known when it was opened.

Views of the connection::

    events    user, ts, type, channel, item, session, value, event_id, props (JSON), arrived, part, off, day (local)
    user_day  user, day, channel, events, sessions, types, purchases, revenue, first_ts, last_ts, month
    users     user, first_day, first_ts, channel, last_day, events, purchases, revenue

as `insights.history` has them (docs/history.md).

Events of one instant are in the order of `PLACE`.
"""

from __future__ import annotations

import re
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from insights.analyses.units import Name, Unit
from insights.history.days import user_day_sql, users_sql
from insights.history.events import Rules
from insights.history.reader import AsOf

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
        With the three views above.
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


def crowd_of(events: pl.DataFrame, as_of: AsOf) -> Crowd:
    """Return the log that a frame of events makes, as if the history had taken it in this order.

    Events repeated by `event_id` count once within a day. The two derived views are made from the first.

    Parameters
    ----------
    events : pl.DataFrame
        Columns of `EVENTS`; user, ts and type are needed.
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
    with tempfile.TemporaryDirectory() as folder:  # DuckDB reads a frame only by way of pyarrow, a file without it
        file = Path(folder) / "events.parquet"
        whole.write_parquet(file)
        con.execute("CREATE TABLE events AS SELECT * FROM read_parquet($file)", {"file": str(file)})
    rules = Rules(as_of.zone, as_of.session_gap_ms, as_of.revenue)
    con.execute(f"CREATE VIEW user_day AS {user_day_sql('events', rules)}")
    con.execute(f"CREATE VIEW users AS {users_sql('user_day')}")
    return Crowd(con, as_of)
