"""Two page processes over one PostgreSQL: whatever one lets in, shuts out or limits holds for the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.postgres import new_database
from tests.web.access.house import PASSWORD, House, csrf_in, make_house, secret_in, sign_in
from tests.web.access.test_guard import bearer, clock_of

pytestmark = pytest.mark.real_postgres


@pytest.fixture
def house(postgres: str, tmp_path: Path) -> House:
    made = make_house(tmp_path, page__store=new_database(postgres))
    made.app()
    made.app()
    return made


def test_a_session_of_one_is_one_of_the_other(house: House) -> None:
    house.person("root", "admin")
    first = house.signed_in("root")
    second = house.browser(app=house.apps[1])
    second.cookies = first.cookies
    assert second.get("/access").status_code == 200
    assert second.post("/sign-out", data={"csrf": csrf_in(second.get("/access").text)}).status_code == 303
    assert first.get("/access").status_code == 303


def test_a_token_that_one_revokes_the_other_refuses(house: House) -> None:
    house.person("root", "admin")
    first, second = house.signed_in("root"), house.browser(app=house.apps[1])
    clock = clock_of(house, 1)
    csrf = csrf_in(first.get("/access").text)
    secret = secret_in(first.post("/access/tokens", data={"csrf": csrf, "name": "crm", "scope": "read:aggregates"}).text)
    assert second.get("/data", headers=bearer(secret)).status_code == 200
    first.post("/access/tokens/1/revoke", data={"csrf": csrf})
    clock[0] += 4.9
    assert second.get("/data", headers=bearer(secret)).status_code == 401


def test_tries_count_for_both(house: House) -> None:
    house.person()
    browsers = [house.browser(app=app) for app in house.apps]
    assert [sign_in(browsers[number % 2], "ann", "wrong").status_code for number in range(12)] == [403] * 10 + [429] * 2


def test_what_postgresql_would_not_take_is_no_fault_of_ours(house: House) -> None:
    house.person("root", "admin")
    admin = house.signed_in("root")
    csrf = csrf_in(admin.get("/access").text)
    assert sign_in(house.browser(), "an\0n", PASSWORD + "\0").status_code == 403
    for path, form in (("/access/people", {"name": "an\0n", "role": "admin"}), ("/access/tokens", {"name": "a\0", "scope": "read:people"})):
        assert admin.post(path, data={"csrf": csrf, **form}).status_code == 422
    assert admin.get("/access?before=2147483648").status_code == 422
    house.person("ann", "viewer")
    assert house.signed_in("ann").get("/access").status_code == 403
    assert house.audit()[0] == ("ann", "refused", "/access")
