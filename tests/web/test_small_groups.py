"""A viewer who asks everything by a field that is somebody's own learns nobody's value of it: on Explore, in its files, in the API, on a board, on the pages of the crowd, and in a report."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from insights.made.shelf import save
from insights.made.things import Board, Question
from insights.web.app import make_pages
from insights.web.report.inside import Inside
from insights.words import words
from tests.insights.asked.test_withheld import ASKS, FIELDS, log_of, questions
from tests.insights.example import import_example
from tests.web.crowd_world import shown
from tests.web.test_explore import Exploring, exploring

OWN = "secret-"
SAID = words("en").t("note.small_groups", n=10)
PAGES = ("/today", "/retention?by=props.code", "/groups", "/features", "/journeys?step=open&step=view&by=props.code")


@pytest.fixture(scope="module")
def bearer_and_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Exploring]]:
    history = import_example(tmp_path_factory.mktemp("shop"), log_of(1))
    made = exploring(Path(tmp_path_factory.mktemp("page")), history__dir=str(history), page__address="127.0.0.1:6080")
    made.open()
    made.person("vera", "viewer")
    made.person("ann", "analyst")
    yield made.token("read:aggregates", name="figures"), made  # before anybody asks: tokens are read from time to time
    made.close()


@pytest.fixture(scope="module")
def page(bearer_and_page: tuple[str, Exploring]) -> Exploring:
    return bearer_and_page[1]


@pytest.fixture(scope="module")
def vera(page: Exploring) -> TestClient:
    return page.signed_in("vera")


@pytest.fixture(scope="module")
def program(bearer_and_page: tuple[str, Exploring]) -> TestClient:
    bearer, page = bearer_and_page
    client = page.browser()
    client.headers["Authorization"] = f"Bearer {bearer}"
    return client


def asked_of(name: str, way: str) -> dict[str, object]:
    return {**ASKS.get(name, {}), **({way: FIELDS[way]} if way else {})}


def test_no_analysis_tells_a_viewer_a_value_of_one_person(vera: TestClient, program: TestClient) -> None:
    withheld = 0
    for name, way in questions():
        if not way:
            continue
        asked = asked_of(name, way)
        answer = program.get(f"/api/v1/analyses/{name}", params={**asked, "wait": 60})  # type: ignore[arg-type]  # httpx takes tuples
        assert answer.status_code == 200, answer.text
        query = urlencode({"analysis": name, **asked}, doseq=True)
        texts = [answer.text, vera.get(f"/explore?{query}&lang=en").text]
        texts.append(vera.get(f"/explore/file/csv?{query}").text)
        for text in texts:
            assert OWN not in text, (name, way)
        if SAID in answer.json()["notes"]:
            assert SAID in unescape(texts[1])
            withheld += 1
    assert withheld > len(FIELDS)


def test_an_analyst_sees_all(page: Exploring) -> None:
    text = shown(page.signed_in("ann"), "/explore?analysis=stickiness&by=props.code&lang=en")
    assert OWN in text
    assert SAID not in unescape(text)


def test_a_board_and_a_report_are_no_way_around(page: Exploring, vera: TestClient) -> None:
    with page.store.write() as db:
        asked = Question(title="By code", analysis="active_users", parameters={"by": "props.code"})
        name = save(db, asked, by="ann", now_ms=page.now_ms).name
        save(db, Board(title="All codes", questions=(name,)), by="ann", now_ms=page.now_ms)
    for text in (shown(vera, "/boards/all-codes?lang=en"), Inside(make_pages(page.parts))("/boards/all-codes?lang=en")):
        assert "By code" in text
        assert OWN not in text
        assert SAID in unescape(text)
    assert OWN in shown(page.signed_in("ann"), "/boards/all-codes?lang=en")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_the_crowd_holds_where_numbers_are_withheld(vera: TestClient, path: str) -> None:
    assert OWN not in shown(vera, path)


def test_nobody_is_left_out_by_name(vera: TestClient, program: TestClient) -> None:
    answer = program.get("/api/v1/analyses/stickiness", params={"without": "p001", "wait": 60})
    assert answer.status_code == 422
    assert "names persons" in answer.text
    assert 'name="without"' not in vera.get("/explore?analysis=stickiness").text
