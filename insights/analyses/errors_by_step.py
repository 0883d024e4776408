"""Where do things go wrong, how slow is it there, and does whoever met an error leave more often? By step of a funnel, or by type of event.

A step is done by an event. An error is met there if that event says so itself (`props.error`), or if an error event (`errors`) of the same user follows within some time, before their
next step. Latency is what the steps' own events say. Leaving is silence after a landmark, the end of a day on which the step was done (`landmarks.py`): after days with an error against
days without, pooled over people who are as active (`equal_activity.py`), since whoever comes often meets more errors and stays all the same. It is not called a cause.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import polars as pl

from insights.analyses.analysis import Analysis, Cell, Column, Metric, Result, said
from insights.analyses.crowd import PLACE, Crowd
from insights.analyses.days import events_sql
from insights.analyses.equal_activity import FOLDS, FROM_DAYS, difference_with_interval
from insights.analyses.groups import LIMIT, first_value_sql, kept, named, of_group
from insights.analyses.interval import wilson
from insights.analyses.landmarks import landmarks_sql
from insights.analyses.match import Bound, field_sql, match_of, match_sql
from insights.analyses.spans import day_starts, instant, micros_of
from insights.history.tables import RESERVED
from stream.faults import UsageFault

MOST = 50
"""Types of events shown of a group; those at which most people met an error."""
FINE = ("", "0", "false")
"""Values of `props.error` that say there was none, as does its absence."""
KEYS = ("group", "event")


class ErrorsByStep(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/errors.py`."""

    steps: tuple[str, ...] = ()
    errors: tuple[str, ...] = ("error",)
    latency: str = "props.latency_ms"
    within: str = "30m"
    since: str | None = None
    until: str | None = None
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    by: str | None = None
    limit: int = LIMIT
    least_people: int = 20


def run(crowd: Crowd, asked: ErrorsByStep) -> Result:
    """Return for each step: the share of its people who met an error, latencies, and how many left after days with one and without; steps in order, else where most met one."""
    found = days(crowd, asked)
    met = pl.col("met")
    shown = (
        found.group_by(KEYS)
        .agg(
            pl.col("user").n_unique().cast(pl.Int64).alias("people"),
            pl.col("user").filter(met).n_unique().cast(pl.Int64).alias("with_error"),
        )
        .filter(pl.col("people") >= asked.least_people)
    )
    place = {step or "*": at for at, step in enumerate(asked.steps)}
    order = pl.col("event").replace_strict(place, default=0, return_dtype=pl.Int64)
    shown = shown.sort("group", order, -pl.col("with_error"), "event", nulls_last=True)
    shown = shown.filter(pl.int_range(pl.len()).over("group") < MOST)
    table = shown.join(_latencies(found), on=KEYS, how="left", nulls_equal=True, maintain_order="left")
    table = table.join(_left(found, shown), on=KEYS, how="left", nulls_equal=True, maintain_order="left")
    share = pl.col("with_error") / pl.col("people")
    values = {
        "error_share": (share, "people", wilson(pl.col("with_error"), pl.col("people"))),
        "step_latency_p50": (pl.col("p50"), "timed", None),
        "step_latency_p95": (pl.col("p95"), "timed", None),
        "left_with_error": (pl.col("left_1"), "people_1", wilson(pl.col("left_1") * pl.col("people_1"), pl.col("people_1"))),
        "left_without_error": (pl.col("left_0"), "people_0", wilson(pl.col("left_0") * pl.col("people_0"), pl.col("people_0"))),
        "left_difference": (pl.col("difference"), "people_1", (pl.col("low"), pl.col("high"))),
    }
    parts = [said(table, metric, value, keys=KEYS, n=n, interval=interval) for metric, (value, n, interval) in values.items()]
    return ERRORS_BY_STEP.result(crowd, asked, pl.concat(parts))


def days(crowd: Crowd, asked: ErrorsByStep) -> pl.DataFrame:
    """Return a row for each step, user and day on which they did it.

    Returns
    -------
    pl.DataFrame
        `event` (the step as it was asked, or the type), `user`, `day` (its number), `met` (whether an error was met there that day), `latencies` (list of those that are known), `group` (null without a breakdown), and of the
        landmark that ends the day `fold`, `activity`, `silent`; null where it has not matured.
    """
    bound = Bound()
    stood = stood_sql(crowd, asked, bound)
    if stood is None:
        none = {"fold": pl.Int64, "activity": pl.Int64, "silent": pl.Int64}
        return pl.DataFrame(
            schema={
                "event": pl.String,
                "user": pl.String,
                "day": pl.Int64,
                "met": pl.Boolean,
                "latencies": pl.List(pl.Float64),
                **none,
                "group": pl.String,
            }
        )
    marks = landmarks_sql(crowd, asked.where, asked.without, bound)
    landmarks = marks or "SELECT NULL AS user, NULL AS day, NULL AS fold, NULL AS activity, NULL AS silent WHERE FALSE"
    found = crowd.frame(
        f"""
        SELECT event, done.user AS user, done.day AS day, met, coalesce(latencies, []) AS latencies, fold, activity, silent
        FROM (SELECT event, user, day, bool_or(met) AS met, list(latency) FILTER (WHERE latency IS NOT NULL) AS latencies FROM ({stood}) GROUP BY event, user, day) AS done
        LEFT JOIN ({landmarks}) AS marks ON marks.user = done.user AND marks.day = done.day
        ORDER BY event, done.user, done.day
        """,
        bound.values,
    ).with_columns(pl.col("day", "fold", "activity", "silent").cast(pl.Int64))
    return _grouped(crowd, asked, found)


def stood_sql(crowd: Crowd, asked: ErrorsByStep, bound: Bound) -> str | None:
    """Return SQL with a row for each time a step was done in the range: `event`, `user`, `day` (its number), `latency` (or null), `met`; None of an empty log.

    Raises
    ------
    UsageFault
        If a step, an error, a field or a day cannot be read.
    """
    within, matches = micros_of(asked.within), [match_of(step) for step in asked.steps]
    fails = " OR ".join(f"({match_sql(match_of(one), crowd.as_of.activity, bound)})" for one in asked.errors) or "FALSE"
    starts = day_starts(crowd, asked.since, asked.until)
    latency = f"TRY_CAST({field_sql(asked.latency, bound)} AS DOUBLE)"
    if not starts:
        return None
    if matches:
        cases = (
            f"CASE WHEN {match_sql(match, crowd.as_of.activity, bound)} THEN {bound(step or '*')} END"
            for match, step in zip(matches, asked.steps, strict=True)
        )
        steps = f"list_filter(list_distinct([{', '.join(cases)}]), lambda one : one IS NOT NULL)"
    else:
        steps = f"CASE WHEN type IN ({', '.join(map(bound, RESERVED))}) OR {fails} THEN [] ELSE [type] END"
    unit = crowd.unit("day")
    first, last = unit.number(instant(starts[0])), unit.number(instant(starts[-1])) - 1
    return f"""
    WITH told AS (
        SELECT
            user, {PLACE} AS place, epoch_us(ts) AS us, {unit.number_sql()} AS day, {latency} AS latency, coalesce({steps}, []) AS steps, coalesce({fails}, FALSE) AS fails,
            coalesce({field_sql("props.error", bound)} NOT IN ({", ".join(map(bound, FINE))}), FALSE) AS says
        FROM {events_sql(asked.where, asked.without, bound)}
    ),
    numbered AS (
        SELECT *, count(*) FILTER (WHERE len(steps) > 0) OVER (PARTITION BY user ORDER BY place ROWS UNBOUNDED PRECEDING) AS number
        FROM told WHERE len(steps) > 0 OR fails
    ),
    stood AS (
        SELECT
            user, arg_min(steps, place) AS steps, arg_min(day, place) AS day, arg_min_null(latency, place) AS latency,
            arg_min(says OR fails, place) OR coalesce(min(us) FILTER (WHERE fails) - arg_min(us, place) <= {bound(within)}, FALSE) AS met
        FROM numbered WHERE number > 0 GROUP BY user, number
    )
    SELECT unnest(steps) AS event, user, day, latency, met FROM stood WHERE day BETWEEN {bound(first)} AND {bound(last)}
    """


def _grouped(crowd: Crowd, asked: ErrorsByStep, found: pl.DataFrame) -> pl.DataFrame:
    """Add each user's group: the value in their first event of all, or what is told of them; the largest by name."""
    if asked.by is None:
        return found.with_columns(pl.lit(None, pl.String).alias("group"))
    bound = Bound()
    values = crowd.frame(first_value_sql(asked.by, bound), bound.values)
    found = found.join(values, on="user", how="left", maintain_order="left")
    sizes = found.group_by("grp").agg(pl.col("user").n_unique()).rows()
    return found.select(pl.exclude("grp"), named("grp", kept(sizes, asked.limit)).alias("group"))


def _latencies(found: pl.DataFrame) -> pl.DataFrame:
    """Return the median and the 95th percentile of the latency of each step's events, in the unit of the field, and of how many people it is known."""
    latency = pl.col("latencies")
    return (
        found.filter(latency.list.len() > 0)
        .explode("latencies")
        .group_by(KEYS)
        .agg(
            latency.quantile(0.5, "linear").alias("p50"),
            latency.quantile(0.95, "linear").alias("p95"),
            pl.col("user").n_unique().cast(pl.Int64).alias("timed"),
        )
    )


def _left(found: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Return of each step the share of its matured days that silence followed, with an error (`left_1`) and without (`left_0`), of how many people, and the pooled difference."""
    matured = found.drop_nulls("silent").join(shown.select(KEYS), on=KEYS, nulls_equal=True)
    rows = []
    for (group, event), here in sorted(matured.partition_by(KEYS, as_dict=True).items(), key=lambda one: str(one[0])):
        cells = np.zeros((2, FOLDS, len(FROM_DAYS), 2))
        np.add.at(cells, tuple(here[name].to_numpy().astype(np.int64) for name in ("met", "fold", "activity", "silent")), 1)
        kept_more, low, high = (float(one[0]) for one in difference_with_interval(cells[1][None], cells.sum(0)))
        row = {"group": group, "event": event, "difference": -kept_more, "low": -high, "high": -low}
        for met in (0, 1):
            days_of, silences = float(cells[met].sum()), float(cells[met][..., 1].sum())
            row |= {
                f"left_{met}": silences / days_of if days_of else None,
                f"people_{met}": here.filter(pl.col("met") == bool(met))["user"].n_unique(),
            }
        rows.append(row)
    schema: dict[str, Any] = {
        **dict.fromkeys(KEYS, pl.String),
        **dict.fromkeys(("difference", "low", "high", "left_0", "left_1"), pl.Float64),
    }
    left = pl.DataFrame(rows, schema=schema | dict.fromkeys(("people_0", "people_1"), pl.Int64))
    return left.with_columns(pl.col("difference", "low", "high").fill_nan(None))


def behind(crowd: Crowd, asked: ErrorsByStep, cell: Cell) -> pl.DataFrame:
    """Return the people behind a number, with how many of their days it counts and how many of these silence followed."""
    if cell.event is None:
        raise UsageFault("name a step or a type of event: `--users event=NAME`")
    every = days(crowd, asked)
    found = of_group(every, cell.group, lambda: every).filter(pl.col("event") == cell.event)
    if cell.metric.startswith("left_"):
        found = found.drop_nulls("silent")
    if cell.metric == "left_without_error":
        found = found.filter(~pl.col("met"))
    else:
        found = found.filter(pl.col("latencies").list.len() > 0 if cell.metric.startswith("step_latency") else pl.col("met"))
    counted = found.group_by("user").agg(
        pl.len().cast(pl.Int64).alias("landmarks"), pl.col("silent").sum().cast(pl.Int64).alias("silences")
    )
    return counted.sort("user")


ERRORS_BY_STEP = Analysis(
    name="errors_by_step",
    parameters=ErrorsByStep,
    run=run,
    metrics=(
        Metric("error_share", "share"),
        Metric("step_latency_p50", "number"),
        Metric("step_latency_p95", "number"),
        Metric("left_with_error", "share"),
        Metric("left_without_error", "share"),
        Metric("left_difference", "points"),
    ),
    columns=(Column("event", "text", pl.String),),
    behind=behind,
    arguments="steps",
    example=("errors-by-step", "--least-people", "10"),
)
