"""The page of one person: whoever is asked for, what is shown is theirs, is escaped, and agrees with what Redis and the past say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import quote

import pytest

from features.reader import UserReader
from insights.web.person.address import person_link
from insights.words import LANGUAGES, words
from stream.demo.local_redis import LocalRedis
from stream.shown import visible
from tests.web.world import HOSTILE, WebWorld, make_world

pytestmark = pytest.mark.real_redis
TWICE = "Starlette's test client decodes the path of an address twice, a server once: so ids with % are asked for by the query only"


@pytest.fixture(scope="module")
def world(redis_server: LocalRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebWorld]:
    made = make_world("full", redis_server, tmp_path_factory.mktemp("person"), app_name="person-full", users=400, ids=HOSTILE)
    yield made
    made.close()


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html)))


def reader(world: WebWorld) -> UserReader:
    return UserReader(world.parts.engine.client, world.parts.engine.app)


def people(world: WebWorld) -> list[str]:
    return sorted(row.user for row in reader(world).users_at_risk())


def test_the_risk_on_top_is_the_one_that_the_list_has(world: WebWorld) -> None:
    as_of_ms = world.parts.engine.view().as_of_ms
    assert as_of_ms is not None
    for user in people(world)[::20]:
        stated = reader(world).user(user, as_of_ms)
        assert stated is not None
        risk = stated.definitions["churn14"].risk
        assert f'<p class="value">{words("en").percent(risk)}'.replace("<1", "&lt;1") in world.browser().get(person_link(user)).text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_everybody_can_be_shown(world: WebWorld, lang: str) -> None:
    for user in people(world)[::9]:
        for definition in ("churn14", "no-purchase"):
            link = person_link(user)
            answer = world.browser().get(f"{link}{'&' if '?' in link else '?'}definition={definition}&lang={lang}")
            assert answer.status_code == 200
            assert f"<bdi>{visible(user)}" in answer.text or not user.isalnum()


@pytest.mark.parametrize("user", HOSTILE)
def test_hostile_ids_are_found_and_shown_as_text(world: WebWorld, user: str) -> None:
    addresses = [f"/person?q={quote(user, safe='')}", *([] if "%" in user else [person_link(user)])]  # see TWICE
    shown = [world.browser().get(address) for address in addresses]
    for answer in shown:
        assert answer.status_code == 200
        assert visible(user) in unescape(answer.text)
        assert "<script>alert" not in answer.text
        assert "<img" not in answer.text.replace('<img src="/static/mark.svg"', "")
        assert "\u202e" not in answer.text
        assert "What raises it" in answer.text  # it is their page, not the search


@pytest.mark.parametrize(
    "typed", ["nobody-has-this-id", "<script>alert(2)</script>", "x" * 256, "..", "a/b", "%00", "\u202egnp", '" autofocus onfocus="']
)
def test_an_unknown_id_says_what_it_may_be_and_keeps_what_was_typed(world: WebWorld, typed: str) -> None:
    for path in (f"/person?q={quote(typed, safe='')}", *([] if "%" in typed else [person_link(typed)])):  # see TWICE
        answer = world.browser().get(path)
        assert answer.status_code == 200
        assert "Nobody with this id is known" in answer.text
        assert "compared letter by letter" in answer.text
        assert f'value="{visible(typed)}"' in answer.text.replace("&lt;", "<").replace("&gt;", ">").replace("&#34;", '"')
        assert "<script>alert" not in answer.text


def test_the_search_offers_those_who_were_flagged_last(world: WebWorld) -> None:
    html = world.browser().get("/person").text
    newest = world.parts.past.open_alerts("churn14")[0]
    assert visible(newest.user) in unescape(html)
    for address in re.findall(r'<li><a href="([^"]+)"', html):
        answer = world.browser().get(unescape(address))
        assert answer.status_code == 200
        assert "What raises it" in answer.text


def test_the_alerts_are_those_of_the_past_with_why_in_both_languages(world: WebWorld) -> None:
    alert = next(one for one in world.parts.past.open_alerts("churn14") if one.reason_codes)
    html = world.browser().get(person_link(alert.user)).text
    assert all(reason in unescape(html) for reason in alert.reasons)
    chinese = text_of(world.browser().get(person_link(alert.user), headers={"accept-language": "zh"}).text)
    assert alert.reasons[0] not in chinese
    assert "没有活动" in chinese or "天" in chinese


def test_habits_say_how_many_days_of_which(world: WebWorld) -> None:
    as_of_ms = world.parts.engine.view().as_of_ms
    assert as_of_ms is not None
    view = reader(world).user(people(world)[0], as_of_ms)
    assert view is not None
    known = view.habits.today - view.habits.known_from + 1
    assert f"active on {len(view.habits.active_days)} of {known} days" in world.browser().get(person_link(view.user)).text


def test_a_dormant_person_says_so(world: WebWorld) -> None:
    as_of_ms = world.parts.engine.view().as_of_ms
    assert as_of_ms is not None
    asked = reader(world)
    gone = next(
        user for user in (f"user-{n:05d}" for n in range(480)) if (view := asked.user(user, as_of_ms)) is not None and not view.armed
    )  # fmt: skip
    assert "Dormant" in world.browser().get(person_link(gone)).text


def test_a_definition_that_there_is_not_is_refused(world: WebWorld) -> None:
    assert world.browser().get(f"/person/{people(world)[0]}?definition=churn99").status_code == 422


@pytest.mark.parametrize("user", ["ann", "a b", "李雷", "a?b#c&d=e", "100%", "a+b", "....", "~"])
def test_an_address_is_of_one_step_and_leads_back(world: WebWorld, user: str) -> None:
    link = person_link(user)
    assert link.startswith("/person/")
    assert "/" not in link.removeprefix("/person/")
    assert f'value="{visible(user)}"' in unescape(world.browser().get(link).text)
