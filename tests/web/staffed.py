"""A page over the history of the examples, with somebody of each role and a second analyst."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.insights.example import import_example
from tests.web.test_explore import Exploring, exploring


@contextmanager
def staffed(folders: pytest.TempPathFactory) -> Iterator[Exploring]:
    history = import_example(folders.mktemp("example"))
    made = exploring(Path(folders.mktemp("page")), history__dir=str(history), page__address="127.0.0.1:6080")
    made.open()
    for login, role in (("vera", "viewer"), ("ann", "analyst"), ("ben", "analyst"), ("ada", "admin")):
        made.person(login, role)  # type: ignore[arg-type]  # each is a role
    yield made
    made.close()
