"""Of whom does a row tell? Counted from the plain list of events, one person at a time; and what is missing of a table, added up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
Event = Mapping[str, Any]


def people_of_groups(events: Sequence[Event], by: str) -> dict[str, set[str]]:
    """Who has ever had a value of a field: as a trait, or on any event of theirs."""
    head, _, name = by.partition(".")
    found: dict[str, set[str]] = {}
    for event in events:
        if head == "traits" and event["type"] != "identify":
            continue
        value = event["props"].get(name) if head in {"traits", "props"} else event[by]
        found.setdefault(str(value) if value else "(none)", set()).add(event["user"])
    return found


def missing_people(whole: Iterable[Row], shown: Iterable[Row], axis: str, place: Sequence[str]) -> list[int]:
    """Of each line of a table, along one column, of which something is shown: how many people are in what is not."""
    kept = [tuple(row.items()) for row in shown]
    lines: dict[tuple[Any, ...], list[int]] = {}
    for row in whole:
        if row[axis] is None or not row["n"]:
            continue
        line = lines.setdefault(tuple(row.get(name) for name in place if name != axis), [0, 0])
        line[tuple(row.items()) in kept] += row["n"]
    return [missing for missing, left in lines.values() if left]
