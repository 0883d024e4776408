"""The page's one script in a real browser: it says what is new and moves nothing, counts ticks, answers the pointer, and applies filters; keys do all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from stream.demo.local_redis import LocalRedis
from tests.web.served import listening
from tests.web.world import DAY_MS, NOW_MS, WebWorld, make_world

pytestmark = pytest.mark.real_redis
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def world(redis_server: LocalRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebWorld]:
    """Eight days with a list. Tests that let time go on stand last."""
    folder = tmp_path_factory.mktemp("script")
    made = make_world("warming", redis_server, folder, app_name="script", users=60, quiet=True, settings={"alerts__threshold": 0.4})
    yield made
    made.close()


@pytest.fixture(scope="module")
def address(world: WebWorld) -> Iterator[str]:
    with listening(world) as url:
        yield url


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Give a window with the list."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    context.set_default_timeout(PATIENCE_MS)
    opened = context.new_page()
    opened.goto(f"{address}/at-risk")
    yield opened
    context.close()


def rows(page: Page) -> list[list[object]]:
    """Return which alerts are listed, and where each row stands."""
    found: list[list[object]] = page.evaluate(
        """[...document.querySelectorAll("[data-alert]")].map((row) => {
             const box = row.getBoundingClientRect();
             return [row.dataset.alert, Math.round(box.top), Math.round(box.height)];
           })"""
    )
    return found


def test_a_filter_applies_when_it_is_chosen(page: Page) -> None:
    assert not page.get_by_role("button", name="Apply").is_visible()
    page.get_by_label("Sort").select_option("value")
    page.wait_for_url(re.compile(r"[?&]sort=value"))
    expect(page.get_by_label("Sort")).to_have_value("value")


def test_ticks_are_counted_and_nothing_is_sent_before_there_are_any(page: Page) -> None:
    button, every = page.get_by_role("button", name="Selection as CSV"), page.get_by_role("checkbox", name="Select all")
    ticks = page.locator("[name=alert]")
    expect(button).to_be_disabled()
    ticks.nth(0).check()
    ticks.nth(1).check()
    expect(page.locator("output")).to_have_text("2 selected")
    assert every.evaluate("one => one.indeterminate")
    expect(button).to_be_enabled()
    every.check()
    expect(page.locator("output")).to_have_text(f"{ticks.count()} selected")
    every.uncheck()
    expect(button).to_be_disabled()


def test_a_chart_answers_the_pointer_in_words(page: Page) -> None:
    page.goto(page.url.replace("/at-risk", "/person?q=user-00000"))
    mark = page.locator("[data-tip]:visible").first
    said = mark.get_attribute("data-tip")
    assert said
    mark.hover()
    expect(page.locator("#tip.on")).to_contain_text(said.split("\n")[0])
    page.mouse.move(2, 2)
    expect(page.locator("#tip.on")).to_have_count(0)


def test_keys_reach_the_content_a_definition_and_a_tick(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    assert page.locator(":focus").evaluate("one => getComputedStyle(one).outlineStyle") != "none"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    definition = page.locator("details.what").first
    definition.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(definition.locator("p")).to_be_visible()
    page.locator("[name=alert]").first.focus()
    page.keyboard.press("Space")
    expect(page.locator("output")).to_have_text("1 selected")


def test_what_is_new_is_said_and_nothing_moves_until_somebody_asks(page: Page, world: WebWorld) -> None:
    expect(page.locator("[data-live=yes]")).to_be_attached()
    before, title = rows(page), page.title()
    expect(page.locator("[data-alert] .channel").first).to_be_visible()
    page.locator("[data-alert]").nth(2).hover()
    for half_days in range(1, 7):  # nobody clicks, so more people are silent
        world.later([], NOW_MS + half_days * DAY_MS // 2)
    news = page.locator(".news a")
    expect(news).to_have_text(re.compile(r"[1-9]\d* new"))
    expect(news).to_be_visible()
    assert page.title().endswith(title)
    assert page.title() != title
    assert rows(page) == before
    news.click()
    expect(news).to_be_hidden()
    assert {one[0] for one in rows(page)} - {one[0] for one in before}
