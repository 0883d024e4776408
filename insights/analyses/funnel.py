"""How far do people come along some steps, how long does each take, and where do they stop? Counts of best chains (`funnel_chains.py`).

A user is in one chain and one group, and once in the whole. By day of entry they are once in each day on which
they entered, so that the days add up to more than the whole.

Rates and times are of ripe entrants only, on both sides of the fraction: those whose last try can go no further, whatever comes. Who converted early is not
ripe earlier, or early converts would lift the rate.
"""

from __future__ import annotations

import polars as pl

from insights.analyses.analysis import Analysis, Cell, Column, Metric, Note, Result
from insights.analyses.crowd import Crowd
from insights.analyses.funnel_chains import Funnel, chains
from insights.analyses.interval import wilson
from insights.analyses.spans import SECOND
from stream.faults import UsageFault

BY = ["cohort", "group"]


def run(crowd: Crowd, asked: Funnel) -> Result:
    """Return for each step, and each group and day of entry: how many came so far, which share of the ripe, how long it took, how many stopped there."""
    found = chains(crowd, asked)
    entrants = found.filter(pl.col("reached") > 0)
    parts = [_step(entrants, asked, k) for k in range(1, len(asked.steps) + 1)]
    if asked.exclude:
        excluded = found.group_by(BY).agg((pl.col("reached") == 0).sum().alias("value"), pl.len().alias("n"))
        parts.append(excluded.select(*BY, "n", pl.col("value").cast(pl.Float64), metric=pl.lit("excluded"), state=pl.lit("complete")))
    rows = pl.concat(parts, how="diagonal").sort("cohort", "group", "k", maintain_order=True, nulls_last=True)
    notes = (Note("note.days_overlap", {}),) if asked.by_day else ()
    return FUNNEL.result(crowd, asked, rows, notes)


def _step(entrants: pl.DataFrame, asked: Funnel, k: int) -> pl.DataFrame:
    """Return the rows of one step."""
    came, ripe = pl.col("reached") >= k, pl.col("ripe")
    before = pl.col("reached") >= k - 1
    took = (pl.col(f"t{k}") - pl.col(f"t{k - 1}")) / SECOND if k > 1 else pl.lit(None, pl.Float64)
    took = took.filter(ripe & came)
    counted = entrants.group_by(BY).agg(
        pl.len().alias("entrants"),
        came.sum().alias("came"),
        ripe.sum().alias("ripe"),
        (ripe & came).sum().alias("ripe_came"),
        (ripe & before).sum().alias("ripe_before"),
        (ripe & (pl.col("reached") == k)).sum().alias("stopped"),
        took.median().alias("median"),
        took.quantile(0.9, "linear").alias("p90"),
        took.mean().alias("mean"),
    )
    unripe = pl.col("entrants") - pl.col("ripe")
    moving = pl.when(unripe > 0).then(pl.lit("open")).otherwise(pl.lit("complete"))
    of_ripe = pl.when(pl.col("ripe") == 0).then(pl.lit("none")).otherwise(moving)
    of_before = pl.when(pl.col("ripe_before") == 0).then(pl.lit("none")).otherwise(moving)
    of_came = pl.when(pl.col("ripe_came") == 0).then(pl.lit("none")).otherwise(moving)

    def said(metric: str, value: pl.Expr, n: str, state: pl.Expr, interval: tuple[pl.Expr, pl.Expr] | None = None) -> pl.DataFrame:
        low, high = interval or (pl.lit(None, pl.Float64), pl.lit(None, pl.Float64))
        return counted.select(
            *BY,
            metric=pl.lit(metric),
            k=pl.lit(k),
            step=pl.lit(asked.steps[k - 1] or "*"),
            n=pl.col(n),
            value=value.cast(pl.Float64),
            low=low,
            high=high,
            state=state,
        )

    share, share_of_before = pl.col("ripe_came") / pl.col("ripe"), pl.col("ripe_came") / pl.col("ripe_before")
    rows = [
        said("reached", pl.col("came"), "entrants", moving),
        said("ripe_reached", pl.col("ripe_came"), "ripe", moving),
        said("unripe_reached", pl.col("came") - pl.col("ripe_came"), "entrants", moving),
        said("rate", pl.when(pl.col("ripe") > 0).then(share), "ripe", of_ripe, wilson(pl.col("ripe_came"), pl.col("ripe"))),
    ]
    if k > 1:
        rows += [
            said(
                "step_rate",
                pl.when(pl.col("ripe_before") > 0).then(share_of_before),
                "ripe_before",
                of_before,
                wilson(pl.col("ripe_came"), pl.col("ripe_before")),
            ),
            *(said(f"{name}_step", pl.col(name), "ripe_came", of_came) for name in ("median", "p90", "mean")),
        ]
    if k < len(asked.steps):
        rows.append(said("stopped", pl.col("stopped"), "ripe", moving))
    return pl.concat(rows)


def behind(crowd: Crowd, asked: Funnel, cell: Cell) -> pl.DataFrame:
    """Return the users behind a number, with how far they came, whether they may still go on, and when they entered and did their last step."""
    if cell.metric != "excluded" and cell.k is None:
        raise UsageFault("name a step, from 1 on")
    came, ripe, k = pl.col("reached") >= (cell.k or 1), pl.col("ripe"), cell.k or 1
    of = {
        "excluded": pl.col("reached") == 0,
        "reached": came,
        "unripe_reached": came & ~ripe,
        "stopped": ripe & (pl.col("reached") == k),
    }.get(cell.metric, came & ripe)
    found = chains(crowd, asked).filter(of)
    if cell.group is not None:
        found = found.filter(pl.col("group") == cell.group)
    if cell.cohort is not None:
        found = found.filter(pl.col("cohort") == cell.cohort)
    times = [pl.col(f"t{n + 1}") for n in range(len(asked.steps))]
    when = [
        one.cast(pl.Datetime("us", "UTC")).alias(name) for one, name in ((times[0], "entered"), (pl.max_horizontal(times), "last_step"))
    ]
    return found.select("user", "cohort", "group", "reached", "ripe", *when).sort("user", "cohort")


FUNNEL = Analysis(
    name="funnel",
    parameters=Funnel,
    run=run,
    metrics=(
        Metric("reached", "people"),
        Metric("ripe_reached", "people"),
        Metric("unripe_reached", "people"),
        Metric("rate", "share"),
        Metric("step_rate", "share"),
        Metric("median_step", "seconds"),
        Metric("p90_step", "seconds"),
        Metric("mean_step", "seconds"),
        Metric("stopped", "people"),
        Metric("excluded", "people"),
    ),
    columns=(Column("step", "text", pl.String),),
    behind=behind,
    arguments="steps",
    layout="steps",
    example=("funnel", "open", "view", "purchase", "--window", "7d"),
)
