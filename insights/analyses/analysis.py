"""What is an analysis? A name, parameters, columns and one function; and what does it return? Rows in the long form, with what was known.

The long form is the same for all: a row says of a `metric`, in a `cohort`, after `k` units, in a `group`, that of `n` people a share or number `value` was seen,
between `low` and `high`, and whether that is the last word (`state`). What an analysis says besides stands in columns of its own behind these.

Words are not here: title and question of an analysis, its parameters, metrics and columns are in `insights/words/analyses.py`, under ``analysis.<name>``,
``analysis.<name>.asks``, ``parameter.<name>``, ``metric.<name>`` and ``column.<name>``, in every language. A parameter or column of one name means the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import polars as pl

from insights.analyses.crowd import Crowd
from insights.analyses.plain import Cell, Kind, Layout, Metric, Note, State
from insights.history.reader import AsOf

__all__ = ["LONG", "NONE", "OF_PEOPLE", "OTHER", "Analysis", "Cell", "Column", "Metric", "Note", "Result", "State", "said"]
"""With what `plain.py` has of it, so that an analysis finds all it is made of here."""

LONG: dict[str, Any] = {
    "metric": pl.String, "cohort": pl.String, "k": pl.Int64, "group": pl.String, "n": pl.Int64,
    "value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "state": pl.String,
}  # fmt: skip
"""Columns of the long form. What does not apply is null: no cohort, no k, no breakdown, no denominator, no interval."""
NONE, OTHER = "(none)", "other"
"""Groups of who has no value, and of all groups beyond the limit."""


OF_PEOPLE = "people"
"""A column that an analysis may give with its rows and that nobody sees: how many people a row tells of at least, where its `n` is no number of these people.
By it, small groups are withheld from whoever may see no persons."""


class Column(NamedTuple):
    """A column that an analysis has besides the long form."""

    name: str
    kind: Kind
    type: Any
    """Polars type."""


@dataclass(frozen=True)
class Result:
    """What an analysis found.

    Attributes
    ----------
    analysis : str
        Name in the catalog.
    parameters : msgspec.Struct
        What was asked.
    as_of : AsOf
        What was known.
    rows : pl.DataFrame
        The long form, and columns of the analysis behind it.
    notes : tuple of Note
    left_censored : int
        Users who were there before the log is complete, so that nobody knows when they came.
    people : tuple of int or None
        What the rows had as `OF_PEOPLE`; empty if they had none.
    """

    analysis: str
    parameters: Any
    as_of: AsOf
    rows: pl.DataFrame
    notes: tuple[Note, ...] = ()
    left_censored: int = 0
    people: tuple[int | None, ...] = ()


P = TypeVar("P")


@dataclass(frozen=True)
class Analysis(Generic[P]):
    """One entry of the catalog.

    Attributes
    ----------
    name : str
        Also the command's, with "-" for "_".
    parameters : type
        A frozen `msgspec.Struct` of plain values (texts, numbers, dates, flags, literals, tuples of these), each with a default unless it is in `arguments`.
    run : callable
        Crowd and parameters in, `Result` out. Reads no clock.
    metrics : tuple of Metric
    columns : tuple of Column
        Besides the long form.
    behind : callable, optional
        Returns the people behind a cell: a frame with `user` first, ordered by it, and what else is known of each.
    arguments : str, optional
        The parameter that a command takes as its plain words: the steps of a funnel.
    layout : {"series", "triangle", "steps", "list"}
        How people see it: a line a cohort with a column a metric; a line a cohort with a column a k; a line a k, named by the column `step`, with a column a
        metric, a table a group and cohort; rows as they are.
    example : tuple of str
        Words of a command that shows it on the example history of the documentation.
    followed : bool
        Whether it rests on what the engine said, so that an answer is old when more was said, though no event came.
    """

    name: str
    parameters: type[P]
    run: Callable[[Crowd, P], Result]
    metrics: tuple[Metric, ...]
    columns: tuple[Column, ...] = ()
    behind: Callable[[Crowd, P, Cell], pl.DataFrame] | None = None
    arguments: str | None = None
    layout: Layout = "list"
    example: tuple[str, ...] = ()
    followed: bool = False

    def result(self, crowd: Crowd, parameters: P, rows: pl.DataFrame, notes: tuple[Note, ...] = ()) -> Result:
        """Return rows as a result of this analysis: columns in order, of their types; what is missing is null.

        Raises
        ------
        ValueError
            For a column that the analysis does not declare, or a metric.
        """
        extra = {column.name: column.type for column in self.columns}
        people = tuple(rows[OF_PEOPLE].to_list()) if OF_PEOPLE in rows.columns else ()
        rows = rows.drop(OF_PEOPLE, strict=False)
        unknown = set(rows.columns) - LONG.keys() - extra.keys()
        if unknown:
            raise ValueError(f"{self.name} does not declare {', '.join(sorted(unknown))}")
        whole = rows.with_columns(pl.lit(None).alias(name) for name in LONG | extra if name not in rows.columns)
        whole = whole.select(pl.col(name).cast(kind) for name, kind in (LONG | extra).items())
        unsaid = set(whole["metric"].unique()) - {metric.name for metric in self.metrics}
        if unsaid:
            raise ValueError(f"{self.name} does not declare the metrics {unsaid}")
        return Result(self.name, parameters, crowd.as_of, whole, notes, crowd.left_censored(), people)


def said(
    frame: pl.DataFrame, metric: str, value: pl.Expr, *, keys: tuple[str, ...], n: str, interval: tuple[pl.Expr, pl.Expr] | None = None
) -> pl.DataFrame:
    """Return the rows of one metric, of which each is the last word: columns `keys`, and those of the long form. A value that is null cannot be known.

    >>> frame = pl.DataFrame({"feature": ["search"], "people": [4], "kept": [None]})
    >>> said(frame, "reach", pl.col("people") / 8, keys=("feature",), n="people").row(0)
    ('search', 'reach', 4, 0.5, None, None, 'complete')
    """
    low, high = interval or (pl.lit(None, pl.Float64), pl.lit(None, pl.Float64))
    state = pl.when(value.is_null()).then(pl.lit("none")).otherwise(pl.lit("complete"))
    return frame.select(*keys, metric=pl.lit(metric), n=pl.col(n), value=value.cast(pl.Float64), low=low, high=high, state=state)
