"""What of the catalog and of results is plain data: what crosses from process to process, is kept, and is written for people and programs.

Nothing here needs the libraries that compute: a process that only shows results need not load them. `as_plain.py` makes these values.

::

    Entry      one analysis, as a form or a document needs it
    Found      a result: what was asked, what was known, rows by column, notes
    Members    who is in a segment
    Rows       any rows by column: of a result, of people, of SQL
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

State = Literal["complete", "open", "none"]
"""Of a value: nothing can change it but late events; it is still moving; it cannot be known (null)."""
Kind = Literal["share", "points", "number", "people", "seconds", "days", "money", "text"]
Layout = Literal["series", "triangle", "steps", "list"]
Reads = Literal["text", "choice", "whole", "number", "flag", "texts", "wholes", "numbers"]
"""What a parameter takes: one text, one of some words, a whole number, a number, yes or no, or several of one kind."""
LONG_COLUMNS: tuple[tuple[str, Kind], ...] = (
    ("metric", "text"), ("cohort", "text"), ("k", "number"), ("group", "text"), ("n", "people"), ("value", "number"), ("low", "number"),
    ("high", "number"), ("state", "text"),
)  # fmt: skip
"""Columns of the long form, and what each is; value and interval are of the metric's own kind."""
BY_SEGMENT = "segment."
"""A breakdown by this and the name of a segment tells apart who is in it; the others are `(none)`."""
LONG_TEXTS = ("metric", "cohort", "group", "state")
"""Columns of the long form that are text."""


class Metric(NamedTuple):
    """One thing an analysis says, a value of the column `metric`, and what its `value` is."""

    name: str
    kind: Kind


class Note(NamedTuple):
    """Something to know beside the rows: a key of `insights.words`, with its values."""

    key: str
    values: dict[str, object]


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """Which people: those behind the value of one row, named as the row is."""

    metric: str
    cohort: str | None = None
    k: int | None = None
    group: str | None = None
    source: str | None = None
    target: str | None = None
    path: str | None = None
    feature: str | None = None
    reason: str | None = None
    event: str | None = None
    tenure: str | None = None
    frequency: str | None = None


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """Who is in a segment: whoever meets a rule, or a list of users."""

    name: str
    rule: tuple[str, ...] = ()
    users: tuple[str, ...] = ()


def segments_in(asked: Mapping[str, object]) -> list[str]:
    """Return the segments that parameters speak of, each once: those of the filter and of the breakdown.

    >>> segments_in({"segment": "payers", "by": "segment.young"}), segments_in({"by": "channel"})
    (['payers', 'young'], [])
    """
    by = str(asked.get("by") or "")
    found = [str(asked.get("segment") or ""), by.removeprefix(BY_SEGMENT) if by.startswith(BY_SEGMENT) else ""]
    return list(dict.fromkeys(name for name in found if name))


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be asked of an analysis.

    Attributes
    ----------
    default : Any
        None where it is left to the analysis, and where it is required.
    choices : tuple of str
        The words of a choice.
    """

    name: str
    reads: Reads
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One analysis of the catalog, without what computes it.

    Attributes
    ----------
    columns : tuple of (name, kind)
        Besides the long form.
    arguments : str or None
        The parameter that a command takes as its plain words.
    has_people : bool
        Whether the people behind a cell can be listed.
    followed : bool
        Whether it rests on what the engine said: scores, outcomes, alerts.
    """

    name: str
    layout: Layout
    metrics: tuple[Metric, ...]
    columns: tuple[tuple[str, Kind], ...]
    parameters: tuple[Parameter, ...]
    arguments: str | None = None
    has_people: bool = False
    followed: bool = False


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """As of what a result holds: `insights.history.reader.AsOf` as plain data, and how many users are left-censored."""

    watermark: datetime | None
    offsets: dict[str, int]
    zone: str
    week_start: str
    late: int
    rejected: int
    complete_from: datetime | None
    left_censored: int
    version: int = 0
    events: int = 0
    activity: tuple[str, ...] = ()
    horizon_ms: int = 0
    session_gap_ms: int = 0
    revenue: tuple[str, ...] = ()


class Rows(msgspec.Struct, frozen=True):
    """Rows by column.

    >>> rows = Rows({"k": [0, 1], "n": [3, 2]})
    >>> rows.height, rows.dicts()[1], list(rows.tuples()), Rows({}).height
    (2, {'k': 1, 'n': 2}, [(0, 3), (1, 2)], 0)
    """

    columns: dict[str, list[Any]]

    @property
    def height(self) -> int:
        """How many there are."""
        return len(next(iter(self.columns.values()), ()))

    def tuples(self) -> Iterator[tuple[Any, ...]]:
        """Yield each row, in the order of the columns."""
        return zip(*self.columns.values(), strict=True)

    def dicts(self) -> list[dict[str, Any]]:
        """Return each row by name."""
        names = tuple(self.columns)
        return [dict(zip(names, row, strict=True)) for row in self.tuples()]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What an analysis found.

    Attributes
    ----------
    analysis : str
        Name in the catalog.
    parameters : dict
        All that was asked, defaults too.
    as_of : Known
    rows : Rows
        The long form, and columns of the analysis behind it (`insights.analyses.analysis.LONG`).
    notes : tuple of Note
    people : tuple of int or None
        Of each row, how many people it tells of at least, where neither its `n` nor its value says so (`insights.asked.withheld`); empty: of none is anything to be said.
    """

    analysis: str
    parameters: dict[str, Any]
    as_of: Known
    rows: Rows
    notes: tuple[Note, ...] = ()
    people: tuple[int | None, ...] = ()
