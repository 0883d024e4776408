"""Which one stands out? Groups, steps, features or hours in order, the most remarkable first by its interval, and which of them surely are so.

Several are looked at together, and one of them is always the lowest by chance. So each interval is as much wider as there are others (`sure_of_all`), and where
none is surely apart, it is said that none is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from insights.web.crowd.found import Row
from insights.web.intervals import SURE, difference_of, sure_of_all
from insights.words import Words

MOST = 3
"""So many are named in a sentence."""


class Lower(NamedTuple):
    """A row and the share of all others together; `at_most` is the upper end of the difference between them: below 0 it is surely lower."""

    row: Row
    others: float
    at_most: float


class Finding(NamedTuple):
    """What is said of a table or a chart.

    Attributes
    ----------
    of : str
        Names what it is said of, for programs.
    first : str
        JSON list of those that surely stand out, the most remarkable first.
    said : str
    is_sure : bool
        Whether any does.
    """

    of: str
    first: str
    said: str
    is_sure: bool


def lowest_first(rows: Sequence[Row]) -> list[Lower]:
    """Return rows with a share, ordered by how surely each is below all others together (the difference of two shares after Newcombe 1998, as `difference_of`).

    >>> rows = [{"group": name, "value": value, "n": n} for name, value, n in (("few", 0.0, 2), ("bad", 0.3, 500), ("good", 0.5, 500))]
    >>> [(one.row["group"], one.at_most < 0) for one in lowest_first(rows)]
    [('bad', True), ('good', False), ('few', False)]
    """
    known = [row for row in rows if row["value"] is not None and row["n"]]
    sure, did, people = sure_of_all(len(known)), sum(map(_count, known)), sum(row["n"] for row in known)
    made = []
    for row in known:
        others = people - row["n"]
        found = difference_of(_count(row), row["n"], did - _count(row), others, sure)
        made.append(Lower(row, 0.0 if found is None else (did - _count(row)) / others, 1.0 if found is None else found[2]))
    return sorted(made, key=lambda one: one.at_most)


def _count(row: Row) -> int:
    share: float = row["value"]
    people: int = row["n"]
    return round(share * people)


def highest_first(rows: Sequence[Row], *, nothing: float) -> tuple[list[Row], int]:
    """Return rows ordered by the lower end of their interval, and how many of them are surely above what is nothing; those without an interval come last.

    Parameters
    ----------
    nothing : float
        0 for differences; 1 for ratios, whose intervals are even in their logarithms.

    >>> rows = [{"value": 1.5, "low": 0.7, "high": 3.2}, {"value": 1.4, "low": 1.3, "high": 1.5}]
    >>> found, sure = highest_first(rows, nothing=1)
    >>> [row["value"] for row in found], sure
    ([1.4, 1.5], 1)
    """
    wider = sure_of_all(len(rows)) / SURE

    def at_least(row: Row) -> float:
        value, low = row["value"], row["low"]
        if value is None or low is None:
            return float("-inf")
        return float(value * (low / value) ** wider if nothing and low > 0 and value > 0 else value - (value - low) * wider)

    ordered = sorted(rows, key=at_least, reverse=True)
    return ordered, sum(at_least(row) > nothing for row in rows)


def finding(of: str, names: Sequence[str], each: Callable[[int], str], words: str, w: Words) -> Finding:
    """Say which ones stand out.

    Parameters
    ----------
    names : sequence of str
        Those that surely do, for programs.
    each : callable
        Says the one at a place of them for readers.
    words : str
        Key of the sentence; with `.none` behind it, of what is said where none does.
    """
    said = w.list_of([each(at) for at in range(min(MOST, len(names)))])
    return Finding(of, msgspec.json.encode(list(names)).decode(), w.t(words, which=said) if names else w.t(f"{words}.none"), bool(names))
