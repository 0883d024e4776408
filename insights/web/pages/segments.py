"""Segments: which users people have named, by a rule or as a list; how many there are now, and where each is used. For analysts, since a list names persons."""

from __future__ import annotations

from time import monotonic
from typing import Annotated, NamedTuple

import msgspec
from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from insights.analyses.plain import segments_in
from insights.made.shelf import every, one, remove, save, sizes
from insights.made.things import Made, Question, Segment
from insights.store.store import Db
from insights.web.forms import OWN_FORM
from insights.web.frame import draw, language
from insights.web.making import done, may_remove, note
from insights.web.parts import Has, Parts
from insights.web.who import forbid, needs, who_asks
from insights.words import words

router = APIRouter(dependencies=[needs("analyst")])
HOME = "/segments"
COUNTED_BY = "stickiness"
"""An analysis of which the people of a rule are counted: asked of a segment, every one says how many are in it, and this one is quick."""
PATIENCE_S = 0.7
"""So long the page waits for what is counted, in all."""
Title = Annotated[str, Form(max_length=400)]
Number = Annotated[int, Form(ge=1, le=2**31 - 1)]


class Line(NamedTuple):
    """One segment.

    Attributes
    ----------
    people : int or None
        How many are in it now; None while that is counted, or without a history.
    why_not : str
        Why it cannot be counted, in English; "".
    used : list of str
        Titles of the questions that speak of it.
    """

    made: Made[Segment]
    people: int | None
    why_not: str
    used: list[str]


@router.get("/segments")
def segments(request: Request, parts: Has) -> Response:
    """List them."""
    with parts.store.read() as db:
        made, kept, many = every(db, Segment), every(db, Question), sizes(db)
    for rule in (segment for segment in made if segment.what.rule):
        _counted(parts, rule)  # all of them, before the first is waited for
    until, lines, again = monotonic() + PATIENCE_S, [], False
    for segment in made:
        people: int | None
        people, why_not, waits = many.get(segment.name, 0), "", False
        if segment.what.rule:
            people, why_not, waits = _counted(parts, segment, max(0.0, until - monotonic()))
        used = [question.what.title for question in kept if segment.name in segments_in(question.what.parameters)]
        lines.append(Line(segment, people, why_not, used))
        again |= waits
    return draw(
        request, "segments.html", "Segments", lines=lines, now_ms=parts.now_ms(), again=again, notices=[words(language(request)).t("crowd.running")] if again else [],
        may_remove=lambda made: may_remove(request, made),
    )  # fmt: skip


def _counted(parts: Parts, made: Made[Segment], wait_s: float = 0.0) -> tuple[int | None, str, bool]:
    """Return how many users meet a rule, why that is not known, and whether it is being counted."""
    answer = parts.asked.look(COUNTED_BY, {"segment": made.name}, persons=True, wait_s=wait_s)
    notes = () if answer.result is None else answer.result.notes
    people = next((int(str(note.values["n"])) for note in notes if note.key == "note.segment"), None)
    return people, answer.words if answer.state == "refused" else "", answer.state == "running"


@router.post("/segments", dependencies=[OWN_FORM])
def make(request: Request, parts: Has, title: Title = "", rule: Annotated[str, Form(max_length=8_192)] = "") -> Response:
    """Name the users who meet a rule, of a condition a line."""
    conditions = tuple(line.strip() for line in rule.splitlines() if line.strip())

    def does(db: Db) -> str:
        made = save(db, Segment(title=title.strip(), rule=conditions), by=who_asks(request).name, now_ms=parts.now_ms())
        note(request, db, "thing_made", Segment, made.name)
        return HOME

    return done(request, parts, does, HOME)


@router.post("/segments/{name}/rename", dependencies=[OWN_FORM])
def rename(request: Request, parts: Has, name: str, revision: Number, title: Title = "") -> Response:
    """Give a segment another title; the name by which it is asked for stays."""

    def does(db: Db) -> str:
        seen = one(db, Segment, name)
        changed = msgspec.structs.replace(seen.what, title=title.strip())
        save(db, changed, by=who_asks(request).name, now_ms=parts.now_ms(), name=name, seen=revision)
        note(request, db, "thing_changed", Segment, name)
        return HOME

    return done(request, parts, does, HOME)


@router.post("/segments/{name}/remove", dependencies=[OWN_FORM])
def remove_segment(request: Request, parts: Has, name: str, revision: Number) -> Response:
    """Remove a segment that no question speaks of."""

    def does(db: Db) -> str:
        if not may_remove(request, one(db, Segment, name)):
            forbid("manage")
        remove(db, Segment, name, seen=revision)
        note(request, db, "thing_removed", Segment, name)
        return HOME

    return done(request, parts, does, HOME)
