"""A million silent users at a landmark: how long until every snapshot of the day is committed, and what a user and a snapshot weigh."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.events import Stretch, click, produce, producer
from benchmarks.world import PARTITIONS, App, memory_of, used_memory
from features.definitions.definition import DAY_MS

TOML = """
[[definitions]]
name = "gone"
active_window = "14d"
horizon = "1d"
"""
"""A horizon of a day, so that the second day brings as many labels as landmarks."""


def sweep(app: App, users: int, start_ms: int, workers: int, told: Callable[[str, int], None]) -> dict[str, float]:
    """Load one click of each user. Then let one click in each partition carry time past a landmark of every user, twice.

    Returns
    -------
    dict
        `sweep_1m_s`, `sweep_1m_with_labels_s` (seconds as measured, for `users`), bytes of a user and of a pending snapshot.
    """
    bootstrap, topic = app.servers.kafka.bootstrap, app.topics["clicks"]
    before = used_memory(app.client)
    produce(bootstrap, topic, Stretch(users, start_ms, start_ms + 600_000, users, "sw", once=True))
    for _ in range(workers):
        app.start()
    app.start("train")
    app.follow(sum(app.ends().values()), 300, lambda done: told("loading", done))
    app.settle()
    found: dict[str, float] = {"redis_bytes_per_user": round((used_memory(app.client) - before) / users, 1)}
    took = _jump(app, start_ms + DAY_MS, 1, told)
    found["sweep_1m_s"] = round(took, 2)
    app.settle()
    snapshots = app.totals()["examples"]
    lists, size = memory_of(app.client, f"cw:{app.name}:{{?}}:snap:*")
    found |= {
        "sweep_snapshots": snapshots,
        "sweep_cpu_s_last": round(app.cpu_s(), 1),
        "redis_bytes_per_pending_snapshot": round(size / max(1, snapshots), 1),
        "redis_snapshot_lists": lists,
    }
    found["sweep_1m_with_labels_s"] = round(_jump(app, start_ms + 2 * DAY_MS + 3_600_000, 2, told), 2)
    found["sweep_labels"] = app.totals()["examples"] - 2 * snapshots
    app.settle(600)  # the trainer learns a million labels at once
    return found


def _jump(app: App, landmarks_until_ms: int, number: int, told: Callable[[str, int], None]) -> float:
    """Send one click to each partition; return the seconds until it is committed, which is after every timer before it."""
    ts_ms = landmarks_until_ms + 3_600_000 + 600_000  # past the lateness and the spread of the first clicks
    sender = producer(app.servers.kafka.bootstrap, 0)
    for partition in range(PARTITIONS):
        user = b"c%06d%d" % (number, partition)
        sender.produce(app.topics["clicks"], click(user, ts_ms, b"jj%02d%08d" % (number, partition), 0), user, partition=partition)
    sender.flush()
    began = time.monotonic()
    app.follow(sum(app.ends().values()), 300, lambda _: told("sweeping", app.totals()["examples"]))
    return time.monotonic() - began
