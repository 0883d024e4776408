"""How many people are active? Each day's distinct active users of 1, 7 and 28 days that end with it, and how sticky they are.

No join over days: an active day adds its user from that day on, unless they were counted already, and takes them out n days later, unless they were active
again before. A running sum of these changes is the number of users, at the price of one sort of the active days.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import polars as pl

from insights.analyses.analysis import Analysis, Cell, Metric, Result
from insights.analyses.crowd import Crowd
from insights.analyses.days import active_days_sql, first_known_day
from insights.analyses.groups import LIMIT, first_value_sql, kept, named
from insights.analyses.match import Bound
from stream.faults import UsageFault


class ActiveUsers(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/analyses.py`."""

    since: date | None = None
    until: date | None = None
    activity: str = ""
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    by: str | None = None
    limit: int = LIMIT
    month_days: int = 28


CHANGES = """
WITH active AS ({active}),
neighbours AS (
    SELECT
        active.user AS user, {grp} AS grp, day,
        lag(day) OVER (PARTITION BY active.user ORDER BY day) AS previous,
        lead(day) OVER (PARTITION BY active.user ORDER BY day) AS following
    FROM active {join}
),
changes AS (
    SELECT grp, day, 1 AS day_on, CAST(previous IS NULL OR previous <= day - 7 AS INTEGER) AS week, CAST(previous IS NULL OR previous <= day - {month} AS INTEGER) AS month
    FROM neighbours
    UNION ALL
    SELECT grp, day + 7, 0, -1, 0 FROM neighbours WHERE following IS NULL OR following > day + 6
    UNION ALL
    SELECT grp, day + {month}, 0, 0, -1 FROM neighbours WHERE following IS NULL OR following > day + {month} - 1
)
SELECT grp, day, sum(day_on) AS dau, sum(week) AS week, sum(month) AS month FROM changes GROUP BY grp, day ORDER BY grp, day
"""


def run(crowd: Crowd, asked: ActiveUsers) -> Result:
    """Return DAU, WAU, MAU, DAU / MAU and the mean DAU of the month / MAU of each day asked for.

    A window that begins before the log is complete has no value. The day in progress is open.
    """
    if asked.month_days < 7:
        raise UsageFault(f"month_days must be 7 or more, got {asked.month_days}")
    days = _days(crowd, asked)
    first = first_known_day(crowd)
    if not days or first is None:
        return ACTIVE_USERS.result(crowd, asked, pl.DataFrame(schema={"metric": pl.String}))
    counts = _counts(crowd, asked, days)
    mean = pl.col("dau").rolling_sum(asked.month_days, min_samples=1).over("group") / asked.month_days
    counts = counts.with_columns(
        dau_of_mau=pl.col("dau") / pl.when(pl.col("mau") > 0).then(pl.col("mau")),
        stickiness=mean / pl.when(pl.col("mau") > 0).then(pl.col("mau")),
    ).filter(pl.col("day").is_between(days[0], days[-1]))
    widths = {"dau": 1, "wau": 7, "mau": asked.month_days, "dau_of_mau": asked.month_days, "stickiness": asked.month_days}
    open_from = next((day for day in days if not crowd.knows(_end(crowd, day))), None)
    parts = []
    for metric, width in widths.items():
        known = pl.col("day") >= first + timedelta(days=width - 1)
        is_open = pl.lit(False) if open_from is None else pl.col("day") >= open_from
        parts.append(
            counts.select(
                pl.lit(metric).alias("metric"),
                pl.col("day").cast(pl.String).alias("cohort"),
                pl.col("group") if asked.by else pl.lit(None, pl.String).alias("group"),
                pl.when(known).then(pl.col("mau")).alias("n")
                if metric in {"dau_of_mau", "stickiness"}
                else pl.lit(None, pl.Int64).alias("n"),
                pl.when(known).then(pl.col(metric).cast(pl.Float64)).alias("value"),
                pl.when(~known).then(pl.lit("none")).when(is_open).then(pl.lit("open")).otherwise(pl.lit("complete")).alias("state"),
            )
        )
    return ACTIVE_USERS.result(crowd, asked, pl.concat(parts))


def _days(crowd: Crowd, asked: ActiveUsers) -> list[date]:
    """Return the days asked for; without bounds, the 28 last ones that the log knows something of."""
    last = crowd.con.execute("SELECT max(day) FROM user_day").fetchall()[0][0]
    until = asked.until or last
    if until is None:
        return []
    since = asked.since or until - timedelta(days=27)
    if since > until:
        raise UsageFault(f"since ({since}) is after until ({until})")
    return [since + timedelta(days=number) for number in range((until - since).days + 1)]


def _counts(crowd: Crowd, asked: ActiveUsers, days: list[date]) -> pl.DataFrame:
    """Return `group`, `day`, `dau`, `wau`, `mau`, a row for every group and day from a month before the first day asked for to the last."""
    bound = Bound()
    active = active_days_sql(crowd, asked.activity, bound, asked.where, asked.without)
    groups = f"JOIN ({first_value_sql(asked.by, bound)}) AS groups ON groups.user = active.user" if asked.by else ""
    sql = CHANGES.format(active=active, grp="groups.grp" if asked.by else "''", join=groups, month=asked.month_days)
    changes = crowd.frame(sql, bound.values).rename({"grp": "group"})
    if asked.by:
        sizes = changes.group_by("group").agg(pl.col("dau").sum()).rows()
        changes = changes.with_columns(named("group", kept(sizes, asked.limit)).alias("group"))
    changes = changes.group_by("group", "day").agg(pl.col("dau", "week", "month").sum())
    if changes.is_empty() and not asked.by:
        changes = pl.DataFrame({"group": [""], "day": days[:1], "dau": [0], "week": [0], "month": [0]})
    start = min([days[0] - timedelta(days=asked.month_days), *changes["day"].to_list()])
    calendar = pl.DataFrame({"day": pl.date_range(start, days[-1], "1d", eager=True)})
    groups_there = changes.select("group").unique()
    grid = groups_there.join(calendar, how="cross").join(changes, on=["group", "day"], how="left").sort("group", "day")
    return grid.select(
        "group", "day",
        dau=pl.col("dau").fill_null(0).cast(pl.Int64),
        wau=pl.col("week").fill_null(0).cum_sum().over("group").cast(pl.Int64),
        mau=pl.col("month").fill_null(0).cum_sum().over("group").cast(pl.Int64),
    )  # fmt: skip


def _end(crowd: Crowd, day: date) -> Any:
    unit = crowd.unit("day")
    return unit.start(unit.number_of_day(day) + 1)


def behind(crowd: Crowd, asked: ActiveUsers, cell: Cell) -> pl.DataFrame:
    """Return the users active in the window of a cell, with the number of days they were active in it and the last of these."""
    width = {"dau": 1, "wau": 7}.get(cell.metric, asked.month_days)
    if cell.cohort is None:
        raise UsageFault("name a day, as in 2026-03-01")
    last = date.fromisoformat(cell.cohort)
    bound = Bound()
    active = active_days_sql(crowd, asked.activity, bound, asked.where, asked.without)
    first, until = bound(last - timedelta(days=width - 1)), bound(last)
    grp = "grp" if asked.by else "NULL"
    groups = f"JOIN ({first_value_sql(asked.by, bound)}) AS groups ON groups.user = active.user" if asked.by else ""
    sql = f"""
SELECT active.user AS user, {grp} AS "group", count(*) AS active_days, max(day) AS last_day
FROM ({active}) AS active {groups}
WHERE day BETWEEN {first} AND {until}
GROUP BY active.user, {grp} ORDER BY user
"""
    people = crowd.frame(sql, bound.values)
    return people if cell.group is None else people.filter(pl.col("group") == cell.group)


ACTIVE_USERS = Analysis(
    name="active_users",
    parameters=ActiveUsers,
    run=run,
    metrics=(
        Metric("dau", "people"),
        Metric("wau", "people"),
        Metric("mau", "people"),
        Metric("dau_of_mau", "share"),
        Metric("stickiness", "share"),
    ),
    behind=behind,
    layout="series",
    example=("active-users",),
)
