"""Which ways do people take? Links from node to node by step of a visit, and how each visit ended.

SQL says of each event which node it is; the compiled pass of `passes/visits.py` walks each user's events; the rest is counting. A visit is all of somebody's
events without a pause as long as `gap`, also those that a filter takes off the path. Every path ends: they came again within the horizon (`(end of visit)`), they
did not and the horizon has passed (`(silence)`), it has not (`(not yet known)`), or there is more of it than is shown (`(goes on)`). So what comes to a node goes on from it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec
import polars as pl

from insights.analyses.analysis import OF_PEOPLE, OTHER, Analysis, Cell, Column, Metric, Result
from insights.analyses.crowd import Crowd
from insights.analyses.groups import kept
from insights.analyses.interval import wilson
from insights.analyses.labels import labels, labels_sql
from insights.analyses.match import RESERVED, Bound, match_of, match_sql, where_of, wheres_sql
from insights.analyses.nodes import node_sql, place
from insights.analyses.passes.chains import FOREVER, NEVER
from insights.analyses.passes.timelines import Timelines, people, timelines
from insights.analyses.passes.visits import ACTIVE, END, ENDS, START, Links, Walk, links_of
from insights.analyses.spans import SECOND, day_starts, micros, micros_of
from stream.faults import UsageFault

MOST_DEPTH = 50
LINKS = {"who": pl.Int32, "k": pl.Int8, "source": pl.Int32, "target": pl.Int32, "took": pl.Int64}
"""A link of a visit: number of the person, step of the source, numbers of the nodes, microseconds."""
METRICS = (
    Metric("visits", "number"),
    Metric("people", "people"),
    Metric("link_share", "share"),
    Metric("median_link", "seconds"),
    Metric("mean_link", "seconds"),
)


class Paths(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/journeys.py`."""

    node: str = "type"
    strip: tuple[str, ...] = ()
    depth: int = 5
    start_at: str | None = None
    start_where: tuple[str, ...] = ()
    end_at: str | None = None
    end_where: tuple[str, ...] = ()
    whole: Literal["visit", "person"] = "visit"
    gap: str = "30m"
    since: str | None = None
    until: str | None = None
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    limit: int = 20


def picked_sql(crowd: Crowd, asked: Paths, bound: Bound, more: str = "") -> str:
    """Return the SQL of all events of people, each with its node as a number (-1: none), its marks, and what `more` adds (SQL of ours)."""
    node = node_sql(asked.node, asked.strip, bound)
    on_path = wheres_sql(tuple(map(where_of, asked.where)), bound)
    marks = [f"CASE WHEN {match_sql(match_of(''), crowd.as_of.activity, bound)} THEN {ACTIVE} ELSE 0 END"]
    for mark, at, wheres in ((START, asked.start_at, asked.start_where), (END, asked.end_at, asked.end_where)):
        if at is not None or wheres:
            here = f"node = {bound(place(asked.node, at))}" if at is not None else "node IS NOT NULL"
            marks.append(f"CASE WHEN {here} AND {wheres_sql(tuple(map(where_of, wheres)), bound)} THEN {mark} ELSE 0 END")
    others = f" AND user NOT IN ({', '.join(map(bound, asked.without))})" if asked.without else ""
    return f"""
        WITH noded AS (
            SELECT *, CASE WHEN {on_path} THEN {node} END AS node
            FROM events WHERE type NOT IN ({", ".join(map(bound, RESERVED))}){others}
        ),
        marked AS (SELECT user, epoch_us(ts) AS us, node, {" + ".join(marks)} AS marks{more} FROM noded)
        SELECT marked.* EXCLUDE (node), coalesce(number, -1) AS code
        FROM marked LEFT JOIN ({labels_sql(node_sql(asked.node, asked.strip, bound))}) AS labels ON labels.label = marked.node
    """


def walk_of(crowd: Crowd, asked: Paths) -> Walk:
    """Return how paths are cut, in numbers.

    Raises
    ------
    stream.faults.UsageFault
        If they have too many nodes or none.
    """
    if not 1 <= asked.depth <= MOST_DEPTH:
        raise UsageFault("depth must be 1 to {most}, got {got}", most=MOST_DEPTH, got=asked.depth)
    days = day_starts(crowd, asked.since, asked.until)
    return Walk(
        begin=days[0] if days and asked.since else NEVER,
        end=days[-1] if days and asked.until else FOREVER,
        gap=FOREVER if asked.whole == "person" else micros_of(asked.gap),
        horizon=crowd.as_of.horizon // timedelta(microseconds=1),
        known_until=NEVER if crowd.as_of.watermark is None else micros(crowd.as_of.watermark),
        depth=asked.depth,
        starts=asked.start_at is not None or bool(asked.start_where),
        ends=asked.end_at is not None or bool(asked.end_where),
    )


def links(crowd: Crowd, asked: Paths) -> pl.DataFrame:
    """Return a row for each link of each visit: `who`, `k` (step of the source), `source`, `target` (texts), `took` (microseconds)."""
    walk = walk_of(crowd, asked)
    bound = Bound()
    names = labels(crowd, node_sql(asked.node, asked.strip, bound), bound).to_list()
    bound = Bound()
    picked = picked_sql(crowd, asked, bound)
    parts = [pl.DataFrame(schema=LINKS)]
    for lines in timelines(crowd, picked, bound.values):
        parts.append(links_frame(lines, links_of(lines, len(names), walk)))
    return named(pl.concat(parts), names, asked.limit)


def links_frame(lines: Timelines, found: Links) -> pl.DataFrame:
    """Return the links of one part as a frame of `LINKS`."""
    columns = {"who": lines.who[found.line], "k": found.step, "source": found.source, "target": found.target, "took": found.took}
    return pl.DataFrame([pl.Series(name, columns[name]).cast(kind) for name, kind in LINKS.items()])


def named(found: pl.DataFrame, nodes: list[str], limit: int, first: str = "") -> pl.DataFrame:
    """Put names to nodes: the ones that most visits come to, the others together; `first` is what follows the nodes and ends."""
    names = [*nodes, *ENDS, first]
    sizes = [(names[node], size) for node, size in found.filter(pl.col("source") < len(nodes)).group_by("source").len().rows()]
    keep = {*kept(sizes, limit), *ENDS, first}
    said = pl.Series([name if name in keep else OTHER for name in names], dtype=pl.Enum(sorted({*keep, OTHER})))
    return found.with_columns(said.gather(found["source"]).alias("source"), said.gather(found["target"]).alias("target"))


def run(crowd: Crowd, asked: Paths) -> Result:
    """Return for each link how many visits and people took it, which share of those at its source, and how long it took."""
    return PATHS.result(crowd, asked, rows_of(links(crowd, asked)))


def rows_of(found: pl.DataFrame) -> pl.DataFrame:
    """Count links, the most frequent of each step first."""
    link = ["k", "source", "target"]
    counted = (
        found.group_by(link)
        .agg(
            pl.len().alias("visits"),
            pl.col("who").n_unique().alias("people"),
            took=pl.col("took").mean() / SECOND,
            middle=pl.col("took").median() / SECOND,
        )
        .with_columns(n=pl.col("visits").sum().over("k", "source"))
        .with_columns(pl.col("source", "target").cast(pl.String), at_end=pl.col("target").cast(pl.String).is_in(ENDS))
        .sort("k", pl.col("visits"), "source", "target", descending=[False, True, False, False])
    )
    low, high = wilson(pl.col("visits"), pl.col("n"))
    state = pl.when(pl.col("target") == ENDS[2]).then(pl.lit("open")).otherwise(pl.lit("complete"))
    none = pl.lit(None, pl.Float64)
    values = {
        "visits": (pl.col("visits"), none, none),
        "people": (pl.col("people"), none, none),
        "link_share": (pl.col("visits") / pl.col("n"), low, high),
        "median_link": (pl.when(~pl.col("at_end")).then(pl.col("middle")), none, none),
        "mean_link": (pl.when(~pl.col("at_end")).then(pl.col("took")), none, none),
    }
    return pl.concat(
        counted.select(
            *link, "n", OF_PEOPLE, metric=pl.lit(metric), value=value.cast(pl.Float64), low=lower, high=upper, state=state
        ).filter(pl.col("value").is_not_null())
        for metric, (value, lower, upper) in values.items()
    )


def behind(crowd: Crowd, asked: Paths, cell: Cell) -> pl.DataFrame:
    """Return the people who took a link, with how many visits they took it in."""
    found = links(crowd, asked)
    for name in ("k", "source", "target"):
        if (value := getattr(cell, name)) is not None:
            found = found.filter(pl.col(name).cast(pl.String) == str(value))
    counted = found.group_by("who").agg(pl.len().alias("visits"))
    return counted.with_columns(people(crowd).gather(counted["who"]).alias("user")).select("user", "visits").sort("user")


PATHS = Analysis(
    name="paths",
    parameters=Paths,
    run=run,
    metrics=METRICS,
    columns=(Column("source", "text", pl.String), Column("target", "text", pl.String)),
    behind=behind,
    example=("paths", "--depth", "4"),
)
