"""Today, Retention and Groups are there for whoever comes first, and Data says up to which day; a page of several that share a store computes nothing of its own then."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from insights.asked import crew
from stream.demo.local_redis import LocalRedis
from tests.web.test_crowd_pages import text_of
from tests.web.world import WebWorld, beside

pytestmark = pytest.mark.real_redis
DAILY = ("/today", "/retention", "/groups")


def test_the_first_in_the_morning_waits_for_nothing(
    full: WebWorld, redis_server: LocalRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "NICE", 0)
    world = beside(full, "full", redis_server, tmp_path, {"history__dir": full.parts.settings["history.dir"]})
    try:
        browser = world.browser()
        of = len(world.parts.ahead._keys() or ())
        assert f"{of} of {of} are still computed" in text_of(browser.get("/data?lang=en").text)
        world.parts.look_ahead(threading.Event())
        assert "Answers ahead" in text_of(browser.get("/data?lang=en").text)
        assert "computed when a day is over: here up to Nov 25, 2026" in text_of(browser.get("/data?lang=en").text)
        answers = browser.get("/metrics", headers={"Authorization": f"Bearer {world.token('read:aggregates')}"}).text
        assert f'churnwatch_page_ahead_total{{outcome="computed"}} {of}.0' in answers
        assert "churnwatch_page_ahead_due 0.0" in answers
        monkeypatch.setattr(world.parts.asked.crew, "ask", lambda *_, **__: pytest.fail("a page computes"))
        for path in DAILY:
            page = browser.get(f"{path}?lang=en")
            assert page.status_code == 200
            assert "data-computing" not in page.text, path
            assert "As of Nov 26, 2026" in text_of(page.text), path
    finally:
        world.close()
