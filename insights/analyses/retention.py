"""Do people come back? Cohorts of who entered together, and the share of each that was back after so many days, weeks or months.

Cell 0 is the cohort itself. A cell whose time is not over is open, one whose time has not begun has no value. All cohorts are followed equally far.
The overall share at k is that of all people of the cohorts whose cell k is complete, so that no young cohort pulls it down.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec
import polars as pl

from insights.analyses.analysis import Analysis, Cell, Column, Metric, Note, Result
from insights.analyses.cells import Cells
from insights.analyses.cohorts import COUNTS, SIZES, Followed, steps
from insights.analyses.crowd import Crowd
from insights.analyses.days import units_asked
from insights.analyses.groups import LIMIT, kept, named, of_group
from insights.analyses.interval import wilson
from insights.analyses.match import Bound
from insights.analyses.units import Name, Unit, WeekStart
from stream.faults import UsageFault

FOLLOWED: dict[Name, int] = {"hour": 24, "day": 30, "week": 12, "month": 12}
"""Units that a cohort is followed by default."""
SHOWN: dict[Name, int] = {"hour": 24, "day": 14, "week": 12, "month": 12}
"""Cohorts by default: the newest."""


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/analyses.py`."""

    unit: Name = "day"
    by: str | None = None
    since: str | None = None
    until: str | None = None
    cohort: Literal["first", "recurring", "first_event_is"] = "first"
    start: str = ""
    returns: str = ""
    mode: Literal["on", "on_or_after"] = "on"
    brackets: tuple[str, ...] = ()
    follow: int | None = None
    window: Literal["calendar", "days", "24h"] = "calendar"
    min_returns: int = 1
    same_unit: bool = False
    same_cohorts: bool = False
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    limit: int = LIMIT
    week_start: WeekStart | None = None


def run(crowd: Crowd, asked: Retention) -> Result:
    """Return `retention`, a row for each cohort, k and group, and `overall`, one for each k and group."""
    unit, first, last = _range(crowd, asked)
    brackets = _brackets(asked)
    sizes, counts = _counted(crowd, asked, unit, first, last, brackets)
    keep = kept(sizes.group_by("group").agg(pl.col("n").sum()).rows(), asked.limit)
    sizes = sizes.with_columns(named("group", keep)).group_by("cohort", "group").agg(pl.col("n").sum())
    counts = counts.with_columns(named("group", keep)).group_by("cohort", "group", "k").agg(pl.col("count").sum())
    cells = _grid(crowd, asked, unit, first, last, brackets)
    groups = sizes.select("group").unique() if asked.by else pl.DataFrame({"group": [""]})
    rows = (
        cells.join(groups, how="cross")
        .join(sizes, on=["cohort", "group"], how="left")
        .join(counts, on=["cohort", "group", "k"], how="left")
        .with_columns(pl.col("n").fill_null(0), pl.col("count").fill_null(0))
    )
    if not asked.same_unit:  # cell 0 is the cohort
        rows = rows.with_columns(pl.when(pl.col("k") == 0).then(pl.col("n")).otherwise(pl.col("count")).alias("count"))
    rows = rows.with_columns(pl.when(pl.col("state") != "none").then(pl.col("count")).alias("count"))
    whole = pl.concat([_shares(_overall(asked, rows), "overall", asked.same_unit), _shares(rows, "retention", asked.same_unit)]).sort(
        pl.col("metric") != "overall", "group", "cohort", "k", nulls_last=False
    )
    labels = {number: unit.label(number) for number in range(first, last + 1)}
    whole = whole.with_columns(
        pl.col("cohort").replace_strict(labels, return_dtype=pl.String, default=None),
        pl.col("group") if asked.by else pl.lit(None, pl.String).alias("group"),
    )
    return RETENTION.result(crowd, asked, whole, _notes(crowd, asked))


def _range(crowd: Crowd, asked: Retention) -> tuple[Unit, int, int]:
    """Return the unit, and the first and last cohort: whole units, even where a bound lies within one."""
    if asked.min_returns < 1:
        raise UsageFault("min_returns must be 1 or more, got {got}", got=asked.min_returns)
    if asked.window != "calendar" and asked.unit == "hour":
        raise UsageFault("window {window} follows people day by day: take unit day, week or month for the cohorts", window=asked.window)
    unit = crowd.unit(asked.unit, asked.week_start)
    return unit, *units_asked(crowd, unit, asked.since, asked.until, SHOWN[asked.unit])


def _brackets(asked: Retention) -> list[tuple[int, int]]:
    """Return the cells as their first and last unit after the entry; k is the first one.

    >>> _brackets(Retention(brackets=("1-7", "30"))), len(_brackets(Retention(unit="week")))
    ([(0, 0), (1, 7), (30, 30)], 13)
    """
    if not asked.brackets:
        follow = FOLLOWED[asked.unit if asked.window == "calendar" else "day"] if asked.follow is None else asked.follow
        if follow < 0:
            raise UsageFault("follow must be 0 or more, got {got}", got=follow)
        return [(k, k) for k in range(follow + 1)]
    if asked.mode == "on_or_after":
        raise UsageFault("brackets have an end of their own: take them without mode on_or_after")
    found = [(0, 0)]
    for text in asked.brackets:
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", text.strip())
        low, high = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not found[-1][1] < low <= high:
            raise UsageFault("{text!r} is no bracket: write them in order, as in 1-7 8-14 15-30", text=text)
        found.append((low, high))
    return found


def _followed(asked: Retention, unit: Unit) -> Followed:
    return Followed(
        unit,
        asked.cohort,
        asked.start,
        asked.returns,
        asked.by,
        asked.where,
        asked.without,
        asked.min_returns,
        asked.same_unit,
        asked.window,
    )


def _counted(
    crowd: Crowd, asked: Retention, unit: Unit, first: int, last: int, brackets: list[tuple[int, int]]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return sizes (cohort, group, n) and counts (cohort, group, k, count)."""
    bound = Bound()
    followed = steps(crowd, _followed(asked, unit), first, last, bound)
    sizes = crowd.frame(SIZES.format(steps=followed), bound.values).rename({"grp": "group"})
    furthest = bound(brackets[-1][1])
    counts = crowd.frame(_counts_sql(asked, brackets, bound).format(steps=followed, last=furthest), bound.values).rename({"grp": "group"})
    if asked.mode == "on_or_after":
        ks = pl.DataFrame({"at": [k for k, _ in brackets]}, schema={"at": pl.Int64})
        counts = counts.join(ks, how="cross").filter(pl.col("at") <= pl.col("k")).select("cohort", "group", k="at", count="count")
    return sizes, counts.group_by("cohort", "group", "k").agg(pl.col("count").sum())


def _counts_sql(asked: Retention, brackets: list[tuple[int, int]], bound: Bound) -> str:
    if not asked.brackets:
        return COUNTS[asked.mode]
    cells = " UNION ALL ".join(f"SELECT {bound(low)} AS low, {bound(high)} AS high" for low, high in brackets)
    return (
        "WITH {steps}, cells AS (" + cells + ") "
        "SELECT cohort, grp, low AS k, count(DISTINCT user) AS count FROM hits JOIN cells ON k BETWEEN low AND high WHERE k <= {last} GROUP BY cohort, grp, low"
    )


def _grid(crowd: Crowd, asked: Retention, unit: Unit, first: int, last: int, brackets: list[tuple[int, int]]) -> pl.DataFrame:
    """Return every cell there is: cohort, k, `to` (last unit of its bracket), state."""
    cells = Cells(crowd, unit, unbounded=asked.mode == "on_or_after", window=asked.window, same_unit=asked.same_unit)
    rows = [(cohort, low, high, cells.state(cohort, low, high)) for cohort in range(first, last + 1) for low, high in brackets]
    return pl.DataFrame(rows, schema={"cohort": pl.Int64, "k": pl.Int64, "to": pl.Int64, "state": pl.String}, orient="row")


def _overall(asked: Retention, rows: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each k and group: the sums over cohorts whose cell is complete, or with `same_cohorts` whose last cell is."""
    done = pl.col("state") == "complete"
    if asked.same_cohorts:
        furthest = rows["k"].max()
        known = rows.filter(done & (pl.col("k") == furthest))["cohort"].unique().to_list()
        done = done & pl.col("cohort").is_in(known)
    summed = rows.group_by("group", "k", "to").agg(pl.col("n").filter(done).sum(), pl.col("count").filter(done).sum())
    state = pl.when(pl.col("n") > 0).then(pl.lit("complete")).otherwise(pl.lit("none")).alias("state")
    return summed.with_columns(pl.lit(None, pl.Int64).alias("cohort"), state).select(rows.columns)


def _shares(rows: pl.DataFrame, metric: str, same_unit: bool) -> pl.DataFrame:
    count, n = pl.col("count"), pl.col("n")
    low, high = wilson(count, n)
    value = (count / pl.when(n > 0).then(n)).alias("value")
    unsure = pl.lit(same_unit) | (pl.col("k") > 0)  # of the cohort itself all are there, for sure
    return rows.with_columns(
        pl.lit(metric).alias("metric"), value, pl.when(unsure).then(low).alias("low"), pl.when(unsure).then(high).alias("high")
    )


def _notes(crowd: Crowd, asked: Retention) -> tuple[Note, ...]:
    left = crowd.left_censored()
    return () if asked.cohort == "recurring" or not left else (Note("note.left_censored", {"n": left}),)


def behind(crowd: Crowd, asked: Retention, cell: Cell) -> pl.DataFrame:
    """Return the people of a cohort: user, group, when they entered, and whether they came back in the cell's time."""
    if cell.cohort is None or cell.k is None:
        raise UsageFault("name a cohort and a k, as in 2026-03-01 and 7")
    unit, first, last = _range(crowd, asked)
    cohort = unit.number_of_text(cell.cohort)
    bracket = next((one for one in _brackets(asked) if one[0] == cell.k), None)
    if bracket is None or not first <= cohort <= last:
        raise UsageFault("there is no cell {cohort}, {k} in this table", cohort=cell.cohort, k=cell.k)
    bound = Bound()
    followed = steps(crowd, _followed(asked, unit), cohort, cohort, bound)
    until = "" if asked.mode == "on_or_after" else f" AND k <= {bound(bracket[1])}"
    back = "TRUE" if cell.k == 0 and not asked.same_unit else f"user IN (SELECT user FROM hits WHERE k >= {bound(cell.k)}{until})"
    sql = f'WITH {followed} SELECT user, grp AS "group", entered_at, {back} AS came_back FROM entries ORDER BY user'
    people = crowd.frame(sql, bound.values)
    if not asked.by:
        return people.drop("group")
    return of_group(people, cell.group, lambda: run(crowd, asked).rows)


RETENTION = Analysis(
    name="retention",
    parameters=Retention,
    run=run,
    metrics=(Metric("overall", "share"), Metric("retention", "share")),
    columns=(Column("count", "people", pl.Int64), Column("to", "number", pl.Int64)),
    behind=behind,
    layout="triangle",
    example=("retention", "--unit", "week", "--by", "channel"),
)
