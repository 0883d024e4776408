"""Where do people go instead, who stop at a step of a funnel? The nodes of the same visit after their last step, and how it ended.

Of ripe entrants whose best chain ended with the step asked. The first source is the step itself; each person is there once.
"""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl

from insights.analyses.analysis import Analysis, Cell, Column, Result
from insights.analyses.crowd import Crowd
from insights.analyses.funnel_chains import Funnel, chains
from insights.analyses.labels import labels
from insights.analyses.match import Bound
from insights.analyses.nodes import node_sql
from insights.analyses.passes.chains import NEVER
from insights.analyses.passes.timelines import people, timelines
from insights.analyses.passes.visits import links_after
from insights.analyses.paths import LINKS, METRICS, Paths, links_frame, named, picked_sql, rows_of, walk_of
from stream.faults import UsageFault


class AfterDropOff(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/journeys.py`."""

    steps: tuple[str, ...]
    stopped_at: int = 1
    window: str = "7d"
    since: str | None = None
    until: str | None = None
    node: str = "type"
    strip: tuple[str, ...] = ()
    depth: int = 3
    gap: str = "30m"
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    limit: int = 20


def links(crowd: Crowd, asked: AfterDropOff) -> pl.DataFrame:
    """Return a row for each link after the drop-off, as `insights.analyses.paths.links` does."""
    if not 1 <= asked.stopped_at < len(asked.steps):
        raise UsageFault(
            "stopped_at must be a step from 1 to {last}, the last but one, got {got}", last=len(asked.steps) - 1, got=asked.stopped_at
        )
    funnel = Funnel(steps=asked.steps, window=asked.window, since=asked.since, until=asked.until, where=asked.where, without=asked.without)
    stopped = chains(crowd, funnel).filter(pl.col("ripe") & (pl.col("reached") == asked.stopped_at))
    everybody = people(crowd)
    since = np.full(len(everybody), NEVER, np.int64)
    numbered = everybody.to_frame().with_row_index("who").join(stopped, on="user")
    since[numbered["who"].to_numpy()] = numbered[f"t{asked.stopped_at}"].to_numpy()
    bound = Bound()
    names = labels(crowd, node_sql(asked.node, asked.strip, bound), bound).to_list()
    paths = Paths(node=asked.node, strip=asked.strip, depth=asked.depth, gap=asked.gap, where=asked.where, without=asked.without)
    walk = walk_of(crowd, paths)
    bound = Bound()
    parts = [pl.DataFrame(schema=LINKS)]
    for lines in timelines(crowd, picked_sql(crowd, paths, bound), bound.values):
        parts.append(links_frame(lines, links_after(lines, since[lines.who], len(names), walk)))
    step = f"{asked.stopped_at} {asked.steps[asked.stopped_at - 1] or '*'}"
    return named(pl.concat(parts), names, asked.limit, step)


def run(crowd: Crowd, asked: AfterDropOff) -> Result:
    """Return for each link how many people took it, which share of those at its source, and how long it took."""
    return AFTER_DROP_OFF.result(crowd, asked, rows_of(links(crowd, asked)))


def behind(crowd: Crowd, asked: AfterDropOff, cell: Cell) -> pl.DataFrame:
    """Return the people who took a link."""
    found = links(crowd, asked)
    for name in ("k", "source", "target"):
        if (value := getattr(cell, name)) is not None:
            found = found.filter(pl.col(name).cast(pl.String) == str(value))
    who = found["who"].unique()
    return people(crowd).gather(who).alias("user").to_frame().sort("user")


AFTER_DROP_OFF = Analysis(
    name="after_drop_off",
    parameters=AfterDropOff,
    run=run,
    metrics=METRICS,
    columns=(Column("source", "text", pl.String), Column("target", "text", pl.String)),
    behind=behind,
    arguments="steps",
    example=("after-drop-off", "open", "view", "purchase", "--stopped-at", "2"),
)
