"""How many of a cohort will have come back when its open cell closes? Who is back already, and of the others the chance that each comes in the time left.

The chance is of the risk that was said of a person last. A risk is the chance of no activity within the horizon; taken as evenly spread in time, that of a shorter stretch is
``risk ** (stretch / horizon)``, whenever it begins. Whoever was never judged is not expected.

The forecast's own record stands beside it: the same was asked of the cells that closed last, as of the same moment of their time and with what was known then. Where what came lay further
off than chance alone explains, the intervals of the open cells are wider by as much.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec
import polars as pl

from insights.analyses.analysis import OF_PEOPLE, Analysis, Cell, Metric, Result
from insights.analyses.crowd import Crowd
from insights.analyses.days import events_sql
from insights.analyses.interval import Z
from insights.analyses.match import Bound, match_of, match_sql
from insights.analyses.retention import FOLLOWED
from insights.analyses.risks import definition_of, judged_sql
from insights.analyses.units import Name, Unit
from stream.faults import UsageFault

KEYS = ("cohort", "k")


class RetentionForecast(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/risks.py`."""

    unit: Name = "week"
    definition: str = ""
    follow: int | None = None
    record: int = 4
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    week_start: str | None = None


class Stretch(NamedTuple):
    """A unit of the calendar, and the moment in it as of which something is forecast."""

    number: int
    begin: datetime
    moment: datetime
    end: datetime


def stretches(unit: Unit, known: datetime, record: int) -> list[Stretch]:
    """Return the unit that is open at a moment, and those that closed last, each with the same part of it left.

    >>> from datetime import UTC
    >>> [str(one.moment) for one in stretches(Unit("day", "UTC"), datetime(2024, 3, 5, 18, tzinfo=UTC), 1)]
    ['2024-03-05 18:00:00+00:00', '2024-03-04 18:00:00+00:00']
    """
    number = unit.number(known)
    left = (unit.start(number + 1) - known) / (unit.start(number + 1) - unit.start(number))
    found = []
    for one in range(number, number - record - 1, -1):
        begin, end = unit.start(one), unit.start(one + 1)
        found.append(Stretch(one, begin, known if one == number else end - left * (end - begin), end))
    return found


def people(crowd: Crowd, asked: RetentionForecast, at: Stretch) -> pl.DataFrame:
    """Return the people of all cohorts at a moment: `user`, `cohort` (number), `back` (in the unit, up to the moment), `came` (in the unit, as far as is known), `chance` of those not back."""
    bound = Bound()
    unit = crowd.unit(asked.unit, asked.week_start)
    events = events_sql(asked.where, asked.without, bound)
    active = match_sql(match_of(""), crowd.as_of.activity, bound)
    since = "TRUE" if crowd.as_of.complete_from is None else f"ts >= {bound(crowd.as_of.complete_from)}"
    begin, moment, end = bound(at.begin), bound(at.moment), bound(at.end)
    found = crowd.frame(
        f"""
    WITH first AS (SELECT user, min(ts) AS ts, min(day) AS day FROM {events} WHERE {active} GROUP BY user),
    acts AS (SELECT user, bool_or(ts < {moment}) AS back FROM {events} WHERE {active} AND ts >= {begin} AND ts < {end} GROUP BY user),
    said AS (
        SELECT user, arg_max(risk, landmark) AS risk FROM ({judged_sql(definition_of(crowd, asked.definition), bound)}) AS judged
        WHERE risk IS NOT NULL AND landmark < {moment} GROUP BY user
    )
    SELECT first.user AS user, cohort, coalesce(back, FALSE) AS back, back IS NOT NULL AS came, risk
    FROM (SELECT user, {unit.number_sql()} AS cohort FROM first WHERE {since}) AS first
    LEFT JOIN acts ON acts.user = first.user LEFT JOIN said ON said.user = first.user
    WHERE cohort < {bound(at.number)} AND cohort >= {bound(at.number - _follow(asked))}
    """,
        bound.values,
    )
    span = (at.end - at.moment) / crowd.as_of.horizon
    chance = pl.when(pl.col("back")).then(0.0).otherwise(1 - pl.col("risk").clip(0, 1) ** span).fill_null(0.0)
    return found.with_columns(chance=chance).sort("user")


def _follow(asked: RetentionForecast) -> int:
    follow = FOLLOWED[asked.unit] if asked.follow is None else asked.follow
    if follow < 1 or asked.record < 0:
        raise UsageFault("follow must be 1 or more and record 0 or more, got {follow} and {record}", follow=follow, record=asked.record)
    return follow


def _cells(crowd: Crowd, asked: RetentionForecast, at: Stretch) -> pl.DataFrame:
    """Return a row for each cohort at a moment: how many people, how many were back, how many are expected by the end, its variance, and how many came as far as is known."""
    return (
        people(crowd, asked, at)
        .group_by("cohort")
        .agg(
            pl.len().alias("n"),
            pl.col("back").sum(),
            pl.col("came").sum(),
            (pl.col("back") + pl.col("chance")).sum().alias("expected"),
            (pl.col("chance") * (1 - pl.col("chance"))).sum().alias("variance"),
        )
        .with_columns(k=at.number - pl.col("cohort"))
        .sort("cohort")
    )


def run(crowd: Crowd, asked: RetentionForecast) -> Result:
    """Return for each cohort the forecast of its open cell and the share that is back so far; and of the cells that closed last what was forecast and what came."""
    _follow(asked)
    definition_of(crowd, asked.definition)
    known = crowd.as_of.watermark
    if known is None:
        return RETENTION_FORECAST.result(crowd, asked, pl.DataFrame(schema={"metric": pl.String}))
    unit = crowd.unit(asked.unit, asked.week_start)
    now, *before = stretches(unit, known, asked.record)
    closed = pl.concat([_cells(crowd, asked, one) for one in before]) if before else _cells(crowd, asked, now).clear()
    wide = spread(closed)
    parts = [
        *_rows(_cells(crowd, asked, now), unit, "open", {"forecast": "expected", "so_far": "back"}, wide),
        *_rows(closed, unit, "complete", {"forecast_then": "expected", "came": "came"}, 1.0),
    ]
    whole = pl.DataFrame({"n": [closed.height], "value": [wide], OF_PEOPLE: [closed["n"].max()]}, schema_overrides={OF_PEOPLE: pl.Int64})
    record = whole.select("n", "value", OF_PEOPLE, metric=pl.lit("spread"), cohort=pl.lit(None, pl.String), k=pl.lit(None, pl.Int64), low=pl.lit(None, pl.Float64),
                          high=pl.lit(None, pl.Float64), state=pl.lit("complete"))  # fmt: skip
    return RETENTION_FORECAST.result(crowd, asked, pl.concat([*parts, record], how="diagonal_relaxed"))


def spread(closed: pl.DataFrame) -> float:
    """Return how many times as far off as by chance what came lay, of cells that are closed: never below 1, and 1 where nothing was uncertain.

    >>> spread(pl.DataFrame({"expected": [10.0, 20.0], "came": [14, 16], "variance": [4.0, 4.0]}))
    2.0
    """
    off = closed.filter(pl.col("variance") > 0).select(((pl.col("came") - pl.col("expected")) ** 2 / pl.col("variance")).mean()).item()
    return 1.0 if off is None else float(max(1.0, off**0.5))


def _rows(cells: pl.DataFrame, unit: Unit, state: str, values: dict[str, str], wide: float) -> list[pl.DataFrame]:
    named = cells.with_columns(pl.Series("cohort", [unit.label(one) for one in cells["cohort"]], pl.String))
    half = Z * wide * pl.col("variance").sqrt()
    ends = {"expected": (pl.max_horizontal(pl.col("expected") - half, "back"), pl.min_horizontal(pl.col("expected") + half, "n"))}
    found = []
    for metric, column in values.items():
        low, high = ends.get(column, (None, None))
        shares = {"value": pl.col(column), "low": low, "high": high}
        columns = {name: pl.lit(None, pl.Float64) if one is None else one.cast(pl.Float64) / pl.col("n") for name, one in shares.items()}
        found.append(named.select(*KEYS, "n", metric=pl.lit(metric), state=pl.lit(state), **columns))
    return found


def behind(crowd: Crowd, asked: RetentionForecast, cell: Cell) -> pl.DataFrame:
    """Return the people of a cohort's open cell: whether they are back, and the chance that each of the others comes in the time left."""
    known = crowd.as_of.watermark
    if cell.cohort is None or known is None:
        raise UsageFault("name a cohort, as in cohort=2026-03-02")
    unit = crowd.unit(asked.unit, asked.week_start)
    found = people(crowd, asked, stretches(unit, known, 0)[0]).filter(pl.col("cohort") == unit.number_of_text(cell.cohort))
    return found.select("user", pl.col("back").alias("came_back"), pl.when(~pl.col("back")).then(pl.col("chance")).alias("chance"))


RETENTION_FORECAST = Analysis(
    name="retention_forecast",
    parameters=RetentionForecast,
    run=run,
    metrics=(
        Metric("forecast", "share"),
        Metric("so_far", "share"),
        Metric("forecast_then", "share"),
        Metric("came", "share"),
        Metric("spread", "number"),
    ),
    columns=(),
    behind=behind,
    followed=True,
    example=("retention-forecast",),
)
