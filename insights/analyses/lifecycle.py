"""Who is new, who stays, who returns, who falls silent? Each day, week or month, in four counts that add up.

``active(t) = active(t - 1) + new + resurrected - dormant``, and ``active = new + returning + resurrected``. Somebody is dormant in the first unit without them, and
only there. They are new in their first unit of the whole history; of units that begin before the log is complete nobody can say who is new, and they have no values.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
import polars as pl

from insights.analyses.analysis import Analysis, Cell, Metric, Result
from insights.analyses.crowd import Crowd
from insights.analyses.days import active_sql, complete_unit, units_asked
from insights.analyses.groups import LIMIT, first_value_sql, kept, named, of_group
from insights.analyses.match import Bound
from insights.analyses.units import Name, WeekStart
from stream.faults import UsageFault

SHOWN: dict[Name, int] = {"hour": 24, "day": 14, "week": 12, "month": 12}
"""Units by default: the newest."""
METRICS = ("active", "new", "returning", "resurrected", "dormant")


class Lifecycle(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/analyses.py`."""

    unit: Name = "week"
    by: str | None = None
    since: str | None = None
    until: str | None = None
    activity: str = ""
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    limit: int = LIMIT
    week_start: WeekStart | None = None


STATES = """
active AS ({active}),
neighbours AS (
    SELECT
        active.user AS user, {grp} AS grp, unit,
        lag(unit) OVER (PARTITION BY active.user ORDER BY unit) AS previous,
        lead(unit) OVER (PARTITION BY active.user ORDER BY unit) AS following
    FROM active {groups}
),
states AS (
    SELECT
        user, grp, unit,
        CASE WHEN previous IS NULL THEN 'new' WHEN previous = unit - 1 THEN 'returning' ELSE 'resurrected' END AS state
    FROM neighbours
    UNION ALL
    SELECT user, grp, unit + 1, 'dormant' FROM neighbours WHERE following IS NULL OR following > unit + 1
)
"""
COUNTS = "WITH {states} SELECT grp, unit, state AS metric, count(*) AS count FROM states WHERE unit BETWEEN {first} AND {last} GROUP BY grp, unit, state"
BEHIND = """WITH {states}
SELECT user, grp AS "group" FROM states WHERE unit = {unit} AND ({metric} = state OR ({metric} = 'active' AND state <> 'dormant')) ORDER BY user"""


def _states(crowd: Crowd, asked: Lifecycle, bound: Bound) -> str:
    unit = crowd.unit(asked.unit, asked.week_start)
    active = active_sql(crowd, unit, asked.activity, bound, asked.where, asked.without)
    groups = f"JOIN ({first_value_sql(asked.by, bound)}) AS groups ON groups.user = active.user" if asked.by else ""
    return STATES.format(active=active, grp="groups.grp" if asked.by else "''", groups=groups)


def run(crowd: Crowd, asked: Lifecycle) -> Result:
    """Return the five counts of each unit and group. The unit in progress is open, and has nobody dormant yet."""
    unit = crowd.unit(asked.unit, asked.week_start)
    first, last = units_asked(crowd, unit, asked.since, asked.until, SHOWN[asked.unit])
    begins = complete_unit(crowd, unit)
    bound = Bound()
    sql = COUNTS.format(states=_states(crowd, asked, bound), first=bound(first), last=bound(last))
    counts = crowd.frame(sql, bound.values).rename({"grp": "group"}).with_columns(pl.col("unit", "count").cast(pl.Int64))
    sizes = counts.filter(pl.col("metric") != "dormant").group_by("group").agg(pl.col("count").sum()).rows()
    counts = (
        counts.with_columns(named("group", kept(sizes, asked.limit) if asked.by else [""]))
        .group_by("group", "unit", "metric")
        .agg(pl.col("count").sum())
    )
    active = counts.filter(pl.col("metric") != "dormant").group_by("group", "unit").agg(pl.col("count").sum())
    counts = pl.concat([counts, active.select("group", "unit", pl.lit("active").alias("metric"), "count")])
    units = [
        (number, unit.label(number), _state(crowd, begins, number, unit.start(number), unit.start(number + 1)))
        for number in range(first, last + 1)
    ]
    groups = counts.select("group").unique() if asked.by else pl.DataFrame({"group": [""]})
    rows = (
        pl.DataFrame(units, schema={"unit": pl.Int64, "cohort": pl.String, "state": pl.String}, orient="row")
        .join(pl.DataFrame({"metric": METRICS}), how="cross")
        .join(groups, how="cross")
        .join(counts, on=["group", "unit", "metric"], how="left")
        .with_columns(
            pl.when((pl.col("metric") == "dormant") & (pl.col("state") == "open"))
            .then(pl.lit("none"))
            .otherwise(pl.col("state"))
            .alias("state")
        )
        .with_columns(pl.when(pl.col("state") != "none").then(pl.col("count").fill_null(0)).alias("value"))
        .sort("group", "unit", pl.col("metric").cast(pl.Enum(METRICS)))
    )
    group = pl.col("group") if asked.by else pl.lit(None, pl.String).alias("group")
    return LIFECYCLE.result(crowd, asked, rows.select("metric", "cohort", group, "value", "state"))


def _state(crowd: Crowd, begins: int, number: int, start: datetime, end: datetime) -> str:
    mark = crowd.as_of.watermark
    if mark is None or number < begins or start >= mark:
        return "none"
    return "complete" if end <= mark else "open"


def behind(crowd: Crowd, asked: Lifecycle, cell: Cell) -> pl.DataFrame:
    """Return the users of one count."""
    if cell.cohort is None:
        raise UsageFault("name a unit, as in 2026-03-01")
    bound = Bound()
    number = crowd.unit(asked.unit, asked.week_start).number_of_text(cell.cohort)
    sql = BEHIND.format(states=_states(crowd, asked, bound), unit=bound(number), metric=bound(cell.metric))
    people = crowd.frame(sql, bound.values)
    if not asked.by:
        return people.drop("group")
    return of_group(people, cell.group, lambda: run(crowd, asked).rows)


LIFECYCLE = Analysis(
    name="lifecycle",
    parameters=Lifecycle,
    run=run,
    metrics=tuple(Metric(name, "people") for name in METRICS),
    behind=behind,
    layout="series",
    example=("lifecycle", "--unit", "week"),
)
