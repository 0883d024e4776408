"""What of an answer may somebody see who may see no persons? Nothing of fewer people than `page.least_group`, and nothing from which that could be taken off.

A result comes in whole, as it is kept, and goes out without some rows. Three steps, each of which only takes away::

    groups   of a breakdown that have fewer people: name and all. `other` goes with them, else two limits give the group between them; so does the smallest
             group left, until all that is taken away is of enough people: the answer without a breakdown, less the groups shown, is then no small group either
    rows     of fewer people in the groups that are left, such as a cohort of three
    lines    of rows that add up to one that can be asked for: as of groups, the smallest row left goes too, until what is missing is of enough people

How many people a row tells of is what the analysis says (`Found.people`), else its `n`. A count of people without either, such as who was active on a day, tells of all
in its group: that three of forty came is told, as it is of a share. A group is taken for no larger than the most people that one of its rows tells of.
docs/page-access.md says what this does not do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from insights.analyses.plain import Entry, Found, Note, Rows
from stream.faults import UsageFault

NAME_PERSONS = frozenset({"without"})
"""Parameters that name persons: with one, the answer with somebody and the answer without them tell of one person."""
CAMPAIGN = "campaign"
"""Kind of a row that says when something was, and nothing of people."""
OTHER = "other"
ADD_UP: Mapping[str, tuple[str, ...]] = {
    "active_users": ("group",), "stickiness": ("group",), "retention": ("group", "cohort"), "retention_forecast": ("cohort",),
    "lifecycle": ("group",), "daily_states": ("group",), "funnel": ("group", "cohort"), "visits": ("group",), "paths": (), "after_drop_off": (),
    "transitions": (), "paths_into_silence": (), "feature_use": (), "retained_against_churned": (), "hours": (), "reasons": ("group",),
    "errors_by_step": ("group",), "loss_to_come": (), "releases": (), "value": (), "rfm": ("group",), "clusters": ("group",),
    "tenure_by_frequency": ("group", "tenure", "frequency"), "feedback": ("group",), "inviters": ("group",),
}  # fmt: skip
"""Of each analysis, the columns along which its rows add up to a row that can be asked for as well."""
PLACE = (
    "metric",
    "cohort",
    "k",
    "group",
    "source",
    "target",
    "path",
    "feature",
    "figure",
    "reason",
    "hour",
    "event",
    "tenure",
    "frequency",
)
"""Columns by which rows are told apart."""

Row = Mapping[str, Any]


class Told(NamedTuple):
    """One row: of how many people it tells at least, and whether it is a count of them, of which its group is the base."""

    row: Row
    people: int
    is_count: bool


def judge_names(asked: Mapping[str, object], least: int) -> None:
    """Judge a question of somebody who may see no persons.

    Raises
    ------
    UsageFault
        It names some.
    """
    for name in NAME_PERSONS:
        if least > 1 and asked.get(name):
            raise UsageFault("{name} names persons, and only whoever may see persons may ask so", name=name)


def withheld(found: Found, entry: Entry, least: int) -> Found:
    """Return a result as whoever may see no persons gets it; where anything is missing a note says so.

    Parameters
    ----------
    entry : Entry
        Of its analysis.
    least : int
        People of the smallest group that is shown; 1 or less: the result as it is.
    """
    if least <= 1 or found.as_of.watermark is None:
        return found
    told = _told(found, entry)
    gone = _of_small_groups(found, told, least)
    gone |= {at for at, one in enumerate(told) if _is_small(one, least)}
    _take_with(found, told, gone, least)
    if found.parameters.get("same_cohorts") and any(told[at].row["cohort"] is not None for at in gone):
        gone |= {at for at, one in enumerate(told) if one.row["metric"] == "overall"}  # it is of fewer cohorts than its line
    gone -= {at for at, one in enumerate(told) if one.row.get("kind") == CAMPAIGN}
    left = [at for at in range(len(told)) if at not in gone]
    if left and not gone:
        return found
    rows = Rows({name: [values[at] for at in left] for name, values in found.rows.columns.items()})
    note = Note("note.small_groups", {"n": least})
    if left:
        return msgspec.structs.replace(found, rows=rows, notes=(*found.notes, note), people=())
    nobody = msgspec.structs.replace(found.as_of, left_censored=0)  # else it may be told of a segment of one
    return msgspec.structs.replace(found, as_of=nobody, rows=rows, notes=(note,), people=())


def _told(found: Found, entry: Entry) -> list[Told]:
    counts = {metric.name for metric in entry.metrics if metric.kind == "people"}
    rows = found.rows.dicts()
    said = found.people or (None,) * len(rows)
    return [_of_row(row, people, is_count=row["metric"] in counts) for row, people in zip(rows, said, strict=True)]


def _of_row(row: Row, said: int | None, *, is_count: bool) -> Told:
    if said is not None:
        return Told(row, said, is_count=False)
    if row["n"] is not None:
        return Told(row, row["n"], is_count=False)
    return Told(row, int(row["value"] or 0) if is_count else 0, is_count)


def _of_small_groups(found: Found, told: list[Told], least: int) -> set[int]:
    """Return the rows of groups that are too small; all rows, where all are of too few."""
    people = [int(str(note.values["n"])) for note in found.notes if note.key == "note.segment"]
    whole = max([one.people for one in told], default=0)
    if min([whole, *people]) < least:
        return set(range(len(told)))
    if found.parameters.get("by") is None:
        return set()
    sizes: dict[str, int] = {}
    for one in told:
        group = one.row["group"]
        sizes[group] = max(one.people, sizes.get(group, 0))
    small = {group for group, size in sizes.items() if size < least}
    if small:
        small |= {OTHER} & sizes.keys()
        for group in sorted(sizes.keys() - small, key=lambda one: (sizes[one], one)):
            if _together(found, "group", (sizes[one] for one in small)) >= least:
                break
            small.add(group)
    return {at for at, one in enumerate(told) if one.row["group"] in small}


def _is_small(one: Told, least: int) -> bool:
    """Whether a row is of too few people; of nobody it may say that nothing is known."""
    return not one.is_count and (0 < one.people < least or (one.people <= 0 and one.row["value"] is not None))


def _take_with(found: Found, told: list[Told], gone: set[int], least: int) -> None:
    """Take away what would give away what is gone, until nothing does."""
    lines = list(_lines(found, told))
    while True:
        more = set()
        for axis, line in lines:
            missing = [at for at in line if at in gone]
            left = [at for at in line if at not in gone]
            if missing and left and _together(found, axis, (told[at].people for at in missing)) < least:
                more.add(min(left, key=lambda at: (told[at].people, at)))
        if not more:
            return
        gone |= more


def _lines(found: Found, told: list[Told]) -> Iterator[tuple[str, list[int]]]:
    """Yield the rows that add up, by the column along which they do. Of cohorts only cells in the same state: an overall share is of those that are complete."""
    for axis in ADD_UP[found.analysis]:
        lines: dict[tuple[Any, ...], list[int]] = {}
        for at, one in enumerate(told):
            if one.people > 0 and not one.is_count and one.row[axis] is not None:
                place = tuple(one.row.get(name) for name in PLACE if name != axis)
                lines.setdefault((*place, one.row["state"] if axis == "cohort" else ""), []).append(at)
        for line in lines.values():
            yield axis, line


def _together(found: Found, axis: str, people: Iterable[int]) -> int:
    """Return of how many people some rows are together at least: where somebody may be in several of them, of no more than the largest."""
    several = (
        found.analysis == "visits"
        or (found.analysis == "funnel" and axis == "cohort")
        or (axis == "cohort" and found.parameters.get("cohort") == "recurring")
    )
    return max(people, default=0) if several else sum(people)
