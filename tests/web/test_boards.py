"""Boards: what people keep of their questions, over a real history: made, changed, read, removed; who may do what; and that nobody overwrites what they have not seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest
from starlette.testclient import TestClient

from insights.made.shelf import every, one, remove
from insights.made.things import Board, Question
from tests.web.access.house import HERE, csrf_in
from tests.web.staffed import staffed
from tests.web.test_explore import Exploring

D7 = "analysis=retention&brackets=1&brackets=7&unit=week&window=days"
CELL = "metric=retention,cohort=2026-02-02,k=1"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exploring]:
    with staffed(tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
def browsers(page: Exploring) -> Callable[[str], TestClient]:
    known: dict[str, TestClient] = {}

    def browser(login: str) -> TestClient:
        if login not in known:
            known[login] = page.signed_in(login)
        return known[login]

    return browser


@pytest.fixture(autouse=True)
def bare(page: Exploring) -> None:
    """No test finds what another has made."""
    with page.store.write() as db:
        for board in every(db, Board):
            remove(db, Board, board.name, seen=board.revision)
        for question in every(db, Question):
            remove(db, Question, question.name, seen=question.revision)


def post(browser: TestClient, path: str, **form: Any) -> Any:
    return browser.post(path, data={"csrf": csrf_in(browser.get("/boards").text), **form}, headers={"Origin": HERE})


def kept(browser: TestClient, of: str = D7, **form: Any) -> Any:
    return post(browser, "/questions", of=of, **{"title": "Do they come back", **form})


def shown(browser: TestClient, path: str) -> str:
    for _ in range(60):
        answer = browser.get(path)
        assert answer.status_code == 200, answer.text
        if "refresh" not in answer.headers:
            return unescape(answer.text)
    raise AssertionError(f"{path} is never computed")


def board_of(page: Exploring, name: str) -> tuple[tuple[str, ...], int]:
    with page.store.read() as db:
        found = one(db, Board, name)
    return found.what.questions, found.revision


def test_a_question_is_kept_from_its_answer_and_stands_on_a_new_board(page: Exploring, browsers: Callable[[str], TestClient]) -> None:
    ann = browsers("ann")
    explored = shown(ann, f"/explore?{D7}&lang=en")
    assert "Keep this question" in explored
    of = re.search(r'name="of" value="([^"]+)"', explored)
    assert of
    done = kept(ann, unescape(of[1]), shown="chart", new_board="Every Monday")
    assert (done.status_code, done.headers["location"]) == (303, "/boards/every-monday")
    board = shown(ann, "/boards/every-monday?lang=en")
    assert "<h1>Every Monday</h1>" in board
    assert "<svg" in board.split("<main", 1)[1]
    assert f'href="/explore?{D7}"' in board
    assert "users=metric" in board
    assert "As of Mar 29, 2026" in board
    assert page.audit()[:2] == [("ann", "thing_made", "board every-monday"), ("ann", "thing_made", "question do-they-come-back")]


def test_a_number_is_kept_with_its_people_and_its_newest_follows_the_days(browsers: Callable[[str], TestClient]) -> None:
    ann = browsers("ann")
    of = f"analysis=retention&unit=week&users={CELL}"
    assert "Keep this number" in shown(ann, f"/explore?{of}&lang=en")
    kept(ann, of, title="In February", shown="number", new_board="Numbers")
    kept(ann, of, title="Of late", shown="newest", board="numbers")
    board = shown(ann, "/boards/numbers?lang=en")
    figures = re.findall(r'class="value"><a href="([^"]+)">([^<]+)</a>', board)
    assert len(figures) == 2
    assert "cohort%3D2026-02-02" in figures[0][0]
    assert "cohort%3D2026-03-09" in figures[1][0]  # the last week whose next one is over
    assert ann.get(figures[0][0]).text.count('href="/person?q=') > 3


def test_a_board_is_changed_one_thing_at_a_time(page: Exploring, browsers: Callable[[str], TestClient]) -> None:
    ann, ben = browsers("ann"), browsers("ben")
    for title in ("a", "b", "c"):
        kept(ann, title=title)
    post(ann, "/boards", title="Team")
    for number, name in enumerate(("a", "b", "c"), 1):
        assert post(ben, "/boards/team/add", revision=number, question=name).headers["location"] == "/boards/team?edit=1"
    assert board_of(page, "team") == (("a", "b", "c"), 4)
    post(ann, "/boards/team/up", revision=4, question="c")
    post(ann, "/boards/team/down", revision=5, question="a")
    assert board_of(page, "team")[0] == ("c", "a", "b")
    post(ann, "/boards/team/up", revision=6, question="c")  # it is the first already
    post(ann, "/boards/team/off", revision=7, question="a")
    post(ann, "/boards/team/rename", revision=8, title="The team")
    assert board_of(page, "team") == (("c", "b"), 9)
    edited = unescape(ann.get("/boards/team?edit=1&lang=en").text)
    assert "<h1>The team</h1>" in edited
    assert edited.count("/up") == edited.count("/down") == 1
    assert "/up" not in ann.get("/boards/team").text


def test_who_has_not_seen_the_newest_is_told_who_was_before_them(page: Exploring, browsers: Callable[[str], TestClient]) -> None:
    ann, ben = browsers("ann"), browsers("ben")
    kept(ann, title="a")
    post(ann, "/boards", title="Team")
    post(ben, "/boards/team/rename", revision=1, title="Ben's")
    late = post(ann, "/boards/team/add", revision=1, question="a")
    assert late.status_code == 409
    assert "ben has changed it meanwhile" in late.text
    assert board_of(page, "team") == ((), 2)
    assert (
        "ben 刚刚更改过它"
        in ann.post(
            "/boards/team/rename?lang=zh",
            data={"csrf": csrf_in(ann.get("/boards").text), "revision": 1, "title": "x"},
            headers={"Origin": HERE},
        ).text
    )
    ann.get("/boards?lang=en")


def test_who_may_do_what(page: Exploring, browsers: Callable[[str], TestClient]) -> None:
    vera, ann, ben, ada = (browsers(one) for one in ("vera", "ann", "ben", "ada"))
    kept(ann, title="a", new_board="Team")
    seen = shown(vera, "/boards/team?lang=en")
    assert "users=" not in seen
    assert "<form" not in seen.split("<main", 1)[1]
    assert "users=" not in vera.get("/boards").text
    csrf = csrf_in(vera.get("/account").text)
    for path in ("/boards", "/questions", "/boards/team/rename", "/boards/team/remove", "/questions/a/remove"):
        form = {"csrf": csrf, "title": "x", "of": D7, "revision": 1}
        assert vera.post(path, data=form, headers={"Origin": HERE}).status_code == 403, path
        assert ann.post(path, data={**form, "csrf": "x"}, headers={"Origin": HERE}).status_code == 403, path
    assert post(ben, "/boards/team/remove", revision=1).status_code == 403
    assert post(ben, "/boards/team/rename", revision=1, title="Ben's").status_code == 303
    assert post(ann, "/questions/a/remove", revision=1).status_code == 409  # it stands on a board
    assert post(ada, "/boards/team/remove", revision=2).status_code == 303
    assert post(ann, "/questions/a/remove", revision=1).status_code == 303
    assert [(who, what, about) for who, what, about in page.audit() if what == "thing_removed"][:2] == [
        ("ann", "thing_removed", "question a"), ("ada", "thing_removed", "board team")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("of", "says"),
    [
        ("analysis=retantion", "did you mean retention"),
        ("analysis=retention&unit=year", "hour, day, week, month"),
        ("analysis=retention&colour=red", "colour"),
        ("analysis=funnel", "steps"),
        ("analysis=retention&users=monday", "names no cell"),
        ("", "there is no analysis"),
    ],
)
def test_what_is_no_question_is_not_kept(of: str, says: str, page: Exploring, browsers: Callable[[str], TestClient]) -> None:
    answer = kept(browsers("ann"), of, shown="number" if "users" in of else "table")
    assert answer.status_code == 422
    assert says in unescape(answer.text)
    with page.store.read() as db:
        assert not every(db, Question)


def test_what_is_not_there_is_said(browsers: Callable[[str], TestClient]) -> None:
    ann = browsers("ann")
    assert ann.get("/boards/nothing").status_code == 404
    assert post(ann, "/boards/nothing/rename", revision=1, title="x").status_code == 404
    assert post(ann, "/boards", title=" ").status_code == 422
    assert kept(ann, board="nothing").status_code == 404
    assert "There is no board yet" in ann.get("/boards?lang=en").text


def test_titles_are_never_markup(browsers: Callable[[str], TestClient]) -> None:
    ann, evil = browsers("ann"), '"><script>alert(1)</script>'
    done = kept(ann, title=evil, new_board=evil)
    for path in ("/boards", done.headers["location"], f"{done.headers['location']}?edit=1"):
        assert "<script>alert" not in ann.get(path).text


def test_an_answer_that_there_is_not_is_said_on_its_tile(page: Exploring, browsers: Callable[[str], TestClient]) -> None:
    ann = browsers("ann")
    kept(ann, "analysis=retention&by=colour", title="Colours", new_board="Odd")
    board = shown(ann, "/boards/odd?lang=en")
    assert "there is no field 'colour'" in board
