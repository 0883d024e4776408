"""Signing in by way of a provider of OpenID Connect that runs on this machine, and everything it may say that lets nobody in."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.testclient import TestClient

from insights.store import people
from insights.web.door.at_start import refuse_without_access
from insights.web.door.sign_in import PROVIDER
from stream.faults import WebRefused
from tests.servers.provider import Claims, LyingProvider, new_key, running_provider
from tests.web.access.house import House, csrf_in, sign_in

CLIENT = "churnwatch-page"
SECRET = "the page's secret at the provider"  # noqa: S105 - of a provider in tests


@pytest.fixture
def provider() -> Iterator[LyingProvider]:
    with running_provider() as one:
        one.knows("ann", email="ann@shop.example", name="Ann Lee", groups=["growth", "staff"])
        yield one


@pytest.fixture
def house(provider: LyingProvider, houses: Callable[..., House]) -> House:
    return houses(
        page__url="http://127.0.0.1:6080", page__oidc_issuer=provider.url, page__oidc_client_id=CLIENT, page__oidc_client_secret=SECRET,
        page__oidc_analysts=("growth",), page__oidc_admins=("churn-admins",),
    )  # fmt: skip


def come_by(provider: LyingProvider, browser: TestClient, subject: str = "ann", back: str = "/at-risk?band=high", **form: str) -> str:
    """Go to the provider and sign in there; return where the browser is sent back to."""
    answer = browser.get("/sign-in/provider", params={"next": back})
    assert answer.status_code == 303, answer.text
    return provider.let_in(answer.headers["location"], subject, **form)


def test_whom_the_provider_sends_is_let_in_with_the_role_of_their_group(provider: LyingProvider, house: House) -> None:
    browser = house.browser()
    assert browser.get("/at-risk").status_code == 303  # a provider is enough for nothing to be open
    form = browser.get("/sign-in").text
    assert "Sign in with localhost" in form
    assert "<form" not in form  # nobody has a password
    answer = browser.get(come_by(provider, browser))
    assert answer.headers["location"] == "/at-risk?band=high"
    assert "ann@shop.example" in browser.get("/data").text
    assert browser.get("/access").status_code == 403
    assert house.audit()[-1] == ("ann@shop.example", "signed_in", "provider")
    with house.store.read() as db:
        found = people.everybody(db)
    assert [(one.issuer, one.subject, one.name, one.role, one.login) for one in found] == [
        (provider.url, "ann", "Ann Lee", "analyst", None)
    ]


def test_what_goes_to_the_provider_gives_nothing_away(provider: LyingProvider, house: House) -> None:
    browser = house.browser()
    answer = browser.get("/sign-in/provider", params={"next": "/person/some-id"})
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    kept = browser.cookies["cw-provider"].partition(".")[0]
    assert "some-id" not in answer.headers["location"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    assert len({kept, *(asked[name][0] for name in ("state", "nonce", "code_challenge"))}) == 4
    assert kept not in answer.headers["location"]
    assert SECRET not in answer.headers["location"]


def test_each_sign_in_brings_name_and_role_up_to_date(provider: LyingProvider, house: House) -> None:
    browser = house.browser()
    browser.get(come_by(provider, browser))
    provider.knows("ann", email="ann.lee@shop.example", groups=["churn-admins"])
    other = house.browser()
    other.get(come_by(provider, other))
    page = other.get("/access")
    assert page.status_code == 200
    assert page.text.count("ann.lee@shop.example</th>") == 1
    assert browser.get("/access").status_code == 200  # whoever they are, they have the role they have now


def test_an_address_that_changed_hands_is_another_person(provider: LyingProvider, house: House) -> None:
    for subject in ("ann", "another-ann"):
        provider.knows(subject, email="ann@shop.example", groups=["growth"])
        browser = house.browser()
        browser.get(come_by(provider, browser, subject))
    with house.store.read() as db:
        assert len(people.everybody(db)) == 2


@pytest.mark.parametrize("groups", [[], ["staff"], "staff", None, [["growth"]], {"growth": 1}, ["*"]])
def test_whoever_has_no_role_is_not_let_in(provider: LyingProvider, house: House, groups: Any) -> None:
    provider.knows("bob", groups=groups)
    browser = house.browser()
    answer = browser.get(come_by(provider, browser, "bob"))
    assert answer.status_code == 403
    assert "nobody has given you access here yet" in answer.text
    assert browser.get("/at-risk").status_code == 303
    assert house.audit() == [("", "sign_in_refused", "provider: role")]


def test_groups_that_stand_in_the_user_info_only_are_asked_for(provider: LyingProvider, house: House) -> None:
    provider.hidden = {"groups"}
    browser = house.browser()
    assert browser.get(come_by(provider, browser)).status_code == 303


def hs256(claims: Claims) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET), algorithms=["HS256"])


def unsigned(claims: Claims) -> str:
    head, body = (base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in ({"alg": "none"}, claims))
    return f"{head}.{body}."


LIES: dict[str, tuple[str, Callable[[Claims], Claims]]] = {
    "another issuer": ("issuer", lambda claims: {**claims, "iss": "https://evil.example"}),
    "no issuer": ("issuer", lambda claims: {name: value for name, value in claims.items() if name != "iss"}),
    "for another page": ("audience", lambda claims: {**claims, "aud": "another-page"}),
    "for several, issued to another": ("audience", lambda claims: {**claims, "aud": [CLIENT, "another-page"], "azp": "another-page"}),
    "another nonce": ("nonce", lambda claims: {**claims, "nonce": "x"}),
    "no nonce": ("nonce", lambda claims: {name: value for name, value in claims.items() if name != "nonce"}),
    "expired": ("expired", lambda claims: {**claims, "exp": int(time.time()) - 120}),
    "no end": ("claims", lambda claims: {name: value for name, value in claims.items() if name != "exp"}),
    "from the future": ("claims", lambda claims: {**claims, "iat": int(time.time()) + 7200, "nbf": int(time.time()) + 7200}),
    "of another access token": ("claims", lambda claims: {**claims, "at_hash": "x"}),
    "nobody": ("claims", lambda claims: {name: value for name, value in claims.items() if name != "sub"}),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_the_provider_must_not_say_lets_nobody_in(provider: LyingProvider, house: House, lie: str) -> None:
    why, provider.lie = LIES[lie]
    refused(provider, house, why)


SIGNATURES: dict[str, Callable[[LyingProvider], Callable[[Claims], str]]] = {
    "none": lambda _provider: unsigned,
    "by the client's secret": lambda _provider: hs256,
    "by a key that it does not name": lambda _provider: (
        lambda claims: jwt.encode({"alg": "ES256", "kid": "other"}, claims, new_key("other"))
    ),
    "by another key of the same name": lambda _provider: (
        lambda claims: jwt.encode({"alg": "ES256", "kid": "first"}, claims, new_key("first"))
    ),
    "broken": lambda provider: lambda claims: provider.signed(claims)[:-6] + "AAAAAA",
    "no token": lambda _provider: lambda _claims: "x",
}


@pytest.mark.parametrize("how", SIGNATURES)
def test_what_is_not_signed_with_the_providers_key_lets_nobody_in(provider: LyingProvider, house: House, how: str) -> None:
    provider.sign = SIGNATURES[how](provider)
    refused(provider, house, "signature")


def refused(provider: LyingProvider, house: House, why: str) -> None:
    browser = house.browser()
    answer = browser.get(come_by(provider, browser))
    assert answer.status_code == 403
    assert "localhost did not let you in" in answer.text
    assert browser.get("/at-risk").status_code == 303
    assert house.audit() == [("", "sign_in_refused", f"provider: {why}")]
    assert "cw-provider" not in browser.cookies


def test_a_new_key_of_the_provider_is_asked_for(provider: LyingProvider, house: House) -> None:
    browser = house.browser()
    browser.get(come_by(provider, browser))
    provider.keys.append(RSAKey.generate_key(2048, {"kid": "second", "use": "sig", "alg": "RS256"}))
    again = house.browser()
    assert again.get(come_by(provider, again)).status_code == 303


def test_a_way_back_is_gone_once(provider: LyingProvider, house: House) -> None:
    browser = house.browser()
    back = come_by(provider, browser)
    kept = browser.cookies["cw-provider"]
    assert browser.get(back).status_code == 303
    assert browser.get(back).status_code == 403  # the cookie is gone
    thief = house.browser()
    assert thief.get(back).status_code == 403  # whoever has the address only
    thief.cookies.set("cw-provider", kept, domain="127.0.0.1")
    assert thief.get(back).status_code == 403  # and even with the cookie: the provider takes a code once
    assert thief.get("/at-risk").status_code == 303
    assert [about for _, what, about in house.audit() if what == "sign_in_refused"] == [
        "provider: code",
        "provider: state",
        "provider: state",
    ]


def test_a_code_of_somebody_else_is_not_taken(provider: LyingProvider, house: House) -> None:
    victim, attacker = house.browser(), house.browser()
    provider.knows("mallory", groups=["growth"])
    stolen = parse_qs(urlsplit(come_by(provider, attacker, "mallory")).query)["code"][0]
    own = urlsplit(come_by(provider, victim))
    state = parse_qs(own.query)["state"][0]
    answer = victim.get("/sign-in/done", params={"code": stolen, "state": state})
    assert answer.status_code == 403  # the code belongs to another verifier
    assert house.audit() == [("", "sign_in_refused", "provider: code")]


@pytest.mark.parametrize(
    ("change", "why"),
    [({"state": "x"}, "state"), ({"state": ""}, "state"), ({"iss": "https://evil.example"}, "issuer"), ({"code": "x"}, "code")],
)
def test_what_comes_back_must_be_what_was_sent(provider: LyingProvider, house: House, change: dict[str, str], why: str) -> None:
    browser = house.browser()
    came = {name: values[0] for name, values in parse_qs(urlsplit(come_by(provider, browser)).query).items()}
    assert browser.get("/sign-in/done", params={**came, **change}).status_code == 403
    assert house.audit() == [("", "sign_in_refused", f"provider: {why}")]


def test_whom_the_provider_turns_away_may_try_again(provider: LyingProvider, house: House) -> None:
    browser = house.browser()
    answer = browser.get(come_by(provider, browser, action="deny"))
    assert answer.status_code == 403
    assert house.audit() == [("", "sign_in_refused", "provider: denied")]
    assert browser.get(come_by(provider, browser)).status_code == 303


def test_a_stranger_does_not_let_us_ask_the_provider_without_end(provider: LyingProvider, house: House) -> None:
    browser = house.browser()
    tries = [browser.get("/sign-in/done", params={"state": "x", "code": "x"}).status_code for _ in range(PROVIDER.most + 1)]
    assert tries == [403] * PROVIDER.most + [429]


def test_whom_an_admin_has_shut_out_stays_out(provider: LyingProvider, house: House) -> None:
    browser = house.browser()
    browser.get(come_by(provider, browser))
    with house.store.write() as db:
        people.disable(db, 1, 1)
    assert browser.get("/at-risk").status_code == 303
    answer = browser.get(come_by(provider, browser))
    assert answer.status_code == 403
    assert house.audit()[0] == ("", "sign_in_refused", "provider: disabled")


def test_while_the_provider_is_away_passwords_still_let_in(provider: LyingProvider, house: House) -> None:
    house.person("root", "admin")
    provider.away = True
    browser = house.browser()
    answer = browser.get("/sign-in/provider")
    assert answer.status_code == 403
    assert csrf_in(answer.text)
    assert sign_in(browser, "root").status_code == 303


def test_a_provider_that_is_another_one_is_refused_at_start(
    provider: LyingProvider, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    refuse_without_access(house.settings, house.store)
    provider.says = {"issuer": "https://evil.example"}
    with pytest.raises(WebRefused, match=r"calls itself https://evil\.example"):
        refuse_without_access(house.settings, house.store)
    provider.away = True
    with caplog.at_level(logging.WARNING):
        refuse_without_access(house.settings, house.store)  # it may come back
    assert "nobody can sign in by the provider for now" in caplog.text


def test_an_address_that_is_not_encrypted_is_not_gone_to(provider: LyingProvider, house: House) -> None:
    provider.says = {"token_endpoint": "http://id.example/token"}
    browser = house.browser()
    answer = browser.get(come_by(provider, browser))
    assert answer.status_code == 403


def test_no_secret_stands_in_a_log(provider: LyingProvider, house: House, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        browser = house.browser()
        back = come_by(provider, browser)
        kept = browser.cookies["cw-provider"].partition(".")[0]
        browser.get(back)
        session = browser.cookies["cw-session"]
    ours = "\n".join(
        record.getMessage() + str(vars(record)) for record in caplog.records if record.name.startswith(("insights", "stream", "uvicorn"))
    )
    for secret in (SECRET, kept, session, parse_qs(urlsplit(back).query)["code"][0]):
        assert secret not in ours
