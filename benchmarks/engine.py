"""The engine against stock Faust and the naive job, on one machine in one go: `python -m benchmarks.engine [--quick]`.

Starts its own Kafka and Redis on loopback, and ends everything it started. The full job is measured with nothing switched off: the log
before the timed part spans 15 days of event time, so that landmarks, labels, alerts, examples and learning all flow while it is timed.
Writes `benchmarks/results/latest.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.events import Stretch, produce
from benchmarks.latency import click_to_alert
from benchmarks.sweep import TOML as SWEEP_TOML
from benchmarks.sweep import sweep
from benchmarks.world import App, Servers, TooSlow, cpu_of, memory_of, settled_part, side_program, used_memory
from features.definitions.definition import DAY_MS
from stream.demo.local_redis import LocalRedis
from tests.servers.kafka import KafkaServer
from tests.servers.process import wait_until

RESULTS = Path(__file__).parent / "results" / "latest.json"
HOUR_MS = 3_600_000
WARM_DAYS = 15.5
TOML = """
[alerts]
max_age = "4d"
threshold = 0.5
"""
"""The timed days lie up to three days back; with the default of one day their alerts would be too old to open. Made-up clicks have no
leavers among them, so the threshold is lower than usual: more alerts, which is more work."""
console = Console()


@dataclass
class Bench:
    """One run.

    Attributes
    ----------
    scale : float
        1 for the full measure, 0.1 for a quick one.
    results : dict
        What goes to the file.
    """

    servers: Servers
    folder: Path
    scale: float
    progress: Progress
    stack: ExitStack
    results: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.users = int(200_000 * self.scale)
        self.timed = int(2_000_000 * self.scale)
        self.side_s = max(5.0, 20 * self.scale)
        self.now_ms = int(time.time() * 1000)
        self.task = self.progress.add_task("", total=None)

    def told(self, what: str, done: float | None = None) -> None:
        self.progress.update(self.task, description=what if done is None else f"{what}: {done:,.0f}")

    def say(self, **found: float) -> None:
        self.results.update(found)
        for name, value in found.items():
            self.progress.console.print(f"  {name} = {value:,}")

    def app(self, name: str, toml: str) -> App:
        app = App(self.servers, name, self.folder / name, toml)
        self.stack.callback(app.kill_all)
        return app

    def send(self, app: App, stretch: Stretch) -> None:
        self.told(f"writing {stretch.count:,} clicks")
        produce(self.servers.kafka.bootstrap, app.topics["clicks"], stretch)

    def warm_up(self, app: App) -> None:
        """Load fifteen days before the timed ones, so that there are pending snapshots: every user once on the first day, then skewed."""
        empty = used_memory(app.client)
        start, end = self.now_ms - int((WARM_DAYS + 2.25) * DAY_MS), self.now_ms - int(2.25 * DAY_MS)
        self.send(app, Stretch(self.users, start, start + DAY_MS, self.users, "w0", once=True))
        self.send(app, Stretch(3 * self.users, start + DAY_MS, end, self.users, "w1"))
        workers = [app.start(), app.start()]
        app.start("train")
        began = time.monotonic()
        app.follow(sum(app.ends().values()), 900, lambda done: self.told("warm-up: 15 days of landmarks, clicks taken", done))
        self.told("warm-up: trainer catches up")
        app.settle()
        totals = app.totals()
        self.say(warm_up_s=round(time.monotonic() - began, 1), warm_up_examples=totals["examples"])
        self._weigh(app, empty)
        app.stop(*workers)

    def _weigh(self, app: App, empty: int) -> None:
        self.told("weighing Redis")
        _, snaps = memory_of(app.client, f"cw:{app.name}:{{?}}:snap:*")
        total = used_memory(app.client) - empty
        self.say(
            redis_bytes_per_user_at_14d=round(total / self.users, 1),
            redis_bytes_snapshots_per_user_at_14d=round(snaps / self.users, 1),
        )

    def full_job(self, app: App, workers: int, day: int) -> None:
        """Time `workers` processes over one day of event time."""
        end = self.now_ms - int(0.25 * DAY_MS) - (2 - day) * DAY_MS
        self.send(app, Stretch(self.timed, end - DAY_MS, end, self.users, f"t{day}"))
        base, before = app.taken(), app.totals()
        began = time.monotonic()
        started = [app.start() for _ in range(workers)]
        samples = app.follow(
            sum(app.ends().values()), 300, lambda done: self.told(f"full job, {workers} worker(s), clicks taken", done - base)
        )
        first, last = settled_part(samples, base)
        count, seconds = last.offset - first.offset, last.at - first.at
        name = {1: "one_worker", 2: "two_workers"}[workers]
        after = app.totals()
        self.say(
            **{
                f"full_{name}_eps": round(count / seconds),
                f"full_{name}_cpu_s_per_million": round((last.cpu_s - first.cpu_s) / count * 1e6, 2),
                f"full_{name}_timed_events": count,
                f"full_{name}_examples": after["examples"] - before["examples"],
            }
        )
        if workers == 1:
            self.say(start_to_first_event_s=round(next(s.at for s in samples if s.offset > base) - began, 2))
        self.told("trainer catches up")
        app.settle()
        settled = app.cpu_s() - last.cpu_s
        self.say(**{f"full_{name}_cpu_s_after": round(settled, 2)})
        app.stop(*started)

    def side(self, name: str, app: App, module: str, *more: str) -> float:
        """Run stock Faust or the naive job alone; return events a second."""
        program = side_program(
            module, [self.servers.kafka.bootstrap, app.topics["clicks"], str(self.side_s), *more], self.folder / f"{name}.log"
        )
        self.stack.callback(program.kill)
        before = sum(map(cpu_of, self.servers.pids()))
        self.told(f"{name}: {self.side_s:g} s")
        wait_until(
            lambda: "EPS " in program.text() or program.process.poll() is not None, self.side_s + 60, f"{name} to speak", program.text
        )
        servers = sum(map(cpu_of, self.servers.pids())) - before
        program.kill()
        if "EPS " not in program.text():
            raise TooSlow(f"{name} ended:\n{program.text()[-2000:]}")
        words = program.text().rpartition("EPS ")[2].split()
        self.say(
            **{f"{name}_eps": float(words[0]), f"{name}_cpu_s_per_million": round((float(words[2]) + servers) / int(words[4]) * 1e6, 1)}
        )
        return float(words[0])

    def latency(self, app: App) -> None:
        """Send 5,000 clicks a second, with event time a hundred and twenty times as fast as the clock, so that landmarks come every 2.5 s."""
        before = app.sample().owners
        workers = [app.start(), app.start()]
        wait_until(
            lambda: (
                all("shard taken" in worker.text() for worker in workers)
                and all(now != was for now, was in zip(app.sample().owners, before, strict=True))
            ),
            60,
            "both workers to own their shards",
        )
        seconds = max(10, round(45 * self.scale))
        start = self.now_ms - int(0.25 * DAY_MS)
        stretch = Stretch(seconds * 5_000, start, start + seconds * 120_000, self.users, "ll")
        heard = click_to_alert(
            self.servers.kafka.bootstrap, app.topics, stretch, 5_000, 3, lambda sent: self.told("5,000 clicks a second, sent", sent)
        )
        if not heard.latencies_ms:
            raise TooSlow("no alert was heard")
        self.say(
            click_to_alert_p50_ms=heard.percentile(50),
            click_to_alert_p90_ms=heard.percentile(90),
            click_to_alert_p99_ms=heard.percentile(99),
            click_to_alert_max_ms=heard.percentile(100),
            click_to_alert_alerts=len(heard.latencies_ms),
        )
        self.results["click_to_alert_types"] = dict(heard.types)
        app.stop(*workers)

    def sweep(self) -> None:
        app = self.app("sweep", SWEEP_TOML)
        self.say(**sweep(app, int(1_000_000 * self.scale), self.now_ms - 5 * DAY_MS, 2, self.told))
        app.stop(*list(app.programs))

    def run(self) -> None:
        app = self.app("bench", TOML)
        self.warm_up(app)
        self.full_job(app, 1, 1)
        self.full_job(app, 2, 2)
        self.latency(app)
        app.stop(*list(app.programs))
        self.side("stock_faust", app, "benchmarks.stock_faust", "json")
        self.side("stock_faust_raw", app, "benchmarks.stock_faust", "raw")
        self.side("naive", app, "benchmarks.naive", self.servers.redis.url)
        self.sweep()
        found = self.results
        # the trainer puts work off while there are clicks to take, so this includes what it did afterwards
        found["cpu_s_per_million"] = round(
            found["full_two_workers_cpu_s_per_million"] + found["full_two_workers_cpu_s_after"] / self.timed * 1e6, 2
        )
        found["one_worker_to_stock"] = round(found["full_one_worker_eps"] / found["stock_faust_eps"], 1)
        found["one_worker_to_stock_raw"] = round(found["full_one_worker_eps"] / found["stock_faust_raw_eps"], 1)
        found["two_workers_to_stock_raw"] = round(found["full_two_workers_eps"] / found["stock_faust_raw_eps"], 1)
        found["two_workers_to_stock"] = round(found["full_two_workers_eps"] / found["stock_faust_eps"], 1)
        found["two_workers_to_naive"] = round(found["full_two_workers_eps"] / found["naive_eps"], 1)


ROWS = (
    ("full job, one worker / stock Faust", "one_worker_to_stock", "x", ">= 10"),
    ("full job, two workers / stock Faust", "two_workers_to_stock", "x", ">= 16, aim 24"),
    ("full job, two workers / naive job", "two_workers_to_naive", "x", ">= 80, aim 120"),
    ("full job, one worker", "full_one_worker_eps", "events/s", ""),
    ("full job, two workers", "full_two_workers_eps", "events/s", ""),
    ("stock Faust, empty agent (it decodes JSON)", "stock_faust_eps", "events/s", ""),
    ("stock Faust, empty agent, bytes handed through", "stock_faust_raw_eps", "events/s", ""),
    ("naive job", "naive_eps", "events/s", ""),
    ("CPU of all processes, the trainer's afterwards too", "cpu_s_per_million", "s per million events", "<= 25, aim 15"),
    ("click to alert, p50", "click_to_alert_p50_ms", "ms", ""),
    ("click to alert, p99", "click_to_alert_p99_ms", "ms", "<= 200, aim 100"),
    ("Redis, state and timer", "redis_bytes_per_user", "bytes a user", "<= 750, aim 450"),
    ("Redis, a pending snapshot", "redis_bytes_per_pending_snapshot", "bytes", "<= 130"),
    ("Redis, all in at a horizon of 14 days", "redis_bytes_per_user_at_14d", "bytes a user", ""),
    ("sweep of silent users at a landmark", "sweep_1m_s", "s", "<= 20 for 1 M, aim 10"),
    ("the same with as many labels", "sweep_1m_with_labels_s", "s", ""),
    ("start of a worker to its first commit", "start_to_first_event_s", "s", ""),
)


def table(found: dict[str, Any]) -> Table:
    """Return what was measured, each beside its bound."""
    made = Table(title=f"churnwatch bench{'' if found['scale'] == 1 else ', quick'}: {found['machine']}")
    for name in ("what", "measured", "unit", "must hold"):
        made.add_column(name, justify="right" if name == "measured" else "left")
    for what, key, unit, bound in ROWS:
        made.add_row(what, f"{found[key]:,}" if key in found else "not measured", unit, bound)
    return made


def machine() -> str:
    """Cores, memory and system of this machine, in words."""
    memory_gib = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory_gib:.0f} GiB, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def main() -> None:
    """Measure, print the figures, and write them to the file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of users, events and seconds")
    parser.add_argument("--keep", type=Path, help="folder for the servers' files and logs (default: a temporary one)")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(143)))
    scale = 0.1 if args.quick else 1.0
    with ExitStack() as stack:
        folder = args.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="churnwatch-bench-")))
        progress = stack.enter_context(Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console))
        progress.console.print("starting Kafka and Redis")
        redis = stack.enter_context(LocalRedis(folder / "redis"))
        kafka = stack.enter_context(KafkaServer(folder / "kafka"))
        began = time.monotonic()
        bench = Bench(Servers(kafka, redis), folder, scale, progress, stack)
        bench.results |= {"scale": scale, "machine": machine(), "date": time.strftime("%Y-%m-%d"), "load_before": os.getloadavg()[0]}
        try:
            bench.run()
        finally:
            bench.results["bench_s"] = round(time.monotonic() - began, 1)
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(bench.results, indent=2) + "\n")
    console.print(table(bench.results))
    console.print(f"written to {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS}")


if __name__ == "__main__":
    main()
