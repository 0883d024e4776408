"""What the page's past costs for a large user base: CPU an example, size, and the time of the reads a page makes.

``python -m benchmarks.past [URL] [USERS] [DAYS]`` writes snapshots and labels of every user and day through the batch and the writer, as the follower
does, into a new file of SQLite or the database at a postgresql:// address (which should be empty). Blocks are made beside the clock.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sqlalchemy import text

from features.definitions.definition import DAY_MS, NO_LABEL
from features.users.catalog import WIDTH
from features.users.landmarks import PHASE_STEP_MS, phase_of
from features.users.spec import FeatureSpec
from insights.past.fold.batch import Batch
from insights.past.fold.standing import Standing
from insights.past.hold import Source
from insights.past.past import Past
from insights.past.writer import Writer
from insights.store.store import Store, open_store
from online_models.example import LABEL, SNAPSHOT, ExampleBlock, Examples
from stream.kafka.origin import app_header

SPEC = FeatureSpec()
DEFINITION = SPEC.definitions[0]
FIRST_DAY, BLOCK, BATCH = 20_000, 2_000, 20_000


def blocks(users: list[str], phases: np.ndarray, days: int) -> Iterator[bytes]:
    """Yield packed blocks in order of event time: a day's snapshots in order of phase, and beside them the labels whose time is up."""
    rng, number, horizon_days = np.random.default_rng(1), 0, DEFINITION.horizon_ms // DAY_MS
    for day in range(FIRST_DAY, FIRST_DAY + days):
        for at in range(0, len(users), BLOCK):
            some, landmark = users[at : at + BLOCK], day * DAY_MS + phases[at : at + BLOCK] * PHASE_STEP_MS
            for kind, landmark_ms in ((SNAPSHOT, landmark), (LABEL, landmark - DEFINITION.horizon_ms)):
                if kind == LABEL and day < FIRST_DAY + horizon_days:
                    continue
                n = len(some)
                items = Examples(
                    kind=np.full(n, kind, np.uint8), definition=np.zeros(n, np.uint8), landmark_ms=landmark_ms, matured_ms=landmark_ms,
                    risk=rng.integers(0, 65_536, n).astype(np.uint16), model_version=np.full(n, day, np.uint32), flags=np.zeros(n, np.uint8),
                    label=rng.integers(0, 2, n).astype(np.uint8) if kind == LABEL else np.full(n, NO_LABEL, np.uint8),
                    vectors=np.zeros((n, WIDTH), np.uint8), users=some,
                )  # fmt: skip
                yield ExampleBlock("0", 0, number, int(landmark[-1]), SPEC.hash, [DEFINITION.name], items).pack()
                number += n


def write(store: Store, users: list[str], phases: np.ndarray, days: int) -> tuple[int, float, float]:
    """Write all of it; return how many examples, and the CPU and wall seconds that went into it."""
    writer = Writer(store, Source("bench", "", "", (), "UTC"), "bench", 1 << 40)
    standing = writer.take(1) or Standing()
    batch, cpu_s, wall_s, n = Batch("bench", SPEC.hash, standing), 0.0, 0.0, 0
    for packed in blocks(users, phases, days):
        cpu, wall = time.process_time(), time.perf_counter()
        batch.add_examples(packed, app_header("bench"), 0)
        if len(batch) >= BATCH:
            n += len(batch)
            writer.commit(batch, 1, {})
            batch = Batch("bench", SPEC.hash, batch.standing)
        cpu_s, wall_s = cpu_s + time.process_time() - cpu, wall_s + time.perf_counter() - wall
    writer.commit(batch, 1, {})
    return n, cpu_s, wall_s


def main(url: str, count: int, days: int) -> None:
    store = open_store(url)
    users = sorted((f"user-{number:07d}" for number in range(count)), key=phase_of)
    n, cpu_s, wall_s = write(store, users, np.array([phase_of(user) for user in users]), days)
    print(f"{count:,} users, {days} days: {n:,} examples, {cpu_s / n * 1e6:.2f} us CPU each ({wall_s / n * 1e6:.2f} us in all)")
    with store.read() as db:
        sizes = {"sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
                 "postgresql": "SELECT pg_database_size(current_database())"}  # fmt: skip
        size = db.execute(text(sizes[store.dialect])).scalar_one()
    print(f"size {size / 1e6:,.0f} MB, {size / (count * days):.1f} bytes a landmark")
    past, rng = Past(store, lambda: SPEC), random.Random(1)
    reads = {
        "25 users, 14 days": lambda: past.risk_lines(rng.sample(users, 25), DEFINITION.name),
        "one user, 90 days": lambda: past.risk_line(rng.choice(users), DEFINITION.name),
        "calibration by day": lambda: past.calibration(DEFINITION.name, "day"),
        "how right": lambda: past.how_right(DEFINITION.name, 0, 1 << 60),
    }
    for name, read in reads.items():
        took = []
        for _ in range(200):
            cpu = time.process_time()
            read()
            took.append(time.process_time() - cpu)
        print(f"{name}: {sorted(took)[100] * 1e3:.2f} ms CPU, median")
    store.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        given = dict(enumerate(sys.argv[1:]))
        main(given.get(0, f"sqlite:///{Path(folder) / 'page.db'}"), int(given.get(1, "200000")), int(given.get(2, "90")))
