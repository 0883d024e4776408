"""The page At risk: who is on it is at risk now, its figures agree with each other and with the file, and it escapes what strangers wrote."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from markupsafe import escape

from features.reader import UserReader
from features.store.keys import shard_keys
from insights.live.listing import SORTS
from insights.store.secrets import new_secret
from insights.web.at_risk.files import COLUMNS
from insights.web.at_risk.view import A_PAGE
from insights.web.person.address import person_link
from insights.words import LANGUAGES
from stream.demo.local_redis import LocalRedis
from stream.shown import csv_cell, visible
from tests.servers.process import wait_until
from tests.web.world import DAY_MS, HOSTILE, NOW_MS, WebWorld, make_world

pytestmark = pytest.mark.real_redis


def text_of(html: str) -> str:
    without = re.sub(r"<svg.*?</svg>|<script.*?</script>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", without)))


def page(world: WebWorld, **query: Any) -> str:
    answer = world.browser().get(f"/at-risk?{urlencode(query)}")
    assert answer.status_code == 200, answer.text
    return answer.text


def file_rows(world: WebWorld, **query: Any) -> list[dict[str, str]]:
    answer = world.browser().get(f"/at-risk.csv?{urlencode(query)}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert answer.text.removeprefix("\ufeff").splitlines()[0] == ",".join(COLUMNS)
    return rows


def shown(html: str) -> list[str]:
    return re.findall(r'<tr data-alert="([0-9a-f]{32})">', html)


def band_counts(html: str) -> dict[str, int]:
    return {
        band: int(count)
        for band, count in re.findall(r'fill="var\(--(critical|high|elevated|low)\)"/></svg>\s*<a href="[^"]*".*?<td class="num"><b>([\d,]+)</b>', html, flags=re.DOTALL)
    }  # fmt: skip


def open_in_redis(world: WebWorld, definition: str = "churn14") -> set[str]:
    """Whose state says that an alert is open, of all there are."""
    engine = world.parts.engine
    prefixes = [shard_keys(engine.app, partition).states for partition in range(world.made_up.partitions)]
    users = [key.decode().removeprefix(prefix) for prefix in prefixes for key in engine.client.scan_iter(f"{prefix}*", count=1_000)]
    views = UserReader(engine.client, engine.app).users(users, NOW_MS)
    return {view.user for view in views if view is not None and view.definitions[definition].alert_open}


def test_who_is_listed_is_who_has_an_open_alert(full: WebWorld) -> None:
    for definition in ("churn14", "no-purchase"):
        listed = [row["person"] for row in file_rows(full, definition=definition)]
        assert sorted(listed) == sorted(csv_plain(user) for user in open_in_redis(full, definition))
        assert listed


def csv_plain(user: str) -> str:
    """An id as a reader of the file finds it."""
    return next(csv.reader(io.StringIO(csv_cell(user))))[0]


def test_rail_figure_bands_chart_and_file_say_the_same_number(full: WebWorld) -> None:
    html = page(full)
    count = len(file_rows(full))
    assert count == len(open_in_redis(full)) > A_PAGE
    figure = re.search(r"<h2>At risk now</h2>.*?<p class=\"value\">([\d,]+)", html, flags=re.DOTALL)
    rail = re.search(r'href="/at-risk"[^>]*>.*?<span class="count">([\d,]+)</span>', html, flags=re.DOTALL)
    newest_day = re.search(r"<tbody>\s*<tr><th scope=\"row\">Nov 26, 2026</th><td class=\"num\">([\d,]+)</td>", html)
    assert figure
    assert rail
    assert newest_day
    assert [int(one[1]) for one in (figure, rail, newest_day)] == [count] * 3
    assert sum(band_counts(html).values()) == count
    assert f"of {count} people, if nothing is done" in text_of(html)
    assert f"All {count} as CSV" in text_of(html)
    assert f"1 to {A_PAGE} of {count}" in text_of(html)


def test_each_band_leads_to_as_many_as_it_says(full: WebWorld) -> None:
    counts = band_counts(page(full))
    assert len(counts) >= 2
    for band, count in counts.items():
        rows = file_rows(full, band=band)
        assert len(rows) == count
        assert {row["band"] for row in rows} <= {band}
        html = page(full, band=band)
        assert band_counts(html) == counts, "the other bands go on saying what they would show"


def test_pages_of_the_list_are_the_file_in_its_order(full: WebWorld) -> None:
    for sort in SORTS:
        wanted = [row["alert_id"] for row in file_rows(full, sort=sort)]
        found, number = [], 1
        while len(found) < len(wanted):
            found += shown(page(full, sort=sort, page=number))
            number += 1
        assert found == wanted
        last = shown(page(full, sort=sort, page=99))
        assert last == wanted[-len(last) :], "a page that is no longer there is the last one"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_sum_of_risks_has_its_interval_and_every_figure_its_definition(full: WebWorld, lang: str) -> None:
    html = page(full, lang=lang)
    risks = [float(row["risk"]) for row in file_rows(full)]
    width = 1.96 * sum(risk * (1 - risk) for risk in risks) ** 0.5
    assert f">{round(sum(risks))} <small>± {round(width)}</small>" in html
    tiles = html[html.index('<div class="grid four">') : html.index('<div class="grid work">')]
    assert tiles.count("<summary") == 4
    assert all(len(text_of(means)) > 40 for means in re.findall(r"</summary>(.*?)</details>", tiles))


def test_value_is_the_risk_times_what_they_would_spend(full: WebWorld) -> None:
    reader = UserReader(full.parts.engine.client, full.parts.engine.app)
    rows = {row["person"]: row for row in file_rows(full)}
    for user in sorted(open_in_redis(full))[:10]:
        view, row = reader.user(user, NOW_MS), rows[csv_plain(user)]
        assert view is not None
        opened_ms, first_ms = view.definitions["churn14"].opened_ms, view.first_ms
        assert opened_ms is not None
        assert first_ms is not None
        worth = (view.features["revenue"] or 0) / max(28, (opened_ms - first_ms) / DAY_MS) * 90
        assert float(row["spend_in_90_days"]) == pytest.approx(worth, abs=0.006)
        assert float(row["value_at_risk"]) == pytest.approx(worth * (view.definitions["churn14"].risk or 0), abs=0.006)


def test_the_risk_of_a_person_is_the_last_one_stated_of_them(full: WebWorld) -> None:
    reader = UserReader(full.parts.engine.client, full.parts.engine.app)
    rows = {row["person"]: float(row["risk"]) for row in file_rows(full)}
    for view in reader.users(sorted(open_in_redis(full)), NOW_MS):
        assert view is not None
        assert rows[csv_plain(view.user)] == pytest.approx(view.definitions["churn14"].risk, abs=0.0001)


@pytest.mark.parametrize(
    ("query", "known"),
    [("band=highest", "critical"), ("channel=tv", "organic"), ("sort=name", "risk"), ("definition=churn7", "churn14"), ("reason=mood", "silence")],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/at-risk", "/at-risk.csv", "/at-risk/stream", "/at-risk/ended"])
def test_a_filter_that_there_is_not_is_refused_by_name(full: WebWorld, path: str, query: str, known: str) -> None:
    value = query.partition("=")[2]
    answer = full.browser().get(f"{path}?{query}")
    assert answer.status_code == 422
    assert f"“{value}”" in text_of(answer.text)
    assert known in text_of(answer.text)


def test_a_page_that_is_no_number_is_refused(full: WebWorld) -> None:
    assert full.browser().get("/at-risk?page=-1").status_code == 422


def test_nobody_matches_and_the_page_says_which_filter_leaves_nobody(full: WebWorld) -> None:
    html = page(full, q="nobody-like-this", band="high")
    assert "The filter that leaves nobody: “nobody-like-this”" in text_of(html)
    link = re.search(r'<a class="button" href="([^"]+)">Without “nobody-like-this”</a>', html)
    assert link
    assert shown(full.browser().get("/at-risk" + unescape(link[1])).text)


def test_it_works_without_the_script(full: WebWorld) -> None:
    html = page(full, band="high")
    assert '<form class="filters" action="/at-risk"' in html
    assert re.search(r"<button class=\"without-script\">Apply</button>", html)
    assert "style=" not in html
    assert not re.search(r"<script(?![^>]*src=)", html)
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", html), "no handler stands in an attribute"


# what strangers may send

HARMLESS = [visible(user) for user in HOSTILE]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_ids_are_text(full: WebWorld, lang: str) -> None:
    htmls = [page(full, lang=lang, page=number) for number in (1, 2)]
    for html in htmls:
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "\u202e" not in html
    said = " ".join(htmls)
    present = [user for user in HOSTILE if user in open_in_redis(full)]
    assert len(present) >= 3
    for user in present:
        assert f"<bdi>{escaped(visible(user))}</bdi>" in said
        assert f'href="{escaped(person_link(user))}"' in said


def escaped(text: str) -> str:
    """As Jinja writes it."""
    return str(escape(text))


def test_a_search_is_text(full: WebWorld) -> None:
    html = page(full, q='"><script>alert(1)</script>\u202e')
    assert "<script>alert" not in html
    assert "\u202e" not in text_of(html).replace('value="', "")


def test_no_cell_of_the_file_is_a_formula(full: WebWorld) -> None:
    for row in full.browser().get("/at-risk.csv").text.removeprefix("\ufeff").splitlines():
        assert not re.search(r'(?:^|,)"?[=+@\t\r-](?!\d)', row), row


# a selection


def selected(world: WebWorld, alerts: list[str], **more: str) -> Any:
    browser = world.browser()
    csrf = re.search(r'name="csrf" value="([^"]+)"', browser.get("/at-risk").text)
    assert csrf
    return browser.post("/at-risk/selection", data={"csrf": csrf[1], "alert": alerts, **more})


def test_a_selection_is_a_file_or_a_list_of_ids(full: WebWorld) -> None:
    rows = file_rows(full)[2:5]
    ids = [row["alert_id"] for row in rows]
    answer = selected(full, [*ids, ids[0], "f" * 32], **{"as": "csv"})
    assert list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))) == rows
    answer = selected(full, ids, **{"as": "ids"})
    assert answer.headers["content-type"].startswith("text/plain")
    users = {csv_plain(user): visible(user) for user in open_in_redis(full)}
    assert answer.text.splitlines() == [users[row["person"]] for row in rows]


def test_a_selection_of_nobody_goes_back_to_the_list(full: WebWorld) -> None:
    answer = selected(full, [])
    assert (answer.status_code, answer.headers["location"]) == (303, "/at-risk")


def test_a_selection_that_is_not_from_our_page_is_refused(full: WebWorld) -> None:
    answer = full.browser().post("/at-risk/selection", data={"csrf": new_secret(), "alert": ["f" * 32]})
    assert answer.status_code == 403


# who may see what


def test_a_viewer_sees_figures_and_no_person(redis_server: LocalRedis, full: WebWorld) -> None:
    token = full.token("read:aggregates")
    browser = full.browser()
    browser.headers["Authorization"] = f"Bearer {token}"
    html = browser.get("/at-risk").text
    assert "no persons" in text_of(html)
    assert 'href="/person"' not in html  # nor a way to a page that is not for them
    assert sum(band_counts(html).values()) == len(file_rows(full))
    users = open_in_redis(full)
    assert not [user for user in users if escaped(visible(user)) in html and user.isascii() and len(user) > 5]
    assert not shown(html)
    for path in ("/at-risk.csv", "/at-risk/ended"):
        assert browser.get(path).status_code == 403


# as time goes on


def test_time_goes_on_and_the_page_says_what_is_new(redis_server: LocalRedis, tmp_path: Path, app_name: str) -> None:
    world = make_world("warming", redis_server, tmp_path, app_name=app_name, users=60, quiet=True, settings={"alerts__threshold": 0.4})
    before = world.parts.keeper.board
    html = page(world)
    (ended,) = re.findall(r'data-ended="([^"]+)"', html)
    assert world.browser().get(unescape(ended)).json() == {}
    for half_days in range(1, 7):
        world.later([], NOW_MS + half_days * DAY_MS // 2)
    after = world.parts.keeper.board
    assert after.rows.keys() - before.rows.keys(), "nobody clicks, so more people are silent"
    since = after.since(before.number, lambda row: row.alert.definition == "churn14")
    assert since.new == sum(alert_id not in before.rows for alert_id, row in after.rows.items() if row.alert.definition == "churn14")
    # the engine is asked once a second at most
    wait_until(lambda: "as of Nov 29, 2026" in text_of(page(world)), 10, "the page has the new time")
    world.close()


def test_before_anybodys_time_is_up_the_page_says_when_the_first_answer_comes(
    redis_server: LocalRedis, tmp_path: Path, app_name: str
) -> None:
    world = make_world("warming", redis_server, tmp_path, app_name=app_name, users=60, quiet=True, settings={"alerts__threshold": 0.4})
    first_ms = min(row.alert.valid_until_ms for row in world.parts.keeper.board.rows.values() if row.alert.definition == "churn14")
    day = world.browser().get("/at-risk").text
    assert re.search(r"Nobody&#39;s time is up yet: the first answer comes on (Nov|Dec) \d+, 2026", day)
    assert first_ms > NOW_MS
    world.close()


def test_without_redis_the_list_stays_and_what_is_not_known_is_a_dash(redis_server: LocalRedis, tmp_path: Path, app_name: str) -> None:
    world = make_world("redis_down", redis_server, tmp_path, app_name=app_name, users=40, quiet=True, settings={"alerts__threshold": 0.4})
    assert world.parts.keeper.board.rows
    assert shown(page(world))
    world.close()


def test_a_page_is_light(full: WebWorld) -> None:
    for lang in LANGUAGES:
        assert len(page(full, lang=lang).encode()) <= 150_000
    for name in ("page.js",):
        assert len(full.browser().get(f"/static/{name}").content) <= 10_000
