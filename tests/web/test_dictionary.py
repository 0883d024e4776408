"""The dictionary says of every number and column of the catalog what it means, in both languages, and leads to where it is shown."""

from __future__ import annotations

import re
from html import unescape

import pytest

from insights.analyses.analysis import LONG
from insights.analyses.as_plain import entry_of
from insights.analyses.catalog import CATALOG
from insights.analyses.plain import LONG_COLUMNS
from insights.web.crowd.dictionary import SHOWN, page_of
from insights.web.rail import RAIL
from insights.words import words
from tests.web.crowd_world import shown
from tests.web.world import WebWorld

ENTRIES = [entry_of(one) for one in CATALOG.values()]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_number_and_no_column_of_the_catalog_lacks_a_definition(lang: str) -> None:
    w = words("zh" if lang == "zh" else "en")
    page = page_of(ENTRIES, [], "", w)
    assert [section.key for section in page.sections] == list(CATALOG)
    for section, one in zip(page.sections, CATALOG.values(), strict=True):
        assert [metric.code for metric in section.metrics] == [metric.name for metric in one.metrics]
        assert [column.code for column in section.columns] == [column.name for column in one.columns]
    assert [column.code for column in page.shared] == [name for name, _ in LONG_COLUMNS] == list(LONG)
    for meant in [*page.shared, *(one for section in page.sections for one in (*section.metrics, *section.columns))]:
        assert all(meant), meant
        assert meant.means != meant.name, f"{meant.code} is only named"


def test_pages_that_are_named_are_there_and_ask_what_they_are_said_to() -> None:
    paths = {entry.path for entry in RAIL}
    assert SHOWN.keys() <= CATALOG.keys()
    assert {path for places in SHOWN.values() for path, _ in places} <= paths


@pytest.mark.real_redis
def test_the_page_says_all_of_it_with_its_zone_and_leads_to_where_it_is_shown(full: WebWorld) -> None:
    page = shown(full.browser(), "/dictionary?lang=en")
    text = unescape(page)
    w = words("en")
    for one in CATALOG.values():
        assert f'id="{one.name}"' in page
        assert all(w.t(f"metric.{metric.name}") in text for metric in one.metrics)
    assert full.parts.settings["features.timezone"] in text
    assert "Monday" in text
    browser = full.browser()
    for link in sorted(set(re.findall(r'href="(/(?!static)[a-z-]+)[?"]', page.split("<main")[1]))):
        assert browser.get(link).status_code == 200, link


@pytest.mark.real_redis
def test_a_word_is_looked_for_in_names_and_meanings(full: WebWorld) -> None:
    browser = full.browser()
    found = browser.get("/dictionary?lang=en&q=NURR").text
    assert 'id="daily_states"' in found
    assert 'id="rfm"' not in found
    none = browser.get("/dictionary?lang=en&q=%3Cscript%3Enothing").text
    assert "<script>nothing" not in none
    assert "No number is called or described by" in none
