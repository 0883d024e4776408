"""The pages of the crowd say what the analyses say: read from the page, asked of the history beside it; each number opens into its people."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.datastructures import QueryParams

from insights.analyses.plain import Cell, Note
from insights.web.crowd import changes
from insights.web.crowd.behind import behind, nobody
from insights.web.crowd.changes import points
from insights.web.crowd.found import Found
from insights.web.crowd.people import asked_of
from insights.web.crowd.questions import OfRetention
from insights.web.crowd.retention import Answers, page_of
from insights.web.rail import RAIL
from insights.words import words
from tests.web.crowd_world import PAGES, shown
from tests.web.world import WebWorld

pytestmark = pytest.mark.real_redis
EN = words("en")


@pytest.fixture(scope="module")
def pages(full: WebWorld) -> dict[str, str]:
    """Every page, in English, as an admin sees it on their own machine."""
    browser = full.browser()
    return {path: shown(browser, f"{path}?lang=en") for path in PAGES}


def text_of(html: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)))


def links_of(html: str) -> list[str]:
    return [unescape(link) for link in re.findall(r'href="(/people/[^"]*)"', html)]


def test_the_crowd_has_its_place_in_the_rail_and_today_is_first(full: WebWorld, pages: dict[str, str]) -> None:
    paths = re.findall(r'<a href="(/[^"]*)"', pages["/today"].split("<nav")[1].split("</nav>")[0])
    assert paths == [entry.path for entry in RAIL]
    assert full.browser().get("/").headers["location"] == "/today"


def test_every_page_says_as_of_when_it_holds(pages: dict[str, str]) -> None:
    for path, page in pages.items():
        assert "As of Nov 26, 2026" in text_of(page), path
        assert "weeks from Mon" in text_of(page), path


def test_a_log_without_channels_is_not_told_apart_by_them(full: WebWorld, pages: dict[str, str]) -> None:
    answer = full.parts.asked.look("retention", OfRetention().groups, persons=True)
    assert answer.result is not None
    rows = answer.result.rows.dicts()
    one = [{**row, "group": "(none)"} for row in rows if row["group"] in {None, "ads"}]
    for found, panels in ((rows, 3), (one, 0)):
        page = page_of(OfRetention(), Answers(None, None, Found(found, answer.result.as_of)), EN, nobody)
        assert len(page.panels) == panels


def test_the_sentence_equals_the_page_at_risk(full: WebWorld, pages: dict[str, str]) -> None:
    said = text_of(pages["/today"])
    is_open = full.parts.keeper.board.open_count("churn14")
    assert f"{is_open} people are going quiet" in said
    assert f">{is_open}<" in full.browser().get("/at-risk?lang=en").text


def test_retention_shows_every_cell_of_the_analysis_and_marks_what_may_still_move(full: WebWorld, pages: dict[str, str]) -> None:
    found = full.parts.asked.look("retention", {"unit": "week", "cohort": "first", "mode": "on"}, persons=True).result
    assert found is not None
    table = pages["/retention"].split('<table class="cohorts">')[1].split("</table>")[0]
    cells = re.findall(r'<td class="(open|h\d+)"[^>]*>\s*<a href="([^"]*)">([^<]*)</a>', table)
    wanted = {
        (row["cohort"], row["k"]): (EN.percent(row["value"]), row["state"])
        for row in found.rows.dicts()
        if row["metric"] == "retention" and row["k"] and row["n"] and row["value"] is not None
    }
    got = {}
    for kind, href, said in cells:
        asked = dict(parse_qsl(urlsplit(unescape(href)).query))
        got[asked["cell.cohort"], int(asked["cell.k"])] = (said, "open" if kind == "open" else "complete")
    assert got == wanted
    assert {state for _, state in wanted.values()} == {"open", "complete"}


def test_one_number_is_the_same_on_today_and_retention(pages: dict[str, str]) -> None:
    def figures(page: str) -> list[str]:
        return re.findall(r'<h2>(Day \d+)</h2>.*?<p class="value">(.*?)</p>', page, re.DOTALL)

    assert figures(pages["/today"]) == figures(pages["/retention"]) != []


def test_the_planted_cause_stands_first_where_people_are_lost(pages: dict[str, str]) -> None:
    places = re.findall(r'<span class="node">([^<]*)</span>', pages["/today"].split('<ul class="lost">')[-1])
    assert places[:2] == ["sign_up_start", "fill_form"]


@pytest.mark.parametrize("path", PAGES)
def test_every_number_opens_into_as_many_people_as_it_says(full: WebWorld, pages: dict[str, str], path: str) -> None:
    links = links_of(pages[path])
    assert links, path
    browser = full.browser()
    for link in [links[0], links[len(links) // 2], links[-1]]:
        answer = browser.get(f"{link}&lang=en")
        assert answer.status_code == 200, link
        file = browser.get(link.replace("?", ".csv?", 1))
        people = file.text.strip("\ufeff").splitlines()[1:]
        assert re.search(rf"<h2>({len(people):,} (people|person)|The first 200 people)</h2>", answer.text), link


def test_a_segment_has_as_many_people_as_are_behind_it(full: WebWorld, pages: dict[str, str]) -> None:
    found = re.findall(r'href="(/people/rfm[^"]*)">([\d,]+)</a>', pages["/groups"])
    assert found
    for link, said in found[:3]:
        file = full.browser().get(unescape(link).replace("?", ".csv?", 1)).text
        assert len(file.splitlines()) - 1 == int(said.replace(",", ""))


def test_viewers_see_numbers_and_no_way_to_persons(full: WebWorld) -> None:
    token = full.token("read:aggregates")
    answer = full.browser().get("/retention?lang=en", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert not links_of(answer.text)
    assert full.browser().get("/people/rfm?cell.metric=segment_people", headers={"Authorization": f"Bearer {token}"}).status_code == 403


@pytest.mark.parametrize("asks", ["unit=year", "by=<script>", "kind=all", "mode=1"])
def test_a_filter_with_another_value_is_refused_by_name(full: WebWorld, asks: str) -> None:
    answer = full.browser().get(f"/retention?{asks}&lang=en")
    assert answer.status_code == 422
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "/people/retention",
        "/people/nothing?cell.metric=a",
        "/people/retention?cell.metric=retention&cell.k=x",
        "/people/funnel?cell.metric=rate&cell.k=1",
    ],
)
def test_a_list_of_nothing_is_refused(full: WebWorld, address: str) -> None:
    assert full.browser().get(address).status_code == 422


def test_steps_of_a_funnel_stand_in_the_address(full: WebWorld) -> None:
    page = shown(full.browser(), "/journeys?step=open_app&step=view_item&step=purchase&window=1d&by=channel&lang=en")
    names = re.findall(r'<th scope="row"><span class="quiet">\d</span> ([^<]*)</th>', page)
    assert names == ["open_app", "view_item", "purchase"]
    assert 'value="1d" selected' in page
    assert "Do all 3 steps" in page


def test_changes_says_of_each_release_what_the_analysis_says_and_measures_no_campaign(full: WebWorld, pages: dict[str, str]) -> None:
    found = full.parts.asked.look("releases", {"return_within": 7}, persons=True).result
    assert found is not None
    body = pages["/changes"].split("<tbody>")[1].split("</tbody>")[0]
    lines = [text_of(line).split() for line in body.split("</tr>") if line.strip()]
    names = [row["group"] for row in found.rows.dicts() if row["metric"] == "effect"]
    assert (
        [" ".join(line)[: len(name)] for line, name in zip(lines, names, strict=True)]
        == names
        == ["3.2", "Singles' Day", "3.1 checkout anew", "3.0"]
    )
    assert " ".join(lines[1]).endswith("campaign Nov 11 effect not measured")
    assert "early" in lines[0]
    effects = [row for row in found.rows.dicts() if row["metric"] == "effect" and row["kind"] == "release"]
    assert sum(points(row, EN) in text for row in effects for text in [text_of(body)]) == len(effects) == 3
    assert "lay within the interval that was said" in text_of(pages["/changes"])


def test_changes_without_releases_or_risks_says_what_makes_them(full: WebWorld) -> None:
    answer = full.parts.asked.look("releases", {"releases": ["a,at=2026-11-03"], "definition": ""}, persons=True, wait_s=60)
    assert answer.result is not None
    none = answer.result
    page = changes.page_of("7", Found([], none.as_of), None, EN, nobody)
    assert (page.lines, page.chart, page.restated) == ([], None, [])
    plain = [row for row in none.rows.dicts() if row["metric"].startswith("plain_")]
    page = changes.page_of("7", Found(plain, none.as_of, [Note("note.only_plain", {})]), None, EN, nobody)
    assert page.lines[0].effect == "–"  # noqa: RUF001 - the dash that stands for what is not known
    assert "→" in page.lines[0].plainly
    assert "only before and after are compared" in page.notes[0]


def test_an_address_of_people_names_the_cell_it_was_made_of(full: WebWorld) -> None:
    entry = full.parts.asked.catalog()["retention"]
    row = {"metric": "retention", "cohort": "2026-11-02", "k": 7, "group": "a&b=c", "n": 3}
    asked = {"unit": "week", "window": "days", "brackets": ("1", "7"), "by": "channel"}
    query = QueryParams(urlsplit(behind("retention", asked, row)).query)
    assert asked_of(query, entry) == ({**asked, "brackets": ["1", "7"]}, Cell(metric="retention", cohort="2026-11-02", k=7, group="a&b=c"))
