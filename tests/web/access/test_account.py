"""People change their own password."""

from __future__ import annotations

from typing import Any

import pytest

from insights.store import people, sessions
from insights.web.door.cookies import SESSION
from tests.web.access.house import PASSWORD, House, csrf_in, sign_in

NEW = "five other words in a row"


def change(browser: Any, password: str = PASSWORD, new: str = NEW, again: str = NEW) -> Any:
    csrf = csrf_in(browser.get("/account").text)
    return browser.post("/account", data={"csrf": csrf, "password": password, "new": new, "again": again})


def test_it_is_changed_and_every_other_session_ends(house: House) -> None:
    house.person()
    here, elsewhere = house.signed_in(), house.signed_in()
    before = dict(here.cookies)
    answer = change(here)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?changed=1")
    assert "signed out everywhere else" in here.get("/account?changed=1").text
    assert dict(here.cookies) != before, "a new secret for the session"
    assert elsewhere.get("/account").status_code == 303
    assert sign_in(house.browser(), "ann").status_code == 403
    assert sign_in(house.browser(), "ann", NEW).status_code == 303
    assert ("ann", "password_changed", "ann") in house.audit()


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ({"password": "not this one at all"}, 403, "The current password is not right."),
        ({"again": "five other words in a raw"}, 422, "The two new passwords differ."),
        ({"new": "short", "again": "short"}, 422, "A password has 12 to 256 characters"),
    ],
)
def test_else_nothing_changes(typed: dict[str, str], status: int, said: str, house: House) -> None:
    house.person()
    browser = house.signed_in()
    answer = change(browser, **typed)
    assert answer.status_code == status
    assert said in answer.text
    assert browser.get("/account").status_code == 200
    assert sign_in(house.browser(), "ann").status_code == 303


def test_whoever_finds_a_browser_open_cannot_try_for_ever(house: House) -> None:
    house.person()
    browser = house.signed_in()
    tries = [change(browser, password=f"wrong number {number}").status_code for number in range(11)]
    assert tries == [403] * 10 + [429]
    assert change(browser).status_code == 429, "not even the right one"


def test_a_form_of_another_site_changes_nothing(house: House) -> None:
    house.person()
    browser = house.signed_in()
    answer = browser.post("/account", data={"csrf": "guessed", "password": PASSWORD, "new": NEW, "again": NEW})
    assert answer.status_code == 403
    assert sign_in(house.browser(), "ann").status_code == 303


def test_who_has_no_password_here_is_told_so(house: House) -> None:
    browser = house.browser()
    house.person()
    with house.store.write() as db:
        eve = people.sent_by_provider(db, issuer="https://id.example", subject="7", name="Eve", email=None, role="analyst", now_ms=1)
        session, secret = sessions.open_session(db, eve, house.now_ms, 3_600_000)
    browser.cookies.set(SESSION, secret)
    answer = browser.get("/account")
    assert answer.status_code == 200
    assert "whoever lets you in keeps it" in answer.text
    assert 'type="password"' not in answer.text
    form = {"csrf": session.csrf, "password": PASSWORD, "new": NEW, "again": NEW}
    assert browser.post("/account", data=form).status_code == 422
