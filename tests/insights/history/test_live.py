"""The writer on a real Kafka: each event of the topic once, through kills, rivals and merging; whoever reads meanwhile sees whole snapshots."""

from __future__ import annotations

import json
import random
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from typer.testing import CliRunner

from insights.history.events import Events
from insights.history.faults import HistoryMissing
from insights.history.reader import open_log
from insights.history.table import Table
from insights.history.tables import EVENTS
from stream.cli import app
from stream.demo.local_redis import free_ports
from tests.insights.history.topic import Topic, made_up
from tests.servers.process import Program, wait_until

pytestmark = pytest.mark.real_kafka


@pytest.fixture
def topic(kafka: str, app_name: str, tmp_path: Path) -> Iterator[Topic]:
    made = Topic(kafka, app_name, tmp_path)
    yield made
    made.stop_all()


def version(topic: Topic) -> int:
    try:
        return Table.open(topic.history, EVENTS).version
    except HistoryMissing:
        return -1


def caught_up(topic: Topic, count: int) -> bool:
    try:
        return sum(Table.open(topic.history, EVENTS).standing.ends.values()) >= count
    except HistoryMissing:
        return False


def wait_for_commits(topic: Topic, commits: int, count: int, writer: Program) -> None:
    until = version(topic) + commits
    wait_until(lambda: version(topic) >= until or caught_up(topic, count), 60, "commits", lambda: writer.text()[-1500:])


class Reader(threading.Thread):
    """Reads snapshots as fast as it can, and keeps what was wrong with any."""

    def __init__(self, topic: Topic, expected: dict[tuple[int, int], object]) -> None:
        super().__init__(daemon=True)
        self.topic, self.expected = topic, expected
        self.stopped = threading.Event()
        self.snapshots = 0
        self.faults: list[str] = []

    def run(self) -> None:
        before = -1
        while not self.stopped.is_set():
            try:
                offsets, rows = self.topic.held()
            except HistoryMissing:
                continue
            except Exception as error:  # noqa: BLE001 - whatever a reader meets is a fault that the test is about
                self.faults.append(repr(error))
                return
            ends = {int(source.rpartition("/")[2]): end for source, end in offsets.items()}
            wanted = [row for (part, at), row in sorted(self.expected.items()) if at < ends.get(part, 0)]
            if rows != wanted or len(rows) < before:
                self.faults.append(f"{len(rows)} rows for {len(wanted)} at {ends}")
            before = len(rows)
            self.snapshots += 1


def test_kills_and_rivals_lose_and_double_nothing(topic: Topic, full: bool, say: Callable[[str], None]) -> None:
    kills = 100 if full else 6
    count = 2_000 * kills
    topic.produce(made_up(count))
    expected = topic.expected()
    reader = Reader(topic, expected)
    chance = random.Random(2)
    writers = [topic.start()]
    reader.start()
    killed = 0
    while killed < kills and not caught_up(topic, count):
        wait_for_commits(topic, chance.randrange(1, 4), count, writers[-1])
        victim = writers.pop(chance.randrange(len(writers)))
        victim.kill()
        killed += 1
        while len(writers) < (2 if killed % 3 == 0 else 1):  # two against each other now and then
            writers.append(topic.start())
    wait_until(lambda: caught_up(topic, count), 120, "all read", lambda: writers[-1].text()[-1500:], lambda: version(topic))
    wait_until(lambda: reader.snapshots > 0 or bool(reader.faults), 30, "a snapshot read")
    reader.stopped.set()
    reader.join()
    _, rows = topic.held()
    assert rows == [row for _, row in sorted(expected.items())]
    assert reader.faults == []
    files = len(Events(topic.history, topic.rules).table.files())
    say(
        f"history: {killed} kills, {version(topic)} versions, {len(rows):,} rows, {files} files, {reader.snapshots} snapshots read beside: none lost, none doubled"
    )


def asked(address: str, path: str) -> tuple[int, str]:
    answer = httpx.get(f"http://{address}{path}")
    return answer.status_code, answer.text


def test_a_stop_commits_what_was_read_and_ends_with_0(topic: Topic) -> None:
    topic.produce(made_up(300))
    address = topic.environment["CHURNWATCH_HISTORY_WEB"] = f"127.0.0.1:{free_ports(1)[0]}"
    writer = topic.start()
    wait_until(lambda: caught_up(topic, 300), 60, "all read", writer.text)
    wait_until(lambda: "churnwatch_history_lag_records 0.0" in asked(address, "/metrics")[1], 30, "no lag", writer.text)
    assert asked(address, "/ready") == asked(address, "/live") == (200, "ok\n")
    assert "user 1" not in asked(address, "/metrics")[1]
    topic.produce(made_up(50, seed=9))
    assert writer.terminate() == 0
    again = topic.start()
    wait_until(lambda: caught_up(topic, 350), 60, "all read", again.text)
    assert again.terminate() == 0
    log = open_log(topic.history)
    assert log.as_of.events == len(topic.expected())
    assert log.as_of.repeats > 0
    assert log.as_of.rejected == sum(1 for _ in topic.records()) - log.as_of.events - log.as_of.repeats
    assert log.as_of.complete_from is None
    assert log.as_of.watermark is not None


def test_a_recount_finds_each_event_once_and_whatever_is_wrong(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    topic.produce(made_up(400))
    writer = topic.start()
    wait_until(lambda: caught_up(topic, 400), 60, "all read", writer.text)
    assert writer.terminate() == 0
    for name, value in topic.environment.items():
        monkeypatch.setenv(name, value)

    def recount() -> tuple[int, dict[str, Any]]:
        done = CliRunner().invoke(app, ["history", "verify", "--json"], catch_exceptions=False)
        return done.exit_code, json.loads(done.output)

    code, found = recount()
    held = len(topic.expected())
    assert (code, found["lost"], found["foreign"], found["doubled"], found["gone"]) == (0, 0, 0, 0, 0)
    assert sum(row[3] for row in found["days"]) == held
    assert sum(row[2] for row in found["days"]) > held
    events = Events(topic.history, topic.rules)
    table = events.table
    day = max({one.partition for one in table.files()}, key=lambda name: sum(one.rows for one in table.files_of(name)))
    rows = table.read(table.files_of(day))
    for broken, fault in ((rows[1:], "lost"), (pl.concat([rows, rows[:1]]), "doubled"), (rows.with_columns(user=pl.lit("x")), "foreign")):
        table.commit(table.standing, adds=[table.write(day, broken)], removes=table.files_of(day))
        code, found = recount()
        assert code == 2
        assert found[fault] > 0


def test_what_retention_deleted_unread_is_refused_and_counted_when_allowed(topic: Topic) -> None:
    from kafka import TopicPartition
    from kafka.admin import KafkaAdminClient

    topic.produce(made_up(200))
    writer = topic.start()
    wait_until(lambda: caught_up(topic, 200), 60, "all read", writer.text)
    assert writer.terminate() == 0
    before = topic.held()[1]
    topic.produce(made_up(200, seed=3))
    admin = KafkaAdminClient(bootstrap_servers=topic.kafka)
    ends = {part: max(record.offset for record in topic.records() if record.partition == part) for part in range(3)}
    admin.delete_records({TopicPartition(f"{topic.app}.clicks", part): end for part, end in ends.items()})
    admin.close()
    refused = topic.start()
    assert refused.process.wait(60) == 2
    assert "--partial" in refused.text()
    assert topic.held()[1] == before
    goes_on = topic.start("--partial")
    wait_until(lambda: caught_up(topic, 400), 60, "all read", goes_on.text)
    table = Table.open(topic.history, EVENTS)
    assert table.standing.lost == 200 - 3
    assert goes_on.terminate() == 0


def test_no_topic_says_what_makes_one(topic: Topic) -> None:
    topic.environment["CHURNWATCH_TOPIC_PREFIX"] = "nothing."
    writer = topic.start()
    assert writer.process.wait(60) == 2
    assert "churnwatch topics create" in writer.text()


def test_a_paused_process_that_wakes_up_writes_nothing_twice(topic: Topic) -> None:
    """A writer that was stopped by its machine for a while stands on an old snapshot when it goes on."""
    topic.produce(made_up(2_000))
    sleeper = topic.start()
    wait_until(lambda: version(topic) >= 2, 60, "commits", sleeper.text)
    sleeper.signal(signal.SIGSTOP)
    other = topic.start()
    wait_until(lambda: caught_up(topic, 2_000), 60, "all read", other.text)
    sleeper.signal(signal.SIGCONT)
    topic.produce(made_up(500, seed=5))
    wait_until(lambda: caught_up(topic, 2_500), 60, "all read", sleeper.text)
    assert topic.held()[1] == [row for _, row in sorted(topic.expected().items())]
