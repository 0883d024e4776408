"""A page with a door, over a store of its own and no Redis: who may come in does not depend on what is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from features.store.redis import connect
from insights.live.engine import Engine
from insights.store import audit, people
from insights.store.people import Person
from insights.store.roles import Role
from insights.store.store import Store, open_store
from insights.web.app import make_app
from insights.web.door.deeds import By
from insights.web.door.door import Door
from insights.web.door.managed import make_token
from insights.web.door.passwords import hashed
from insights.web.parts import parts_over
from stream.settings import Settings, load_settings

PASSWORD = "four plain little words"  # noqa: S105 - of people in tests
HASHED = hashed(PASSWORD)
HERE = "http://127.0.0.1:6080"
NOBODY = "redis://127.0.0.1:1"
"""Where no Redis answers."""


@dataclass
class House:
    """A page; `later` lets the clock on the wall go on."""

    settings: Settings
    store: Store
    now_ms: int = 1_795_713_600_000
    apps: list[Any] = field(default_factory=list)

    def app(self) -> Any:
        """Another process over the same store."""
        parts = parts_over(self.settings, Engine(connect(NOBODY), "app"), self.store, lambda: None, lambda: self.now_ms)
        self.apps.append(make_app(parts))
        return self.apps[-1]

    def door(self, process: int = 0) -> Door:
        """The door of one process."""
        layer = self.apps[process]
        while not hasattr(layer, "door"):
            layer = layer.app
        door: Door = layer.door
        return door

    def later(self, ms: int) -> None:
        self.now_ms += ms

    def browser(self, at: str = HERE, app: Any = None) -> TestClient:
        """Somebody's browser, which shows redirects instead of following them."""
        return TestClient(app or (self.apps[0] if self.apps else self.app()), base_url=at, follow_redirects=False)

    def person(self, login: str = "ann", role: Role = "analyst") -> Person:
        with self.store.write() as db:
            return people.add_person(db, login=login, name=login, role=role, password_hash=HASHED, now_ms=self.now_ms)

    def token(self, *scopes: str, days: int | None = None, name: str = "crm") -> str:
        with self.store.write() as db:
            return make_token(db, By("test", "", self.now_ms), name, scopes, days)[1]

    def signed_in(self, login: str = "ann", *, at: str = HERE, app: Any = None) -> TestClient:
        browser = self.browser(at, app)
        answer = sign_in(browser, login)
        assert answer.status_code == 303, answer.text
        return browser

    def audit(self) -> list[tuple[str, str, str]]:
        """Who did what, about whom; newest first."""
        with self.store.read() as db:
            return [(line.who, line.what, line.about) for line in audit.newest_lines(db)]


def csrf_in(text: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', text)
    assert found, text
    return found[1]


def secret_in(text: str) -> str:
    found = re.search(r'<code class="secret">([^<]+)<', text)
    assert found, text
    return found[1]


def sign_in(browser: TestClient, name: str, password: str = PASSWORD, back: str = "/", **more: Any) -> Any:
    """Open the form and send it, as a browser does."""
    csrf = csrf_in(browser.get("/sign-in", params={"next": back}).text)
    return browser.post("/sign-in", data={"csrf": csrf, "name": name, "password": password, "next": back}, **more)


def make_house(folder: Path, **settings: Any) -> House:
    """Open a house whose settings are the defaults and these; whoever opens it closes its store."""
    file = folder / "churnwatch.toml"
    file.write_text("")
    found = load_settings(file, {}, **{"page__store": f"sqlite:///{folder / 'page.db'}", **settings})
    return House(found, open_store(found["page.store"]))
