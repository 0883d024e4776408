"""What people make is kept with author and revision, and nobody overwrites what they have not seen; on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from insights.analyses.plain import Cell, Members
from insights.made.shelf import InUse, Missing, Stale, Taken, every, members, one, remove, save, sizes, users_of
from insights.made.tables import MADE, MEMBERS
from insights.made.things import Board, Made, Question, Segment
from insights.store.store import Store
from stream.faults import UsageFault

RETENTION = Question(title="Do new people come back", analysis="retention", parameters={"unit": "week", "where": ["channel=ads", "a\0b"]})
D7 = Question(title="Day 7", analysis="retention", shown="number", cell=Cell(metric="overall", k=7))


def test_a_thing_is_kept_as_it_is_with_who_made_it(store: Store) -> None:
    with store.write() as db:
        first = save(db, RETENTION, by="ann", now_ms=5)
        save(db, D7, by="bob", now_ms=6, name="d7")
    with store.read() as db:
        assert one(db, Question, "do-new-people-come-back") == first
        assert [made.name for made in every(db, Question)] == ["d7", "do-new-people-come-back"]
        assert (one(db, Question, "d7").what, every(db, Board)) == (D7, [])
    assert first == Made(
        name="do-new-people-come-back", what=RETENTION, author="ann", changed_by="ann", revision=1, made_ms=5, changed_ms=5
    )


def test_a_change_is_a_new_revision_and_says_who(store: Store) -> None:
    with store.write() as db:
        save(db, D7, by="ann", now_ms=5, name="d7")
        changed = save(db, RETENTION, by="bob", now_ms=9, name="d7", seen=1)
    assert (changed.author, changed.changed_by, changed.revision, changed.made_ms, changed.changed_ms) == ("ann", "bob", 2, 5, 9)
    assert changed.what == RETENTION


def test_who_has_not_seen_the_newest_changes_nothing_and_is_told_who_was_before_them(store: Store) -> None:
    with store.write() as db:
        save(db, D7, by="ann", now_ms=5, name="d7")
        newest = save(db, RETENTION, by="bob", now_ms=9, name="d7", seen=1)
    for late in (lambda db: save(db, D7, by="cay", now_ms=10, name="d7", seen=1), lambda db: remove(db, Question, "d7", seen=1)):
        with store.write() as db, pytest.raises(Stale, match=r"question 'd7' was changed by bob meanwhile.*revision 2, yours began from 1"):
            late(db)
    with store.read() as db:
        assert one(db, Question, "d7") == newest


def test_of_two_who_change_one_revision_at_once_one_is_told(store: Store) -> None:
    with store.write() as db:
        save(db, D7, by="ann", now_ms=5, name="d7")
    start, ended = threading.Barrier(6), Counter[str]()

    def change(by: str) -> None:
        start.wait()
        try:
            with store.write() as db:
                save(db, RETENTION, by=by, now_ms=9, name="d7", seen=1)
            ended["kept"] += 1
        except Stale:
            ended["stale"] += 1

    threads = [threading.Thread(target=change, args=(f"p{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == {"kept": 1, "stale": 5}
    with store.read() as db:
        assert one(db, Question, "d7").revision == 2


def test_a_name_is_given_once_and_made_of_the_title(store: Store) -> None:
    with store.write() as db:
        names = [save(db, RETENTION, by="ann", now_ms=1).name for _ in range(3)]
        assert names == ["do-new-people-come-back", "do-new-people-come-back-2", "do-new-people-come-back-3"]
        assert save(db, Question(title="留存", analysis="retention"), by="ann", now_ms=1).name == "留存"
        assert save(db, Question(title="!?", analysis="retention"), by="ann", now_ms=1).name == "question"
        with pytest.raises(Taken, match="question '留存' already"):
            save(db, RETENTION, by="bob", now_ms=2, name="留存")
        save(db, Board(title="留存"), by="ann", now_ms=1)  # another kind


def test_a_board_has_questions_that_there_are_and_keeps_them(store: Store) -> None:
    with store.write() as db:
        save(db, D7, by="ann", now_ms=1, name="d7")
        board = save(db, Board(title="Weekly", questions=("d7",)), by="ann", now_ms=1)
        with pytest.raises(Missing, match="no question 'd8'; there are: d7"):
            save(db, Board(title="Weekly", questions=("d7", "d8")), by="ann", now_ms=2, name="weekly", seen=1)
        with pytest.raises(InUse, match="question 'd7' is used by the board 'weekly'"):
            remove(db, Question, "d7", seen=1)
        remove(db, Board, "weekly", seen=board.revision)
        remove(db, Question, "d7", seen=1)
        assert not every(db, Question)
        assert not every(db, Board)
        with pytest.raises(Missing, match="no question 'd7'"):
            remove(db, Question, "d7", seen=1)


def test_a_segment_is_a_rule_or_a_list(store: Store) -> None:
    with store.write() as db:
        save(db, Segment(title="Payers", rule=("purchases >= 1",)), by="ann", now_ms=1)
        save(db, Segment(title="Called", rule=()), by="ann", now_ms=1, users=["bob", "a\0\n", "bob"])
        assert (users_of(db, "called"), users_of(db, "payers"), sizes(db)) == (("a\0\n", "bob"), (), {"called": 2})
        save(db, Segment(title="Called again"), by="ann", now_ms=2, name="called", seen=1)
        assert users_of(db, "called") == ("a\0\n", "bob")
        save(db, Segment(title="Called"), by="ann", now_ms=2, name="called", seen=2, users=["cay"])
        assert users_of(db, "called") == ("cay",)
        for thing, users, says in (
            (Segment(title="Both", rule=("purchases >= 1",)), ["ann"], "not both"),
            (Segment(title="None"), None, "needs a rule"),
            (Segment(title="Nobody"), [], "1 to 200,000 users, got 0"),
        ):
            with pytest.raises(UsageFault, match=says):
                save(db, thing, by="ann", now_ms=1, users=users)
        with pytest.raises(UsageFault, match="'payers' is a rule"):
            save(db, Segment(title="Payers"), by="ann", now_ms=2, name="payers", seen=1)
        remove(db, Segment, "called", seen=3)
        assert (users_of(db, "called"), [made.name for made in every(db, Segment)]) == ((), ["payers"])


def test_a_segment_stays_while_a_question_speaks_of_it(store: Store) -> None:
    with store.write() as db:
        save(db, Segment(title="Payers", rule=("purchases >= 1",)), by="ann", now_ms=1)
        save(db, Question(title="Q", analysis="retention", parameters={"by": "segment.payers"}), by="ann", now_ms=1)
        with pytest.raises(InUse, match="the question 'q'"):
            remove(db, Segment, "payers", seen=1)


def test_analyses_are_told_who_is_in_a_segment(store: Store) -> None:
    with store.write() as db:
        save(db, Segment(title="Payers", rule=("purchases >= 1",)), by="ann", now_ms=1)
        save(db, Segment(title="Called"), by="ann", now_ms=1, users=["bob", "ann"])
        told = members(db, ["called", "payers"])
        assert told == (Members(name="called", users=("ann", "bob")), Members(name="payers", rule=("purchases >= 1",)))
        with pytest.raises(Missing, match="there are: called, payers"):
            members(db, ["nobody"])


@pytest.mark.parametrize(
    ("thing", "says"),
    [
        (Question(title=" ", analysis="retention"), "a title is one line"),
        (Question(title="a\nb", analysis="retention"), "a title is one line"),
        (Question(title="a\0", analysis="retention"), "a title is one line"),
        (Question(title="x" * 201, analysis="retention"), "1 to 200 characters"),
        (Question(title="D7", analysis="retention", shown="number"), "names the cell"),
        (Board(title="B", questions=tuple(f"q{n}" for n in range(25))), "at most 24 questions, got 25"),
        (Board(title="B", questions=("q", "q")), "each question once"),
        (Segment(title="S", rule=("purchases >= 1",) * 21), "at most 20 conditions, got 21"),
    ],
)
def test_what_is_wrong_by_itself_is_refused(store: Store, thing: Any, says: str) -> None:
    with store.write() as db, pytest.raises(UsageFault, match=says):
        save(db, thing, by="ann", now_ms=1)


@pytest.mark.parametrize("name", ["", "Weekly", "a b", "-a", "_a", "a/b", "x" * 65, "a\n", "../x"])
def test_what_is_no_name_is_refused(store: Store, name: str) -> None:
    if name:
        with store.write() as db, pytest.raises(UsageFault, match="is no name"):
            save(db, D7, by="ann", now_ms=1, name=name)
    with store.read() as db, pytest.raises(Missing):
        one(db, Question, name)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["new", "change", "remove"]), st.sampled_from("abc"), st.integers(1, 3), st.text("xyz", min_size=1, max_size=2)
    ),
    max_size=12,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_it_does_what_a_dictionary_of_revisions_does(store: Store, steps: list[tuple[str, str, int, str]]) -> None:
    there: dict[str, tuple[str, int]] = {}
    with store.write() as db:
        db.execute(delete(MADE))
        db.execute(delete(MEMBERS))
        for deed, name, seen, title in steps:
            with suppress(Taken, Missing, Stale):
                if deed == "new":
                    save(db, Board(title=title), by="ann", now_ms=1, name=name)
                elif deed == "change":
                    save(db, Board(title=title), by="ann", now_ms=1, name=name, seen=seen)
                else:
                    remove(db, Board, name, seen=seen)
            if deed == "new":
                there.setdefault(name, (title, 1))
            elif there.get(name, ("", 0))[1] == seen:
                if deed == "change":
                    there[name] = (title, seen + 1)
                else:
                    del there[name]
        assert {made.name: (made.what.title, made.revision) for made in every(db, Board)} == there
