"""How many people are active? Each day's distinct active users of 1, 7 and 28 days that end with it, and how sticky they are.

No join over days: an active day adds its user from that day on, unless they were counted already, and takes them out n days later, unless they were active
again before. A running sum of these changes is the number of users, at the price of one sort of the active days.
"""

from __future__ import annotations

import msgspec
import polars as pl

from insights.analyses.analysis import Analysis, Cell, Metric, Result
from insights.analyses.crowd import Crowd
from insights.analyses.days import active_sql, first_known_unit, units_asked
from insights.analyses.groups import LIMIT, first_value_sql, kept, named, of_group
from insights.analyses.match import Bound
from insights.analyses.units import EPOCH
from stream.faults import UsageFault

WEEK = 7
SHOWN = 28
"""Days by default: the newest."""


class ActiveUsers(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/analyses.py`."""

    by: str | None = None
    since: str | None = None
    until: str | None = None
    activity: str = ""
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    limit: int = LIMIT
    month_days: int = 28


CHANGES = """
WITH active AS ({active}),
neighbours AS (
    SELECT
        active.user AS user, {grp} AS grp, unit AS day,
        lag(unit) OVER (PARTITION BY active.user ORDER BY unit) AS previous,
        lead(unit) OVER (PARTITION BY active.user ORDER BY unit) AS following
    FROM active {groups}
),
changes AS (
    SELECT
        grp, day, 1 AS day_on,
        CASE WHEN previous > day - 7 THEN 0 ELSE 1 END AS week,
        CASE WHEN previous > day - {month} THEN 0 ELSE 1 END AS month
    FROM neighbours
    UNION ALL
    SELECT grp, day + 7, 0, -1, 0 FROM neighbours WHERE following IS NULL OR following > day + 6
    UNION ALL
    SELECT grp, day + {month}, 0, 0, -1 FROM neighbours WHERE following IS NULL OR following > day + {month} - 1
)
SELECT grp, day, sum(day_on) AS dau, sum(week) AS week, sum(month) AS month FROM changes GROUP BY grp, day
"""


def run(crowd: Crowd, asked: ActiveUsers) -> Result:
    """Return DAU, WAU, MAU, DAU / MAU and the mean DAU of the month / MAU of each day asked for.

    A window that begins before the log is complete has no value. The day in progress is open.
    """
    if not WEEK <= asked.month_days <= 366:
        raise UsageFault("month_days must be 7 to 366, got {got}", got=asked.month_days)
    unit = crowd.unit("day")
    first, last = units_asked(crowd, unit, asked.since, asked.until, SHOWN)
    begins = first_known_unit(crowd, unit)
    if begins is None:
        return ACTIVE_USERS.result(crowd, asked, pl.DataFrame(schema={"metric": pl.String}))
    month = pl.when(pl.col("mau") > 0).then(pl.col("mau"))
    counts = (
        _counts(crowd, asked, first, last)
        .with_columns(
            dau_of_mau=pl.col("dau") / month,
            stickiness=pl.col("dau").rolling_sum(asked.month_days, min_samples=1).over("group") / asked.month_days / month,
        )
        .filter(pl.col("day") >= first)
    )
    widths = {"dau": 1, "wau": WEEK, "mau": asked.month_days, "dau_of_mau": asked.month_days, "stickiness": asked.month_days}
    labels = {day: unit.label(day) for day in range(first, last + 1)}
    done = [day for day in range(first, last + 1) if crowd.knows(unit.start(day + 1))]
    parts = []
    for metric, width in widths.items():
        known = pl.col("day") - width + 1 >= begins
        is_share = metric in {"dau_of_mau", "stickiness"}
        parts.append(
            counts.select(
                pl.lit(metric).alias("metric"),
                pl.col("day").replace_strict(labels, return_dtype=pl.String).alias("cohort"),
                (pl.col("group") if asked.by else pl.lit(None, pl.String)).alias("group"),
                (pl.when(known).then(pl.col("mau")) if is_share else pl.lit(None, pl.Int64)).alias("n"),
                pl.when(known).then(pl.col(metric).cast(pl.Float64)).alias("value"),
                pl.when(~known)
                .then(pl.lit("none"))
                .when(pl.col("day").is_in(done))
                .then(pl.lit("complete"))
                .otherwise(pl.lit("open"))
                .alias("state"),
            )
        )
    return ACTIVE_USERS.result(crowd, asked, pl.concat(parts))


def _counts(crowd: Crowd, asked: ActiveUsers, first: int, last: int) -> pl.DataFrame:
    """Return `group`, `day`, `dau`, `wau`, `mau`: a row for every group and day, from a month before the first day asked for, or the first of the log."""
    bound = Bound()
    active = active_sql(crowd, crowd.unit("day"), asked.activity, bound, asked.where, asked.without)
    groups = f"JOIN ({first_value_sql(asked.by, bound)}) AS groups ON groups.user = active.user" if asked.by else ""
    sql = CHANGES.format(active=active, grp="groups.grp" if asked.by else "''", groups=groups, month=asked.month_days)
    changes = crowd.frame(sql, bound.values).rename({"grp": "group"})
    if asked.by:
        sizes = changes.group_by("group").agg(pl.col("dau").sum()).rows()
        changes = changes.with_columns(named("group", kept(sizes, asked.limit)))
    elif changes.is_empty():
        changes = pl.DataFrame({"group": [""], "day": [first], "dau": [0], "week": [0], "month": [0]})
    changes = changes.group_by("group", "day").agg(pl.col("dau", "week", "month").sum()).with_columns(pl.col("day").cast(pl.Int64))
    start = min([first - asked.month_days, *changes["day"].to_list()])
    days = pl.DataFrame({"day": range(start, last + 1)}, schema={"day": pl.Int64})
    grid = changes.select("group").unique().join(days, how="cross").join(changes, on=["group", "day"], how="left").sort("group", "day")
    return grid.select(
        "group",
        "day",
        dau=pl.col("dau").fill_null(0).cast(pl.Int64),
        wau=pl.col("week").fill_null(0).cum_sum().over("group").cast(pl.Int64),
        mau=pl.col("month").fill_null(0).cum_sum().over("group").cast(pl.Int64),
    )


BEHIND = """
SELECT active.user AS user, {grp} AS "group", count(*) AS active_days, max(unit) AS last_day
FROM ({active}) AS active {groups}
WHERE unit BETWEEN {first} AND {last}
GROUP BY active.user, {grp}
ORDER BY user
"""


def behind(crowd: Crowd, asked: ActiveUsers, cell: Cell) -> pl.DataFrame:
    """Return the users active in the window of a cell, with the number of days they were active in it and the last of these."""
    if cell.cohort is None:
        raise UsageFault("name a day, as in 2026-03-01")
    unit = crowd.unit("day")
    last = unit.number_of_text(cell.cohort)
    width = {"dau": 1, "wau": WEEK}.get(cell.metric, asked.month_days)
    bound = Bound()
    active = active_sql(crowd, unit, asked.activity, bound, asked.where, asked.without)
    groups = f"JOIN ({first_value_sql(asked.by, bound)}) AS groups ON groups.user = active.user" if asked.by else ""
    sql = BEHIND.format(
        active=active, grp="groups.grp" if asked.by else "NULL", groups=groups, first=bound(last - width + 1), last=bound(last)
    )
    people = crowd.frame(sql, bound.values).with_columns((pl.lit(EPOCH) + pl.duration(days=pl.col("last_day"))).alias("last_day"))
    return of_group(people, cell.group, lambda: run(crowd, asked).rows)


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
