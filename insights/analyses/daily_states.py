"""In which state is everybody, each day, and how many come again the next? New, current, reactivated, resurrected; at risk; dormant.

Who is active is in a state by the days since their last active one: ``current`` 1 to 7, ``reactivated`` 8 to 30, ``resurrected`` 31 and more, ``new`` without one.
Who is not is ``at_risk_week``, ``at_risk_month`` or ``dormant`` by the same bounds. The rates CURR, NURR, RURR and SURR say which share of the people in one of
the four active states comes again on the next day; they are complete when that day is. States and rates as in Duolingo's growth model
(https://blog.duolingo.com/growth-model-duolingo/), with the bounds of weeks and months.
"""

from __future__ import annotations

import msgspec
import polars as pl

from insights.analyses.analysis import Analysis, Cell, Column, Metric, Result
from insights.analyses.crowd import Crowd
from insights.analyses.days import active_sql, complete_unit, units_asked
from insights.analyses.groups import LIMIT, first_value_sql, kept, named, of_group
from insights.analyses.interval import wilson
from insights.analyses.match import Bound
from stream.faults import UsageFault

SHOWN = 14
"""Days by default: the newest."""
ACTIVE = ("new", "current", "reactivated", "resurrected")
SILENT = ("at_risk_week", "at_risk_month", "dormant")
RATES = {"curr": "current", "nurr": "new", "rurr": "reactivated", "surr": "resurrected"}
"""A rate, and the state whose people it is of."""
FOREVER = 1_000_000
"""Days after which nobody is dormant any more, unless a query says otherwise."""


class DailyStates(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/analyses.py`."""

    by: str | None = None
    since: str | None = None
    until: str | None = None
    activity: str = ""
    max_dormant_days: int | None = None
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    limit: int = LIMIT


SPANS = """
active AS ({active}),
neighbours AS (
    SELECT
        active.user AS user, {grp} AS grp, unit AS day,
        lag(unit) OVER (PARTITION BY active.user ORDER BY unit) AS previous,
        lead(unit) OVER (PARTITION BY active.user ORDER BY unit) AS following
    FROM active {groups}
),
spans AS (  -- a state, its first and its last day
    SELECT
        user, grp,
        CASE WHEN previous IS NULL THEN 'new' WHEN day - previous <= 7 THEN 'current' WHEN day - previous <= 30 THEN 'reactivated' ELSE 'resurrected' END AS state,
        day AS begins, day AS ends, CASE WHEN following = day + 1 THEN 1 ELSE 0 END AS again
    FROM neighbours
    UNION ALL
    SELECT user, grp, 'at_risk_week', day + 1, least(day + 7, coalesce(following - 1, {last}), day + {most}, {last}), 0 FROM neighbours
    UNION ALL
    SELECT user, grp, 'at_risk_month', day + 8, least(day + 30, coalesce(following - 1, {last}), day + {most}, {last}), 0 FROM neighbours
    UNION ALL
    SELECT user, grp, 'dormant', day + 31, least(coalesce(following - 1, {last}), day + {most}, {last}), 0 FROM neighbours
)
"""
CHANGES = """WITH {spans}
SELECT grp, state, begins AS day, count(*) AS change, sum(again) AS again FROM spans WHERE begins <= ends GROUP BY grp, state, begins
UNION ALL
SELECT grp, state, ends + 1, -count(*), 0 FROM spans WHERE begins <= ends GROUP BY grp, state, ends + 1"""
USERS = """WITH {spans}
SELECT user, grp AS "group", state, begins, ends, again FROM spans WHERE begins <= ends AND begins <= {until} AND ends >= {since} ORDER BY user, begins"""


def _spans(crowd: Crowd, asked: DailyStates, last: int, bound: Bound) -> str:
    if asked.max_dormant_days is not None and asked.max_dormant_days < 0:
        raise UsageFault("max_dormant_days must be 0 or more, got {got}", got=asked.max_dormant_days)
    active = active_sql(crowd, crowd.unit("day"), asked.activity, bound, asked.where, asked.without)
    groups = f"JOIN ({first_value_sql(asked.by, bound)}) AS groups ON groups.user = active.user" if asked.by else ""
    most = FOREVER if asked.max_dormant_days is None else asked.max_dormant_days
    return SPANS.format(active=active, grp="groups.grp" if asked.by else "''", groups=groups, last=bound(last), most=bound(most))


def run(crowd: Crowd, asked: DailyStates) -> Result:
    """Return the number of people in each state, each day, and the four rates."""
    unit = crowd.unit("day")
    first, last = units_asked(crowd, unit, asked.since, asked.until, SHOWN)
    begins = complete_unit(crowd, unit)
    bound = Bound()
    changes = crowd.frame(CHANGES.format(spans=_spans(crowd, asked, last, bound)), bound.values).rename({"grp": "group"})
    sizes = changes.filter(pl.col("state").is_in(ACTIVE) & (pl.col("change") > 0)).group_by("group").agg(pl.col("change").sum()).rows()
    changes = changes.with_columns(named("group", kept(sizes, asked.limit) if asked.by else [""]))
    changes = (
        changes.group_by("group", "state", "day")
        .agg(pl.col("change", "again").sum().cast(pl.Int64))
        .with_columns(pl.col("day").cast(pl.Int64))
    )
    groups = changes.select("group").unique() if asked.by else pl.DataFrame({"group": [""]})
    start = min([first, *changes["day"].to_list()])
    counts = (
        pl.DataFrame({"day": range(start, last + 1)}, schema={"day": pl.Int64})
        .join(pl.DataFrame({"state": [*ACTIVE, *SILENT]}), how="cross")
        .join(groups, how="cross")
        .join(changes, on=["group", "state", "day"], how="left")
        .sort("group", "state", "day")
        .with_columns(pl.col("again").fill_null(0), pl.col("change").fill_null(0).cum_sum().over("group", "state").alias("people"))
        .filter(pl.col("day") >= first)
    )
    days = [(day, unit.label(day), _state(crowd, begins, day, 1), _state(crowd, begins, day, 2)) for day in range(first, last + 1)]
    told = pl.DataFrame(days, schema={"day": pl.Int64, "cohort": pl.String, "of_day": pl.String, "of_next": pl.String}, orient="row")
    rows = pl.concat([_people(counts, told), _rates(counts, told)]).sort("group", "cohort", maintain_order=True)
    group = pl.col("group") if asked.by else pl.lit(None, pl.String).alias("group")
    return DAILY_STATES.result(crowd, asked, rows.with_columns(group))


def _state(crowd: Crowd, begins: int, day: int, width: int) -> str:
    """Return the state of what is said of a day once it, or the `width` days from it on, are over."""
    mark, unit = crowd.as_of.watermark, crowd.unit("day")
    if mark is None or day < begins or unit.start(day + width - 1) >= mark:
        return "none"
    return "complete" if unit.start(day + width) <= mark else "open"


def _people(counts: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    known = pl.col("of_day") != "none"
    return counts.join(days, on="day").select(
        pl.col("state").alias("metric"), "cohort", "group",
        n=pl.lit(None, pl.Int64), count=pl.when(known).then(pl.col("people")), value=pl.when(known).then(pl.col("people").cast(pl.Float64)),
        low=pl.lit(None, pl.Float64), high=pl.lit(None, pl.Float64), state=pl.col("of_day"),
    )  # fmt: skip


def _rates(counts: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    named_rates = {state: rate for rate, state in RATES.items()}
    low, high = wilson(pl.col("count"), pl.col("n"))
    return (
        counts.filter(pl.col("state").is_in(ACTIVE))
        .join(days, on="day")
        .select(
            pl.col("state").replace_strict(named_rates, return_dtype=pl.String).alias("metric"), "cohort", "group",
            n=pl.when(pl.col("of_day") != "none").then(pl.col("people")),
            count=pl.when(pl.col("of_next") != "none").then(pl.col("again")),
            state=pl.col("of_next"),
        )
        .with_columns(value=pl.col("count") / pl.when(pl.col("n") > 0).then(pl.col("n")), low=low, high=high)
        .select("metric", "cohort", "group", "n", "count", "value", "low", "high", "state")
    )  # fmt: skip


def user_states(crowd: Crowd, asked: DailyStates, since: int, until: int) -> pl.DataFrame:
    """Return the states of each user as spans: user, group, state, begins, ends (numbers of days), again (1: they came again on the next day).

    Parameters
    ----------
    since, until : int
        Days of which some must lie in a span. What is after `until` is not known to any of them.
    """
    bound = Bound()
    spans = _spans(crowd, asked, until, bound)
    return crowd.frame(USERS.format(spans=spans, since=bound(since), until=bound(until)), bound.values)


def behind(crowd: Crowd, asked: DailyStates, cell: Cell) -> pl.DataFrame:
    """Return the users of a state on a day; of a rate those in its state, and whether they came again."""
    if cell.cohort is None:
        raise UsageFault("name a day, as in 2026-03-01")
    day = crowd.unit("day").number_of_text(cell.cohort)
    people = user_states(crowd, asked, day, day).filter(pl.col("state") == RATES.get(cell.metric, cell.metric))
    kept_columns = ["user", *(["group"] if asked.by else [])]
    if cell.metric in RATES:
        people = people.with_columns(came_back=pl.col("again") == 1)
        kept_columns.append("came_back")
    else:
        people = people.with_columns(days=day - pl.col("begins") + 1)
        kept_columns.append("days")
    people = people.select(kept_columns)
    return of_group(people, cell.group, lambda: run(crowd, asked).rows) if asked.by else people


DAILY_STATES = Analysis(
    name="daily_states",
    parameters=DailyStates,
    run=run,
    metrics=(*(Metric(name, "people") for name in (*ACTIVE, *SILENT)), *(Metric(name, "share") for name in RATES)),
    columns=(Column("count", "people", pl.Int64),),
    behind=behind,
    layout="series",
    example=("daily-states",),
)
