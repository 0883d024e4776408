"""Boards: pages of a team's own, of questions that people have kept. Everybody may look; analysts make and change; who made one, and admins, remove it."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from insights.asked.asked import Answer
from insights.asked.child import NoAnswer
from insights.asked.crew import no_answer
from insights.made.shelf import Missing, every, one, remove, save
from insights.made.things import Board, Made, Question, Shown
from insights.store.store import Db
from insights.web.boards.address import query_of, question_of
from insights.web.boards.view import page_of
from insights.web.forms import OWN_FORM
from insights.web.frame import draw, language
from insights.web.making import done, may_remove, note, refused
from insights.web.parts import Has, Parts
from insights.web.who import forbid, needs, who_asks
from insights.words import words
from stream.faults import UsageFault

router = APIRouter()
HOME = "/boards"
PATIENCE_S = 1.0
"""So long a board waits for answers that are under way, in all."""
AGAIN_S = 2
Change = Literal["rename", "add", "off", "up", "down"]
Name = Annotated[str, Form(max_length=64)]
Title = Annotated[str, Form(max_length=400)]
Number = Annotated[int, Form(ge=1, le=2**31 - 1)]


@router.get("/boards", dependencies=[needs("viewer")])
def boards(request: Request, parts: Has) -> Response:
    """List boards and questions."""
    with parts.store.read() as db:
        made, kept = every(db, Board), every(db, Question)
    on = {name: [board.what.title for board in made if name in board.what.questions] for name in (one.name for one in kept)}
    people = who_asks(request).may("read:people")  # who may see no persons is led to the table, not to the list behind a number
    links = {one.name: f"/explore?{query_of(one.what.analysis, one.what.parameters, one.what.cell if people else None)}" for one in kept}
    return _draw(request, parts, "boards.html", "Boards", boards=made, questions=kept, on=on, links=links)


@router.post("/boards", dependencies=[needs("analyst"), OWN_FORM])
def make(request: Request, parts: Has, title: Title = "") -> Response:
    """Make an empty board."""

    def does(db: Db) -> str:
        made = save(db, Board(title=title.strip()), by=who_asks(request).name, now_ms=parts.now_ms())
        note(request, db, "thing_made", Board, made.name)
        return f"/boards/{made.name}"

    return _done(request, parts, does)


@router.get("/boards/{name}", dependencies=[needs("viewer")])
def board(request: Request, parts: Has, name: str) -> Response:
    """Show a board; with `edit`, to analysts, what changes it."""
    try:
        with parts.store.read() as db:
            found, kept = one(db, Board, name), every(db, Question)
    except Missing as error:
        return refused(request, error, 404, HOME)
    questions = {made.name: made for made in kept}
    people = who_asks(request).may("read:people")
    answers = _answers(parts, [questions[name] for name in found.what.questions if name in questions], persons=people)
    try:
        entries = parts.asked.catalog() if parts.asked.has_history else {}
    except NoAnswer:
        entries = {}
    page = page_of(found, questions, answers, entries, words(language(request)), people=people)
    edit = people and "edit" in request.query_params
    others = [made for made in kept if made.name not in found.what.questions]
    drawn = _draw(request, parts, "board.html", "Boards", page=page, edit=edit, others=others, mine=may_remove(request, found))
    if page.is_waiting and not edit:
        drawn.headers["Refresh"] = str(AGAIN_S)
    return drawn


def _answers(parts: Parts, questions: list[Made[Question]], *, persons: bool) -> dict[str, Answer]:
    """Ask all of them, so that they are computed side by side; then wait a little."""
    until = monotonic() + PATIENCE_S
    for made in questions:
        parts.asked.look(made.what.analysis, made.what.parameters, persons=persons)
    return {
        made.name: parts.asked.look(made.what.analysis, made.what.parameters, persons=persons, wait_s=max(0.0, until - monotonic()))
        for made in questions
    }


@router.post("/boards/{name}/remove", dependencies=[needs("analyst"), OWN_FORM])
def remove_board(request: Request, parts: Has, name: str, revision: Number) -> Response:
    """Remove a board; its questions stay."""
    return _done(request, parts, lambda db: _removed(request, db, Board, name, revision))


@router.post("/boards/{name}/{change}", dependencies=[needs("analyst"), OWN_FORM])
def change_board(
    request: Request, parts: Has, name: str, change: Change, revision: Number, question: Name = "", title: Title = ""
) -> Response:
    """Change one thing of a board."""

    def does(db: Db) -> str:
        seen = one(db, Board, name)
        changed = _changed(seen.what, change, question, title.strip())
        save(db, changed, by=who_asks(request).name, now_ms=parts.now_ms(), name=name, seen=revision)
        note(request, db, "thing_changed", Board, name)
        return f"/boards/{name}?edit=1"

    return _done(request, parts, does)


def _changed(board: Board, change: Change, question: str, title: str) -> Board:
    if change == "rename":
        return msgspec.structs.replace(board, title=title)
    left = [name for name in board.questions if name != question]
    if change == "add":
        return msgspec.structs.replace(board, questions=(*left, question))
    if question not in board.questions:
        raise Missing("question", question, board.questions)
    if change != "off":
        at = board.questions.index(question) + (-1 if change == "up" else 1)
        left.insert(max(0, at), question)
    return msgspec.structs.replace(board, questions=tuple(left))


@router.post("/questions", dependencies=[needs("analyst"), OWN_FORM])
def keep(
    request: Request,
    parts: Has,
    of: Annotated[str, Form(max_length=8_192)] = "",
    title: Title = "",
    shown: Annotated[Literal["table", "chart", "number", "newest"], Form()] = "table",
    board: Name = "",
    new_board: Title = "",
) -> Response:
    """Keep a question, and put it on a board if one is named."""
    try:
        entries = parts.asked.catalog()
    except NoAnswer as error:
        return refused(request, UsageFault(no_answer(error).words), 503, HOME)
    how: Shown = "number" if shown == "newest" else shown
    by, now_ms = who_asks(request).name, parts.now_ms()

    def does(db: Db) -> str:
        made = save(db, question_of(of, entries, title=title, shown=how, newest=shown == "newest"), by=by, now_ms=now_ms)
        note(request, db, "thing_made", Question, made.name)
        if new_board.strip():
            on = save(db, Board(title=new_board.strip(), questions=(made.name,)), by=by, now_ms=now_ms)
            note(request, db, "thing_made", Board, on.name)
            return f"/boards/{on.name}"
        if not board:
            return HOME
        there = one(db, Board, board)
        more = msgspec.structs.replace(there.what, questions=(*there.what.questions, made.name))
        save(db, more, by=by, now_ms=now_ms, name=board, seen=there.revision)
        note(request, db, "thing_changed", Board, board)
        return f"/boards/{board}"

    return _done(request, parts, does)


@router.post("/questions/{name}/remove", dependencies=[needs("analyst"), OWN_FORM])
def remove_question(request: Request, parts: Has, name: str, revision: Number) -> Response:
    """Remove a question that stands on no board."""
    return _done(request, parts, lambda db: _removed(request, db, Question, name, revision))


def _removed(request: Request, db: Db, kind: type[Board | Question], name: str, revision: int) -> str:
    found: Made[Any] = one(db, kind, name)
    if not may_remove(request, found):
        forbid("manage")
    remove(db, kind, name, seen=revision)
    note(request, db, "thing_removed", kind, name)
    return HOME


def _done(request: Request, parts: Parts, does: Callable[[Db], str]) -> Response:
    return done(request, parts, does, HOME)


def _draw(request: Request, parts: Parts, template: str, title: str, *, status: int = 200, **values: Any) -> Response:
    return draw(request, template, title, status=status, now_ms=parts.now_ms(), may_remove=lambda made: may_remove(request, made), **values)
