"""The pages as a browser shows them: every page and every state once, and twelve more pictures of the critical ones, nothing to be found on any."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from stream.demo.local_redis import LocalRedis
from tests.web.camera import take_all
from tests.web.pages import PAGES
from tests.web.served import served
from tests.web.shots import few
from tests.web.world import WebWorld

pytestmark = [pytest.mark.real_redis, pytest.mark.timeout(900)]  # the first test waits for all pictures
SHOTS = {shot.name: shot for shot in few(PAGES)}


@pytest.fixture(scope="module")
def seen(full: WebWorld, redis_server: LocalRedis, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What is found on each page."""
    folder = tmp_path_factory.mktemp("seen")
    taken = take_all(
        browser, list(SHOTS.values()), lambda state: served(state, full=full, server=redis_server, folder=folder), folder / "pictures"
    )
    return {one.shot.name: one.found for one in taken}


@pytest.mark.parametrize("name", SHOTS)
def test_nothing_is_found_on_a_page(name: str, seen: dict[str, list[str]]) -> None:
    assert seen[name] == []


def test_the_critical_pictures_are_those_of_every_size_theme_and_language() -> None:
    critical = [shot for shot in SHOTS.values() if shot.page.critical and shot.name.rpartition("full-")[2] != "laptop-light-en"]
    assert len(critical) == 15
    assert {(shot.device.name, shot.theme, shot.lang) for shot in critical} == {
        ("phone", "light", "en"),
        ("phone", "dark", "zh"),
        ("laptop", "dark", "zh"),
    }
    assert {shot.page.state for shot in SHOTS.values()} == {"full", "day_one", "warming", "silent", "redis_down"}
