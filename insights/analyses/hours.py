"""After visits of which hour does silence follow, and how slow is the product then? By local hour of a visit's last event.

The ratio is how many times as often the last visit before a silence ends in that hour as another one does, among people who are as active (`equal_activity.py`),
with its interval over people. Beside it, the median and the 95th percentile of `props.latency_ms` of all events of that hour.
"""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl

from insights.analyses.analysis import OF_PEOPLE, Analysis, Column, Metric, Result, said
from insights.analyses.crowd import PLACE, Crowd
from insights.analyses.days import events_sql
from insights.analyses.equal_activity import FOLDS, FROM_DAYS, ratio_with_interval
from insights.analyses.landmarks import group_sql, horizon_micros, known_micros
from insights.analyses.match import Bound, field_sql, match_of, match_sql
from insights.analyses.passes.silence import ACTIVITY_DAYS
from insights.analyses.spans import micros_of

HOURS = 24


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/features.py`."""

    gap: str = "30m"
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    least_visits: int = 50


def run(crowd: Crowd, asked: Hours) -> Result:
    """Return for each hour with enough visits: the ratio, the share of visits after which silence matured, latency, and how many visits there were."""
    bound = Bound()
    zone, known = bound(crowd.as_of.zone), known_micros(crowd)
    visits = crowd.frame(_visits_sql(crowd, asked, bound, zone, known), bound.values) if known is not None else pl.DataFrame()
    if visits.is_empty():
        return HOURS_OF_DAY.result(crowd, asked, pl.DataFrame(schema={"metric": pl.String}))
    people, visits = visits.filter(pl.col("fold").is_null()).select("hour", OF_PEOPLE), visits.drop_nulls("fold")
    cases = np.zeros((HOURS, FOLDS, len(FROM_DAYS), 2))
    cases[tuple(visits[name].to_numpy().astype(np.int64) for name in ("hour", "fold", "activity", "silent"))] = visits["visits"].to_numpy()
    ratio, low, high = ratio_with_interval(cases, cases.sum(0))
    silent, of = cases[..., 1].sum((1, 2)), cases.sum((1, 2, 3))
    bound = Bound()
    latency = f"TRY_CAST({field_sql('props.latency_ms', bound)} AS DOUBLE)"
    slow = crowd.frame(
        f"SELECT extract(hour FROM timezone({bound(crowd.as_of.zone)}, ts)) AS hour, quantile_cont({latency}, 0.5) AS p50, quantile_cont({latency}, 0.95) AS p95 "
        f"FROM {events_sql(asked.where, asked.without, bound)} GROUP BY hour",
        bound.values,
    )
    table = (
        pl.DataFrame({"hour": np.arange(HOURS), "visits": of.astype(np.int64), "silent": silent, "ratio": ratio, "low": low, "high": high})
        .with_columns(pl.col("ratio", "low", "high").fill_nan(None))
        .join(slow.with_columns(pl.col("hour").cast(pl.Int64)), on="hour", how="left")
        .join(people, on="hour", how="left")
        .filter(pl.col("visits") >= asked.least_visits)
        .sort("hour")
        .with_columns(pl.col("hour").cast(pl.String).str.zfill(2))
    )
    values = {"hour_ratio": pl.col("ratio"), "silence_share": pl.col("silent") / pl.col("visits")}
    if table["p50"].null_count() < table.height:
        values |= {f"latency_{name}": pl.col(name) for name in ("p50", "p95")}
    intervals = {"hour_ratio": (pl.col("low"), pl.col("high"))}
    parts = [
        said(table, metric, value, keys=("hour", OF_PEOPLE), n="visits", interval=intervals.get(metric)) for metric, value in values.items()
    ]
    return HOURS_OF_DAY.result(crowd, asked, pl.concat(parts))


def _visits_sql(crowd: Crowd, asked: Hours, bound: Bound, zone: str, known: int | None) -> str:
    """Return SQL of the matured visits, counted: by `hour`, `fold`, `activity` and `silent`."""
    active = match_sql(match_of(""), crowd.as_of.activity, bound)
    day = crowd.unit("day").number_sql()
    return f"""
    WITH deeds AS (
        SELECT user, epoch_us(ts) AS us, ts, {day} AS day, lead(epoch_us(ts)) OVER (PARTITION BY user ORDER BY {PLACE[1:-1]}) AS after
        FROM {events_sql(asked.where, asked.without, bound)} WHERE {active}
    ),
    numbered AS (SELECT user, row_number() OVER (ORDER BY user) % {FOLDS} AS fold FROM (SELECT DISTINCT user FROM deeds)),
    days AS (SELECT DISTINCT user, day FROM deeds),
    counted AS (
        SELECT user, day, count(*) OVER (PARTITION BY user ORDER BY day RANGE BETWEEN {ACTIVITY_DAYS - 1} PRECEDING AND CURRENT ROW) AS active_days FROM days
    )
    SELECT
        CAST(extract(hour FROM timezone({zone}, deeds.ts)) AS BIGINT) AS hour, fold, {group_sql("active_days")} AS activity,
        CASE WHEN after IS NULL OR after > us + {bound(horizon_micros(crowd))} THEN 1 ELSE 0 END AS silent, count(*) AS visits,
        count(DISTINCT deeds.user) AS people
    FROM deeds JOIN numbered ON numbered.user = deeds.user JOIN counted ON counted.user = deeds.user AND counted.day = deeds.day
    WHERE (after IS NULL OR after - us >= {bound(micros_of(asked.gap))}) AND us + {bound(horizon_micros(crowd))} < {bound(known)}
    GROUP BY GROUPING SETS ((hour, fold, activity, silent), (hour))
    """


HOURS_OF_DAY = Analysis(
    name="hours",
    parameters=Hours,
    run=run,
    metrics=(
        Metric("hour_ratio", "number"),
        Metric("silence_share", "share"),
        Metric("latency_p50", "number"),
        Metric("latency_p95", "number"),
    ),
    columns=(Column("hour", "text", pl.String),),
    example=("hours",),
)
