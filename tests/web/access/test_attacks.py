"""What somebody who means harm may try at the door: nothing gets through, and the page stays up."""

from __future__ import annotations

import logging
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from starlette.testclient import TestClient

from insights.store.secrets import hash_of
from insights.web.bodies import FORM
from insights.web.door.way_back import way_back
from insights.web.headers import HEADERS
from tests.web.access.house import PASSWORD, House, csrf_in, secret_in, sign_in
from tests.web.access.served import Served, served

XSS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "{{7*7}}",
    "javascript:alert(1)",
    "</textarea><svg/onload=alert(1)>",
)


# forged requests


FOREIGN: tuple[dict[str, str], ...] = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:6081"},
    {"Origin": "http://localhost:6080"},
    {"Origin": "https://127.0.0.1:6080"},
    {"Origin": "http://127.0.0.1:6080.evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://127.0.0.1:6080", "Sec-Fetch-Site": "cross-site"},
)


@pytest.mark.parametrize("headers", FOREIGN)
def test_another_site_makes_nobodys_browser_change_anything(house: House, admin: TestClient, headers: dict[str, str]) -> None:
    csrf = csrf_in(admin.get("/access").text)
    form = {"csrf": csrf, "name": "evil", "scope": "read:people"}
    assert admin.post("/access/tokens", data=form, headers=headers).status_code == 403
    assert admin.post("/sign-out", data={"csrf": csrf}, headers=headers).status_code == 403
    assert admin.get("/access").status_code == 200
    assert [what for _, what, _ in house.audit()] == ["signed_in"]
    assert (
        admin.post("/access/tokens", data=form, headers={"Origin": "http://127.0.0.1:6080", "Sec-Fetch-Site": "same-origin"}).status_code
        == 200
    )


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/x-www-form-urlencoded"])
def test_another_site_does_nothing_by_the_open_page_of_ones_own_machine(house: House, headers: dict[str, str], kind: str) -> None:
    browser = house.browser()
    csrf = csrf_in(browser.get("/access").text)
    for path in ("/access/tokens", "/access/people", "/api/v1/batch", "/api/v1/risks"):
        answer = browser.post(path, content=f"csrf={csrf}&name=evil&scope=read:people", headers={**headers, "Content-Type": kind})
        assert answer.status_code == 403, path
    assert house.audit() == []


def test_a_form_without_the_right_secret_changes_nothing(house: House, admin: TestClient) -> None:
    house.person("other", "admin")
    others = csrf_in(house.signed_in("other").get("/access").text)
    before = house.audit()
    for csrf in ({}, {"csrf": ""}, {"csrf": "x"}, {"csrf": others}, {"csrf": hash_of("form ")}):
        for path in (
            "/access/tokens",
            "/access/tokens/1/revoke",
            "/access/people",
            "/access/people/1/role",
            "/access/people/2/disable",
            "/sign-out",
        ):
            answer = admin.post(path, data={**csrf, "name": "evil", "scope": "read:people", "role": "admin"})
            assert answer.status_code == 403, path
            assert "Nothing was changed" in answer.text
    assert house.audit() == before


def test_nobody_is_signed_in_by_another_site_under_its_own_name(house: House) -> None:
    house.person("mallory")
    attackers = csrf_in(house.browser().get("/sign-in").text)
    victim = house.browser()
    form = {"csrf": attackers, "name": "mallory", "password": PASSWORD}
    assert victim.post("/sign-in", data=form).status_code == 403  # has no cookie of a form yet
    victim.get("/sign-in")
    assert victim.post("/sign-in", data=form).status_code == 403  # has another one
    assert house.audit() == []


def test_a_link_changes_nothing(house: House, admin: TestClient) -> None:
    before = house.audit()
    for path in ("/access/tokens/1/revoke", "/access/people/1/disable", "/access/people", "/access/tokens", "/sign-out"):
        assert admin.get(path).status_code == 405
    assert house.audit() == before


# leading away

AWAY = (
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example",
    "https://evil.example", "HTTPS:evil.example", "javascript:alert(1)", "data:text/html,x", "http:/evil.example", "evil.example", "@evil.example",
    "/%0d%0aLocation: https://evil.example", "/a\r\nSet-Cookie: x=y", "/a//evil.example", "/./evil", "/..//evil.example", "/a/../..//evil.example", "/%2e%2e//x",
    "/\u2215evil.example", "/\uff0fevil.example", "/\u3002evil.example", "/a b", "/<script>", "/\x00", "/" + "a" * 3000, "/sign-in?next=//evil.example", "/sign-out",
)  # fmt: skip


@pytest.mark.parametrize("back", AWAY)
def test_nobody_is_led_away_after_signing_in(house: House, back: str) -> None:
    house.person()
    browser = house.browser()
    assert way_back(back) == "/"
    answer = sign_in(browser, "ann", back=back)
    assert answer.headers["location"] == "/"
    assert browser.get("/sign-in", params={"next": back}).headers["location"] == "/"
    assert set(answer.headers) == {"content-length", "location", "set-cookie", *(name.decode() for name, _ in HEADERS)}


@pytest.mark.parametrize(
    "back", ["/", "/at-risk", "/at-risk?band=high&sort=value&lang=zh", "/person/a%2Fb%3Fc", "/person/%E6%9D%8E?x=//y", "/a/"]
)
def test_the_way_back_to_a_page_of_ours_is_kept(house: House, back: str) -> None:
    house.person()
    assert sign_in(house.browser(), "ann", back=back).headers["location"] == back


def test_no_answer_leads_to_the_host_that_a_stranger_wrote(houses: Callable[..., House]) -> None:
    far = houses(page__address="0.0.0.0:6080")
    far.person()
    browser = far.browser("http://evil.example")
    for path in ("/", "/at-risk", "/at-risk/", "//evil.example/", "/access/", "/sign-in/", "/static/"):
        answer = browser.get(path, headers={"X-Forwarded-Host": "evil.example"})
        assert "evil.example" not in answer.headers.get("location", "").partition("?")[0], path


# cookies, tokens and headers


def test_a_cookie_cannot_be_made_up(house: House) -> None:
    house.person("root", "admin")
    browser = house.signed_in("root")
    secret, csrf = browser.cookies["cw-session"], csrf_in(browser.get("/access").text)
    forged = (
        "", "x", hash_of(secret), csrf, secret[:-1], secret.swapcase(), f'"{secret}x"', "1", "admin", "../" + secret, "%00" + secret, "é", "x" * 8000
    )  # fmt: skip
    for value in forged:
        answer = house.browser().get("/access", headers={"Cookie": b"cw-session=" + value.encode()})
        assert answer.status_code == 303, value
    for name in ("__Host-cw-session", "cw-form", "cw-provider", "session"):
        assert house.browser().get("/access", headers={"Cookie": f"{name}={secret}"}).status_code == 303


def test_a_token_is_no_cookie_and_a_cookie_no_token(house: House) -> None:
    house.person("root", "admin")
    secret, token = house.signed_in("root").cookies["cw-session"], house.token("read:aggregates")
    browser = house.browser()
    assert browser.get("/data", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    assert browser.get("/data", headers={"Cookie": f"cw-session={token}"}).status_code == 303
    assert browser.get(f"/data?token={token}&access_token={token}").status_code == 303  # nor does it count in an address


@pytest.mark.parametrize(
    "query",
    [
        "lang=zh%0d%0aSet-Cookie:%20x=y",
        "theme=dark%0d%0aX-Evil:%201",
        "next=/%0d%0aX-Evil:%201",
        "ended=1%0d%0aX-Evil:1",
        "lang=%ff%00",
        "lang[]=zh",
    ],
)
def test_nothing_in_an_address_becomes_a_header(page: Served, query: str) -> None:
    for path in ("/sign-in", "/data", "/", "/nothing"):
        answer = page.ask(f"GET {path}?{query} HTTP/1.1")
        names = [line.partition(b":")[0].lower() for line in answer.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]]
        assert b"x-evil" not in names
        assert b"set-cookie: x=y" not in answer.lower()


def test_every_answer_has_the_headers_that_keep_a_browser_from_running_what_is_not_ours(house: House, admin: TestClient) -> None:
    stranger = house.browser()
    answers = [
        admin.get("/access"), admin.get("/nothing"), stranger.get("/data"), stranger.get("/sign-in"), stranger.get("/data", headers={"Host": "x"}),
        stranger.get("/api/v1/openapi.json"), stranger.post("/sign-in", content=b"x" * (FORM + 1)), admin.get("/static/page.css"),
    ]  # fmt: skip
    assert {one.status_code for one in answers} == {200, 404, 303, 421, 401, 413}
    for one in answers:
        assert "script-src 'self'" in one.headers["content-security-policy"]
        assert "unsafe" not in one.headers["content-security-policy"]
        assert one.headers["x-content-type-options"] == "nosniff"
    assert admin.get("/access").headers["cache-control"] == "private, no-store"
    assert stranger.get("/sign-in").headers["cache-control"] == "private, no-store"


# what strangers write


@pytest.mark.parametrize("text", XSS)
def test_nothing_that_was_typed_runs_on_the_sign_in_page(house: House, text: str) -> None:
    house.person()
    for answer in (
        sign_in(house.browser(), text, text, back=text),
        house.browser().get("/sign-in", params={"next": text, "lang": text, "theme": text}),
    ):
        assert_harmless(answer.text, text)


@pytest.mark.parametrize("text", XSS)
def test_nothing_in_the_name_of_a_person_or_a_token_runs_on_the_page_of_access(house: House, admin: TestClient, text: str) -> None:
    csrf = csrf_in(admin.get("/access").text)
    shown = [admin.post("/access/people", data={"csrf": csrf, "name": text, "role": "admin"}).text]
    password = secret_in(shown[0])
    shown.append(admin.post("/access/tokens", data={"csrf": csrf, "name": text, "scope": "read:people"}).text)
    shown.append(admin.post("/access/tokens", data={"csrf": csrf, "name": "x", "scope": text}).text)
    shown.append(admin.get("/access").text)
    theirs = house.browser()
    assert sign_in(theirs, text, password).status_code == 303
    shown.append(theirs.get("/data").text)
    for one in shown:
        assert_harmless(one, text)


class Tags(HTMLParser):
    """The tags of a page, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def assert_harmless(page: str, text: str) -> None:
    assert ">49<" not in page
    for tag, attributes in Tags(page).found:
        assert tag not in {"svg/onload", "iframe", "object"}
        assert tag != "script" or (attributes.get("src") or "").startswith("/static/page.js")
        assert tag != "img" or attributes.get("src") == "/static/mark.svg"
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        for name in ("href", "src", "action"):
            assert (attributes.get(name) or "/").startswith(("/", "?", "#", "data:image")), tag


@pytest.mark.parametrize("text", XSS)
def test_what_would_run_is_seen(text: str) -> None:
    if "<" in text:
        with pytest.raises(AssertionError):
            assert_harmless(f'<p title="x">{text}</p>', text)


def test_an_error_of_ours_shows_nothing_of_our_insides(house: House, admin: TestClient) -> None:
    for path in (
        "/access?before=x",
        "/access?before=99999999999999999999999999",
        "/nothing/'\"<b>",
        "/access/people/x/role",
        "/access?before=-1",
    ):
        answer = admin.get(path)
        assert answer.status_code < 500, path
        assert "Traceback" not in answer.text
        assert "insights" not in answer.text
    for path in ("/access/people/99999999999999999999/disable", "/access/tokens/-1/revoke", "/access/people/0/disable"):
        assert admin.post(path, data={"csrf": csrf_in(admin.get("/access").text)}).status_code == 422


# secrets stay where they belong


def test_passwords_tokens_and_cookies_stand_in_no_log_no_address_and_no_page(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.person("root", "admin")
    with caplog.at_level(logging.DEBUG), served(house) as page, httpx.Client(base_url=page.url, follow_redirects=False) as browser:
        csrf = csrf_in(browser.get("/sign-in").text)
        answers: list[Any] = [browser.post("/sign-in", data={"csrf": csrf, "name": "root", "password": PASSWORD})]
        session = browser.cookies["cw-session"]
        csrf = csrf_in(browser.get("/access").text)
        made = browser.post("/access/tokens", data={"csrf": csrf, "name": "crm", "scope": "read:aggregates"})
        token = secret_in(made.text)
        with httpx.Client(base_url=page.url, headers={"Authorization": f"Bearer {token}"}) as program:
            answers += [program.get("/api/v1/openapi.json"), program.get("/data"), program.get("/access")]
        answers += [browser.get("/access"), browser.get("/data"), browser.post("/sign-out", data={"csrf": csrf})]
    ours = "\n".join(
        f"{record.getMessage()} {vars(record)}" for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))
    )
    told = "\n".join(f"{one.headers.get('location', '')}\n{one.text}" for one in answers)
    for secret in (PASSWORD, session, token):
        assert secret not in ours
        assert secret not in told
        assert quote(secret) not in told
    with house.store.read() as db:
        kept = repr([db.exec_driver_sql(f"select * from {table}").all() for table in ("people", "tokens", "sessions", "audit", "attempts")])  # noqa: S608 - our own names
    assert PASSWORD not in kept
    assert token not in kept
    assert session not in kept
