"""Newcomers, old hands, core users: how many people of each tenure come how often, and how many of each such group leave? As of a day.

Everybody active in the days that end with it (28), by the days since they were first active (tenure) and by how many of those days they were active on (frequency). Each person
is in one cell, so the cells add up. Who left is seen on those who were in the cell a horizon ago: the share that was not active since. Where an engine has judged people, the mean of
their risk now is beside it.

Of whoever was there before the log is complete nobody knows for how long: they are in the longest bracket if the log alone is as long as that, else in a row of their own.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import msgspec
import polars as pl

from insights.analyses.analysis import Analysis, Cell, Column, Metric, Result
from insights.analyses.crowd import Crowd
from insights.analyses.days import active_sql
from insights.analyses.groups import LIMIT, first_value_sql, kept, named, of_group
from insights.analyses.interval import wilson
from insights.analyses.match import Bound
from insights.analyses.risks import definition_of, newest_sql
from insights.analyses.value import last_day
from stream.faults import UsageFault

UNKNOWN = "(not known)"
"""Tenure of who was there before the log is complete."""
KEYS = ("group", "tenure", "frequency")


class TenureByFrequency(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/tenure.py`."""

    until: str | None = None
    activity: str = ""
    tenure_bounds: tuple[int, ...] = (7, 30, 90)
    often_bounds: tuple[int, ...] = (2, 5, 13)
    active_within: int = 28
    definition: str = ""
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    by: str | None = None
    limit: int = LIMIT


def run(crowd: Crowd, asked: TenureByFrequency) -> Result:
    """Return of each cell its people, their share of all, who left of those who were in it a horizon ago, and their mean risk; the newest and the rarest first."""
    tenures, often = _brackets(asked.tenure_bounds, 0), _brackets(asked.often_bounds, 1)
    if asked.active_within < 1:
        raise UsageFault("active_within must be 1 day or more, got {got}", got=asked.active_within)
    until = last_day(crowd, asked.until)
    if until is None:
        return TENURE_BY_FREQUENCY.result(crowd, asked, pl.DataFrame(schema={"metric": pl.String}))
    now, before = _both(crowd, asked, until)
    parts = [_sizes(now), _left(crowd, before, until), _risk(crowd, asked, now)]
    rows = pl.concat(parts, how="diagonal_relaxed")
    order = {"tenure": (*tenures, UNKNOWN), "frequency": often}
    by_place = [
        pl.col(name).replace_strict({one: at for at, one in enumerate(names)}, return_dtype=pl.Int64) for name, names in order.items()
    ]
    return TENURE_BY_FREQUENCY.result(crowd, asked, rows.sort("group", *by_place, maintain_order=True, nulls_last=True))


def _brackets(bounds: tuple[int, ...], least: int) -> tuple[str, ...]:
    """Return the names of the brackets that some bounds make, each bound the least of its own.

    >>> _brackets((7, 30), 0), _brackets((2, 5), 1)
    (('0-6', '7-29', '30+'), ('1', '2-4', '5+'))
    """
    ends = (least, *bounds)
    if list(ends) != sorted(set(ends)):
        raise UsageFault("bounds are numbers of days that rise, from {least} on, as in 7 30 90", least=least + 1)
    named = [str(low) if high == low + 1 else f"{low}-{high - 1}" for low, high in pairwise(ends)]
    return (*named, f"{ends[-1]}+")


def _bracket(days: pl.Expr, bounds: tuple[int, ...], least: int) -> pl.Expr:
    names = _brackets(bounds, least)
    place = pl.lit(names[0])
    for bound, name in zip(bounds, names[1:], strict=True):
        place = pl.when(days >= bound).then(pl.lit(name)).otherwise(place)
    return place


def people(crowd: Crowd, asked: TenureByFrequency, until: date) -> pl.DataFrame:
    """Return who was active in the days that end with one.

    Returns
    -------
    pl.DataFrame
        `user`, `tenure_days` (at least, where it is not known), `active_days`, `tenure`, `frequency`; and `grp` where people are told apart.
    """
    bound, unit = Bound(), crowd.unit("day")
    last = unit.number_of_day(until)
    active = active_sql(crowd, unit, asked.activity, bound, asked.where, asked.without)
    found = crowd.frame(
        f"""
        SELECT user, {bound(last)} - min(unit) AS tenure_days, count(*) FILTER (WHERE unit > {bound(last - asked.active_within)}) AS active_days
        FROM ({active}) AS active WHERE unit <= {bound(last)} GROUP BY user HAVING active_days > 0 ORDER BY user
        """,
        bound.values,
    ).with_columns(pl.col("tenure_days", "active_days").cast(pl.Int64))
    tenure = _bracket(pl.col("tenure_days"), asked.tenure_bounds, 0)
    if crowd.as_of.complete_from is not None:
        early = crowd.frame("SELECT user FROM users WHERE first_ts < $v1", {"v1": crowd.as_of.complete_from})["user"]
        longest = _brackets(asked.tenure_bounds, 0)[-1]
        is_early = pl.col("user").is_in(early.implode())
        tenure = pl.when(is_early & (tenure != longest)).then(pl.lit(UNKNOWN)).otherwise(tenure)
    found = found.with_columns(tenure.alias("tenure"), _bracket(pl.col("active_days"), asked.often_bounds, 1).alias("frequency"))
    if asked.by is None:
        return found
    bound = Bound()
    return found.join(crowd.frame(first_value_sql(asked.by, bound), bound.values), on="user", how="left", maintain_order="left")


def _both(crowd: Crowd, asked: TenureByFrequency, until: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the people of a day and those of a horizon before, with their `group`; the groups that keep their names are the largest of the day."""
    now, before = people(crowd, asked, until), people(crowd, asked, until - crowd.as_of.horizon)
    if asked.by is None:
        group: Any = pl.lit(None, pl.String)
    else:
        group = named("grp", kept(now.group_by("grp").len().rows(), asked.limit))
    drop = pl.exclude("grp")
    return now.select(drop, group.alias("group")), before.select(drop, group.alias("group"))


def _sizes(now: pl.DataFrame) -> pl.DataFrame:
    counted = now.group_by(KEYS).agg(pl.len().cast(pl.Int64).alias("count"))
    counted = counted.with_columns(pl.col("count").sum().over("group").alias("n"))
    low, high = wilson(pl.col("count"), pl.col("n"))
    whole, none = pl.col("count").cast(pl.Float64), pl.lit(None, pl.Float64)
    done = {"state": pl.lit("complete")}
    return pl.concat(
        [
            counted.select(*KEYS, metric=pl.lit("cell_people"), n="n", value=whole, low=none, high=none, people="count", **done),
            counted.select(
                *KEYS, metric=pl.lit("cell_share"), n="n", value=whole / pl.col("n"), low=low, high=high, people="count", **done
            ),
        ]
    )


def _left(crowd: Crowd, before: pl.DataFrame, until: date) -> pl.DataFrame:
    """Return the share of each cell of a horizon ago that was not active since; open while the last day is not over."""
    left = pl.col("user").is_in(_active_since(crowd, until).implode()).not_()
    counted = before.group_by(KEYS).agg(pl.len().cast(pl.Int64).alias("n"), left.sum().cast(pl.Int64).alias("left"))
    unit = crowd.unit("day")
    state = "complete" if crowd.knows(unit.start(unit.number_of_day(until) + 1)) else "open"
    low, high = wilson(pl.col("left"), pl.col("n"))
    share = pl.col("left") / pl.col("n")
    return counted.select(*KEYS, "n", metric=pl.lit("cell_left"), value=share, low=low, high=high, state=pl.lit(state), people="n")


def _active_since(crowd: Crowd, until: date) -> pl.Series:
    """Return who was active, in whichever way, in the horizon that ends with a day."""
    bound, unit = Bound(), crowd.unit("day")
    active = active_sql(crowd, unit, "", bound)
    since, last = bound(unit.number_of_day(until - crowd.as_of.horizon)), bound(unit.number_of_day(until))
    return crowd.frame(f"SELECT DISTINCT user FROM ({active}) AS active WHERE unit > {since} AND unit <= {last}", bound.values)["user"]


def _judged(crowd: Crowd, asked: TenureByFrequency, now: pl.DataFrame) -> pl.DataFrame:
    """Return the people of whom a risk is known whose outcome is not, with it; nobody where no engine judged any."""
    if not asked.definition and not crowd.con.execute("SELECT count(*) FROM scores").fetchall()[0][0]:
        return now.with_columns(risk=pl.lit(None, pl.Float64)).clear()
    bound = Bound()
    newest = crowd.frame(newest_sql(definition_of(crowd, asked.definition), bound), bound.values)
    return now.join(
        newest.filter(pl.col("label").is_null()).select("user", pl.col("risk").cast(pl.Float64)), on="user", maintain_order="left"
    )


def _risk(crowd: Crowd, asked: TenureByFrequency, now: pl.DataFrame) -> pl.DataFrame:
    counted = _judged(crowd, asked, now).group_by(KEYS).agg(pl.len().cast(pl.Int64).alias("n"), pl.col("risk").mean().alias("value"))
    return counted.select(*KEYS, "n", "value", metric=pl.lit("cell_risk"), state=pl.lit("open"), people="n")


def behind(crowd: Crowd, asked: TenureByFrequency, cell: Cell) -> pl.DataFrame:
    """Return the people of a cell, or of all, with their tenure and active days; of who left, as these were a horizon ago; of risk, with it."""
    until = last_day(crowd, asked.until) or date(1970, 1, 1)
    now, before = _both(crowd, asked, until)
    found = now
    if cell.metric == "cell_left":
        found = before.filter(~pl.col("user").is_in(_active_since(crowd, until).implode()))
    elif cell.metric == "cell_risk":
        found = _judged(crowd, asked, now)
    found = of_group(found, cell.group, lambda: now)
    for name in ("tenure", "frequency"):
        if (wanted := getattr(cell, name)) is not None:
            found = found.filter(pl.col(name) == wanted)
    more = ("risk",) if "risk" in found.columns else ()
    return found.select("user", "tenure_days", "active_days", *more).sort("user")


TENURE_BY_FREQUENCY = Analysis(
    name="tenure_by_frequency",
    parameters=TenureByFrequency,
    run=run,
    metrics=(Metric("cell_people", "people"), Metric("cell_share", "share"), Metric("cell_left", "share"), Metric("cell_risk", "share")),
    columns=(Column("tenure", "text", pl.String), Column("frequency", "text", pl.String)),
    behind=behind,
    followed=True,
    example=("tenure-by-frequency", "--tenure-bounds", "7", "--tenure-bounds", "30"),
)
