"""What is kept, and may it be changed? Saved, read, listed and removed in a transaction of the store.

Whoever changes something says which revision they have seen. If another has changed it meanwhile, that is said, and nothing is written.

::

    Taken      there is one of this name already
    Missing    there is none of this name
    Stale      somebody has changed it since the revision that was seen
    InUse      another thing needs it
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec
from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from insights.analyses.plain import Members, segments_in
from insights.made.tables import MADE, MEMBERS
from insights.made.things import KINDS, MOST_USERS, Board, Kind, Made, Question, Segment, T, Thing, checked_name, judge, name_from
from stream.faults import UsageFault


class Taken(UsageFault):
    """There is one of this name already."""

    def __init__(self, kind: Kind, name: str) -> None:
        super().__init__(f"there is a {kind} {name!r} already: choose another name, or change that one")


_MISSING: Mapping[Kind, tuple[str, str]] = {
    "question": ("there is no question {name!r}", "there is no question {name!r}; there are: {there}"),
    "board": ("there is no board {name!r}", "there is no board {name!r}; there are: {there}"),
    "segment": ("there is no segment {name!r}", "there is no segment {name!r}; there are: {there}"),
}
"""What is said where there is nothing of a kind, and where there are others."""


class Missing(UsageFault):
    """There is none of this name."""

    def __init__(self, kind: Kind, name: str, there: Collection[str] = ()) -> None:
        super().__init__(_MISSING[kind][bool(there)], name=name, there=", ".join(sorted(there)))


class Stale(UsageFault):
    """Somebody has changed it since.

    Attributes
    ----------
    kind, name, by : str
        What it is, and who changed it last.
    seen, now : int
        The revision that was to be changed, and the one there is.
    """

    def __init__(self, kind: Kind, name: str, seen: int, now: int, by: str) -> None:
        super().__init__(
            f"the {kind} {name!r} was changed by {by} meanwhile: there is revision {now}, yours began from {seen}. Load it again, then change it"
        )
        self.kind, self.name, self.seen, self.now, self.by = kind, name, seen, now, by


class InUse(UsageFault):
    """Another thing needs it; `by` says which."""

    def __init__(self, kind: Kind, name: str, by: Collection[str]) -> None:
        super().__init__(f"the {kind} {name!r} is used by {', '.join(by)}: take it out there first")
        self.by = tuple(by)


def save(
    db: Connection, thing: T, *, by: str, now_ms: int, name: str = "", seen: int | None = None, users: Collection[str] | None = None
) -> Made[T]:
    """Keep a new thing, or a change of one.

    Parameters
    ----------
    by : str
        Who does it.
    name : str
        Of the thing. For a new one "" makes it from the title.
    seen : int, optional
        The revision that is changed; None: it is new.
    users : collection of str, optional
        Of a segment that is a list; None leaves those there are.

    Returns
    -------
    Made
        As it is kept now.

    Raises
    ------
    Taken, Missing, Stale
    UsageFault
        Something about the thing is wrong.
    """
    kind = KINDS[type(thing)]
    judge(thing)
    _judge_users(thing, users, is_new=seen is None)
    if isinstance(thing, Board):
        _judge_questions(db, thing)
    if isinstance(thing, Segment) and seen is not None and users is None and not thing.rule and one(db, Segment, name).what.rule:
        raise UsageFault(f"the segment {name!r} is a rule: give it another rule, or a list of users")
    values = {"body": msgspec.json.encode(thing).decode(), "changed_by": by[:256], "changed_ms": now_ms}
    if seen is None:
        name = checked_name(name) if name else _free_name(db, kind, name_from(thing.title) or kind)
        new = {"kind": kind, "name": name, "author": by[:256], "revision": 1, "made_ms": now_ms}
        try:
            with db.begin_nested():
                db.execute(insert(MADE).values(**new, **values))
        except IntegrityError:
            raise Taken(kind, name) from None
    else:
        theirs = update(MADE).where(MADE.c.kind == kind, MADE.c.name == name, MADE.c.revision == seen)
        if db.execute(theirs.values(**values, revision=seen + 1)).rowcount != 1:
            raise _why_not(db, type(thing), name, seen)
    if isinstance(thing, Segment) and (users is not None or thing.rule):
        db.execute(delete(MEMBERS).where(MEMBERS.c.segment == name))
        if users:
            db.execute(insert(MEMBERS), [{"segment": name, "user": user} for user in sorted(set(users))])
    return one(db, type(thing), name)


def one(db: Connection, kind: type[T], name: str) -> Made[T]:
    """Return the thing of a name.

    Raises
    ------
    Missing
    """
    row = db.execute(select(MADE).where(MADE.c.kind == KINDS[kind], MADE.c.name == name)).mappings().one_or_none()
    if row is None:
        raise Missing(KINDS[kind], name, [there.name for there in every(db, kind)])
    return _made(kind, row)


def every(db: Connection, kind: type[T]) -> list[Made[T]]:
    """Return all things of a kind, by title."""
    rows = db.execute(select(MADE).where(MADE.c.kind == KINDS[kind])).mappings()
    return sorted((_made(kind, row) for row in rows), key=lambda made: (made.what.title.casefold(), made.name))


def users_of(db: Connection, name: str) -> tuple[str, ...]:
    """Return the users of a segment that is a list, in order of their ids."""
    return tuple(sorted(db.execute(select(MEMBERS.c.user).where(MEMBERS.c.segment == name)).scalars()))


def sizes(db: Connection) -> dict[str, int]:
    """Return how many users each segment has that is a list."""
    counted = select(MEMBERS.c.segment, func.count()).group_by(MEMBERS.c.segment)
    return {name: int(n) for name, n in db.execute(counted).all()}


def remove(db: Connection, kind: type[Thing], name: str, *, seen: int) -> None:
    """Remove a thing of the revision that was seen.

    Raises
    ------
    Missing, Stale, InUse
    """
    _judge_use(db, kind, name)
    if db.execute(delete(MADE).where(MADE.c.kind == KINDS[kind], MADE.c.name == name, MADE.c.revision == seen)).rowcount != 1:
        raise _why_not(db, kind, name, seen)
    if kind is Segment:
        db.execute(delete(MEMBERS).where(MEMBERS.c.segment == name))


def members(db: Connection, names: Iterable[str]) -> tuple[Members, ...]:
    """Return who is in some segments, as analyses take it.

    Raises
    ------
    Missing
    """
    found = (one(db, Segment, name) for name in names)
    return tuple(Members(name=made.name, rule=made.what.rule, users=() if made.what.rule else users_of(db, made.name)) for made in found)


def _judge_users(thing: Thing, users: Collection[str] | None, *, is_new: bool) -> None:
    if not isinstance(thing, Segment):
        if users is not None:
            raise ValueError("only a segment has users")
        return
    if thing.rule and users is not None:
        raise UsageFault("a segment is a rule or a list of users, not both")
    if not thing.rule and users is None and is_new:
        raise UsageFault("a segment needs a rule, such as purchases >= 1, or a list of users")
    if users is not None and not 1 <= len(users) <= MOST_USERS:
        raise UsageFault(f"a list has 1 to {MOST_USERS:,} users, got {len(users):,}")


def _judge_questions(db: Connection, board: Board) -> None:
    there = {made.name for made in every(db, Question)}
    for name in board.questions:
        if name not in there:
            raise Missing("question", name, there)


def _judge_use(db: Connection, kind: type[Thing], name: str) -> None:
    if kind is Question:
        used = [f"the board {made.name!r}" for made in every(db, Board) if name in made.what.questions]
    elif kind is Segment:
        used = [f"the question {made.name!r}" for made in every(db, Question) if name in segments_in(made.what.parameters)]
    else:
        used = []
    if used:
        raise InUse(KINDS[kind], name, used)


def _free_name(db: Connection, kind: Kind, wanted: str) -> str:
    taken = set(db.execute(select(MADE.c.name).where(MADE.c.kind == kind)).scalars())
    names = (wanted if at == 1 else f"{wanted[:58]}-{at}" for at in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _why_not(db: Connection, kind: type, name: str, seen: int) -> UsageFault:
    found = db.execute(select(MADE.c.revision, MADE.c.changed_by).where(MADE.c.kind == KINDS[kind], MADE.c.name == name)).one_or_none()
    if found is None:
        return Missing(KINDS[kind], name)
    return Stale(KINDS[kind], name, seen, found.revision, found.changed_by)


def _made(kind: type[T], row: RowMapping) -> Made[T]:
    values = {key: row[key] for key in ("name", "author", "changed_by", "revision", "made_ms", "changed_ms")}
    return Made(what=msgspec.json.decode(row["body"], type=kind), **values)
