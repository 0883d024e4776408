"""Which ids are one person? What `alias` events tell, and what it comes to; pure.

An event of type `alias` says that the id in its props was its user's before they had the one they have now (docs/history.md, decision 0029)::

    {"user": "ann", "type": "alias", "ts": ..., "props": {"previous_id": "visitor-7"}}

Taken in order of time, each leads one id to another. An id is led on once: the first event counts, and one that would lead in a circle does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import polars as pl

from insights.history.tables import IDS

ALIAS = "alias"
NAMES = ("previous_id", "previousId")
"""Where the props have the earlier id; the first that is filled counts."""
ORDER = ("ts", "part", "off", "event_id")
"""Which of two alias events is the first: as all events are ordered."""
TOLD = {name: kind for name, kind in IDS.columns.items() if name != "person"}
"""Columns of what an alias event tells; the person follows from all of them."""


def previous_of(props: str | None) -> str | None:
    """Return the earlier id that an alias event names; None if it names none.

    >>> previous_of('{"previous_id": "visitor-7"}'), previous_of('{"previousId": 7}'), previous_of('{"previous_id": ""}'), previous_of(None)
    ('visitor-7', '7', None, None)
    """
    try:
        given: Any = msgspec.json.decode(props or "null")
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    found = [given.get(name) for name in NAMES] if isinstance(given, dict) else []
    texts = [str(one) for one in found if isinstance(one, str | int) and not isinstance(one, bool) and one != ""]
    return texts[0] if texts else None


def previous_in(rows: pl.DataFrame) -> pl.Series:
    """Return the earlier id that each row names; null in all that are no alias events.

    Parameters
    ----------
    rows : frame
        With the columns `type` and `props`.
    """
    at = (rows["type"] == ALIAS).fill_null(value=False).arg_true()
    if not len(at):
        return pl.Series([None], dtype=pl.String).new_from_index(0, rows.height)
    named = [previous_of(one) for one in rows["props"].gather(at)]
    return pl.Series([None], dtype=pl.String).new_from_index(0, rows.height).scatter(at, pl.Series(named, dtype=pl.String))


def told_in(rows: pl.DataFrame) -> pl.DataFrame:
    """Return what the alias events among rows of the table of events tell: a row each, with the columns of `ids` but the person."""
    return (
        rows.with_columns(id=previous_in(rows))
        .filter(pl.col("id").is_not_null())
        .select(pl.col(name).cast(kind) for name, kind in TOLD.items())
    )


def settled(told: pl.DataFrame) -> pl.DataFrame:
    """Return what was told with the column `person`: under which id the earlier one counts, null where the event is without effect.

    In order of time, an event joins unless its id has been led on before, or is where its user leads to already.
    """
    ordered = told.unique(maintain_order=True).sort(ORDER, nulls_last=True, maintain_order=True)
    nearer: dict[str, str] = {}  # each id that was led on, and one that is nearer to the person
    counts = []
    for one, user in ordered.select("id", "user").iter_rows():
        counts.append(one not in nearer and _end(nearer, user) != one)
        if counts[-1]:
            nearer[one] = user
    persons = [_end(nearer, one) if has else None for one, has in zip(ordered["id"].to_list(), counts, strict=True)]
    return ordered.with_columns(person=pl.Series(persons, dtype=pl.String)).select(list(IDS.columns))


def _end(nearer: dict[str, str], one: str) -> str:
    """Follow an id to the person; what lies on the way is brought nearer to them."""
    way = []
    while one in nearer:
        way.append(one)
        one = nearer[one]
    nearer.update(dict.fromkeys(way, one))
    return one


def persons_of(ids: pl.DataFrame) -> dict[str, str]:
    """Return the person of each id that counts under another, from rows that `settled` gave."""
    return dict(ids.filter(pl.col("person").is_not_null()).select("id", "person").iter_rows())


def moved(before: Mapping[str, str], now: Mapping[str, str]) -> set[str]:
    """Return the persons whose events are not the same under two of these mappings.

    >>> sorted(moved({"a": "x", "b": "x"}, {"a": "x", "b": "y", "c": "z"}))
    ['b', 'c', 'x', 'y', 'z']
    """
    changed = {one for one in before.keys() | now.keys() if before.get(one) != now.get(one)}
    return changed | {each[one] for one in changed for each in (before, now) if one in each}


def together(persons: Mapping[str, str], ids: Iterable[str]) -> set[str]:
    """Return the ids of the persons to whom some ids belong, these among them.

    >>> sorted(together({"a": "x", "b": "x", "c": "z"}, ["a", "d"]))
    ['a', 'b', 'd', 'x']
    """
    of_person: dict[str, set[str]] = defaultdict(set)
    for one, person in persons.items():
        of_person[person].add(one)
    found: set[str] = set()
    for one in ids:
        person = persons.get(one, one)
        found |= {one, person, *of_person.get(person, ())}
    return found
