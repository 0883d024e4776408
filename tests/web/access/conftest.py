"""Houses: pages with a door."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from insights.store.store import open_store
from tests.web.access.house import House, make_house
from tests.web.access.served import Served, served


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of an empty store, to be copied: to make one takes longer than most tests."""
    file = tmp_path_factory.mktemp("empty") / "page.db"
    open_store(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def houses(tmp_path: Path, empty_store: Path) -> Iterator[Callable[..., House]]:
    """Give a function that opens houses, by their settings."""
    made: list[House] = []

    def opened(**settings: Any) -> House:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        shutil.copy(empty_store, folder / "page.db")
        made.append(make_house(folder, **settings))
        return made[-1]

    yield opened
    for one in made:
        one.store.close()


@pytest.fixture
def page(house: House) -> Iterator[Served]:
    """Give the page as it really listens."""
    with served(house) as one:
        yield one


@pytest.fixture
def admin(house: House) -> TestClient:
    """Give the browser of an admin who is signed in."""
    house.person("root", "admin")
    return house.signed_in("root")


@pytest.fixture
def house(houses: Callable[..., House]) -> House:
    """Give the page as it is without any setting: it listens on loopback."""
    return houses()
