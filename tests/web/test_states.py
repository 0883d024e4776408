"""What somebody sees before there is anything to see, and when something is wrong: each page stays, and says what happens next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from insights.web.person.address import person_link
from insights.web.rail import RAIL
from stream.demo.local_redis import LocalRedis
from tests.web.world import State, WebWorld, make_world

pytestmark = pytest.mark.real_redis
PAGES = [*(entry.path for entry in RAIL), "/more"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("states")


@pytest.fixture(scope="module")
def worlds(redis_server: LocalRedis, folder: Path) -> Iterator[dict[State, WebWorld]]:
    made = {
        state: make_world(state, redis_server, folder, app_name=f"states-{state.replace('_', '-')}")
        for state in ("day_one", "warming", "silent", "redis_down")
    }
    yield made  # type: ignore[misc]  # the keys are states
    for world in made.values():
        world.close()


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("state", ["day_one", "warming", "silent", "redis_down"])
def test_every_page_is_there_in_every_state(worlds: dict[State, WebWorld], state: State, path: str, lang: str) -> None:
    answer = worlds[state].browser().get(f"{path}?lang={lang}")
    assert answer.status_code == 200
    assert "{" not in text_of(answer.text)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("day_one", ["Nothing has happened yet", "churnwatch ingest events.csv", "What appears when", "within a day", "after 14 days"]),
        (
            "warming",
            ["The model is still learning", "200 who left and 200 who stayed are needed", "The first outcomes are known on", "2026"],
        ),
        ("silent", ["No events for 22 minutes", "Scores are held"]),
        ("redis_down", ["The store does not answer", "The page asks again every second"]),
    ],
)
def test_each_says_what_is_so_and_what_comes_next(worlds: dict[State, WebWorld], state: State, says: list[str]) -> None:
    for path in ("/person", "/model", "/data"):
        shown = text_of(worlds[state].browser().get(path).text)
        for words in says if path != "/data" else says[:1]:
            assert words in shown


def test_what_was_said_of_somebody_is_there_while_redis_is_not(worlds: dict[State, WebWorld]) -> None:
    world = worlds["redis_down"]
    alert = world.parts.past.open_alerts("churn14")[0]
    shown = text_of(world.browser().get(person_link(alert.user)).text)
    assert "cannot be read while the store does not answer" in shown
    assert "Risk over 90 days" in shown
    assert alert.reasons[0] in shown
    assert "What raises it" not in shown


def test_the_strip_is_a_status_for_a_screen_reader_and_the_light_has_words(worlds: dict[State, WebWorld]) -> None:
    html = worlds["warming"].browser().get("/data").text
    assert re.search(r'<section class="strip warn" role="status">', html)
    assert "Learning · rhythm rule" in html
    assert 'class="light" aria-hidden="true"' in html


def test_more_has_what_a_phone_has_no_tab_for(worlds: dict[State, WebWorld]) -> None:
    html = worlds["day_one"].browser().get("/more").text
    assert html.count('aria-label="Theme"') == 2  # at the foot of the rail, and in the page
    assert 'href="/more" aria-current="page"' in html
