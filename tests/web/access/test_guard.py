"""Who comes in, by which secret, and where those go who do not."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from sqlalchemy import event

from insights.web.door import known
from insights.web.door.known import Known
from insights.web.guard import PUBLIC, PUBLIC_PATHS
from tests.web.access.house import House, csrf_in


def clock_of(house: House, process: int = 0) -> list[float]:
    """The clock by which what one process knows grows old; a test sets it."""
    clock = [1000.0]
    house.door(process).known.clock_s = lambda: clock[0]
    return clock


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def routes(app: Any) -> list[APIRoute]:
    """Every route of the application inside the layers."""
    while not hasattr(app, "routes"):
        app = app.app
    found: list[APIRoute] = []
    pending = list(app.routes)
    while pending:
        one = pending.pop()
        pending += getattr(getattr(one, "original_router", None), "routes", [])
        if isinstance(one, APIRoute):
            found.append(one)
    return found


def test_on_loopback_everybody_may_do_everything_while_nobody_has_an_account(house: House) -> None:
    browser = house.browser()
    assert browser.get("/access").status_code == 200
    assert browser.get("/sign-in").headers["location"] == "/"


def test_once_somebody_has_an_account_everybody_signs_in(house: House) -> None:
    browser, other = house.browser(), house.browser(app=house.app())
    form = browser.get("/access")
    answer = browser.post("/access/people", data={"csrf": csrf_in(form.text), "name": "ann", "role": "admin"})
    assert answer.status_code == 200
    assert browser.get("/access").headers["location"] == "/sign-in?next=%2Faccess"
    assert other.get("/access").headers["location"] == "/sign-in?next=%2Faccess"


def test_off_loopback_and_behind_a_proxy_nobody_is_let_in_unknown(houses: Callable[..., House]) -> None:
    far = houses(page__address="0.0.0.0:6080")
    assert far.browser("http://10.0.0.5:6080").get("/at-risk").status_code == 303
    behind = houses(page__url="https://churn.example")
    assert behind.browser("https://churn.example").get("/at-risk").status_code == 303
    assert behind.browser("http://127.0.0.1:6080").get("/at-risk").status_code == 303


def test_an_open_page_is_not_shown_through_a_proxy(house: House) -> None:
    answer = house.browser().get("/at-risk", headers={"X-Forwarded-For": "203.0.113.9"})
    assert answer.status_code == 403
    assert "page.url" in answer.text


@pytest.mark.parametrize(
    "host", ["rebound.example", "127.0.0.1.rebound.example", "localhost.", "127.0.0.1@evil.example", "", "a b", "0x7f.1"]
)
def test_on_loopback_only_its_own_names_are_answered(house: House, host: str) -> None:
    answer = house.browser().get("/at-risk", headers={"Host": host})
    assert answer.status_code == 421
    assert house.browser().get("/static/page.css", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:6080", "localhost:6080", "LOCALHOST:7000", "[::1]:6080"])
def test_its_own_names_are_answered_at_any_port(house: House, host: str) -> None:
    assert house.browser().get("/at-risk", headers={"Host": host}).status_code == 200


def test_a_page_sends_strangers_to_the_form_and_a_program_is_told(house: House) -> None:
    house.person()
    browser = house.browser()
    assert browser.get("/at-risk?band=high&lang=zh").headers["location"] == "/sign-in?next=%2Fat-risk%3Fband%3Dhigh%26lang%3Dzh"
    assert browser.post("/access/tokens").headers["location"] == "/sign-in"
    program = browser.get("/api/v1/openapi.json")
    assert program.status_code == 401
    assert program.headers["www-authenticate"] == 'Bearer realm="churnwatch"'
    part = browser.get("/at-risk", headers={"Sec-Fetch-Dest": "empty"})
    assert part.status_code == 401  # a part of a page would show the form inside it


def test_what_is_open_to_everybody_is_little(house: House) -> None:
    house.person()
    browser = house.browser()
    reached = {one.path for one in routes(house.apps[0]) if "GET" in one.methods and browser.get(one.path).status_code not in {303, 401}}
    assert reached == {"/static/page.css", "/static/{name}", "/sign-in", "/live"}


def test_a_token_opens_what_its_scopes_say(house: House) -> None:
    house.person(role="admin")
    browser = house.browser()
    reads, every = house.token("read:aggregates"), house.token("read:aggregates", "read:people", "write:events")
    assert browser.get("/api/v1/openapi.json", headers=bearer(reads)).status_code == 200
    assert browser.get("/access", headers=bearer(reads)).status_code == 403
    assert browser.get("/access", headers=bearer(every)).status_code == 403  # no token manages
    for wrong in (reads[:-1], reads + "x", "", "Bearer", reads.upper()):
        refused = browser.get("/api/v1/openapi.json", headers=bearer(wrong))
        assert refused.status_code == 401
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    as_segment_sends_it = base64.b64encode(f"{reads}:".encode()).decode()
    assert browser.get("/api/v1/openapi.json", headers={"Authorization": f"Basic {as_segment_sends_it}"}).status_code == 200
    assert browser.get("/api/v1/openapi.json", headers={"Authorization": f"Basic {reads}"}).status_code == 401


def test_a_wrong_token_is_refused_even_where_nobody_is_asked(house: House) -> None:
    assert house.browser().get("/api/v1/openapi.json", headers=bearer("cw_none")).status_code == 401


def test_a_token_ends_when_it_was_to_end(house: House) -> None:
    browser, secret = house.browser(), house.token("read:aggregates", days=1)
    assert browser.get("/api/v1/openapi.json", headers=bearer(secret)).status_code == 200
    house.later(86_400_000)
    assert browser.get("/api/v1/openapi.json", headers=bearer(secret)).status_code == 401


def test_a_new_token_is_known_at_once_and_a_revoked_one_within_five_seconds(house: House) -> None:
    assert known.STALE_S < 5
    browser, clock = house.browser(), clock_of(house)
    house.token("read:aggregates", name="first")
    assert browser.get("/api/v1/openapi.json", headers=bearer("cw_none")).status_code == 401  # what is known was read just now
    clock[0] += 0.3
    secret = house.token("read:aggregates")
    assert browser.get("/api/v1/openapi.json", headers=bearer(secret)).status_code == 200
    with house.store.write() as db:
        db.exec_driver_sql("update tokens set revoked_ms = 1 where name = 'crm'")
    clock[0] += known.STALE_S
    assert browser.get("/api/v1/openapi.json", headers=bearer(secret)).status_code == 401


def test_when_the_store_is_away_nothing_is_let_in_for_longer_than_that(house: House) -> None:
    browser, secret = house.browser(), house.token("read:aggregates")
    clock = clock_of(house)
    assert browser.get("/api/v1/openapi.json", headers=bearer(secret)).status_code == 200
    with house.store.write() as db:
        db.exec_driver_sql("alter table tokens rename to elsewhere")
    assert browser.get("/api/v1/openapi.json", headers=bearer(secret)).status_code == 200
    clock[0] += known.STALE_S
    answer = browser.get("/api/v1/openapi.json", headers=bearer(secret))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


async def test_many_requests_at_once_read_the_store_once(house: House) -> None:
    secret, asked = house.token("read:aggregates"), []
    event.listen(house.store._engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    found = Known(house.store, lambda: house.now_ms, 1000)
    who = await asyncio.gather(*(found.token(secret) for _ in range(100)))
    assert {one.name for one in who if one} == {"token crm"}
    assert sum("FROM tokens" in one for one in asked) == 1


def test_the_last_use_of_a_token_is_kept(house: House) -> None:
    browser, secret = house.browser(), house.token("read:aggregates")
    clock = clock_of(house)
    for _ in range(3):
        browser.get("/api/v1/openapi.json", headers=bearer(secret))
        clock[0] += known.STALE_S
    with house.store.read() as db:
        assert db.exec_driver_sql("select last_used_ms from tokens").scalar() == house.now_ms
    assert house.audit()[0] == ("token crm", "token_used", "")
    assert len(house.audit()) == 2


@pytest.mark.parametrize("role", ["viewer", "analyst"])
def test_a_page_that_one_may_not_open_says_who_can(house: House, role: Any) -> None:
    house.person("admin", "admin")
    house.person("ann", role)
    browser = house.signed_in("ann")
    answer = browser.get("/access")
    assert answer.status_code == 403
    assert "People with the role admin can open it" in answer.text
    assert "signed in as ann" in answer.text
    assert house.audit()[0] == ("ann", "refused", "/access")
    assert "仅管理员可以打开" in browser.get("/access?lang=zh").text


def dependencies_of(route: APIRoute) -> set[str]:
    names, pending = set(), [route.dependant]
    while pending:
        one = pending.pop()
        names.add(getattr(one.call, "__qualname__", ""))
        pending += one.dependencies
    return names


def test_every_page_says_who_may_open_it(house: House) -> None:
    house.app()
    silent = {
        one.path for one in routes(house.apps[0])
        if "scope.<locals>.checked" not in dependencies_of(one) and one.path not in PUBLIC_PATHS and not one.path.startswith(PUBLIC)
    }  # fmt: skip
    assert silent == {"/", "/sign-out"}  # the first leads to another page, and whoever is in may leave


def test_every_form_brings_back_its_secret(house: House) -> None:
    house.app()
    posts = [one for one in routes(house.apps[0]) if not one.path.startswith("/api/") and one.methods - {"GET", "HEAD"}]
    assert len(posts) >= 6
    assert [one.path for one in posts if "own_form" not in dependencies_of(one)] == []


def test_a_page_that_forgot_to_say_who_is_seen() -> None:
    router = APIRouter()
    router.get("/silent")(lambda: "")
    assert "scope.<locals>.checked" not in dependencies_of(next(one for one in router.routes if isinstance(one, APIRoute)))


def test_whoever_is_signed_in_is_told_so_on_every_page(house: House) -> None:
    house.person("<b>ann</b>", "viewer")
    text = house.signed_in("<b>ann</b>").get("/data").text
    assert "&lt;b&gt;ann&lt;/b&gt;" in text
    assert "<b>ann" not in text
