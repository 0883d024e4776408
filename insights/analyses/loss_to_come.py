"""At which step of a funnel is most about to be lost? The risk, now, of the people who stopped there, added up; not how many per cent dropped off.

Of ripe entrants whose best chain ended at a step: the sum of the risk of those who can still be reached, which is how many of them are likely to leave; the same times what each has
spent so far; and how many have left already. Somebody can still be reached while the outcome of their newest landmark is not known.
"""

from __future__ import annotations

import msgspec
import polars as pl

from insights.analyses.analysis import Analysis, Cell, Column, Metric, Result
from insights.analyses.crowd import Crowd
from insights.analyses.funnel_chains import Funnel, chains
from insights.analyses.interval import Z
from insights.analyses.match import Bound
from insights.analyses.risks import definition_of, newest_sql
from stream.faults import UsageFault


class LossToCome(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/risks.py`."""

    steps: tuple[str, ...]
    window: str = "7d"
    since: str | None = None
    until: str | None = None
    definition: str = ""
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def stopped(crowd: Crowd, asked: LossToCome) -> pl.DataFrame:
    """Return the people who stopped before the last step: `user`, `k` (the step they did last), `risk` (null if they were never judged), `label` (of their newest landmark), `revenue`."""
    if len(asked.steps) < 2:
        raise UsageFault("a loss between steps needs two steps or more")
    bound = Bound()
    newest = crowd.frame(newest_sql(definition_of(crowd, asked.definition), bound), bound.values).select("user", "risk", "label")
    funnel = Funnel(steps=asked.steps, window=asked.window, since=asked.since, until=asked.until, where=asked.where, without=asked.without)
    ended = chains(crowd, funnel).filter(pl.col("ripe") & pl.col("reached").is_between(1, len(asked.steps) - 1))
    spent = crowd.frame("SELECT user, revenue FROM users")
    found = ended.select("user", k=pl.col("reached").cast(pl.Int64)).join(newest, on="user", how="left").join(spent, on="user", how="left")
    return found.with_columns(pl.col("revenue").fill_null(0.0)).sort("user")


def run(crowd: Crowd, asked: LossToCome) -> Result:
    """Return for each step that is not the last: how many are likely to be lost, what they have spent, how many stopped there, and how many have left; the largest loss first."""
    found = stopped(crowd, asked)
    open_ = pl.col("label").is_null() & pl.col("risk").is_not_null()
    steps = found.group_by("k").agg(
        pl.len().alias("people"),
        open_.sum().alias("reachable"),
        pl.col("risk").filter(open_).sum().alias("loss"),
        (pl.col("risk") * (1 - pl.col("risk"))).filter(open_).sum().sqrt().alias("deviation"),
        (pl.col("risk") * pl.col("revenue")).filter(open_).sum().alias("revenue_at_risk"),
        (pl.col("label") == 1).sum().alias("left"),
    )
    names = pl.DataFrame(
        {"k": range(1, len(asked.steps)), "step": [step or "*" for step in asked.steps[:-1]]}, schema_overrides={"k": pl.Int64}
    )
    ranked = steps.join(names, on="k").sort(-pl.col("loss"), "k")
    low = pl.max_horizontal(pl.col("loss") - Z * pl.col("deviation"), 0.0)
    high = pl.min_horizontal(pl.col("loss") + Z * pl.col("deviation"), pl.col("reachable").cast(pl.Float64))
    none = pl.lit(None, pl.Float64)
    parts = [
        ranked.select("k", "step", metric=pl.lit(metric), n=pl.col(n), value=pl.col(value).cast(pl.Float64), low=ends[0], high=ends[1], state=pl.lit("open"))
        for metric, value, n, ends in (
            ("loss_to_come", "loss", "reachable", (low, high)),
            ("revenue_at_risk", "revenue_at_risk", "reachable", (none, none)),
            ("stopped_here", "people", "people", (none, none)),
            ("already_left", "left", "people", (none, none)),
        )
    ]  # fmt: skip
    return LOSS_TO_COME.result(crowd, asked, pl.concat(parts))


def behind(crowd: Crowd, asked: LossToCome, cell: Cell) -> pl.DataFrame:
    """Return the people who stopped at a step, with their risk and what they have spent; whoever has left or was never judged has no risk."""
    if cell.k is None:
        raise UsageFault("name a step: `--users k=N`, from 1 on")
    found = stopped(crowd, asked).filter(pl.col("k") == cell.k)
    reachable = pl.col("label").is_null() & pl.col("risk").is_not_null()
    if cell.metric == "already_left":
        return found.filter(pl.col("label") == 1).select("user", "revenue")
    if cell.metric in {"loss_to_come", "revenue_at_risk"}:
        found = found.filter(reachable)
    return found.select("user", pl.when(reachable).then(pl.col("risk")).alias("risk"), "revenue")


LOSS_TO_COME = Analysis(
    name="loss_to_come",
    parameters=LossToCome,
    run=run,
    metrics=(
        Metric("loss_to_come", "people"),
        Metric("revenue_at_risk", "money"),
        Metric("stopped_here", "people"),
        Metric("already_left", "people"),
    ),
    columns=(Column("step", "text", pl.String),),
    behind=behind,
    arguments="steps",
    followed=True,
    example=("loss-to-come", "open", "view", "purchase"),
)
