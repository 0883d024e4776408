"""Segments on a page: by a rule or as a list, with how many are in each now and which questions speak of it; renamed and removed by whoever may, and by nobody's browser unasked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from insights.made.shelf import every, one, remove, save
from insights.made.things import Question, Segment
from tests.web.access.house import HERE, csrf_in
from tests.web.crowd_world import shown
from tests.web.staffed import staffed
from tests.web.test_crowd_pages import text_of
from tests.web.test_explore import Exploring

EVIL = '"><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exploring]:
    with staffed(tmp_path_factory) as made:
        yield made


@pytest.fixture(autouse=True)
def bare(page: Exploring) -> None:
    """No test finds what another has made."""
    with page.store.write() as db:
        for question in every(db, Question):
            remove(db, Question, question.name, seen=question.revision)
        for segment in every(db, Segment):
            remove(db, Segment, segment.name, seen=segment.revision)


@pytest.fixture(scope="module")
def ann(page: Exploring) -> TestClient:
    return page.signed_in("ann")


def post(browser: TestClient, path: str, **form: Any) -> Any:
    return browser.post(path, data={"csrf": csrf_in(browser.get("/segments").text), **form}, headers={"Origin": HERE})


def test_each_says_who_how_many_by_whom_and_where_it_is_used(page: Exploring, ann: TestClient) -> None:
    assert "There is no segment yet" in text_of(ann.get("/segments?lang=en").text)
    done = post(ann, "/segments", title="Payers", rule="purchases >= 1\r\n\r\nchannel = ads\r\n")
    assert (done.status_code, done.headers["location"]) == (303, "/segments")
    with page.store.write() as db:
        save(db, Segment(title="Called"), by="command line: root", now_ms=page.now_ms, name="called", users=["p001", "p002", "p003"])
        asks = Question(title="Do payers stay", analysis="retention", parameters={"segment": "payers"}, shown="table")
        save(db, asks, by="ann", now_ms=page.now_ms)
    said = text_of(shown(ann, "/segments?lang=en"))
    answer = page.parts.asked.look("stickiness", {"segment": "payers"}, persons=True).result
    assert answer is not None
    (n,) = (note.values["n"] for note in answer.notes if note.key == "note.segment")
    assert re.search(rf"Payers payers purchases >= 1 and channel = ads {n} Do payers stay ann, .* revision 1", said)
    assert re.search(r"Called called a list of people 3 none command line: root, .* revision 1", said)
    assert page.audit()[0] == ("ann", "thing_made", "segment payers")


def test_it_is_renamed_as_it_was_seen_and_removed_by_whoever_made_it_or_an_admin(page: Exploring, ann: TestClient) -> None:
    post(ann, "/segments", title="Payers", rule="purchases >= 1")
    assert post(ann, "/segments/payers/rename", title="Who pays", revision=1).status_code == 303
    assert post(ann, "/segments/payers/rename", title="Too late", revision=1).status_code == 409
    with page.store.read() as db:
        found = one(db, Segment, "payers")
    assert (found.what.title, found.what.rule, found.revision) == ("Who pays", ("purchases >= 1",), 2)
    assert post(page.signed_in("ben"), "/segments/payers/remove", revision=2).status_code == 403
    with page.store.write() as db:
        asks = save(db, Question(title="Q", analysis="stickiness", parameters={"segment": "payers"}, shown="table"), by="ann", now_ms=1)
    used = post(ann, "/segments/payers/remove", revision=2)
    assert (used.status_code, "Something else needs it" in used.text) == (409, True)
    with page.store.write() as db:
        remove(db, Question, asks.name, seen=asks.revision)
    assert post(page.signed_in("ada"), "/segments/payers/remove", revision=2).status_code == 303
    assert [line[1:] for line in page.audit() if line[2] == "segment payers"][:2] == [
        ("thing_removed", "segment payers"),
        ("thing_changed", "segment payers"),
    ]


@pytest.mark.parametrize("rule", ["purchases", "fame > 3", "", "purchases >= 1 or 1=1; drop table x"])
def test_a_rule_that_is_none_is_refused_in_words(page: Exploring, ann: TestClient, rule: str) -> None:
    assert post(ann, "/segments", title="Wrong", rule=rule).status_code == 422
    with page.store.read() as db:
        assert every(db, Segment) == []


def test_nobody_elses_browser_and_no_viewer_changes_or_sees_any(page: Exploring, ann: TestClient) -> None:
    post(ann, "/segments", title="Payers", rule="purchases >= 1")
    vera = page.signed_in("vera")
    assert vera.get("/segments").status_code == 403
    csrf, theirs = csrf_in(ann.get("/segments").text), csrf_in(vera.get("/account").text)
    for path in ("/segments", "/segments/payers/rename", "/segments/payers/remove"):
        form = {"title": "evil", "rule": "purchases >= 2", "revision": 1}
        assert ann.post(path, data={**form, "csrf": csrf}, headers={"Origin": "https://evil.example"}).status_code == 403
        assert ann.post(path, data={**form, "csrf": "x"}, headers={"Origin": HERE}).status_code == 403
        assert vera.post(path, data={**form, "csrf": theirs}, headers={"Origin": HERE}).status_code == 403
    with page.store.read() as db:
        assert [made.what.title for made in every(db, Segment)] == ["Payers"]


def test_nothing_that_was_typed_runs(ann: TestClient) -> None:
    assert post(ann, "/segments", title=EVIL, rule=f"traits.plan = {EVIL}").status_code == 303
    text = ann.get("/segments").text
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text
