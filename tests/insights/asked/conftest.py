"""A history, and somebody who asks it from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from insights.asked.asked import Asked
from insights.asked.messages import Setup
from insights.store.store import open_store
from tests.insights.example import import_example

DAY_MS = 86_400_000


class Clock:
    """Time that only tests move, ms."""

    now_ms = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return import_example(tmp_path_factory.mktemp("example"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(history: Path, tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Asked]]:
    """Open one more who asks, over one store and one history unless it is said otherwise."""
    closing: list[Callable[[], None]] = []

    def one(
        *, folder: Path = history, memory_mb: int = 2_048, seconds: float = 120.0, kept_bytes: int = 1 << 28, least_group: int = 1
    ) -> Asked:
        store = open_store(f"sqlite:///{tmp_path / 'page.db'}")
        setup = Setup(folder=str(folder), complete_from_ms=0, activity=(), horizon_ms=14 * DAY_MS, memory_mb=memory_mb)
        made = Asked(setup, store, seconds=seconds, kept_bytes=kept_bytes, now_ms=clock, least_group=least_group)
        closing.extend([store.close, made.close])
        return made

    yield one
    for close in reversed(closing):
        close()


@pytest.fixture(scope="module")
def asked(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """Give somebody who asks and has a process already, which most tests can share."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('asked') / 'page.db'}")
    setup = Setup(folder=str(history), complete_from_ms=0, activity=(), horizon_ms=14 * DAY_MS, memory_mb=2_048)
    made = Asked(setup, store, seconds=120.0, kept_bytes=1 << 28, now_ms=Clock())
    yield made
    made.close()
    store.close()
