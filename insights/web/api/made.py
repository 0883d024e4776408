"""What people have made, for programs: boards, questions and segments, to be read. They are made on the page, by `churnwatch segment` and in churnwatch.toml.

What holds ids of persons, the users of a list and `without` of a question, is given to whoever may read people.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
from starlette.requests import Request

from insights.analyses.plain import Cell
from insights.made.forgetting import NAMING
from insights.made.shelf import Missing, every, one, sizes, users_of
from insights.made.things import Board, Made, Question, Segment, Shown
from insights.store.store import Db
from insights.web.api import examples
from insights.web.api.behind import Behind
from insights.web.api.operation import Nothing, Operation
from insights.web.api.problems import Refused
from insights.web.who import Forbidden, Scope, who_asks

T = TypeVar("T")
AGGREGATES: Scope = "read:aggregates"
PEOPLE: Scope = "read:people"


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which one is asked for."""

    name: Annotated[str, msgspec.Meta(description="as the list has it; it stays when the title changes")]


class SegmentAsked(Named, frozen=True, forbid_unknown_fields=True):
    """Which segment is asked for, and what of it."""

    users: Annotated[bool, msgspec.Meta(description="also who is in it, if it is a list; needs the scope read:people")] = False


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of everything that is kept. `revision` is 1 at first, and each change adds 1."""

    name: str
    title: str
    revision: int
    made_by: str
    made_ms: int
    changed_by: str
    changed_ms: int


class KeptBoard(Kept, frozen=True, kw_only=True):
    """A board: names of questions, in the order they are shown."""

    questions: list[str]


class KeptQuestion(Kept, frozen=True, kw_only=True):
    """A question: what /analyses/ANALYSIS is asked with these parameters, and how its answer is shown. `cell` is the one number that is meant, if it is shown as a number."""

    analysis: str
    parameters: dict[str, Any]
    shown: Shown
    cell: Cell | None


class KeptSegment(Kept, frozen=True, kw_only=True):
    """A segment: whoever meets every condition of `rule`, or, where that is empty, a list of `size` users. `users` is the list, where it was asked for."""

    rule: list[str]
    size: int | None
    users: list[str] | None = None


class Boards(msgspec.Struct, frozen=True):
    """All boards, by title."""

    boards: list[KeptBoard]


class Questions(msgspec.Struct, frozen=True):
    """All questions, by title."""

    questions: list[KeptQuestion]


class Segments(msgspec.Struct, frozen=True):
    """All segments, by title."""

    segments: list[KeptSegment]


async def boards(behind: Behind, _request: Request, _asked: Nothing) -> Boards:
    """List the boards that people have made: which questions stand on each, who made it and who changed it last."""
    return await _read(behind, lambda db: Boards([_board(made) for made in every(db, Board)]))


async def board(behind: Behind, _request: Request, asked: Named) -> KeptBoard:
    """See one board. Its answers are those of its questions: ask /analyses with the parameters of each."""
    return await _read(behind, lambda db: _board(one(db, Board, asked.name)))


async def questions(behind: Behind, request: Request, _asked: Nothing) -> Questions:
    """List the questions that people keep, whether they stand on a board or not. `without`, which holds ids of persons, is left out without the scope `read:people`."""
    people = who_asks(request).may(PEOPLE)
    return await _read(behind, lambda db: Questions([_question(made, people=people) for made in every(db, Question)]))


async def question(behind: Behind, request: Request, asked: Named) -> KeptQuestion:
    """See one question. `without`, which holds ids of persons, is left out without the scope `read:people`."""
    people = who_asks(request).may(PEOPLE)
    return await _read(behind, lambda db: _question(one(db, Question, asked.name), people=people))


async def segments(behind: Behind, _request: Request, _asked: Nothing) -> Segments:
    """List the segments; each analysis can be asked of one, by `segment=NAME`. Who is in a list is given for one segment at a time."""

    def found(db: Db) -> Segments:
        counted = sizes(db)
        return Segments([_segment(made, counted.get(made.name, 0)) for made in every(db, Segment)])

    return await _read(behind, found)


async def segment(behind: Behind, request: Request, asked: SegmentAsked) -> KeptSegment:
    """See one segment. With `users=true`, which needs the scope `read:people`, also who is in it if it is a list; who meets a rule follows from the newest events, and no list of them is kept."""
    if asked.users and not who_asks(request).may(PEOPLE):
        raise Forbidden(PEOPLE)

    def found(db: Db) -> KeptSegment:
        made = one(db, Segment, asked.name)
        users = users_of(db, made.name)
        return msgspec.structs.replace(_segment(made, len(users)), users=list(users) if asked.users and not made.what.rule else None)

    return await _read(behind, found)


async def _read(behind: Behind, does: Callable[[Db], T]) -> T:
    """Read the store in a thread that may wait.

    Raises
    ------
    Refused
        There is none of the name.
    """

    def read() -> T:
        with behind.parts.store.read() as db:
            return does(db)

    try:
        return await asyncio.to_thread(read)
    except Missing as error:
        raise Refused("not-found", str(error)) from None


def _kept(made: Made[Any]) -> dict[str, Any]:
    return {
        "name": made.name, "title": made.what.title, "revision": made.revision, "made_by": made.author, "made_ms": made.made_ms,
        "changed_by": made.changed_by, "changed_ms": made.changed_ms,
    }  # fmt: skip


def _board(made: Made[Board]) -> KeptBoard:
    return KeptBoard(**_kept(made), questions=list(made.what.questions))


def _question(made: Made[Question], *, people: bool) -> KeptQuestion:
    what = made.what
    parameters = {name: value for name, value in what.parameters.items() if people or name != NAMING}
    return KeptQuestion(**_kept(made), analysis=what.analysis, parameters=parameters, shown=what.shown, cell=what.cell)


def _segment(made: Made[Segment], size: int) -> KeptSegment:
    return KeptSegment(**_kept(made), rule=list(made.what.rule), size=None if made.what.rule else size)


OPERATIONS = (
    Operation(
        name="boards", path="/boards", summary="The boards that people have made", asked=Nothing, answers=Boards, words="By title.",
        example=examples.BOARDS, does=boards, scope=AGGREGATES,
    ),
    Operation(
        name="board", path="/boards/{name:text}", summary="One board", asked=Named, answers=KeptBoard, words="As it is kept.",
        example=examples.BOARD, does=board, problems=("not-found",), scope=AGGREGATES,
    ),
    Operation(
        name="questions", path="/questions", summary="The questions that people keep", asked=Nothing, answers=Questions, words="By title.",
        example=examples.QUESTIONS, does=questions, scope=AGGREGATES,
    ),
    Operation(
        name="question", path="/questions/{name:text}", summary="One question", asked=Named, answers=KeptQuestion, words="As it is kept.",
        example=examples.QUESTION, does=question, problems=("not-found",), scope=AGGREGATES,
    ),
    Operation(
        name="segments", path="/segments", summary="The segments that people have made", asked=Nothing, answers=Segments, words="By title.",
        example=examples.SEGMENTS, does=segments, scope=AGGREGATES,
    ),
    Operation(
        name="segment", path="/segments/{name:text}", summary="One segment, and who is in it", asked=SegmentAsked, answers=KeptSegment,
        words="As it is kept.", example=examples.SEGMENT, does=segment, problems=("not-found",), scope=AGGREGATES,
    ),
)  # fmt: skip
