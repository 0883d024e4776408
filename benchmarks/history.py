"""What the history takes: `python -m benchmarks.history FILES [--kafka]`.

Imports files of events into a history of its own (the whole command, from its start to its end), and says how many bytes an event takes. With `--kafka` it also sends
them to a Kafka of its own on loopback and has `churnwatch history run` write them, from the first commit to the last.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table as Shown

from insights.history.table import Table
from insights.history.tables import EVENTS, USER_DAY, USERS
from stream.cli.admin import create_topics
from stream.settings import load_settings
from tests.servers.kafka import KafkaServer

COMMAND = [sys.executable, "-c", "from stream.cli import main; main()"]


def ended(args: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Run a command; return its seconds on the wall, and of CPU."""
    began = time.monotonic()
    before = os.times()
    subprocess.run([*COMMAND, *args], env=env, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return time.monotonic() - began, after.children_user + after.children_system - before.children_user - before.children_system


def sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of each table's files, without its log."""
    return {spec.name: sum(one.size_bytes for one in Table.open(folder, spec).files()) for spec in (EVENTS, USER_DAY, USERS)}


def followed(folder: Path, env: dict[str, str], count: int) -> tuple[float, float]:
    """Let a writer read everything; return the seconds of its CPU at its first commit and until the last, and the wall between."""
    with subprocess.Popen([*COMMAND, "history", "run"], env=env) as writer:
        seen = psutil.Process(writer.pid)
        first: tuple[float, float, int] | None = None
        try:
            while True:
                done = _done(folder)
                used = sum(seen.cpu_times()[:2])
                if done and first is None:
                    first = (time.monotonic(), used, done)
                if first is not None and done >= count:
                    events = done - first[2]
                    return (used - first[1]) / events * 1e6, events / (time.monotonic() - first[0])
                time.sleep(0.2)
        finally:
            writer.terminate()


def _done(folder: Path) -> int:
    try:
        return sum(Table.open(folder, EVENTS).standing.ends.values())
    except Exception:  # noqa: BLE001 - it is not there yet
        return 0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--kafka", action="store_true")
    args = parser.parse_args()
    shown = Shown("what", "events", "wall", "CPU", "CPU a million", "events/s", title="the history")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "imported"
        env: dict[str, Any] = {**os.environ, "CHURNWATCH_HISTORY": str(folder), "CHURNWATCH_HISTORY_WEB": ""}
        wall, cpu = ended(["history", "import", *args.files], env)
        events = Table.open(folder, EVENTS).standing.rows
        shown.add_row("import", f"{events:,}", f"{wall:.1f} s", f"{cpu:.1f} s", f"{cpu / events * 1e6:.2f} s", f"{events / wall:,.0f}")
        say = Console()
        if args.kafka:
            kafka = KafkaServer(Path(made) / "kafka")
            kafka.start()
            try:
                env |= {"CHURNWATCH_KAFKA": kafka.bootstrap, "CHURNWATCH_HISTORY": str(Path(made) / "followed")}
                list(create_topics(load_settings(environment=env)))
                send(args.files, env)
                a_million, rate = followed(Path(made) / "followed", env, events)
                shown.add_row("from Kafka", f"{events:,}", "", "", f"{a_million:.2f} s", f"{rate:,.0f}")
            finally:
                kafka.kill()
        say.print(shown)
        for name, size in sizes(folder).items():
            say.print(f"{name}: {size / 1e6:,.1f} MB, {size / events:.1f} bytes an event")


def send(files: list[str], env: dict[str, str]) -> None:
    """Send the files' events to the clicks, without a Redis."""
    from features.files.options import ReadOptions
    from features.files.order import Order
    from features.files.reader import EventFile, files_of
    from features.files.summary import Summary
    from features.files.whole import judged
    from stream.intake.ingest import Sending
    from stream.intake.ingest import send as sent

    with tempfile.TemporaryDirectory() as spill:
        order = Order(Path(spill))
        opened = [EventFile(path, ReadOptions(now_ms=time.time_ns() // 1_000_000), Summary(str(path))) for path in files_of(files)]
        judged(opened, order, lambda _: None)
        sent(Sending(load_settings(environment=env)), order, lambda _: None)


if __name__ == "__main__":
    main()
