"""Events that are meant to do harm, through a worker on real servers: no user in logs and metrics, and no series more for them."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator

import pytest

from stream.demo.local_redis import free_port
from tests.faults.bench_world import World
from tests.servers.process import wait_until

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis]
CANARY = "canary-8231"
LATER = {"churnwatch_largest_user_share{}"}
"""Series that are there once a thousand events were counted, whenever the worker looks next."""
USERS = (
    f"{CANARY}-[/]",
    f"{CANARY}\x1b[2J",
    f"{CANARY}\n2026-01-01 00:00:00,000 ERROR forged",
    f"{CANARY}\u202e",
    f'{CANARY}"}} 1\nevil 1',
)
STAMP = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ")


def events(kinds: int, first: int) -> Iterator[tuple[str, bytes]]:
    now_ms = time.time_ns() // 1_000_000
    for number in range(kinds):
        user, kind = USERS[number % len(USERS)], f"{CANARY}-type-{number}\n[/]"
        event = {"user": user, "ts": now_ms - 60_000 + number, "type": kind, "channel": kind, "event_id": f"{first + number}"}
        yield user, json.dumps(event).encode()
    yield USERS[0], json.dumps({"user": USERS[0], "ts": CANARY, "type": "click"}).encode()
    yield USERS[0], CANARY.encode()


def series(address: str) -> dict[str, str]:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def names(found: dict[str, str]) -> set[str]:
    """Series without their partition: a partition has its own once the worker has looked at it."""
    return {re.sub(r'partition="[0-3]"', "", name) for name in found}


@pytest.mark.timeout(180)
def test_logs_and_metrics_name_no_user_and_do_not_grow_with_types(world: World) -> None:
    address = f"127.0.0.1:{free_port()}"
    world.environment["CHURNWATCH_WEB"] = address
    worker = world.start()
    sent = world.produce(events(50, 0))
    world.wait_taken(sent, 60)
    wait_until(lambda: "churnwatch_watermark_seconds{}" in names(series(address)), 30, "the worker has looked at its shards")
    few = names(series(address))
    sent += world.produce(events(2_000, 1_000))
    world.wait_taken(sent, 60)
    many = series(address)
    assert names(many) - LATER == few - LATER
    assert not [name for name in many if CANARY in name]
    assert float(many['churnwatch_events_total{outcome="ok"}']) == sent - 4
    assert worker.terminate() == 0, worker.text()
    assert CANARY not in worker.text()
    assert "Traceback" not in worker.text()
    assert all(STAMP.match(line) for line in worker.text().splitlines())
