"""What questions to the whole history cost: wall and CPU seconds and memory of each, over a made-up product's events in a real history.

``python -m benchmarks.insights [EVENTS] [--users N] [--dir FOLDER] [--only NAME]`` makes 5 million events (180 days, a user for each 250 events) unless another
number is given, puts them into a history, derives its tables, and asks each question in a process of its own, twice: the first time and warm. A folder that
holds a history already is asked as it is.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 180
TYPES = ("open", "view", "search", "view_item", "add_to_cart", "checkout", "purchase", "share", "comment", "login", "settings", "support")
CHANCES = (0.18, 0.2, 0.1, 0.2, 0.09, 0.05, 0.03, 0.03, 0.03, 0.05, 0.02, 0.02)
CHANNELS = ("organic", "ads", "referral", "partner", "email", "store")
COMMIT_DAYS = 12
VISIT = 7
"""Events of a visit on average."""
QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "active users": ("active_users", {"since": "2025-01-28"}),
    "retention by channel": ("retention", {"by": "channel", "since": "2025-01-01"}),
    "retention by prop": ("retention", {"by": "props.platform", "since": "2025-01-01"}),
    "lifecycle by week": ("lifecycle", {"since": "2025-01-01"}),
    "daily states": ("daily_states", {"since": "2025-01-01"}),
    "stickiness": ("stickiness", {"since": "2025-06-02"}),
    "funnel of 4 steps": (
        "funnel",
        {"steps": ("open", "view_item", "add_to_cart", "purchase"), "since": "2025-01-01", "until": "2025-06-22"},
    ),
    "transitions": ("transitions", {}),
    "paths into silence": ("paths_into_silence", {}),
    "RFM": ("rfm", {}),
}
"""What is asked, of which analysis, with which parameters; an analysis that is not there is left out."""


def days(events: int, users: int) -> Iterator[pl.DataFrame]:
    """Yield the events of each day: people join through the half year, come in visits at an own rate, and stop coming."""
    rng = np.random.default_rng(7)
    join = np.where(rng.random(users) < 0.35, 0.0, rng.random(users) * DAYS)
    leave = join + rng.lognormal(3.6, 1.3, users)
    rate = np.clip(rng.lognormal(-0.75, 0.9, users), 0.03, 8)
    rate *= events / VISIT / np.sum(rate * (np.minimum(leave, DAYS) - join))
    ids = np.array([f"{number:016x}" for number in rng.integers(0, 2**63, users)])
    channel = rng.choice(CHANNELS, users, p=[0.38, 0.27, 0.12, 0.08, 0.1, 0.05])
    off = 0
    for day in range(DAYS):
        here = np.clip(np.minimum(leave, day + 1) - np.maximum(join, day), 0, 1)
        visitor = np.repeat(np.arange(users), rng.poisson(rate * here))
        many = rng.geometric(1 / VISIT, len(visitor))
        who, visit = np.repeat(visitor, many), np.repeat(np.arange(len(visitor)), many)
        n = len(who)
        begin = np.where(rng.random(len(visitor)) < 0.65, rng.normal(20, 2.5, len(visitor)), rng.normal(12, 3, len(visitor))) % 22
        pause = rng.exponential(35, n)
        since = np.cumsum(pause) - np.repeat((np.cumsum(pause) - pause)[np.cumsum(many) - many], many)
        us = (np.minimum(begin[visit] * 3600 + since, 86_399.9) * 1e6).astype(np.int64)
        kind = rng.choice(len(TYPES), n, p=CHANCES)
        yield pl.DataFrame(
            {
                "user": ids[who],
                "ts": pl.Series(us).cast(pl.Duration("us")) + (BEGIN + timedelta(days=day)),
                "type": np.array(TYPES)[kind],
                "channel": channel[who],
                "item": pl.Series(np.where(np.isin(kind, (3, 4, 6)), rng.zipf(1.3, n) % 20_000, -1)).replace(-1, None).cast(pl.String),
                "session": pl.Series(visit + day * 10_000_000).cast(pl.String),
                "value": np.where(kind == TYPES.index("purchase"), np.round(np.exp(rng.normal(3, 0.8, n)), 2), np.nan),
                "event_id": pl.Series(rng.integers(1, 2**63, n)).cast(pl.String),
                "props": pl.Series(np.where(who % 3 == 0, np.where(who % 2 == 0, '{"platform":"app"}', '{"platform":"web"}'), "")).replace("", None),
                "arrived": pl.Series(us).cast(pl.Duration("us")) + (BEGIN + timedelta(days=day, seconds=2)),
                "part": (who % 4).astype(np.int32),
                "off": np.arange(off, off + n),
            }
        ).with_columns(pl.col("value").fill_nan(None))  # fmt: skip
        off += n


def batched(frames: Iterator[pl.DataFrame], size: int) -> Iterator[list[pl.DataFrame]]:
    """Yield frames in lists of `size`."""
    while some := list(islice(frames, size)):
        yield some


def fill(folder: Path, events: int, users: int) -> None:
    """Make the history, some days a commit, and derive its tables."""
    from insights.history.derived import derive_all
    from insights.history.events import Events, Rules
    from insights.history.standing import Standing

    began, cpu, rows = time.monotonic(), time.process_time(), 0
    table = Events(folder, Rules("UTC", 1_800_000, ("purchase",)))
    for number, some in enumerate(batched(days(events, users), COMMIT_DAYS)):
        known = BEGIN + timedelta(days=(number + 1) * COMMIT_DAYS)
        stretch = pl.concat(some)
        table.append(stretch, {"bench": number}, {"bench": number + 1}, Standing(rows=rows, watermark_ms=int(known.timestamp() * 1000)))
        rows += stretch.height
    print(
        f"{rows:,} events of {users:,} users made and written in {time.monotonic() - began:.0f} s, {time.process_time() - cpu:.0f} s CPU",
        flush=True,
    )
    began, cpu = time.monotonic(), time.process_time()
    derive_all(folder)
    size = sum(file.stat().st_size for file in (folder / "events").rglob("*.parquet"))
    print(
        f"tables derived in {time.monotonic() - began:.0f} s, {time.process_time() - cpu:.0f} s CPU; {size / rows:.1f} bytes an event",
        flush=True,
    )


def ask(folder: Path, question: str) -> None:
    """Ask one question twice and print what it cost, as JSON. Runs in a process of its own, so that its peak of memory is its own."""
    from insights.analyses.catalog import CATALOG
    from insights.analyses.crowd import Crowd
    from insights.history.reader import open_log

    name, given = QUESTIONS[question]
    began = time.monotonic()
    log = open_log(folder)
    crowd, one, found = Crowd(log.con, log.as_of), CATALOG[name], []
    opened = time.monotonic() - began
    for _ in range(2):
        began, cpu = time.monotonic(), time.process_time()
        rows = one.run(crowd, one.parameters(**given)).rows.height
        found.append((time.monotonic() - began, time.process_time() - cpu))
    # the peak of this process alone: that of `resource` is inherited from the one that started it
    peak = next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")) / 1e6
    print(json.dumps({"opened": opened, "first": found[0], "warm": found[1], "peak": peak, "rows": rows}))


def main() -> None:
    """Run it."""
    from insights.analyses.catalog import CATALOG

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("events", nargs="?", type=float, default=5e6)
    parser.add_argument("--users", type=int)
    parser.add_argument("--dir", type=Path)
    parser.add_argument("--only", choices=QUESTIONS)
    parser.add_argument("--ask", choices=QUESTIONS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        ask(given.dir, given.ask)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.dir or Path(temporary) / "history"
        if not (folder / "events").exists():
            fill(folder, int(given.events), given.users or int(given.events / 250))
        print(f"{'':<22}{'open':>7}{'first s':>9}{'warm s':>9}{'CPU s':>8}{'peak GB':>9}{'rows':>8}")
        for question, (name, _) in QUESTIONS.items():
            if name not in CATALOG or given.only not in {None, question}:
                continue
            words = [sys.executable, "-m", "benchmarks.insights", "--dir", str(folder), "--ask", question]
            found = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
            print(
                f"{question:<22}{found['opened']:7.2f}{found['first'][0]:9.2f}{found['warm'][0]:9.2f}{found['warm'][1]:8.2f}{found['peak']:9.2f}{found['rows']:8,}",
                flush=True,
            )


if __name__ == "__main__":
    main()
