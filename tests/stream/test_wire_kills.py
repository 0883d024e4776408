"""A read_committed reader sees each entry exactly once, whichever publisher dies at whichever point."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from stream.kafka.connection import Connection
from stream.kafka.scan import open_scan
from stream.kafka.shard_wire import ExamplesProducer, KafkaWire
from tests.stream.topics import make_topics
from tests.stream.wire_child import How, Orders, publish_from

pytestmark = [pytest.mark.real_kafka, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
FOREVER = 10**9


@pytest.fixture
def orders(kafka: str, app_name: str) -> Orders:
    return Orders(kafka, app_name, make_topics(kafka, f"{app_name}.", 1), "anywhere", 0, FOREVER)


def start_child(orders: Orders, how: How, seed: int) -> subprocess.Popen[str]:
    argument = msgspec.json.encode(msgspec.structs.replace(orders, how=how, seed=seed)).decode()
    command = [sys.executable, "-m", "tests.stream.wire_child", argument]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def last_acknowledged(lines: str) -> int:
    return max((int(line.split()[1]) for line in lines.splitlines() if line.startswith("ack ")), default=-1)


async def seen_by_a_reader(orders: Orders) -> list[int]:
    """All numbers in both output topics, in order of each topic's log."""
    numbers: list[list[int]] = []
    for logical in ("alerts", "dead_letters"):
        async with open_scan(Connection(orders.bootstrap), orders.topics[logical], 0) as scan:
            numbers.append([int(record.value) for record in await scan.read(scan.first, scan.end)])
            assert numbers[-1] == sorted(numbers[-1])
    return sorted(numbers[0] + numbers[1])


def plan(each: int) -> Iterator[tuple[How, int]]:
    ways: tuple[How, ...] = ("begun", "sent", "committing", "anywhere")
    for seed in range(each):
        for how in ways:
            yield how, seed


async def test_killed_anywhere_each_entry_is_seen_once(orders: Orders, full: bool) -> None:
    acknowledged, deaths, unheard = -1, Counter[str](), 0
    for how, seed in plan(25 if full else 4):
        with start_child(orders, how, seed) as child:
            out, errors = child.communicate(timeout=180)
        assert child.returncode == -signal.SIGKILL, errors
        deaths[how] += 1
        acknowledged = max(acknowledged, last_acknowledged(out))
        # the successor: fences, ends what was left open, and knows how far it got
        examples = ExamplesProducer(orders.wire)
        wire = KafkaWire(orders.wire, 0, examples)
        await wire.open()
        marker = await wire.last_marker()
        await wire.close()
        upto = marker.next_offset if marker else 0
        assert upto > acknowledged, f"{how}, seed {seed}: acknowledged up to {acknowledged}, marker says {upto}"
        unheard += upto > acknowledged + 1
        assert await seen_by_a_reader(orders) == list(range(upto)), f"{how}, seed {seed}"
    print(f"kills {dict(deaths)}; committed but never acknowledged {unheard}; entries {acknowledged + 1}")
    assert acknowledged > 0


async def test_a_zombie_says_nothing_more(orders: Orders, full: bool) -> None:
    fenced = Counter[str]()
    examples = ExamplesProducer(orders.wire)
    ways: tuple[How, ...] = ("stop begun", "stop sent")
    for seed in range(10 if full else 2):
        for how in ways:
            with start_child(orders, how, seed) as child:
                await asyncio.to_thread(os.waitpid, child.pid, os.WUNTRACED)  # returns when it has stopped itself
                owner = KafkaWire(orders.wire, 0, examples)
                await owner.open()
                marker = await owner.last_marker()
                start = marker.next_offset if marker else 0
                await publish_from(owner, start, start + 30)
                os.kill(child.pid, signal.SIGCONT)
                out, errors = child.communicate(timeout=180)
            assert child.returncode == 0, errors
            assert "lost " in out, "the zombie went on as if nothing had happened"
            fenced[out.split("lost ")[1].split()[0]] += 1
            assert last_acknowledged(out) < start
            await publish_from(owner, start + 30, start + 31)
            await owner.close()
            assert await seen_by_a_reader(orders) == list(range(start + 31))
    print(f"zombies, by what they were told: {dict(fenced)}")
