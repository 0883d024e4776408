"""Followers under test: in this process, or in one that dies at a given statement."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections import Counter
from pathlib import Path

from confluent_kafka import IsolationLevel, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from sqlalchemy import Engine, event

from features.store.app_spec import AppSpec
from insights.past.follow import Follower, FollowObserver
from insights.store.store import open_store
from stream.settings import Settings, load_settings
from tests.insights.past.history import APP, SPEC, Topics
from tests.servers.process import wait_until

PARTITIONS = 2
APP_SPEC = AppSpec(spec=SPEC, cluster_id="cluster", topic_id="topic", partitions=PARTITIONS)


def settings_of(bootstrap: str, prefix: str, app: str = APP) -> Settings:
    return load_settings(Path("/dev/null"), {}, kafka__bootstrap=bootstrap, kafka__topic_prefix=prefix, app__name=app)


class Heard(FollowObserver):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.commits, self.lag, self.ours, self.troubles = 0, -1, False, list[str]()

    def committed(self, counts: Counter[str], seconds: float, lag: int) -> None:
        self.counts += counts
        self.commits, self.lag = self.commits + 1, lag

    def holds(self, ours: bool) -> None:
        self.ours = ours

    def troubled(self, why: str) -> None:
        self.troubles.append(why)


def publish(bootstrap: str, prefix: str, topics: Topics) -> None:
    """Write made-up topics: alerts in transactions, some of which are aborted, and examples as they come."""
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": f"{prefix}shard"})
    producer.init_transactions(30)
    for partition, log in topics.alerts.items():
        for at in range(0, len(log), 25):
            for aborted in (True, False) if at % 2 else (False,):
                producer.begin_transaction()
                for record in log[at : at + 25]:
                    producer.produce(
                        f"{prefix}alerts", record.value, partition=partition, headers=record.headers, timestamp=record.stamp_ms
                    )
                producer.flush(30)
                (producer.abort_transaction if aborted else producer.commit_transaction)(30)
    plain = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
    for record in topics.examples:
        plain.produce(f"{prefix}examples", record.value, partition=0, headers=record.headers, timestamp=record.stamp_ms)
    assert plain.flush(30) == 0
    wait_readable(bootstrap, [TopicPartition(f"{prefix}alerts", partition) for partition in topics.alerts])


def wait_readable(bootstrap: str, partitions: list[TopicPartition]) -> None:
    """Wait until whoever reads committed records may read all: a broker confirms a transaction before it has written the markers that end it."""
    admin = AdminClient({"bootstrap.servers": bootstrap})

    def ends(level: IsolationLevel) -> list[int]:
        found = admin.list_offsets(dict.fromkeys(partitions, OffsetSpec.latest()), isolation_level=level)
        return [future.result(30).offset for future in found.values()]

    wait_until(lambda: ends(IsolationLevel.READ_COMMITTED) == ends(IsolationLevel.READ_UNCOMMITTED), 30, "every transaction has ended")


def follow_and_die(bootstrap: str, prefix: str, url: str, statement: int | None) -> None:
    """Follow until killed: by whoever started this process, or by itself before it executes its so-many-th statement."""
    logging.disable(logging.CRITICAL)
    done = 0

    def count(*_: object) -> None:
        nonlocal done
        done += 1
        if done == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    store = open_store(url)
    event.listen(Engine, "before_cursor_execute", count)
    Follower(settings_of(bootstrap, prefix), store, lambda: APP_SPEC, most=60, hold_ms=300).run(threading.Event())
