"""What do people do next? How often each node follows each other one within a visit, wherever in the visit that is."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl

from insights.analyses.analysis import OF_PEOPLE, Analysis, Column, Metric, Result
from insights.analyses.crowd import Crowd
from insights.analyses.interval import wilson
from insights.analyses.labels import labels
from insights.analyses.match import Bound
from insights.analyses.nodes import node_sql
from insights.analyses.passes.timelines import timelines
from insights.analyses.passes.visits import pairs_of
from insights.analyses.paths import Paths, picked_sql
from insights.analyses.spans import SECOND, micros_of
from stream.faults import UsageFault

MOST_NODES = 2000
"""Pairs are counted in a square of this side: 112 MB."""


class Transitions(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/journeys.py`."""

    node: str = "type"
    strip: tuple[str, ...] = ()
    gap: str = "30m"
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    limit: int = 50


def run(crowd: Crowd, asked: Transitions) -> Result:
    """Return the most frequent pairs: how often, by how many people, which share of all that follows the source, how long it took on average."""
    bound = Bound()
    names = labels(crowd, node_sql(asked.node, asked.strip, bound), bound)
    if len(names) > MOST_NODES:
        raise UsageFault(
            "{node} has {n} values, and transitions are counted among {most} at most: take out what tells them apart with strip",
            node=asked.node,
            n=len(names),
            most=MOST_NODES,
        )
    counts = np.zeros((3, len(names), len(names)), np.int64)
    bound = Bound()
    paths = Paths(node=asked.node, strip=asked.strip, where=asked.where, without=asked.without)
    for lines in timelines(crowd, picked_sql(crowd, paths, bound), bound.values):
        counts += np.array(pairs_of(lines, len(names), micros_of(asked.gap)))
    source, target = np.nonzero(counts[0])
    times, users, took = counts[:, source, target]
    found = pl.DataFrame(
        {"n": counts[0].sum(1)[source], "times": times, "users": users, "took": took / np.maximum(times, 1) / SECOND}
    ).with_columns(names.gather(source).alias("source"), names.gather(target).alias("target"))
    top = found.sort("times", "source", "target", descending=[True, False, False]).head(asked.limit)
    low, high = wilson(pl.col("times"), pl.col("n"))
    none = pl.lit(None, pl.Float64)
    values = {
        "transitions": (pl.col("times"), none, none),
        "people": (pl.col("users"), none, none),
        "link_share": (pl.col("times") / pl.col("n"), low, high),
        "mean_link": (pl.col("took"), none, none),
    }
    parts = [
        top.select(
            "source",
            "target",
            "n",
            pl.col("users").alias(OF_PEOPLE),
            metric=pl.lit(metric),
            value=value.cast(pl.Float64),
            low=lower,
            high=upper,
            state=pl.lit("complete"),
        )
        for metric, (value, lower, upper) in values.items()
    ]
    return TRANSITIONS.result(crowd, asked, pl.concat(parts))


TRANSITIONS = Analysis(
    name="transitions",
    parameters=Transitions,
    run=run,
    metrics=(Metric("transitions", "number"), Metric("people", "people"), Metric("link_share", "share"), Metric("mean_link", "seconds")),
    columns=(Column("source", "text", pl.String), Column("target", "text", pl.String)),
    example=("transitions",),
)
