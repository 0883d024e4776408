"""What can be made: a question, a board of questions, a segment of users. Plain records; `shelf.py` keeps them.

::

    Question   an analysis with its parameters, and how its answer is shown
    Board      questions in order
    Segment    users: by a rule, or a list that stays as it is
    Made       any of these as it is kept: its name, who made it, its revision
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import msgspec

from insights.analyses.conditions import conditions_of
from insights.analyses.plain import Cell
from stream.faults import UsageFault

Kind = Literal["question", "board", "segment"]
Shown = Literal["table", "chart", "number"]
"""How the answer to a question is shown: its table, a drawing where its kind has one, or one number of it."""
LONGEST_TITLE, LONGEST_NAME = 200, 64
MOST_QUESTIONS = 24
"""Questions of one board: a page of more is read by nobody."""
MOST_CONDITIONS = 20
MOST_USERS = 200_000
"""Users of one list."""
_NAME = re.compile(rf"[^\W_][\w-]{{0,{LONGEST_NAME - 1}}}")
_OTHER = re.compile(r"\W+")


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question that is kept.

    Attributes
    ----------
    title : str
    analysis : str
        Name in the catalog.
    parameters : dict
        What is asked of it; the analysis says what it takes.
    shown : Shown
    cell : Cell or None
        The one number that is meant; there is one if it is shown as a number.
    """

    title: str
    analysis: str
    parameters: dict[str, Any] = {}
    shown: Shown = "table"
    cell: Cell | None = None


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a team's own: names of questions, in the order they are shown."""

    title: str
    questions: tuple[str, ...] = ()


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the users.

    Attributes
    ----------
    title : str
    rule : tuple of str
        Conditions that all hold of them, such as ``purchases >= 1`` (`insights.analyses.conditions`). None: a list of users, which `shelf.users_of` reads.
    """

    title: str
    rule: tuple[str, ...] = ()


Thing: TypeAlias = Question | Board | Segment
T = TypeVar("T", bound=Thing)
KINDS: dict[type, Kind] = {Question: "question", Board: "board", Segment: "segment"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made(Generic[T]):
    """One thing as it is kept.

    Attributes
    ----------
    name : str
        By which it is asked for; it stays when the title changes.
    what : Question, Board or Segment
    author, changed_by : str
        Who made it, and who changed it last: a login, "token NAME", "command line: NAME", or the settings file.
    revision : int
        1 for a new one; each change adds 1.
    made_ms, changed_ms : int
        Times, ms since the epoch.
    """

    name: str
    what: T
    author: str
    changed_by: str
    revision: int
    made_ms: int
    changed_ms: int


def checked_name(name: str) -> str:
    """Return a name if it is one.

    Raises
    ------
    UsageFault
        If it is none.
    """
    if not _NAME.fullmatch(name) or name != name.casefold():
        raise UsageFault(
            '{name!r} is no name: take small letters, digits, "-" and "_", at most {most}, a letter or digit first, as in weekly-look',
            name=name,
            most=LONGEST_NAME,
        )
    return name


def name_from(title: str) -> str:
    """Return the name that a title suggests; "" if it has no letter and no digit.

    >>> name_from("New people, by channel"), name_from("渠道留存 2026"), name_from("!")
    ('new-people-by-channel', '渠道留存-2026', '')
    """
    found = _OTHER.sub("-", title.casefold()).replace("_", "-").strip("-")[:LONGEST_NAME].strip("-")
    return found if _NAME.fullmatch(found) else ""


def judge(thing: Thing) -> None:
    """Say what is wrong with a thing by itself: whether its analysis or questions exist is judged by who knows them.

    Raises
    ------
    UsageFault
    """
    if not thing.title.strip() or len(thing.title) > LONGEST_TITLE or not thing.title.isprintable():
        raise UsageFault(
            "a title is one line of 1 to {most} characters that can be printed, got {title!r}", most=LONGEST_TITLE, title=thing.title
        )
    if isinstance(thing, Question) and (thing.shown == "number") != (thing.cell is not None):
        raise UsageFault("a question that is shown as a number names the cell it is, and no other does")
    if isinstance(thing, Board):
        if len(thing.questions) > MOST_QUESTIONS:
            raise UsageFault(
                "a board has at most {most} questions, got {got}: make another board", most=MOST_QUESTIONS, got=len(thing.questions)
            )
        if len(set(thing.questions)) < len(thing.questions):
            raise UsageFault("a board has each question once")
    if isinstance(thing, Segment):
        if len(thing.rule) > MOST_CONDITIONS:
            raise UsageFault("a segment has at most {most} conditions, got {got}", most=MOST_CONDITIONS, got=len(thing.rule))
        conditions_of(thing.rule)
