"""Signing in by name and password: who gets in, what a session is, and what whoever does not get in learns."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from insights.store import people
from insights.web.door import sign_in as trying
from insights.web.door.not_done import NotDone
from insights.web.door.passwords import AT_ONCE, WAITING, Busy, Passwords, hashed, holds
from tests.web.access.house import HASHED, PASSWORD, House, csrf_in, sign_in

HOUR_MS = 3_600_000


def test_the_right_password_lets_in_and_leads_on(house: House) -> None:
    house.person()
    browser = house.browser()
    answer = sign_in(browser, "ann", back="/at-risk?band=high")
    assert answer.headers["location"] == "/at-risk?band=high"
    assert browser.get("/at-risk").status_code == 200
    assert house.audit() == [("ann", "signed_in", "password")]


@pytest.mark.parametrize(
    ("name", "password"),
    [("ann", "four plain little word"), ("bob", PASSWORD), ("off", PASSWORD), ("", ""), ("ann", ""), ("ANN", PASSWORD)],
)
def test_whoever_does_not_get_in_learns_nothing_else(house: House, name: str, password: str) -> None:
    house.person()
    off = house.person("off")
    with house.store.write() as db:
        people.disable(db, off.id, 1)
    browser = house.browser()
    answer = sign_in(browser, name, password)
    assert answer.status_code == 403
    assert "Name or password is not right." in answer.text
    assert browser.get("/at-risk").status_code == 303
    expected = answer.text.replace(csrf_in(answer.text), "").replace(f'value="{name}"', 'value=""')
    other = sign_in(house.browser(), "nobody at all", "x")
    assert other.text.replace(csrf_in(other.text), "").replace('value="nobody at all"', 'value=""') == expected


def test_a_name_that_nobody_has_takes_as_long() -> None:
    def cpu_s(stored: str | None) -> float:
        start = time.thread_time()
        assert not holds(stored, "not the password")
        return time.thread_time() - start

    holds(None, "")  # makes nobody's hash once
    known, unknown = min(cpu_s(HASHED) for _ in range(5)), min(cpu_s(None) for _ in range(5))
    assert 0.5 < known / unknown < 2


def test_what_was_typed_as_a_name_is_not_kept(house: House) -> None:
    house.person()
    sign_in(house.browser(), PASSWORD, "ann")  # the fields mixed up
    assert house.audit() == [("", "sign_in_refused", "unknown name")]
    sign_in(house.browser(), "ann", "wrong")
    assert house.audit()[0] == ("ann", "sign_in_refused", "password")


def test_too_many_tries_must_wait_whatever_they_try_and_by_whichever_process(house: House) -> None:
    house.person()
    first, second = house.browser(), house.browser(app=house.app())
    assert [sign_in(browser, "ann", "wrong").status_code for browser in [first, second] * 5] == [403] * 10
    answer = sign_in(second, "ann")  # right, and not even looked at
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 90
    assert "Too many attempts. Try again in 1.5 minutes" in answer.text or "Too many attempts. Try again in 2 minutes" in answer.text
    assert sign_in(first, "nobody", "wrong").status_code == 403  # another name from here
    house.later(int(answer.headers["retry-after"]) * 1000)
    assert sign_in(first, "ann").status_code == 303
    assert [sign_in(house.browser(), "ann", "wrong").status_code for _ in range(10)] == [403] * 10  # a success has paid for all


def test_names_that_nobody_has_are_limited_alike(house: House) -> None:
    house.person()
    browser = house.browser()
    assert [sign_in(browser, "nobody", "wrong").status_code for _ in range(11)] == [403] * 10 + [429]


def test_an_address_may_not_try_one_name_after_the_other(house: House) -> None:
    house.person()
    browser = house.browser()
    most = trying.LIMITS[1][1].most
    assert [sign_in(browser, f"name {number}", "x").status_code for number in range(most + 1)] == [403] * most + [429]


async def test_so_many_passwords_are_looked_at_and_no_more() -> None:
    go = threading.Event()
    found = Passwords(lambda stored, password: go.wait(30))
    asked = [asyncio.create_task(found.holds(None, "")) for _ in range(AT_ONCE + WAITING)]
    await asyncio.sleep(0)  # each task has run up to its wait
    assert found.asked == AT_ONCE + WAITING
    with pytest.raises(Busy):
        await found.holds(None, "")
    go.set()
    assert all(await asyncio.gather(*asked))
    assert await found.holds(None, "")


def test_a_password_is_long_and_kept_as_argon2id() -> None:
    assert HASHED.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    for wrong in ("", "eleven char", "x" * 257):
        with pytest.raises(NotDone, match="12 to 256 characters"):
            hashed(wrong)
    wide = "".join(chr(ord(one) + 0xFEE0) for one in "four-plain-little")
    assert holds(hashed(wide), "four-plain-little")  # one password by two keyboards
    assert not holds("no hash", "x")


def test_a_session_has_a_new_secret_that_scripts_cannot_read(house: House) -> None:
    house.person()
    browser = house.browser()
    browser.cookies.set("cw-session", "known-beforehand", domain="127.0.0.1")
    answer = sign_in(browser, "ann")
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("cw-session="))
    assert "known-beforehand" not in cookie
    assert "; HttpOnly" in cookie
    assert "; SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert house.browser().get("/at-risk", headers={"Cookie": "cw-session=known-beforehand"}).status_code == 303
    first = browser.cookies["cw-session"]
    sign_in_again = house.browser()
    sign_in_again.cookies.set("cw-session", first, domain="127.0.0.1")
    assert sign_in_again.get("/sign-in").status_code == 303  # they are in
    with house.store.read() as db:
        rows = db.exec_driver_sql("select * from sessions").all()
    assert first not in repr(rows)


def test_by_https_cookies_are_for_this_host_and_encrypted_ways_only(houses: Callable[..., House]) -> None:
    house = houses(page__url="https://churn.example", page__address="127.0.0.1:6080")
    house.person()
    answer = sign_in(house.browser("https://churn.example"), "ann")
    assert answer.status_code == 303
    for cookie in answer.headers.get_list("set-cookie"):
        assert cookie.startswith("__Host-cw-")
        assert "; Secure" in cookie
        assert "; Path=/" in cookie
        assert "omain" not in cookie


def test_a_session_ends_when_it_is_idle_and_when_it_is_old(houses: Callable[..., House]) -> None:
    house = houses(page__session_idle="2h", page__session_life="5h")
    house.person()
    browser = house.signed_in()
    for _ in range(4):
        house.later(HOUR_MS)
        assert browser.get("/at-risk").status_code == 200
    house.later(HOUR_MS)
    ended = browser.get("/at-risk")
    assert ended.headers["location"] == "/sign-in?next=%2Fat-risk&ended=1"
    assert "Your session has ended" in browser.get(ended.headers["location"]).text
    idle = house.signed_in()
    house.later(2 * HOUR_MS)
    assert idle.get("/at-risk").status_code == 303


def test_signing_out_ends_the_session_everywhere(house: House) -> None:
    house.person()
    browser, other = house.signed_in(), house.browser(app=house.app())
    other.cookies = browser.cookies
    kept = browser.cookies["cw-session"]
    csrf = csrf_in(browser.get("/data").text)
    assert browser.get("/sign-out").status_code == 405  # a link must not sign out
    answer = browser.post("/sign-out", data={"csrf": csrf})
    assert answer.headers["location"] == "/sign-in"
    assert "cw-session" not in browser.cookies
    for one in house.apps:
        assert house.browser(app=one).get("/at-risk", headers={"Cookie": f"cw-session={kept}"}).status_code == 303
    assert house.audit()[0] == ("ann", "signed_out", "")


def test_whoever_is_shut_out_or_gets_another_role_feels_it_at_once(house: House) -> None:
    ann = house.person()
    house.person("admin", "admin")
    browser = house.signed_in()
    with house.store.write() as db:
        people.set_role(db, ann.id, "admin")
    assert browser.get("/access").status_code == 200
    with house.store.write() as db:
        people.disable(db, ann.id, 1)
    assert browser.get("/at-risk").status_code == 303


def test_where_only_programs_have_access_the_form_says_what_to_do(houses: Callable[..., House]) -> None:
    house = houses(page__address="0.0.0.0:6080")
    house.token("read:people")
    text = house.browser("http://10.0.0.5:6080").get("/sign-in").text
    assert "churnwatch web people add NAME --role admin" in text
    assert "<form" not in text


def test_a_limit_by_address_takes_a_whole_network_of_ipv6(house: House) -> None:
    near, far = trying._keys("ann", "2001:db8:1:2::5"), trying._keys("ann", "2001:db8:1:3::5")
    assert trying._keys("ann", "2001:db8:1:2:ffff::1") == near
    assert near != far
