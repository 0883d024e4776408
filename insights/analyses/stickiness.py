"""On how many days is somebody active? The share of people who were active on exactly, or at least, so many units of a range."""

from __future__ import annotations

import msgspec
import polars as pl

from insights.analyses.analysis import Analysis, Cell, Column, Metric, Result
from insights.analyses.crowd import Crowd
from insights.analyses.days import active_sql, complete_unit, units_asked
from insights.analyses.groups import LIMIT, first_value_sql, kept, named, of_group
from insights.analyses.interval import wilson
from insights.analyses.match import Bound
from insights.analyses.units import Name, WeekStart
from stream.faults import UsageFault

SHOWN: dict[Name, int] = {"hour": 24, "day": 28, "week": 12, "month": 12}
"""Units of the range by default: the newest."""


class Stickiness(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/analyses.py`."""

    unit: Name = "day"
    by: str | None = None
    since: str | None = None
    until: str | None = None
    activity: str = ""
    at_least: bool = False
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    limit: int = LIMIT
    week_start: WeekStart | None = None


TIMES = """
SELECT active.user AS user, {grp} AS "group", count(*) AS k
FROM ({active}) AS active {groups}
WHERE unit BETWEEN {first} AND {last}
GROUP BY active.user, {grp}
"""
COUNTS = 'SELECT "group", k, count(*) AS count FROM ({times}) AS times GROUP BY "group", k'


def _times(crowd: Crowd, asked: Stickiness, first: int, last: int, bound: Bound) -> str:
    unit = crowd.unit(asked.unit, asked.week_start)
    active = active_sql(crowd, unit, asked.activity, bound, asked.where, asked.without)
    groups = f"JOIN ({first_value_sql(asked.by, bound)}) AS groups ON groups.user = active.user" if asked.by else ""
    return TIMES.format(active=active, grp="groups.grp" if asked.by else "''", groups=groups, first=bound(first), last=bound(last))


def run(crowd: Crowd, asked: Stickiness) -> Result:
    """Return for k from 1 to the number of units: of the n people active in the range, the share active on k of them."""
    unit = crowd.unit(asked.unit, asked.week_start)
    first, last = units_asked(crowd, unit, asked.since, asked.until, SHOWN[asked.unit])
    begins, mark = complete_unit(crowd, unit), crowd.as_of.watermark
    bound = Bound()
    counts = crowd.frame(COUNTS.format(times=_times(crowd, asked, first, last, bound)), bound.values)
    sizes = counts.group_by("group").agg(pl.col("count").sum()).rows()
    keep = kept(sizes, asked.limit) if asked.by else [""]
    counts = (
        counts.with_columns(named("group", keep))
        .group_by("group", "k")
        .agg(pl.col("count").sum().cast(pl.Int64))
        .with_columns(pl.col("k").cast(pl.Int64))
    )
    groups = counts.select("group").unique() if asked.by else pl.DataFrame({"group": [""]})
    rows = (
        pl.DataFrame({"k": range(1, last - first + 2)}, schema={"k": pl.Int64})
        .join(groups, how="cross")
        .join(counts, on=["group", "k"], how="left")
        .sort("group", "k")
        .with_columns(pl.col("count").fill_null(0))
        .with_columns(n=pl.col("count").sum().over("group"))
    )
    if asked.at_least:
        rows = rows.with_columns(pl.col("count").cum_sum(reverse=True).over("group"))
    low, high = wilson(pl.col("count"), pl.col("n"))
    if mark is None or first < begins or unit.start(first) >= mark:
        state = "none"  # of a part of the range nobody knows anything
    else:
        state = "complete" if unit.start(last + 1) <= mark else "open"
    rows = rows.with_columns(value=pl.col("count") / pl.when(pl.col("n") > 0).then(pl.col("n")), low=low, high=high)
    if state == "none":
        rows = rows.with_columns(pl.lit(None).alias(name) for name in ("count", "value", "low", "high"))
    group = pl.col("group") if asked.by else pl.lit(None, pl.String).alias("group")
    metric = pl.lit("at_least" if asked.at_least else "exactly").alias("metric")
    return STICKINESS.result(crowd, asked, rows.with_columns(metric, group, pl.lit(state).alias("state")))


def behind(crowd: Crowd, asked: Stickiness, cell: Cell) -> pl.DataFrame:
    """Return the users of one count, with the number of units they were active in."""
    if cell.k is None:
        raise UsageFault("name a k, the number of units somebody was active in")
    unit = crowd.unit(asked.unit, asked.week_start)
    first, last = units_asked(crowd, unit, asked.since, asked.until, SHOWN[asked.unit])
    bound = Bound()
    times = _times(crowd, asked, first, last, bound)
    compare = ">=" if cell.metric == "at_least" else "="
    people = crowd.frame(f'SELECT user, "group", k FROM ({times}) AS times WHERE k {compare} {bound(cell.k)} ORDER BY user', bound.values)
    if not asked.by:
        return people.drop("group")
    return of_group(people, cell.group, lambda: run(crowd, asked).rows)


STICKINESS = Analysis(
    name="stickiness",
    parameters=Stickiness,
    run=run,
    metrics=(Metric("exactly", "share"), Metric("at_least", "share")),
    columns=(Column("count", "people", pl.Int64),),
    behind=behind,
    layout="list",
    example=("stickiness", "--unit", "week"),
)
