"""People and tokens by the command line."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stream.cli import main
from tests.web.access.house import PASSWORD, House, make_house, sign_in

ROOT = Path(__file__).parents[3]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Give a function that runs a command over a store of the test's own; returns its code and what it said on both ways."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHURNWATCH_PAGE_STORE", f"sqlite:///{tmp_path / 'page.db'}")
    monkeypatch.delenv("CHURNWATCH_CONFIG", raising=False)

    def ran(*arguments: str, given: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["churnwatch", "web", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return ran


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path)


Run = Callable[..., tuple[int, str, str]]


def test_a_person_who_was_added_can_sign_in(run: Run, house: House) -> None:
    assert run("people", "add", "ann", "--role", "admin", given=PASSWORD + "\n") == (0, "ann may sign in as admin\n", "")
    assert sign_in(house.browser(), "ann").status_code == 303
    code, out, _ = run("people", "ls")
    assert code == 0
    assert out.split()[:9] == ["name", "role", "by", "since", "shut", "out", "ann", "admin", "password"]
    assert house.audit()[-1][1:] == ("person_added", "ann: admin")
    assert house.audit()[-1][0].startswith("command line: ")


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        (("people", "add", "ann", "--role", "viewer"), PASSWORD, "The first person must be an admin"),
        (("people", "add", "ann", "--role", "admin"), "short", "A password has 12 to 256 characters"),
        (("people", "add", "ann", "--role", "admin"), "", "A password has 12 to 256 characters"),
        (("people", "add", " \t", "--role", "admin"), PASSWORD, "A name has 1 to 128 characters"),
        (("people", "add", "an\u202en", "--role", "admin"), PASSWORD, "all of which can be seen"),
        (("people", "role", "ann", "admin"), "", "nobody is called 'ann': `churnwatch web people ls`"),
        (
            ("token", "make", "crm", "--scope", "manage"),
            "",
            "There is no scope “manage”; there are read:aggregates, read:people, write:events",
        ),
        (("token", "make", "crm", "--scope", "read:people", "--days", "0"), "", "A token holds for 1 to 3,650 days"),
        (("token", "revoke", "crm"), "", "no token 'crm' that could be revoked: `churnwatch web token ls`"),
    ],
)
def test_what_cannot_be_is_refused_with_the_fix(run: Run, house: House, arguments: tuple[str, ...], given: str, said: str) -> None:
    code, out, err = run(*arguments, given=given)
    assert code == 2
    assert out == ""
    assert said in err
    assert house.audit() == []


def test_the_last_admin_stays(run: Run, house: House) -> None:
    run("people", "add", "ann", "--role", "admin", given=PASSWORD)
    run("people", "add", "bob", given=PASSWORD)
    for arguments in (("people", "disable", "ann"), ("people", "role", "ann", "viewer")):
        code, _, err = run(*arguments)
        assert code == 2
        assert "make another person an admin first" in err
    assert run("people", "role", "bob", "admin")[0] == 0
    assert run("people", "disable", "ann")[0] == 0
    assert sign_in(house.browser(), "ann").status_code == 403
    assert run("people", "enable", "ann")[0] == 0
    assert sign_in(house.browser(), "ann").status_code == 303
    assert run("people", "add", "ann", given=PASSWORD)[0] == 2


def test_another_password_ends_the_sessions(run: Run, house: House) -> None:
    house.person("ann", "admin")
    browser = house.signed_in()
    assert run("people", "password", "ann", given="quite another password")[0] == 0
    assert browser.get("/at-risk").status_code == 303
    assert sign_in(house.browser(), "ann").status_code == 403
    assert sign_in(house.browser(), "ann", "quite another password").status_code == 303


def test_a_token_is_printed_once_and_alone(run: Run, house: House) -> None:
    code, out, err = run("token", "make", "crm", "--scope", "read:aggregates", "--days", "30")
    secret = out.removesuffix("\n")
    assert code == 0
    assert secret.startswith("cw_")
    assert secret not in err
    asks = {"Authorization": f"Bearer {secret}"}
    browser = house.browser()
    assert browser.get("/api/v1/openapi.json", headers=asks).status_code == 200
    listed = run("token", "ls")[1]
    assert "crm" in listed
    assert secret not in listed
    assert secret not in repr(house.audit())
    assert run("token", "revoke", "crm")[1] == "token crm is revoked\n"
    assert "revoked" in run("token", "ls")[1]
    assert run("token", "revoke", "crm")[0] == 2


def test_two_tokens_of_one_name_are_told_apart_by_number(run: Run, house: House) -> None:
    for _ in range(2):
        run("token", "make", "crm", "--scope", "read:aggregates")
    assert "more than one token 'crm'" in run("token", "revoke", "crm")[2]
    assert run("token", "revoke", "2")[0] == 0


def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    environment = {**os.environ, "CHURNWATCH_PAGE_STORE": f"sqlite:///{tmp_path / 'page.db'}", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "stream", "web", "people", "add", "ann", "--role", "admin"],
        stdin=slave, stdout=slave, stderr=slave, cwd=tmp_path, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    seen = b""
    for asked in (b"Password of ann: ", b"Repeat for confirmation: "):
        while not seen.endswith(asked):
            seen += os.read(master, 1000)
        os.write(master, PASSWORD.encode() + b"\n")
    while b"may sign in" not in seen:
        seen += os.read(master, 1000)
    assert process.wait(30) == 0
    assert PASSWORD.encode() not in seen
    os.close(master)
