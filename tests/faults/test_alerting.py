"""A real Prometheus asks a real worker: nothing is said while all is well, and each fault that is provoked by its own alert."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stream.demo.local_redis import LocalRedis
from stream.faults import ServerMissing
from tests.conftest import missing
from tests.faults.bench_world import World
from tests.faults.test_operations import CANARY, Watched
from tests.servers.process import wait_until
from tests.servers.prometheus import Prometheus, program

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis, pytest.mark.timeout(300)]
RULES = Path(__file__).parents[2] / "deploy" / "rules" / "churnwatch.yml"


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    try:
        program("prometheus")
    except ServerMissing as error:
        missing(error)


def clicks(count: int, *, ahead_s: int = 0, key: str = "") -> list[tuple[str, bytes]]:
    now_ms = int(time.time() * 1000)
    users = [f"user-{number % 100}" for number in range(count)]
    return [
        (key or user, json.dumps({"user": user, "ts": now_ms + ahead_s * 1000 - count + at, "type": "view"}).encode())
        for at, user in enumerate(users)
    ]


def test_what_is_wrong_is_said_and_nothing_else(world: World, own_redis: LocalRedis, tmp_path: Path) -> None:
    worker = Watched(world)
    wait_until(lambda: worker.get("/ready")[0] == 200, 60, "ready", world.tails)
    with Prometheus(tmp_path, RULES, {"churnwatch": [worker.url]}, CANARY) as prometheus:
        sent = 0

        def said(alert: str, provoke: Callable[[], list[tuple[str, bytes]]]) -> None:
            """Provoke until it is said: a rate needs two looks at a counter that has grown."""
            nonlocal sent

            def once() -> bool:
                nonlocal sent
                sent += world.produce(provoke())
                world.wait_taken(sent, 60)
                return alert in prometheus.alerts()

            wait_until(once, 60, alert, lambda: str(prometheus.alerts()))

        def well() -> bool:
            nonlocal sent
            sent += world.produce(clicks(200))
            world.wait_taken(sent, 60)
            return (prometheus.value("churnwatch:events:rate5m") or 0) > 10

        wait_until(well, 60, "clicks are counted", world.tails)
        assert prometheus.alerts() == set()
        said("ChurnwatchForeignKeys", lambda: clicks(10, key="visit-1"))
        assert prometheus.alerts() == {"ChurnwatchForeignKeys"}
        said("ChurnwatchRejects", lambda: [("user-1", b"no JSON")] * 100)
        said("ChurnwatchFutureEvents", lambda: clicks(100, ahead_s=7 * 86_400))
        assert prometheus.alerts() == {"ChurnwatchForeignKeys", "ChurnwatchRejects", "ChurnwatchFutureEvents"}
        worker.program.kill()
        wait_until(lambda: {"ChurnwatchProcessDown", "ChurnwatchNoWorker"} <= prometheus.alerts(), 60, "nobody works", world.tails)
