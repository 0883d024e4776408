"""Who uses a feature, do they stay longer than others who are as active? Each feature in the table of reach by difference.

Of matured landmarks (`landmarks.py`): was the feature used in the days that end with it, and did the user come again? The difference of the shares who came again
is pooled over groups of equal activity (Mantel and Haenszel), with its interval over people. Whoever comes often uses more and stays longer, so that the
plain difference, which is beside it, flatters every feature. Neither is called a cause.
"""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl

from insights.analyses.analysis import Analysis, Cell, Column, Metric, Result, said
from insights.analyses.crowd import Crowd
from insights.analyses.days import events_sql
from insights.analyses.equal_activity import FOLDS, FROM_DAYS, difference_with_interval
from insights.analyses.landmarks import landmarks_sql
from insights.analyses.match import Bound, field_sql, match_of, match_sql
from stream.faults import UsageFault

QUADRANTS = ("needed", "promising", "habit", "idle")
"""Used by many and its users stay; by few and they stay; by many, and by few, of whom it cannot be said."""


class FeatureUse(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/features.py`."""

    feature: str = "type"
    used_within: int = 7
    common: float = 0.2
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    least_people: int = 20
    limit: int = 50


def run(crowd: Crowd, asked: FeatureUse) -> Result:
    """Return for each feature that enough people used: its reach, the differences, how many of its users came again, and its place; the surest first."""
    bound = Bound()
    uses = uses_sql(crowd, asked, bound)
    if uses is None:
        return FEATURE_USE.result(crowd, asked, pl.DataFrame(schema={"metric": pl.String}))
    marks = landmarks_sql(crowd, asked.where, asked.without, bound)
    people = crowd.frame(f"SELECT user, fold, activity, silent, count(*) AS n FROM ({marks}) GROUP BY ALL", bound.values)
    users = crowd.frame(f"SELECT feature, user, fold, activity, silent, count(*) AS n FROM ({uses}) GROUP BY ALL", bound.values)
    everybody = people["user"].n_unique()
    sizes = users.group_by("feature").agg(
        pl.col("user").n_unique().alias("people"),
        pl.col("n").sum().alias("marks"),
        pl.col("n").filter(pl.col("silent") == 0).sum().alias("kept"),
    )
    shown = sizes.filter(pl.col("people") >= asked.least_people).sort("feature").with_row_index("row")
    used = _cells(
        users.join(shown.select("feature", "row"), on="feature"),
        (shown.height, FOLDS, len(FROM_DAYS), 2),
        "row",
        "fold",
        "activity",
        "silent",
    )
    of = _cells(people, (FOLDS, len(FROM_DAYS), 2), "fold", "activity", "silent")
    equal = difference_with_interval(used, of)
    plain = difference_with_interval(used.sum(2, keepdims=True), of.sum(1, keepdims=True))
    table = shown.with_columns(
        pl.Series(f"{metric}_{end}", part, pl.Float64).fill_nan(None)
        for metric, three in {"kept_difference": equal, "plain_kept_difference": plain}.items()
        for end, part in zip(("value", "low", "high"), three, strict=True)
    )
    common, sure = pl.col("people") >= asked.common * everybody, (pl.col("kept_difference_low") > 0).fill_null(value=False)
    needed, promising, habit, idle = map(pl.lit, QUADRANTS)
    place = pl.when(common & sure).then(needed).when(sure).then(promising).when(common).then(habit).otherwise(idle)
    top = (
        table.with_columns(place=place).sort("kept_difference_low", "feature", descending=[True, False], nulls_last=True).head(asked.limit)
    )
    values = {
        **{
            name: (pl.col(f"{name}_value"), (pl.col(f"{name}_low"), pl.col(f"{name}_high")))
            for name in ("kept_difference", "plain_kept_difference")
        },
        "reach": (pl.col("people") / max(everybody, 1), None),
        "kept_share": (pl.col("kept") / pl.col("marks"), None),
    }
    parts = [
        said(top, metric, value, keys=("feature", "place"), n="people", interval=interval) for metric, (value, interval) in values.items()
    ]
    return FEATURE_USE.result(crowd, asked, pl.concat(parts))


def uses_sql(crowd: Crowd, asked: FeatureUse, bound: Bound) -> str | None:
    """Return SQL with a row for each matured landmark and feature used in the days before it: `feature`, and the columns of the landmark."""
    marks = landmarks_sql(crowd, asked.where, asked.without, bound)
    if asked.used_within < 1:
        raise UsageFault("used_within must be 1 day or more, got {got}", got=asked.used_within)
    if marks is None:
        return None
    deeds = match_sql(match_of(""), (), bound)
    return f"""
    SELECT DISTINCT feature, marks.user AS user, marks.day AS day, fold, activity, silent
    FROM ({marks}) AS marks JOIN (
        SELECT DISTINCT user, {crowd.unit("day").number_sql()} AS day, {field_sql(asked.feature, bound)} AS feature
        FROM {events_sql(asked.where, asked.without, bound)} WHERE {deeds}
    ) AS used ON used.user = marks.user AND marks.day BETWEEN used.day AND used.day + {bound(asked.used_within - 1)}
    WHERE feature IS NOT NULL
    """


def _cells(counted: pl.DataFrame, shape: tuple[int, ...], *names: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Add up `n` by the values of some columns."""
    found = np.zeros(shape)
    np.add.at(found, tuple(counted[name].to_numpy().astype(np.int64) for name in names), counted["n"].to_numpy())
    return found


def behind(crowd: Crowd, asked: FeatureUse, cell: Cell) -> pl.DataFrame:
    """Return the people who used a feature: at how many landmarks, and after how many of them they fell silent."""
    bound = Bound()
    uses = uses_sql(crowd, asked, bound)
    if uses is None or cell.feature is None:
        raise UsageFault("name a feature: `--users feature=NAME`")
    return crowd.frame(
        f"SELECT user, count(*) AS landmarks, CAST(sum(silent) AS BIGINT) AS silences FROM ({uses}) WHERE feature = {bound(cell.feature)} GROUP BY user ORDER BY user",
        bound.values,
    )


FEATURE_USE = Analysis(
    name="feature_use",
    parameters=FeatureUse,
    run=run,
    metrics=(
        Metric("kept_difference", "points"),
        Metric("plain_kept_difference", "points"),
        Metric("reach", "share"),
        Metric("kept_share", "share"),
    ),
    columns=(Column("feature", "text", pl.String), Column("place", "text", pl.String)),
    behind=behind,
    example=("feature-use",),
)
