"""The page on which admins say who may see what."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from insights.store import audit, people
from insights.words import words
from tests.web.access.house import PASSWORD, House, csrf_in, secret_in, sign_in
from tests.web.access.test_guard import bearer


def send(browser: TestClient, path: str, **form: str | list[str]) -> tuple[int, str]:
    answer = browser.post(path, data={"csrf": csrf_in(browser.get("/access").text), **form})
    return answer.status_code, answer.text


def test_a_person_who_is_added_gets_a_password_that_is_shown_once(house: House, admin: TestClient) -> None:
    status, text = send(admin, "/access/people", name="ann", role="analyst")
    password = secret_in(text)
    assert status == 200
    assert password not in admin.get("/access").text
    assert sign_in(house.browser(), "ann", password).status_code == 303
    assert house.audit()[1] == ("root", "person_added", "ann: analyst")
    assert password not in repr(house.audit())


def test_roles_change_and_people_are_shut_out_and_let_in(house: House, admin: TestClient) -> None:
    ann = house.person("ann", "viewer")
    browser = house.signed_in("ann")
    assert send(admin, f"/access/people/{ann.id}/role", role="admin")[0] == 303
    assert browser.get("/access").status_code == 200
    assert send(admin, f"/access/people/{ann.id}/disable")[0] == 303
    assert browser.get("/at-risk").status_code == 303
    assert "shut out" in admin.get("/access").text
    assert send(admin, f"/access/people/{ann.id}/enable")[0] == 303
    again = house.signed_in("ann")
    status, text = send(admin, f"/access/people/{ann.id}/password")
    assert status == 200
    assert again.get("/at-risk").status_code == 303
    assert sign_in(house.browser(), "ann", secret_in(text)).status_code == 303
    assert [what for who, what, _ in house.audit() if who == "root"] == [
        "password_changed", "person_enabled", "person_disabled", "role_changed", "signed_in"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("/access/people", {"name": "root", "role": "admin"}, "There is a person called root already"),
        ("/access/people", {"name": " "}, "A name has 1 to 128 characters"),
        ("/access/people", {"name": "an\u202en"}, "all of which can be seen"),
        ("/access/people/1/role", {"role": "viewer"}, "make another person an admin first"),
        ("/access/people/1/disable", {}, "make another person an admin first"),
        ("/access/people/99/disable", {}, "There is no such person any more."),
        ("/access/tokens", {"name": "crm"}, "Say what the token may do"),
        ("/access/tokens", {"name": "", "scope": "read:people"}, "A name has 1 to 64 characters"),
        ("/access/tokens", {"name": "crm", "scope": "manage"}, "There is no scope “manage”"),
        ("/access/tokens", {"name": "crm", "scope": "read:people", "days": "99999"}, "A token holds for 1 to 3,650 days"),
    ],
)
def test_what_cannot_be_is_said_on_the_page(house: House, admin: TestClient, path: str, form: dict[str, str], said: str) -> None:
    status, text = send(admin, path, **form)
    assert status == 422
    assert said in text
    assert house.audit() == [("root", "signed_in", "password")]
    assert admin.get("/access").status_code == 200


def test_a_role_that_there_is_not_is_refused(admin: TestClient) -> None:
    assert send(admin, "/access/people", name="ann", role="owner")[0] == 422
    assert send(admin, "/access/people/1/promote")[0] == 422


def test_a_token_is_shown_once_works_and_is_revoked(house: House, admin: TestClient) -> None:
    status, text = send(admin, "/access/tokens", name="crm", scope=["read:aggregates", "write:events"], days="30")
    secret = secret_in(text)
    browser = house.browser()
    assert status == 200
    assert browser.get("/api/v1/openapi.json", headers=bearer(secret)).status_code == 200
    page = admin.get("/access").text
    assert secret not in page
    assert "read figures of the crowd<br>send events" in page
    assert "Dec 26, 2026" in page
    assert send(admin, "/access/tokens/1/revoke")[0] == 303
    assert browser.get("/api/v1/openapi.json", headers=bearer(secret)).status_code == 401
    assert "Revoked" in admin.get("/access").text
    assert [line for line in house.audit() if line[0] == "root" and line[1].startswith("token")] == [
        ("root", "token_revoked", "crm"), ("root", "token_made", "crm: read:aggregates write:events")
    ]  # fmt: skip


def test_the_audit_log_is_read_page_by_page(house: House, admin: TestClient) -> None:
    with house.store.write() as db:
        db.exec_driver_sql(
            "insert into audit (at_ms, who, what, about, address) "
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 120) select i, 'x', 'person_seen', 'about-' || i, '' from n"
        )
    first = admin.get("/access").text
    assert "about-120" in first
    assert "about-20<" not in first
    older = first.split('href="?before=')[1].split("#")[0]
    second = admin.get(f"/access?before={older}").text
    assert "about-20<" in second
    assert "about-120" not in second


def test_the_audit_log_is_filtered(house: House, admin: TestClient) -> None:
    with house.store.write() as db:
        for number in range(120):
            audit.note(db, at_ms=number, who="Ann" if number % 2 else "ben", what="person_seen", about=f"about-{number}")
        audit.note(db, at_ms=200, who="ann", what="thing_removed", about="50% of_all")
    first = admin.get("/access?by=ANN&what=person_seen&lang=en").text
    assert "about-119<" in first
    assert "about-118<" not in first
    assert "50% of_all" not in first
    assert "about-1<" in first, "sixty lines are one page"
    only = admin.get("/access?about=0%25+of_").text
    assert "50% of_all" in only
    assert "about-" not in only
    assert "No line is like that" in admin.get("/access?by=%25&lang=en").text, "a sign of a pattern is none here"
    older = admin.get("/access?what=person_seen").text.split('href="?before=')[1].split("#")[0]
    assert older.endswith("&amp;what=person_seen")
    assert admin.get("/access?what=everything").status_code == 422
    assert "<script>" not in admin.get("/access?by=%3Cscript%3E").text.split("<main")[1]


def test_somebody_whom_a_provider_sends_is_only_shut_out_here(house: House, admin: TestClient) -> None:
    with house.store.write() as db:
        sent = people.sent_by_provider(
            db, issuer="https://id.example", subject="7", name="Bob", email="bob@shop.example", role="admin", now_ms=1
        )
    page = admin.get("/access").text
    assert "https://id.example" in page
    assert f"/access/people/{sent.id}/role" not in page
    for change in ("role", "password"):
        status, text = send(admin, f"/access/people/{sent.id}/{change}")
        assert status == 422
        assert "signs in by a provider" in text
    assert send(admin, f"/access/people/{sent.id}/disable")[0] == 303


def test_the_page_is_there_in_both_languages_and_says_when_everything_is_open(house: House) -> None:
    browser = house.browser()
    assert "Everybody on this machine may see and change everything" in browser.get("/access").text
    assert words("zh").t("access.open") in browser.get("/access?lang=zh").text


def test_a_fault_is_said_in_the_readers_language(admin: TestClient) -> None:
    csrf = csrf_in(admin.get("/access?lang=zh").text)
    answer = admin.post("/access/tokens", data={"csrf": csrf, "name": "crm"})
    assert "请至少选择一项令牌权限" in answer.text


def test_two_processes_show_the_same(house: House, admin: TestClient) -> None:
    other = house.browser(app=house.app())
    other.cookies = admin.cookies
    send(admin, "/access/tokens", name="crm", scope="read:people")
    assert "crm" in other.get("/access").text
    assert send(other, "/access/tokens/1/revoke")[0] == 303
    assert "Revoked" in admin.get("/access").text
    assert PASSWORD not in admin.get("/access").text


def test_at_first_an_admin_is_added(house: House) -> None:
    browser = house.browser()
    status, text = send(browser, "/access/people", name="ann", role="viewer")
    assert status == 422
    assert "The first person must be an admin" in text
    assert browser.get("/access").status_code == 200  # nobody was shut out


def test_with_a_provider_the_first_one_may_be_a_viewer(houses: Callable[..., House]) -> None:
    house = houses(
        page__url="http://127.0.0.1:6080", page__oidc_issuer="http://127.0.0.1:1", page__oidc_client_id="x", page__oidc_admins=("root",)
    )
    house.person("root", "admin")
    assert send(house.signed_in("root"), "/access/people", name="ann", role="viewer")[0] == 200
