"""What the API of `churnwatch web` takes: `python -m benchmarks.page [--quick]`.

Starts its own Redis with the states of 200,000 users, 2,000 of whom have an open alert in the page's store, its own Kafka and one web process, all on
loopback, and ends everything it started. The web process has one core to itself; callers, Redis and Kafka share the others. Each question is about
another user, drawn at random, and each page is another part of the list in another order, so that none was drawn before.

Writes `benchmarks/results/page.json` and prints a table.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import psutil
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.callers import Seen, flood, request, steady
from benchmarks.events import Stretch, clicks
from benchmarks.world import PARTITIONS, App, Servers
from features.compiled.texts import ids_of
from features.definitions.definition import DAY_MS
from features.store.app_spec import AppSpec
from features.store.contract import Commit
from features.store.redis import RedisStore, save_spec
from features.users.landmarks import phase_of
from features.users.packed_state import pack_states
from features.users.state import init_state, state_dtype
from features.users.update import apply_event
from insights.live.listing import SORTS
from insights.past.fold.batch import Batch
from insights.past.hold import Source
from insights.past.writer import Writer
from insights.store.store import open_store
from stream.alerts.message import Alert, ReasonCode, alert_id
from stream.alerts.sentences import say
from stream.demo.local_redis import LocalRedis, free_port
from stream.kafka.origin import app_header
from stream.shard.meta import ShardMeta
from tests.servers.kafka import KafkaServer
from tests.servers.process import Program, wait_until

RESULTS = Path(__file__).parent / "results" / "page.json"
LINES = 200
EVENTS_A_BATCH = 1_000
ALERTS = 2_000
KINDS = 50
"""So many different states there are; the others are copies, which no reader can tell."""


class Row(NamedTuple):
    """One line of the table."""

    what: str
    goal: str
    seen: Seen
    cpu_us: float
    """CPU of the web process for one answer."""
    memory: int
    """Bytes that the web process has then."""
    units: int = 1
    """What one answer counts for."""


async def fill(app: App, count: int, now_ms: int) -> list[str]:
    """Store users as workers do; return their ids."""
    spec = app.settings.spec(("click", "view"))
    save_spec(app.client, app.name, AppSpec(spec=spec, cluster_id="bench", topic_id="bench", partitions=PARTITIONS))
    store = RedisStore(app.client, app.name)
    users = [f"u{number:07d}" for number in range(count)]
    for partition in range(PARTITIONS):
        mine = users[partition::PARTITIONS]
        kinds = np.zeros(min(KINDS, len(mine)), state_dtype(len(spec.definitions)))
        for slot in range(len(kinds)):
            init_state(kinds, slot, phase_of(mine[slot]))
            for day in range(12):
                apply_event(
                    kinds[slot], now_ms - (20 - day) * DAY_MS + slot * 60_000, spec.type_word("click"), float("nan"), 0, spec.session_gap_ms
                )
        kinds["scored_ms"], kinds["risk"], kinds["opened_ms"] = now_ms, 40_000, now_ms - DAY_MS
        kinds["alert_open"][::10] = 1
        states = kinds[np.arange(len(mine)) % len(kinds)]
        taken = await store.take(partition, 1)
        number = taken.commit_no
        for at in range(0, len(mine), 20_000):
            some, meta = mine[at : at + 20_000], ShardMeta(max_ms=now_ms)
            packed = pack_states(states[at : at + 20_000], np.arange(len(some)), ids_of(some))
            await store.commit(partition, Commit(taken.token, number, meta.pack(), some, packed))
            number += 1
    store.close()
    return users


def tell(app: App, users: list[str], now_ms: int) -> None:
    """Let the page's store know of open alerts, as its reader of the topics would."""
    spec = app.settings.spec(("click", "view"))
    horizon_ms, opened_ms = spec.definitions[0].horizon_ms, now_ms - DAY_MS
    store = open_store(f"sqlite:///{app.folder / 'page.db'}")
    topics = (app.topics["alerts"], app.topics["examples"])
    writer = Writer(store, Source(app.name, "bench", "bench", topics, spec.timezone), "bench")
    standing = writer.take(now_ms)
    if standing is None:
        raise RuntimeError("a new store belongs to nobody")
    batch, code = Batch(app.name, spec.hash, standing), ReasonCode("silence", 700_000.0, 80_000.0, "seconds")
    for at in range(0, len(users), max(1, len(users) // ALERTS)):
        alert = Alert(
            alert_id=alert_id(app.name, spec.definitions[0].name, users[at], opened_ms), type="opened", cause=None, user=users[at],
            definition=spec.definitions[0].name, risk=0.7 + 0.3 * (at % 97) / 97, threshold=0.7, horizon_ms=horizon_ms, landmark_ms=opened_ms,
            valid_until_ms=opened_ms + horizon_ms, event_time_ms=opened_ms, scored_ms=opened_ms, reasons=[say(code, spec, "en")],
            reason_codes=[code], model="logistic", model_version=1, partition=at % PARTITIONS, input_offset=at,
        )  # fmt: skip
        batch.add_alert(msgspec.json.encode(alert), app_header(app.name))
    writer.commit(batch, now_ms, {})
    writer.release()
    store.close()


def pages() -> Iterator[bytes]:
    """Yield parts of the list: more than are kept."""
    every = [f"/at-risk?sort={sort}&page={number}" for number in range(1, 41) for sort in SORTS]
    return itertools.cycle([request("GET", path) for path in every])


def risks_of(users: list[str]) -> Iterator[bytes]:
    """Yield questions about one user each, at random."""
    rng = random.Random(1)
    some = [request("GET", f"/api/v1/users/{user}/risk") for user in rng.sample(users, min(len(users), 20_000))]
    return itertools.cycle(some)


def batches(now_ms: int) -> Iterator[bytes]:
    """Yield batches of events that nobody has sent before."""
    for number in itertools.count():
        stretch = Stretch(EVENTS_A_BATCH, now_ms - 3_600_000, now_ms, 200_000, f"{number % 100:02d}")
        body = b",".join(payload.replace(b'"event_id":"', b'"event_id":"%d-' % number) for _, payload in clicks(stretch, seed=number))
        yield request("POST", "/api/v1/batch", b'{"events":[' + body + b"]}", "Content-Type: application/json\r\n")


class Web:
    """The web process of an app, on a core of its own."""

    def __init__(self, app: App, core: int) -> None:
        self.port = free_port()
        environment = {
            **app.environment, "CHURNWATCH_PAGE": f"127.0.0.1:{self.port}", "CHURNWATCH_PAGE_STORE": f"sqlite:///{app.folder / 'page.db'}",
        }  # fmt: skip
        self.program = Program(["web"], environment, app.folder / "web.log")
        app.programs.append(self.program)
        self.process = psutil.Process(self.program.process.pid)
        self.process.cpu_affinity([core])  # it has no other threads yet, and they inherit it
        wait_until(self._listens, 60, "the page listens", self.program.text)

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def cpu_s(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> int:
        return int(self.process.memory_info().rss)

    def flooded(self, what: str, goal: str, asked: Iterator[bytes], lines: int, for_s: float, units: int = 1) -> Row:
        """Ask as fast as it answers, after a second that does not count."""
        uvloop.run(flood(self.port, asked, lines=lines, for_s=1.0))
        before = self.cpu_s()
        seen = uvloop.run(flood(self.port, asked, lines=lines, for_s=for_s))
        return Row(what, goal, seen, (self.cpu_s() - before) / max(1, len(seen.took_s)) * 1e6, self.memory(), units)

    def asked_steadily(self, what: str, goal: str, asked: Iterator[bytes], rate: float, for_s: float) -> Row:
        """Ask so often a second, after a second that does not count; on so few connections that none says nothing for long, since it would be ended."""
        lines = min(50, int(2 * rate))
        uvloop.run(steady(self.port, asked, lines=lines, rate=rate, for_s=1.0))
        before = self.cpu_s()
        seen = uvloop.run(steady(self.port, asked, lines=lines, rate=rate, for_s=for_s))
        return Row(what, goal, seen, (self.cpu_s() - before) / max(1, len(seen.took_s)) * 1e6, self.memory())


def measured(servers: Servers, folder: Path, stack: ExitStack, core: int, count: int, for_s: float) -> tuple[list[Row], int]:
    """Measure one app with so many users; return the rows, and the bytes of memory that the web process takes afterwards."""
    now_ms = int(time.time() * 1000)
    app = App(servers, f"page-{count}", folder / str(count), "[page]\napi_rate = 1000000\napi_events = 10000000\n")
    stack.callback(app.kill_all)
    users = uvloop.run(fill(app, count, now_ms))
    tell(app, users, now_ms)
    web = Web(app, core)
    of_all = json.dumps({"users": users[:1_000]}).encode()
    rows = [
        web.flooded(f"risk of one of {count:,} users, {LINES} connections", ">= 2,000/s", risks_of(users), LINES, for_s),
        web.asked_steadily(f"risk of one of {count:,} users, 500/s", "p99 <= 20 ms", risks_of(users), 500, for_s),
        web.asked_steadily(f"page At risk, {min(ALERTS, count):,} open alerts, 4/s", "p95 <= 300 ms", pages(), 4, for_s),
        web.flooded("risks of 1,000 users", "", itertools.repeat(request("POST", "/api/v1/risks", of_all)), 4, for_s, 1_000),
        web.flooded(f"batch of {EVENTS_A_BATCH:,} events, 8 connections", ">= 20,000 events/s", batches(now_ms), 8, for_s, EVENTS_A_BATCH),
    ]
    memory = web.memory()
    app.stop(web.program)
    return rows, memory


def table_of(rows: list[Row]) -> Table:
    table = Table()
    for name in ("what", "goal", "a second", "errors", "p50 ms", "p95 ms", "p99 ms", "CPU us an answer", "MB"):
        table.add_column(name, justify="left" if name in {"what", "goal"} else "right")
    for row in rows:
        seen = row.seen
        figures = [
            f"{seen.rate * row.units:,.0f}",
            f"{seen.errors}",
            *(f"{seen.ms(share):.1f}" for share in (50, 95, 99)),
            f"{row.cpu_us:,.0f}",
            f"{row.memory / 1e6:.0f}",
        ]
        table.add_row(row.what, row.goal, *figures)
    return table


def facts(row: Row) -> dict[str, Any]:
    seen = row.seen
    return {
        "what": row.what, "goal": row.goal, "a_second": round(seen.rate * row.units), "errors": seen.errors, "cpu_us": round(row.cpu_us), "memory_mb": round(row.memory / 1e6),
        **{f"p{share}_ms": round(seen.ms(share), 1) for share in (50, 95, 99)},
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="20,000 users and 3 s a row, to see that it works")
    quick = parser.parse_args().quick
    count, for_s = (20_000, 3.0) if quick else (200_000, 20.0)
    console = Console(width=160)
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="churnwatch-page-") as folder, ExitStack() as stack:
        servers = Servers(KafkaServer(Path(folder) / "kafka"), LocalRedis(Path(folder) / "redis", appendonly=False))
        if len(cores) > 1:  # what is started from here on stays off the first core, but for the web process
            os.sched_setaffinity(0, set(cores[1:]))
        servers.kafka.start()
        stack.callback(servers.kafka.kill)
        servers.redis.start()
        stack.callback(servers.redis.stop)
        few, _ = measured(servers, Path(folder), stack, cores[0], count // 100, for_s)
        many, memory = measured(servers, Path(folder), stack, cores[0], count, for_s)
    rows = [*many, few[0]]
    console.print(table_of(rows))
    growth = few[0].seen.rate / many[0].seen.rate
    console.print(
        f"100 times as many users: a question takes {growth:.2f} times as long. Memory of the web process: {memory / 1e6:.0f} MB."
    )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"rows": list(map(facts, rows)), "growth": round(growth, 2), "memory_mb": round(memory / 1e6)}, indent=2))


if __name__ == "__main__":
    main()
