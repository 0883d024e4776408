"""In what do people differ who stay from people who fall silent? Each figure of the days before a landmark, the largest difference first, checked on a later half.

Of matured landmarks (`landmarks.py`) of a range: figures of the days that end with each, once where somebody came again within the horizon and once where nobody did.
The difference of the means of the logarithms is in standard deviations (Cohen's d, with the mean of the two variances, Austin 2009), since figures are counts with long tails; its
interval is by jackknife over people. All is told of the earlier half of the range. The later half is hidden from the order: a figure whose difference is not sure in both halves, on
the same side, is a false friend and stands last.
"""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from insights.analyses.analysis import OF_PEOPLE, Analysis, Cell, Column, Metric, Result, said
from insights.analyses.crowd import Crowd
from insights.analyses.days import events_sql
from insights.analyses.equal_activity import FOLDS, jackknife_deviation, sure_within
from insights.analyses.figures import Figures, figures_of
from insights.analyses.landmarks import landmarks_sql
from insights.analyses.match import Bound
from stream.faults import UsageFault

Floats = NDArray[np.float64]
GRAIN = 1e-9
"""Logarithms are added up in whole grains of this size."""
ALIKE = 1e-6
"""A deviation of logarithms below this is none: it comes of rounding."""
HOLDS, FALLS_OUT = "holds", "falls out"
"""A figure that differs on the hidden half as well, and one that does not surely."""


class RetainedAgainstChurned(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/features.py`."""

    numbers: tuple[str, ...] = ()
    figure_days: int = 28
    since: str | None = None
    until: str | None = None
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    least_people: int = 20
    limit: int = 50


def run(crowd: Crowd, asked: RetainedAgainstChurned) -> Result:
    """Return for each figure its difference in both halves, and both medians; those that hold first, of these the largest difference."""
    bound = Bound()
    found = _marked_sql(crowd, asked, bound)
    if found is None:
        return RETAINED_AGAINST_CHURNED.result(crowd, asked, pl.DataFrame(schema={"metric": pl.String}))
    marked, figures = found
    sums = crowd.frame(
        f"SELECT hidden, silent, fold, {_sums_sql(len(figures.names))} FROM ({marked}) GROUP BY GROUPING SETS ((hidden, silent, fold), (hidden, silent))",
        bound.values,
    )
    shown, hidden = _half(sums, figures, hidden=False), _half(sums, figures, hidden=True)
    table = shown.join(
        hidden.select("figure", pl.col("difference", "low", "high").name.prefix("hidden_"), hidden_n="n", hidden_people=OF_PEOPLE),
        on="figure",
        how="left",
    )
    enough = (pl.col("n_retained") >= asked.least_people) & (pl.col("n_churned") >= asked.least_people) & pl.col("difference").is_not_null()
    above = (pl.col("low") > 0) & (pl.col("hidden_low") > 0)
    below = (pl.col("high") < 0) & (pl.col("hidden_high") < 0)
    table = table.filter(enough).with_columns(
        verdict=pl.when((above | below).fill_null(value=False)).then(pl.lit(HOLDS)).otherwise(pl.lit(FALLS_OUT)),
        size=pl.col("difference").abs(),
        people=pl.min_horizontal(OF_PEOPLE, "hidden_people"),  # the verdict is of both halves
    )
    table = table.sort(pl.col("verdict") == FALLS_OUT, -pl.col("size"), "figure").head(asked.limit)
    keys = ("figure", "verdict", OF_PEOPLE)
    parts = [
        said(table, "standardised_difference", pl.col("difference"), keys=keys, n="n", interval=(pl.col("low"), pl.col("high"))),
        said(table, "hidden_difference", pl.col("hidden_difference"), keys=keys, n="hidden_n", interval=(pl.col("hidden_low"), pl.col("hidden_high"))),
        said(table, "retained_median", pl.col("median_retained"), keys=keys, n="n_retained"),
        said(table, "churned_median", pl.col("median_churned"), keys=keys, n="n_churned"),
    ]  # fmt: skip
    both = table.drop_nulls("hidden_difference")
    agreement = (
        both.select(pl.corr("difference", "hidden_difference", method="spearman").fill_nan(None)).item() if both.height > 1 else None
    )
    if agreement is not None:
        whole = pl.DataFrame(
            {"figure": [None], "verdict": [None], "figures": [both.height], OF_PEOPLE: [both[OF_PEOPLE].min()]},
            schema_overrides={"figure": pl.String, "verdict": pl.String},
        )
        parts.append(said(whole, "order_agreement", pl.lit(agreement), keys=keys, n="figures"))
    return RETAINED_AGAINST_CHURNED.result(crowd, asked, pl.concat(parts))


def _marked_sql(crowd: Crowd, asked: RetainedAgainstChurned, bound: Bound) -> tuple[str, Figures] | None:
    """Return SQL of the landmarks of the range with their figures, `x0` and on, and whether each is in the hidden half; and what the figures are."""
    if asked.figure_days < 1:
        raise UsageFault("figure_days must be 1 day or more, got {got}", got=asked.figure_days)
    marks = landmarks_sql(crowd, asked.where, asked.without, bound)
    if marks is None:
        return None
    unit = crowd.unit("day")
    limits = [
        f"day {sign} {bound(unit.number_of_text(text))}" for sign, text in ((">=", asked.since), ("<=", asked.until)) if text is not None
    ]
    figures = figures_of(crowd, events_sql(asked.where, asked.without, bound), asked.figure_days, asked.numbers, bound)
    columns = ", ".join(f"x{at}" for at in range(len(figures.names)))
    return (
        f"""
    WITH marks AS MATERIALIZED (SELECT * FROM ({marks}) WHERE {" AND ".join(limits) or "TRUE"}),
    middle AS (SELECT min(day) + (max(day) - min(day)) // 2 AS day FROM marks)
    SELECT marks.user AS user, fold, silent, marks.day > middle.day AS hidden, {columns}
    FROM marks CROSS JOIN middle JOIN ({figures.sql}) AS figures ON figures.user = marks.user AND figures.day = marks.day
    """,
        figures,
    )


def _sums_sql(count: int) -> str:
    """Return SQL of what a half is told by: of each figure the landmarks, people, sum and sum of squares of its logarithm in whole `GRAIN`s, and its median."""
    each = (
        f"count(x{at}) AS n{at}, count(DISTINCT user) FILTER (WHERE x{at} IS NOT NULL) AS people{at}, CAST(sum({_log(at)}) AS DOUBLE) AS sum{at}, "
        f"CAST(sum({_log(at)} * {_log(at)}) AS DOUBLE) AS squares{at}, median(x{at}) AS median{at}"
        for at in range(count)
    )
    return ", ".join(each)


def _log(at: int) -> str:
    # whole numbers add up to the same in any order, and an answer is to be the same each time
    return f"CAST(sign(x{at}) * ln(1 + abs(x{at})) / {GRAIN} AS HUGEINT)"


def _half(sums: pl.DataFrame, figures: Figures, *, hidden: bool) -> pl.DataFrame:
    """Return a row for each figure: difference with interval, medians and people of either side."""
    half = sums.filter(pl.col("hidden") == hidden)
    moments = np.zeros((len(figures.names), FOLDS, 2, 3))
    whole: dict[int, dict[str, float]] = {0: {}, 1: {}}
    for row in half.iter_rows(named=True):
        if row["fold"] is None:
            whole[row["silent"]] = row
            continue
        for at in range(len(figures.names)):
            n, total, squares = (row[f"{name}{at}"] or 0 for name in ("n", "sum", "squares"))
            moments[at, row["fold"], row["silent"]] = n, total * GRAIN, squares * GRAIN**2
    every = moments.sum(1)
    difference = standardised(every)
    deviation = jackknife_deviation(standardised(every[:, None] - moments))
    low, high = sure_within(difference, deviation)
    people = {
        side: [int(whole[silent].get(f"people{at}", 0)) for at in range(len(figures.names))]
        for silent, side in enumerate(("retained", "churned"))
    }
    medians = {
        side: [whole[silent].get(f"median{at}") for at in range(len(figures.names))] for silent, side in enumerate(("retained", "churned"))
    }
    return pl.DataFrame(
        {
            "figure": figures.names,
            **{
                name: pl.Series(column, dtype=pl.Float64).fill_nan(None)
                for name, column in (("difference", difference), ("low", low), ("high", high))
            },
            **{f"n_{side}": column for side, column in people.items()},
            **{f"median_{side}": pl.Series(column, dtype=pl.Float64) for side, column in medians.items()},
        }
    ).with_columns(n=pl.col("n_retained") + pl.col("n_churned"), people=pl.min_horizontal("n_retained", "n_churned"))


def standardised(moments: Floats) -> Floats:
    """Return by how many standard deviations the first side is above the second; NaN where a side has less than two, or nothing differs.

    Parameters
    ----------
    moments : float64[..., 2, 3]
        Of each side how many, their sum, and the sum of their squares.

    >>> sides = [[2.0, 6.0, 20.0], [2.0, 2.0, 4.0]]  # 2 and 4; 0 and 2
    >>> round(float(standardised(np.array(sides))), 4)
    1.4142
    """
    n, total, squares = moments[..., 0], moments[..., 1], moments[..., 2]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / n
        variance = np.where(n > 1, np.maximum(squares - n * mean * mean, 0) / (n - 1), np.nan)
        spread = np.sqrt(variance.mean(-1))
        found: Floats = np.where(spread > ALIKE, (mean[..., 0] - mean[..., 1]) / spread, np.nan)
    return found


def behind(crowd: Crowd, asked: RetainedAgainstChurned, cell: Cell) -> pl.DataFrame:
    """Return the people of one side in the earlier half: at how many landmarks, and after how many of them they fell silent."""
    bound = Bound()
    found = _marked_sql(crowd, asked, bound)
    if found is None:
        return pl.DataFrame(schema={"user": pl.String, "landmarks": pl.Int64, "silences": pl.Int64})
    side = {"churned_median": "sum(silent) > 0", "retained_median": "sum(silent) < count(*)"}.get(cell.metric, "TRUE")
    return crowd.frame(
        f"SELECT user, count(*) AS landmarks, CAST(sum(silent) AS BIGINT) AS silences FROM ({found[0]}) WHERE NOT hidden GROUP BY user HAVING {side} ORDER BY user",
        bound.values,
    )


RETAINED_AGAINST_CHURNED = Analysis(
    name="retained_against_churned",
    parameters=RetainedAgainstChurned,
    run=run,
    metrics=(
        Metric("standardised_difference", "number"),
        Metric("hidden_difference", "number"),
        Metric("retained_median", "number"),
        Metric("churned_median", "number"),
        Metric("order_agreement", "number"),
    ),
    columns=(Column("figure", "text", pl.String), Column("verdict", "text", pl.String)),
    behind=behind,
    example=("retained-against-churned",),
)
