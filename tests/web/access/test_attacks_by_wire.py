"""What somebody who means harm may send over the wire: paths, headers and bodies that no browser sends. It is answered or cut off, and others are served."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import httpx
import pytest
from starlette.testclient import TestClient

from insights.web.bodies import FORM, LARGER
from tests.servers.process import wait_until
from tests.web.access.house import House, csrf_in
from tests.web.access.served import Served, served, status_of, until_closed

# other files

PATHS = (
    "/static/..%2fpage.css", "/static/%2e%2e/app.py", "/static/..%2f..%2f..%2f..%2fetc%2fpasswd", "/static/../app.py", "/static/..%5capp.py", "/static//etc/passwd",
    "/static/%00page.css", "/static/page.css%00.svg", "/static/....//app.py", "/static/.%2e/app.py", "/static/%252e%252e%252fapp.py", "//etc/passwd",
    "/static/page.css/../../app.py", "/./static/../../insights", "/static/\\..\\app.py", "/static/\xc0\xae\xc0\xae/app.py",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_no_path_reaches_another_file(page: Served, path: str) -> None:
    answer = page.ask(f"GET {path} HTTP/1.1")
    assert status_of(answer) in {303, 400, 404}
    assert b"root:" not in answer
    assert b"import" not in answer


# headers


@pytest.mark.parametrize(
    "value", [b"Bearer \xff\xfe", b"Bearer", b"\xff", b"bearer a b c", b"Bearer " + b"x" * 8000, b"Digest x", b"Negotiate x"]
)
def test_any_bytes_in_authorization_are_a_wrong_token_and_nothing_worse(page: Served, value: bytes) -> None:
    answer = page.ask("GET /data HTTP/1.1\r\nAuthorization: " + value.decode("latin-1"))
    assert status_of(answer) == 401


def test_a_stranger_who_says_to_be_another_address_is_limited_all_the_same(house: House) -> None:
    house.person()
    with served(house) as page:
        tries = [send_sign_in(page, "ann", "wrong", {"X-Forwarded-For": f"203.0.113.{number}"}) for number in range(11)]
    assert tries == [403] * 10 + [429]


def test_behind_a_proxy_that_is_named_everybody_has_an_address_of_their_own(houses: Callable[..., House]) -> None:
    house = houses(page__url="http://127.0.0.1:6080", page__proxies=("127.0.0.1",))
    house.person()
    with served(house) as page:
        tries = [send_sign_in(page, "ann", "wrong", {"X-Forwarded-For": f"203.0.113.{number}"}) for number in range(11)]
        assert tries == [403] * 11
        # what is before the proxy's own entry was written by a stranger
        lies = [send_sign_in(page, "ann", "wrong", {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.99"}) for number in range(11)]
    assert lies == [403] * 10 + [429]


def send_sign_in(page: Served, name: str, password: str, headers: dict[str, str]) -> int:
    with httpx.Client(base_url=page.url) as client:
        csrf = csrf_in(client.get("/sign-in", headers=headers).text)
        return client.post("/sign-in", data={"csrf": csrf, "name": name, "password": password}, headers=headers).status_code


# too much


def test_ten_megabytes_are_refused_without_being_read(page: Served) -> None:
    for path in ("/sign-in", "/access/tokens", "/api/v1/batch", "/data"):
        with page.connect() as wire:
            wire.sendall(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {10 << 20}\r\n\r\n".encode())
            assert status_of(until_closed(wire)) == 413, path


def test_ten_megabytes_without_a_length_are_cut_off(page: Served) -> None:
    head = b"Host: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
    for path in (b"/sign-in", b"/access/tokens"):
        sent = 0
        with page.connect() as wire:
            wire.sendall(b"POST " + path + b" HTTP/1.1\r\n" + head)
            with contextlib.suppress(OSError):
                while sent < 10 << 20:
                    wire.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n")
                    sent += 65536
            until_closed(wire)
        assert sent < 8 << 20, path
    assert httpx.get(page.url + "/static/page.css").status_code == 200


def test_a_form_as_large_as_may_be_is_taken(house: House, admin: TestClient) -> None:
    csrf = csrf_in(admin.get("/access").text)
    body = f"csrf={csrf}&name=crm&scope=read:people&x="
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert admin.post("/access/tokens", content=body + "a" * (FORM - len(body)), headers=kind).status_code == 200
    assert admin.post("/access/tokens", content=body + "a" * (FORM - len(body) + 1), headers=kind).status_code == 413
    assert all(one > FORM for one in LARGER.values())


def test_a_body_that_is_too_large_without_a_length_is_refused_as_such(house: House, admin: TestClient) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = admin.post("/access/tokens", content=iter([b"a" * FORM, b"a"]), headers=kind)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "head",
    [
        "GET / HTTP/1.1\r\nHost: evil.example",  # a second Host
        "POST /sign-in HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6",
        "POST /sign-in HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
        "POST /sign-in HTTP/1.1\r\nContent-Length: -1",
        "POST /sign-in HTTP/1.1\r\nContent-Length: 99999999999999999999999",
        "POST /sign-in HTTP/1.1\r\nContent-Length: 5e3",
        "GET / HTTP/9.9",
        "GET  / HTTP/1.1 x",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        "GET http://evil.example/ HTTP/1.1",
        "CONNECT evil.example:443 HTTP/1.1",
        "TRACE / HTTP/1.1",
        "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13",
    ],
)
def test_what_is_no_request_of_ours_is_answered_and_done(page: Served, head: str) -> None:
    answer = page.ask(head)
    assert status_of(answer) in {0, 303, 400, 404, 405, 413, 421, 431}
    assert b"Traceback" not in answer
    assert httpx.get(page.url + "/static/page.css").status_code == 200


def test_many_fields_of_a_form_are_no_more_work_than_its_bytes(page: Served) -> None:
    body = ("a=&" * (FORM // 3))[: FORM - 10].encode()
    answer = page.ask(f"POST /sign-in HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}", body)
    assert status_of(answer) in {400, 403}


def test_slow_bodies_do_not_keep_others_waiting(page: Served) -> None:
    held = [page.connect() for _ in range(60)]
    for wire in held:
        wire.sendall(
            b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nname="
        )
    wait_until(lambda: len(page.connections.every) >= 60, 10, "all have come")
    assert httpx.get(page.url + "/data", timeout=10).status_code == 200
    for wire in held:
        wire.close()
