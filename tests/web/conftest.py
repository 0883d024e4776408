"""Worlds that tests of pages share: they are read only, and cost some seconds to play."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stream.demo.local_redis import LocalRedis
from tests.web.world import HOSTILE, WebWorld, make_world


@pytest.fixture(scope="session")
def full(redis_server: LocalRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebWorld]:
    """Ninety days, with people whose ids strangers chose, and a threshold at which some thirty of them are at risk."""
    settings = {"alerts__threshold": 0.4}
    made = make_world(
        "full", redis_server, tmp_path_factory.mktemp("full"), app_name="pages-full", users=240, ids=HOSTILE, quiet=True, settings=settings
    )
    yield made
    made.close()
