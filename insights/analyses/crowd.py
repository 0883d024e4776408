"""The log as analyses see it: three views to ask, and what was known when it was opened.

Views of the connection::

    events    user, ts, type, channel, item, session, value, event_id, props (JSON), arrived, part, off, day (local)
    user_day  user, day, channel, events, sessions, types, purchases, revenue, first_ts, last_ts
    users     user, first_day, first_ts, channel, last_day, events, purchases, revenue

Events of one instant are in the order of `PLACE`.
"""

from __future__ import annotations

import re
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import polars as pl

from insights.analyses.match import RESERVED
from insights.analyses.units import Name, Unit, WeekStart

EVENTS: dict[str, Any] = {
    "user": pl.String, "ts": pl.Datetime("us", "UTC"), "type": pl.String, "channel": pl.String, "item": pl.String, "session": pl.String,
    "value": pl.Float64, "event_id": pl.String, "props": pl.String, "arrived": pl.Datetime("us", "UTC"), "part": pl.Int32, "off": pl.Int64,
}  # fmt: skip
"""Columns of a frame of events, all but user, ts and type optional; `day` comes from `ts` and the zone."""
PLACE = "(ts, part, off, event_id)"
"""SQL of what orders events: their time, then their place in the log, so that no result depends on the order in which rows are read."""
_NAME = re.compile(r"\$(v\d+)\b")


class AsOf(msgspec.Struct, frozen=True, kw_only=True):
    """What was known when the log was opened; every result carries it.

    Attributes
    ----------
    watermark : datetime or None
        Newest time up to which all is known (UTC); None: nothing has come yet.
    offsets : dict
        Next offset of each partition of the clicks.
    zone, week_start : str
        IANA zone of days, and the day on which weeks begin.
    late, rejected : int
        Events that came late (they count here, unlike in live features), and that were not taken.
    complete_from : datetime or None
        The log is complete from here on; who is first seen before it is left-censored. None: complete from its beginning.
    activity : tuple of str
        Types that are activity; empty: all but the reserved ones.
    horizon : timedelta
        How long a silence must last to count as one.
    """

    watermark: datetime | None
    offsets: dict[str, int] = {}
    zone: str = "UTC"
    week_start: WeekStart = "monday"
    late: int = 0
    rejected: int = 0
    complete_from: datetime | None = None
    activity: tuple[str, ...] = ()
    horizon: timedelta = timedelta(days=14)


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

    def unit(self, name: Name, week_start: WeekStart | None = None) -> Unit:
        """Return a calendar unit as this log has it, or with weeks that begin otherwise."""
        return Unit(name, self.as_of.zone, week_start or self.as_of.week_start)

    def knows(self, until: datetime) -> bool:
        """Whether all that happened before an instant is known."""
        return self.as_of.watermark is not None and until <= self.as_of.watermark

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
    con.execute(USER_DAY)
    con.execute(USERS)
    return Crowd(con, as_of)


USER_DAY = f"""
CREATE VIEW user_day AS
SELECT
    user, day,
    nullif(arg_min(coalesce(channel, ''), {PLACE}), '') AS channel,
    count(*) AS events,
    count(DISTINCT session) AS sessions,
    count(*) FILTER (WHERE type = 'purchase') AS purchases,
    coalesce(sum(value) FILTER (WHERE type = 'purchase'), 0) AS revenue,
    min(ts) AS first_ts,
    max(ts) AS last_ts
FROM events
WHERE type NOT IN ({", ".join(f"'{kind}'" for kind in RESERVED)})
GROUP BY user, day
"""
USERS = """
CREATE VIEW users AS
SELECT
    user,
    min(day) AS first_day,
    min(first_ts) AS first_ts,
    nullif(arg_min(coalesce(channel, ''), day), '') AS channel,
    max(day) AS last_day,
    sum(events) AS events,
    sum(purchases) AS purchases,
    sum(revenue) AS revenue
FROM user_day
GROUP BY user
"""
