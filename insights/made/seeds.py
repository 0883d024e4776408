"""What does the settings file give people to begin with, and what have they made, as it would stand there? Tables in, things out, and back.

::

    [[segments]]                      [[questions]]                            [[boards]]
    name = "payers"                   name = "back"                            name = "monday"
    title = "Who paid"                title = "Do they come back"              title = "Every Monday"
    rule = ["purchases >= 1"]         analysis = "retention"                   questions = ["back"]
                                      parameters = { unit = "week" }
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from insights.made.shelf import Missing, every, one, save, users_of
from insights.made.things import Board, Made, Question, Segment, Thing, checked_name, judge
from stream.faults import UsageFault
from stream.toml_value import toml_value

BY = "churnwatch.toml"
"""Who made what the file gives."""
Tables = Mapping[str, Iterable[Mapping[str, Any]]]


class _Question(Question, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str


class _Board(Board, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str


class _Segment(Segment, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    users: tuple[str, ...] = ()


class Seed(msgspec.Struct, frozen=True):
    """One thing of the file; `users` of a segment that is a list."""

    name: str
    what: Thing
    users: tuple[str, ...] | None = None


Kinds = Literal["segments", "questions", "boards"]
_READ: Mapping[Kinds, tuple[type[msgspec.Struct], type[Thing]]] = {
    "segments": (_Segment, Segment),
    "questions": (_Question, Question),
    "boards": (_Board, Board),
}
"""In the order in which they need each other."""


def seeds_of(tables: Tables, judge_question: Callable[[Question], None]) -> list[Seed]:
    """Read the tables, segments first.

    Parameters
    ----------
    judge_question : callable
        Raises UsageFault for an analysis that there is not, or what it does not take.

    Raises
    ------
    UsageFault
        With everything that is wrong, and where.
    """
    seeds: list[Seed] = []
    faults: list[str] = []
    for kind, (table, thing) in _READ.items():
        for at, raw in enumerate(tables.get(kind, ())):
            try:
                seeds.append(_seed(raw, table, thing, judge_question))
            except (msgspec.ValidationError, UsageFault) as error:
                faults.append(f"{kind}[{at}]: {error}")
        names = [seed.name for seed in seeds if type(seed.what) is thing]
        faults += [f"{kind}: {name!r} is there twice" for name in sorted({name for name in names if names.count(name) > 1})]
    if faults:
        raise UsageFault("the settings file gives what cannot be kept:\n" + "\n".join(f"- {fault}" for fault in faults))
    return seeds


def _seed(raw: Mapping[str, Any], table: type[msgspec.Struct], thing: type[Thing], judge_question: Callable[[Question], None]) -> Seed:
    values = msgspec.structs.asdict(msgspec.convert(dict(raw), table))
    name, users = checked_name(values.pop("name")), values.pop("users", ())
    what = thing(**values)
    judge(what)
    if isinstance(what, Question):
        judge_question(what)
    if isinstance(what, Segment) and bool(what.rule) == bool(users):
        raise UsageFault("give a segment either a rule, such as purchases >= 1, or users")
    return Seed(name, what, users or None)


def plant(db: Connection, seeds: Iterable[Seed], now_ms: int) -> list[str]:
    """Keep what the file gives: what is not there, and what nobody but the file has changed. Return the names of what people have made theirs.

    Raises
    ------
    UsageFault
        A board names a question that there is not.
    """
    theirs = []
    for seed in seeds:
        try:
            found: Made[Any] | None = one(db, type(seed.what), seed.name)
        except Missing:
            found = None
        if found is None:
            save(db, seed.what, by=BY, now_ms=now_ms, name=seed.name, users=seed.users)
        elif found.changed_by != BY:
            theirs.append(seed.name)
        elif found.what != seed.what or (seed.users is not None and users_of(db, seed.name) != tuple(sorted(set(seed.users)))):
            save(db, seed.what, by=BY, now_ms=now_ms, name=seed.name, seen=found.revision, users=seed.users)
    return theirs


def toml_of(db: Connection) -> str:
    """Return everything that is kept as it would stand in the settings file. Of lists the users stand there, too: they are ids of persons."""
    parts = []
    for kind, (table, thing) in _READ.items():
        for made in every(db, thing):
            values = {"name": made.name, **msgspec.to_builtins(made.what)}
            if thing is Segment and not values["rule"]:
                values["users"] = list(users_of(db, made.name))
            names = ("name", *(name for name in table.__struct_fields__ if name != "name"))
            lines = [f"{name} = {toml_value(values[name])}" for name in names if values.get(name) not in (None, [], {}, ())]
            parts.append("\n".join([f"[[{kind}]]", *lines]))
    return "\n\n".join(parts)
