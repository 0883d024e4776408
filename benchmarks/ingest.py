"""How fast files are judged and sent, and in how much memory: `python -m benchmarks.ingest [--millions 1 10] [--forms csv parquet grouped]`.

Starts its own Kafka and Redis on loopback. The file is made first (an event of some 60 bytes of CSV with value, item and session), then the whole
command is timed, from its start to its end: judged, put in order, sent, every delivery confirmed. `grouped` is the CSV sorted by user instead of by time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import psutil
from rich.console import Console
from rich.table import Table

from stream.demo.local_redis import LocalRedis
from tests.servers.kafka import KafkaServer

PIECE = 5_000_000
START_MS = 1_700_000_000_000
SPAN_MS = 90 * 86_400_000


def piece(first: int, count: int, rows: int, rng: np.random.Generator) -> pl.DataFrame:
    """Rows of a shop's log, in order of time."""
    low, high = (START_MS + SPAN_MS * at // rows for at in (first, first + count))
    kind = pl.Series(rng.integers(0, 4, count))
    users = pl.Series(rng.integers(0, rows // 20 + 1, count))
    return pl.DataFrame({"u": users, "ts": np.sort(rng.integers(low, high, count)), "k": kind}).select(
        user=pl.format("user-{}", "u"),
        ts="ts",
        type=pl.col("k").replace_strict({0: "view", 1: "cart", 2: "purchase", 3: "search"}),
        value=pl.when(pl.col("k") == 2).then(pl.lit(pl.Series(np.round(rng.random(count) * 100, 2)))),
        item=pl.format("item-{}", pl.Series(rng.integers(0, 50_000, count))),
        session=pl.format("s-{}-{}", pl.Series(rng.integers(0, rows // 5 + 1, count)), "u"),
    )


def made(folder: Path, rows: int, form: str) -> Path:
    """Write a file, piece by piece."""
    rng = np.random.default_rng(0)
    if form == "parquet":
        parts = [folder / f"{first}.part" for first in range(0, rows, PIECE)]
        for first, part in zip(range(0, rows, PIECE), parts, strict=True):
            piece(first, min(PIECE, rows - first), rows, rng).write_parquet(part)
        pl.scan_parquet(parts).sink_parquet(folder / "events.parquet")
        for part in parts:
            part.unlink()
        return folder / "events.parquet"
    file = folder / f"{form}.csv"
    with file.open("wb") as out:
        for first in range(0, rows, PIECE):
            frame = piece(first, min(PIECE, rows - first), rows, rng)
            (frame.sort("user") if form == "grouped" else frame).write_csv(out, include_header=first == 0)
    return file


def timed(command: list[str], env: dict[str, str]) -> tuple[float, float, float]:
    """Run a command; return seconds, seconds of CPU, and the most memory it held (GB)."""
    began, before = time.perf_counter(), os.times()
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    most = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal most
        watched = psutil.Process(process.pid)
        while not done.wait(0.05):
            try:
                most = max(most, watched.memory_info().rss)
            except psutil.Error:
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    output, _ = process.communicate()
    done.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(output)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - began, cpu, most / 1e9


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 10])
    parser.add_argument("--forms", nargs="+", default=["parquet", "csv", "grouped"])
    told = parser.parse_args()
    table = Table(
        "rows", "form", "file", "judged only", "whole command", "its CPU", "events/s", "memory", title="ingest, 2 cores, Kafka on them too"
    )
    with tempfile.TemporaryDirectory() as name, LocalRedis(Path(name) / "redis") as redis:
        folder = Path(name)
        (folder / "kafka").mkdir()
        kafka = KafkaServer(folder / "kafka")
        kafka.start()
        try:
            for millions in told.millions:
                for form in told.forms:
                    rows = int(millions * 1e6)
                    file = made(folder, rows, form)
                    app = f"b{int(millions * 10)}{form}"
                    env = os.environ | {
                        "CHURNWATCH_KAFKA": kafka.bootstrap, "CHURNWATCH_REDIS": redis.url, "CHURNWATCH_APP": app, "CHURNWATCH_TOPIC_PREFIX": f"{app}-",
                        "COLUMNS": "200",
                    }  # fmt: skip
                    run = [sys.executable, "-m", "stream"]
                    subprocess.run([*run, "topics", "create"], env=env, check=True, capture_output=True)
                    judged, _, _ = timed([*run, "ingest", str(file), "--check"], env)
                    seconds, cpu, memory = timed([*run, "ingest", str(file)], env)
                    row = (
                        f"{rows:,}",
                        form,
                        f"{file.stat().st_size / 1e6:,.0f} MB",
                        f"{judged:.1f} s",
                        f"{seconds:.1f} s",
                        f"{cpu:.1f} s",
                        f"{rows / seconds:,.0f}",
                        f"{memory:.2f} GB",
                    )
                    Console().print(*row)
                    table.add_row(*row)
                    file.unlink()
        finally:
            kafka.kill()
    Console().print(table)


if __name__ == "__main__":
    main()
