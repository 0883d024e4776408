"""Houses: pages with a door."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.access.house import House, make_house


@pytest.fixture
def houses(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Give a function that opens houses, by their settings."""
    made: list[House] = []

    def opened(**settings: Any) -> House:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(make_house(folder, **settings))
        return made[-1]

    yield opened
    for one in made:
        one.store.close()


@pytest.fixture
def house(houses: Callable[..., House]) -> House:
    """Give the page as it is without any setting: it listens on loopback."""
    return houses()
