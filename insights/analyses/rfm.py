"""Who buys lately, often, for much? Scores of recency, frequency and money, and segments made of them.

A purchase is a day with one. Scores are fifths of the customers: 5 is the most recent, the most frequent, the largest; equal values have equal scores, those of the
lowest among them; or they follow fixed bounds. Segments are the table `rfm_segments.toml`. Beside each: who fell silent of those who were in it a horizon ago, and from
where to where customers have moved since then.
"""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec
import polars as pl

from insights.analyses.analysis import OF_PEOPLE, Analysis, Cell, Column, Metric, Result
from insights.analyses.crowd import Crowd
from insights.analyses.days import active_sql
from insights.analyses.interval import wilson
from insights.analyses.match import Bound, match_of, match_sql
from insights.analyses.value import last_day
from stream.faults import UsageFault

Scores = tuple[int, int]


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the table: a name, and the scores it holds, both ends with it."""

    key: str
    r: Scores = (1, 5)
    f: Scores = (1, 5)
    m: Scores = (1, 5)


class Rfm(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/journeys.py`."""

    scheme: Literal["usual", "five"] = "usual"
    purchases: str = "purchase"
    until: str | None = None
    recency_bounds: tuple[int, ...] = ()
    frequency_bounds: tuple[int, ...] = ()
    money_bounds: tuple[float, ...] = ()
    without: tuple[str, ...] = ()


CUSTOMERS = """
SELECT user, {until} - max(day) AS recency_days, count(DISTINCT day) AS purchase_days, CAST(coalesce(sum({money}), 0) AS DOUBLE) AS revenue
FROM {rows}{others} AND day <= {until}
GROUP BY user ORDER BY user
"""


@cache
def segments() -> dict[str, tuple[Segment, ...]]:
    """Return the segments of each scheme, in the order in which they are tried."""
    table = tomllib.loads(files("insights.analyses").joinpath("rfm_segments.toml").read_text("utf-8"))
    return msgspec.convert(table, dict[str, tuple[Segment, ...]])


def customers(crowd: Crowd, asked: Rfm, until: date) -> pl.DataFrame:
    """Return customers as of a day: `user`, `recency_days`, `purchase_days`, `revenue`, scores `r`, `f`, `m`, and `segment`."""
    bound = Bound()
    others = f" AND user NOT IN ({', '.join(map(bound, asked.without))})" if asked.without else ""
    if asked.purchases == "purchase":  # the derived table knows these
        rows, money = "user_day WHERE purchases > 0", "revenue"
    else:
        rows, money = f"events WHERE {match_sql(match_of(asked.purchases), crowd.as_of.activity, bound)}", "value"
    found = crowd.frame(CUSTOMERS.format(rows=rows, money=money, others=others, until=f"CAST({bound(until)} AS DATE)"), bound.values)
    scored = found.with_columns(
        _score(-pl.col("recency_days"), tuple(-bound for bound in asked.recency_bounds)).alias("r"),
        _score(pl.col("purchase_days"), asked.frequency_bounds).alias("f"),
        _score(pl.col("revenue"), asked.money_bounds).alias("m"),
    )
    name = pl.lit(None, pl.String)
    for segment in reversed(segments()[asked.scheme]):
        fits = pl.all_horizontal(pl.col(score).is_between(*getattr(segment, score)) for score in ("r", "f", "m"))
        name = pl.when(fits).then(pl.lit(segment.key)).otherwise(name)
    return scored.with_columns(name.alias("segment"))


def _score(value: pl.Expr, bounds: tuple[float, ...]) -> pl.Expr:
    """Return 1 to 5: the fifth that the lowest of equal values lies in, or how many of four bounds a value reaches."""
    if not bounds:
        return (value.rank("min").cast(pl.Int64) - 1) * 5 // pl.len() + 1
    if len(bounds) != 4 or list(bounds) != sorted(bounds):
        raise UsageFault(
            "bounds are four numbers from the worst score to the best: recency falls, as in 90 30 14 7; frequency and money rise"
        )
    return pl.sum_horizontal((value >= bound).cast(pl.Int64) for bound in bounds) + 1


def run(crowd: Crowd, asked: Rfm) -> Result:
    """Return of each segment its customers, its share of revenue, its means, who fell silent since a horizon ago, and moves since then."""
    until = last_day(crowd, asked.until)
    if until is None:
        return RFM.result(crowd, asked, pl.DataFrame(schema={"metric": pl.String}))
    now, before = customers(crowd, asked, until), customers(crowd, asked, until - crowd.as_of.horizon)
    parts = [_sizes(now), _silent(crowd, before, until), _moves(before, now)]
    order = {segment.key: place for place, segment in enumerate(segments()[asked.scheme])}
    rows = pl.concat(parts, how="diagonal")
    return RFM.result(crowd, asked, rows.sort(pl.col("group").replace_strict(order, default=99), maintain_order=True))


def _sizes(now: pl.DataFrame) -> pl.DataFrame:
    counted = now.group_by("segment", maintain_order=True).agg(
        pl.len().alias("people"),
        pl.col("revenue").sum(),
        pl.col("recency_days", "purchase_days").mean(),
        pl.col("revenue").mean().alias("mean_revenue"),
    )
    whole, everybody = pl.col("revenue").sum(), now.height
    values = {
        "segment_people": pl.col("people"),
        "segment_revenue": pl.col("revenue"),
        "revenue_share": pl.when(whole != 0).then(pl.col("revenue") / whole),
        "mean_recency": pl.col("recency_days"),
        "mean_purchase_days": pl.col("purchase_days"),
        "mean_revenue": pl.col("mean_revenue"),
    }
    return pl.concat(
        counted.select(
            group=pl.col("segment"),
            metric=pl.lit(metric),
            n=(pl.lit(everybody) if metric in {"segment_people", "revenue_share"} else pl.col("people")).cast(pl.Int64),
            people=pl.col("people").cast(pl.Int64),
            value=value.cast(pl.Float64),
            state=pl.when(value.is_null()).then(pl.lit("none")).otherwise(pl.lit("complete")),
        )
        for metric, value in values.items()
    )


def _silent(crowd: Crowd, before: pl.DataFrame, until: date) -> pl.DataFrame:
    """Return the share of each segment of a horizon ago that has not been active since."""
    silent = pl.col("user").is_in(_active_since(crowd, until).implode()).not_()
    counted = before.group_by("segment").agg(pl.len().cast(pl.Int64).alias("n"), silent.sum().cast(pl.Int64).alias("silent"))
    low, high = wilson(pl.col("silent"), pl.col("n"))
    share = pl.col("silent") / pl.col("n")
    return counted.select(
        "n", group=pl.col("segment"), metric=pl.lit("fell_silent"), value=share, low=low, high=high, state=pl.lit("complete")
    )


def _active_since(crowd: Crowd, until: date) -> pl.Series:
    """Return who was active in the horizon that ends with a day."""
    bound, unit = Bound(), crowd.unit("day")
    active = active_sql(crowd, unit, "", bound)
    since, last = bound(unit.number_of_day(until - crowd.as_of.horizon)), bound(unit.number_of_day(until))
    return crowd.frame(f"SELECT DISTINCT user FROM ({active}) WHERE unit > {since} AND unit <= {last}", bound.values)["user"]


def _moves(before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """Return how many customers each segment has now that were in each other one a horizon ago; from nowhere, who were no customers then."""
    both = now.select("user", "segment").join(before.select("user", source="segment"), on="user", how="left")
    counted = both.group_by("source", "segment").len().sort("source", "segment")
    counted = counted.with_columns(people=pl.col("len").sum().over("segment").cast(pl.Int64))
    return counted.select(
        "source",
        OF_PEOPLE,
        group=pl.col("segment"),
        metric=pl.lit("came_from"),
        value=pl.col("len").cast(pl.Float64),
        state=pl.lit("complete"),
    )


def behind(crowd: Crowd, asked: Rfm, cell: Cell) -> pl.DataFrame:
    """Return the customers of a segment, or all, with what their scores are made of: now, or a horizon ago where the number is about those."""
    until = last_day(crowd, asked.until) or date(1970, 1, 1)
    before = customers(crowd, asked, until - crowd.as_of.horizon)
    if cell.metric == "fell_silent":
        found = before.filter(~pl.col("user").is_in(_active_since(crowd, until).implode()))
    else:
        found = customers(crowd, asked, until)
    if cell.metric == "came_from":
        found = found.join(before.select("user", source="segment"), on="user", how="left").filter(
            pl.col("source").eq_missing(pl.lit(cell.source))
        )
    return found if cell.group is None else found.filter(pl.col("segment") == cell.group)


RFM = Analysis(
    name="rfm",
    parameters=Rfm,
    run=run,
    metrics=(
        Metric("segment_people", "people"),
        Metric("segment_revenue", "money"),
        Metric("revenue_share", "share"),
        Metric("mean_recency", "days"),
        Metric("mean_purchase_days", "days"),
        Metric("mean_revenue", "money"),
        Metric("fell_silent", "share"),
        Metric("came_from", "people"),
    ),
    columns=(Column("source", "text", pl.String),),
    behind=behind,
    example=("rfm", "--scheme", "five"),
)
