"""What do people do last before they fall silent, and not before they come again? Shares and their ratio.

Of matured landmarks: the end of each local day on which somebody was active, with label 1 when no activity followed within the horizon. For each path of last nodes:
its share among landmarks with label 1 against its share among those with label 0, the same within groups of equal activity, and the interval of both over people.
A path with a high ratio is where to look; it is not called a cause.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec
import numpy as np
import polars as pl

from insights.analyses.analysis import Analysis, Cell, Column, Metric, Result
from insights.analyses.crowd import Crowd
from insights.analyses.equal_activity import FOLDS, FROM_DAYS, group_of, ratio_with_interval
from insights.analyses.labels import labels
from insights.analyses.match import Bound
from insights.analyses.nodes import node_sql
from insights.analyses.passes.chains import NEVER
from insights.analyses.passes.silence import landmarks_of
from insights.analyses.passes.timelines import people, timelines
from insights.analyses.paths import Paths, picked_sql
from insights.analyses.spans import day_starts, instant, micros
from stream.faults import UsageFault

ARROW = " > "


class PathsIntoSilence(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/journeys.py`."""

    node: str = "type"
    strip: tuple[str, ...] = ()
    last: int = 3
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    least_people: int = 20
    limit: int = 50


def landmarks(crowd: Crowd, asked: PathsIntoSilence) -> tuple[pl.DataFrame, list[str]]:
    """Return the matured landmarks, and the nodes: `who`, `path` (a number, see `path_text`), `silent` (0 or 1), `activity` (group of equal activity)."""
    bound = Bound()
    names = labels(crowd, node_sql(asked.node, asked.strip, bound), bound).to_list()
    if asked.last < 1 or (len(names) + 1) ** asked.last >= 2**62:
        raise UsageFault("last must be 1 or more, and fewer for {n} different nodes, got {got}", n=len(names), got=asked.last)
    kinds = {"who": pl.Int32, "path": pl.Int64, "silent": pl.Int8, "activity": pl.Int8}
    parts = [pl.DataFrame(schema=kinds)]
    days = day_starts(crowd, None, None)
    if days:
        unit = crowd.unit("day")
        first_day = unit.number(instant(days[0]))
        known = NEVER if crowd.as_of.watermark is None else micros(crowd.as_of.watermark)
        bound = Bound()
        paths = Paths(node=asked.node, strip=asked.strip, where=asked.where, without=asked.without)
        picked = picked_sql(crowd, paths, bound, f", {unit.number_sql()} AS day")
        ends, horizon = np.array(days[1:], np.int64), crowd.as_of.horizon // timedelta(microseconds=1)
        for lines in timelines(crowd, picked, bound.values):
            found = landmarks_of(lines, len(names), asked.last, ends, first_day, horizon, known)
            columns = {"who": lines.who[found.line], "path": found.path, "silent": found.silent, "activity": group_of(found.active_days)}
            parts.append(pl.DataFrame([pl.Series(name, columns[name]).cast(kind) for name, kind in kinds.items()]))
    return pl.concat(parts), names


def path_text(path: int, names: list[str]) -> str:
    """Return a path as text, the newest node last.

    >>> path_text(1 * 3 + 2, ["a", "b"])
    'a > b'
    """
    nodes: list[str] = []
    while path:
        path, digit = divmod(path, len(names) + 1)
        nodes.append(names[digit - 1])
    return ARROW.join(reversed(nodes))


def run(crowd: Crowd, asked: PathsIntoSilence) -> Result:
    """Return for each path that enough people took: the ratio within equal activity, the plain ratio, and how many landmarks with it fell silent; the surest first."""
    found, names = landmarks(crowd, asked)
    sizes = (
        found.filter(pl.col("path") > 0)
        .group_by("path")
        .agg(pl.col("who").n_unique().alias("people"), pl.len().alias("marks"), pl.col("silent").sum().cast(pl.Int64))
    )
    shown = sizes.filter(pl.col("people") >= asked.least_people).sort("path").with_row_index("row")
    cells = found.with_columns((pl.col("who") % FOLDS).alias("fold"))
    cases = np.zeros((shown.height, FOLDS, len(FROM_DAYS), 2))
    counted = cells.join(shown.select("path", "row"), on="path").group_by("row", "fold", "activity", "silent").len()
    cases[tuple(counted[name].to_numpy() for name in ("row", "fold", "activity", "silent"))] = counted["len"].to_numpy()
    of = np.zeros((FOLDS, len(FROM_DAYS), 2))
    whole = cells.group_by("fold", "activity", "silent").len()
    of[tuple(whole[name].to_numpy() for name in ("fold", "activity", "silent"))] = whole["len"].to_numpy()
    equal = ratio_with_interval(cases, of)
    plain = ratio_with_interval(cases.sum(2, keepdims=True), of.sum(1, keepdims=True))
    values = {"path_ratio": equal, "plain_path_ratio": plain}
    table = shown.with_columns(
        pl.Series("path_text", [path_text(path, names) for path in shown["path"]], pl.String),
        *(
            pl.Series(f"{metric}_{end}", part).fill_nan(None)
            for metric, three in values.items()
            for end, part in zip(("value", "low", "high"), three, strict=True)
        ),
    )
    top = table.sort("path_ratio_low", "path_text", descending=[True, False], nulls_last=True).head(asked.limit)

    def said(metric: str, value: pl.Expr, low: pl.Expr, high: pl.Expr) -> pl.DataFrame:
        state = pl.when(value.is_null()).then(pl.lit("none")).otherwise(pl.lit("complete"))
        return top.select(
            metric=pl.lit(metric),
            path=pl.col("path_text"),
            n=pl.col("people"),
            value=value.cast(pl.Float64),
            low=low,
            high=high,
            state=state,
        )

    none = pl.lit(None, pl.Float64)
    parts = [said(metric, *(pl.col(f"{metric}_{end}") for end in ("value", "low", "high"))) for metric in values]
    parts += [said("path_landmarks", pl.col("marks"), none, none), said("path_silences", pl.col("silent"), none, none)]
    return PATHS_INTO_SILENCE.result(crowd, asked, pl.concat(parts))


def behind(crowd: Crowd, asked: PathsIntoSilence, cell: Cell) -> pl.DataFrame:
    """Return the people with landmarks after a path, how many, and after how many of them they fell silent."""
    found, names = landmarks(crowd, asked)
    paths = [path for path in found["path"].unique() if path_text(path, names) == cell.path]
    counted = (
        found.filter(pl.col("path").is_in(paths)).group_by("who").agg(pl.len().alias("landmarks"), pl.col("silent").sum().alias("silences"))
    )
    return counted.with_columns(people(crowd).gather(counted["who"]).alias("user")).select("user", "landmarks", "silences").sort("user")


PATHS_INTO_SILENCE = Analysis(
    name="paths_into_silence",
    parameters=PathsIntoSilence,
    run=run,
    metrics=(
        Metric("path_ratio", "number"),
        Metric("plain_path_ratio", "number"),
        Metric("path_landmarks", "number"),
        Metric("path_silences", "number"),
    ),
    columns=(Column("path", "text", pl.String),),
    behind=behind,
    example=("paths-into-silence",),
)
