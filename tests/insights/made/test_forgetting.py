"""An erased user is in no list and in no question; the others stay."""

from __future__ import annotations

from sqlalchemy import select

from insights.made.shelf import one, save, users_of
from insights.made.tables import MADE, MEMBERS
from insights.made.things import Question, Segment
from insights.past import erased
from insights.store.store import Store


def test_an_erased_user_leaves_lists_and_questions(store: Store) -> None:
    with store.write() as db:
        save(db, Segment(title="Called"), by="cay", now_ms=1, users=["ann", "bob"])
        save(db, Segment(title="Only one"), by="cay", now_ms=1, users=["ann"])
        asked = {"unit": "week", "without": ["bob", "ann"]}
        first = save(db, Question(title="Q", analysis="retention", parameters=asked), by="cay", now_ms=1)
        other = save(db, Question(title="R", analysis="retention", parameters={"without": ["bob"]}), by="cay", now_ms=1)
        erased.remove(db, {"ann": 5}, 0)
    with store.read() as db:
        assert (users_of(db, "called"), users_of(db, "only-one")) == (("bob",), ())
        assert one(db, Segment, "only-one").what.title == "Only one"
        changed = one(db, Question, "q")
        assert (changed.what.parameters, changed.revision, changed.changed_by) == ({"unit": "week", "without": ["bob"]}, 2, "cay")
        assert first.revision == 1
        assert one(db, Question, "r") == other
        assert "ann" not in repr(db.execute(select(MADE.c.body)).all()) + repr(db.execute(select(MEMBERS)).all())
