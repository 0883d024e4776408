"""Into which groups do people fall? One value of a field for each user, and the largest groups by name, the rest together.

Groups are a partition: whoever is counted is in exactly one of them, so they add up to the total.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import polars as pl

from insights.analyses.analysis import NONE, OTHER
from insights.analyses.crowd import PLACE
from insights.analyses.match import Bound, field_sql

LIMIT = 10
"""Groups shown by name unless a query says otherwise."""


def value_sql(by: str, bound: Bound) -> str:
    """Return the SQL of an event's value of a field, `(none)` where it has none."""
    return f"coalesce(nullif({field_sql(by, bound)}, ''), '{NONE}')"


def first_value_sql(by: str, bound: Bound) -> str:
    """Return SQL with a row a user: `user`, and as `grp` the value of a field in their first event of all, or what is told of the user (`told_sql`)."""
    if of_user(by):
        return f"SELECT users.user AS user, coalesce(grp, '{NONE}') AS grp FROM users LEFT JOIN ({told_sql(by, bound)}) AS told ON told.user = users.user"
    if by == "channel":
        return f"SELECT user, coalesce(nullif(channel, ''), '{NONE}') AS grp FROM users"
    return f"SELECT user, arg_min({value_sql(by, bound)}, {PLACE}) AS grp FROM events GROUP BY user"


def of_user(by: str | None) -> bool:
    """Whether a field is told of a user and not of an event: a trait (``traits.NAME``), or whether they are in a segment (``segment.NAME``)."""
    return by is not None and by.startswith(("traits.", "segment."))


def told_sql(by: str, bound: Bound) -> str:
    """Return SQL with a row for each user of whom a field is told: `user`, and as `grp` the newest value of a trait, or the name of the segment they are in."""
    head, _, name = by.partition(".")
    if head == "segment":
        return f"SELECT user, name AS grp FROM segments WHERE name = {bound(name)}"
    return f"SELECT user, value AS grp FROM traits WHERE name = {bound(name)}"


def kept(sizes: Iterable[tuple[str, int]], limit: int) -> list[str]:
    """Return the groups that keep their names: the largest, of equal ones the first by name.

    >>> kept([("ads", 5), ("web", 9), ("app", 5)], 2)
    ['web', 'ads']
    """
    return [name for name, _ in sorted(sizes, key=lambda one: (-one[1], one[0]))[:limit]]


def named(group: str, keep: list[str]) -> pl.Expr:
    """Return a column of groups in which those beyond the limit are `other`."""
    return pl.when(pl.col(group).is_in(keep)).then(pl.col(group)).otherwise(pl.lit(OTHER))


def of_group(people: pl.DataFrame, group: str | None, shown: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """Return the people of a group as a table shows it; None: all.

    Parameters
    ----------
    people : pl.DataFrame
        With their own groups in the column `group`.
    shown : callable
        Makes the rows of the table: who is in none of its groups is in `other`.
    """
    if group is None:
        return people
    if group != OTHER:
        return people.filter(pl.col("group") == group)
    return people.filter(~pl.col("group").is_in(shown()["group"].unique().implode()))
