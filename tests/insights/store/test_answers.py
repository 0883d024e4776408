"""Answers are kept within a bound, the one nobody asked for longest goes first, and one process at a time claims a question."""

from __future__ import annotations

from insights.past import erased
from insights.store import answers
from insights.store.store import Store

MINUTE_MS = 60_000


def kept(store: Store) -> list[str]:
    with store.read() as db:
        return [key for key in ("a", "b", "c", "d") if answers.body_of(db, key)[0] is not None]


def test_the_one_that_nobody_asked_for_longest_goes_first(store: Store) -> None:
    with store.write() as db:
        for at, key in enumerate("abc"):
            answers.keep(db, key, b"x" * 40, at, 130)
        answers.seen(db, "a", 5 * MINUTE_MS)
        answers.keep(db, "d", b"x" * 40, 6 * MINUTE_MS, 130)
    assert kept(store) == ["a", "c", "d"]


def test_one_process_at_a_time_has_a_question(store: Store) -> None:
    with store.write() as db:
        assert answers.claim(db, "a", "one", 0, MINUTE_MS)
        assert answers.claim(db, "a", "one", 1, MINUTE_MS)
        assert not answers.claim(db, "a", "other", 2, 2 * MINUTE_MS)
        answers.release(db, "a", "other")  # it is not theirs to give up
        assert not answers.claim(db, "a", "other", 3, 2 * MINUTE_MS)
        assert answers.claim(db, "a", "other", MINUTE_MS, 2 * MINUTE_MS)  # whoever had it is gone
        answers.release(db, "a", "other")
        assert answers.claim(db, "a", "one", MINUTE_MS + 1, 2 * MINUTE_MS)
    assert kept(store) == []


def test_an_answer_stays_while_a_newer_one_is_computed(store: Store) -> None:
    with store.write() as db:
        answers.keep(db, "a", b"old", 0, 100)
        assert answers.claim(db, "a", "one", 1, MINUTE_MS)
        assert answers.body_of(db, "a") == (b"old", 0)
        answers.keep(db, "a", b"new", 2, 100)
        assert answers.claim(db, "a", "other", 3, MINUTE_MS)
        assert answers.body_of(db, "a") == (b"new", 2)
    assert kept(store) == ["a"]


def test_they_are_forgotten_when_somebody_is_erased(store: Store) -> None:
    with store.write() as db:
        answers.keep(db, "a", b"without ann", 0, 100)
        erased.remove(db, {}, 0)
        assert answers.body_of(db, "a")[0] is not None
        erased.remove(db, {"ann": 5}, 0)
    assert kept(store) == []
