"""Texts as numbers, for the compiled passes: each value of a field in the order of its text, from 0."""

from __future__ import annotations

import polars as pl

from insights.analyses.crowd import Crowd
from insights.analyses.match import Bound


def labels_sql(value: str) -> str:
    """Return the SQL of all values of an expression over `events`: `label`, and its `number`. Null has none."""
    values = f"SELECT DISTINCT {value} AS label FROM events"
    return f"SELECT label, CAST(row_number() OVER (ORDER BY label) - 1 AS BIGINT) AS number FROM ({values}) WHERE label IS NOT NULL"


def labels(crowd: Crowd, value: str, bound: Bound) -> pl.Series:
    """Return all values of an expression over `events`: the n-th one is number n."""
    return crowd.frame(f"{labels_sql(value)} ORDER BY number", bound.values)["label"]
