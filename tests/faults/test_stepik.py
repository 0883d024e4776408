"""A real log through real Kafka, ingested and run as a person would: four partitions, two workers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from online_models.example import LABEL, unpack_block
from tests.faults.bench_world import World

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis, pytest.mark.slow]
TOML = """
[app]

[features]
key_events = ["correct", "wrong"]
error_events = ["wrong"]
lateness = "1h"

[alerts]
backfill = true

[time]
ticks = false

[learning]
min_labels = 100000000
"""


@pytest.mark.timeout(600)
def test_stepik(world: World, shared_data: Path, tmp_path: Path, say: Callable[[str], None]) -> None:
    file = shared_data / "stepik" / "events.parquet"
    assert world.start("ingest", str(file)).process.wait(120) == 0, world.tails()
    events = pl.read_parquet(file)
    workers = [world.start(), world.start()]
    world.wait_taken(events.height, 240)
    assert [worker.terminate() for worker in workers] == [0, 0], world.tails()
    totals = world.check(("correct", "wrong"))
    assert totals["users"] == events["user"].n_unique() == 9_940
    days = events.select(pl.col("user"), pl.col("ts") // 86_400_000).unique().height
    assert days == 46_573

    # labels, recounted in SQL from the file
    seen: dict[int, int] = {}
    rows: list[tuple[str, int, int]] = []
    for message in world.log("examples")[0]:
        block = unpack_block(message.value)
        skip = max(0, seen.get(block.partition, 0) - block.first_number)
        items = block.items.take(slice(skip, None))
        seen[block.partition] = max(seen.get(block.partition, 0), block.first_number + len(block.items))
        for i in np.flatnonzero(items.kind == LABEL).tolist():
            rows.append((items.users[i], int(items.landmark_ms[i]), int(items.label[i])))
    labels = pl.DataFrame(rows, schema=["user", "landmark", "label"], orient="row")
    labels.write_parquet(tmp_path / "labels.parquet")
    horizon = 14 * 86_400_000
    recount = duckdb.execute(
        """
        select count(*), count(*) filter (where label = returned::int)
        from (
            select l.user, l.landmark, l.label, count(e.ts) > 0 as returned
            from read_parquet($labels) l
            left join read_parquet($events) e on e.user = l.user and e.ts > l.landmark and e.ts <= l.landmark + $horizon
            group by l.user, l.landmark, l.label
        )
        """,
        {"labels": str(tmp_path / "labels.parquet"), "events": str(file), "horizon": horizon},
    ).fetchone()
    assert recount is not None
    count, wrong = recount
    say(f"{dict(totals)}, {count} labels")
    assert count == labels.height > 200_000
    assert wrong == 0
