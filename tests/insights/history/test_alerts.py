"""Alerts in the history: each message of the topic once, through kills and rivals, as it was said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from confluent_kafka import Producer

from insights.history.events import Events
from insights.history.faults import HistoryMissing
from insights.history.live.alerts import rows_of
from insights.history.table import Table
from insights.history.tables import ALERTS
from stream.alerts.message import Alert, ReasonCode
from tests.insights.history.histories import BERLIN, asked, ms_of
from tests.insights.history.topic import START_MS, Topic
from tests.servers.process import wait_until


def alert(n: int) -> Alert:
    is_opened = n % 2 == 0
    return Alert(
        alert_id=f"{n // 2:032x}", type="opened" if is_opened else "resolved", cause=None if is_opened else "returned", user=f"user {n % 7}",
        definition="churn14", risk=0.8 if is_opened else None, threshold=0.7 if is_opened else None, horizon_ms=14 * 86_400_000, landmark_ms=START_MS,
        valid_until_ms=START_MS + 1, event_time_ms=START_MS + n * 3_600_000, scored_ms=START_MS + 2, reasons=["one", "two"] if is_opened else [],
        reason_codes=[ReasonCode("recency", 1.0, None, "days")] if is_opened else [], model="logistic", model_version=3, partition=0, input_offset=n,
    )  # fmt: skip


def test_rows_say_what_the_messages_say() -> None:
    (first, second) = rows_of([(0, 5, alert(0)), (1, 6, alert(1))], "Europe/Berlin").sort("off").iter_rows(named=True)
    assert first["reasons"] == ["one", "two"]
    assert first["reason_codes"] == ["recency"]
    assert (second["cause"], second["risk"], second["reasons"]) == ("returned", None, [])
    assert (ms_of(second["event_time"]), second["off"], second["part"]) == (START_MS + 3_600_000, 6, 1)
    assert rows_of([], "UTC").height == 0


def test_a_history_without_alerts_has_an_empty_view(tmp_path: Path) -> None:
    Events(tmp_path, BERLIN)
    assert asked(tmp_path, "select alert_id, reasons from alerts") == []


@pytest.fixture
def topic(kafka: str, app_name: str, tmp_path: Path) -> Iterator[Topic]:
    made = Topic(kafka, app_name, tmp_path)
    yield made
    made.stop_all()


def send(topic: Topic, first: int, count: int) -> None:
    producer = Producer({"bootstrap.servers": topic.kafka})
    for n in range(first, first + count):
        producer.produce(f"{topic.app}.alerts", msgspec.json.encode(alert(n)), alert(n).user.encode())
    producer.produce(f"{topic.app}.alerts", b"{no alert")
    producer.flush()


def read(topic: Topic) -> int:
    try:
        return sum(Table.open(topic.history, ALERTS).standing.ends.values())
    except HistoryMissing:
        return 0


@pytest.mark.real_kafka
def test_each_alert_is_there_once_through_kills_and_rivals(topic: Topic) -> None:
    send(topic, 0, 60)
    writers = [topic.start(), topic.start()]
    wait_until(lambda: read(topic) >= 61, 60, "alerts read", writers[0].text)
    send(topic, 60, 60)
    writers[0].kill()
    writers.append(topic.start())
    wait_until(lambda: read(topic) >= 122, 60, "alerts read", writers[1].text)
    found: list[tuple[Any, ...]] = asked(
        topic.history, "select input_off, type from (select *, row_number() over (order by event_time) - 1 as input_off from alerts)"
    )
    assert sorted(found) == [(n, alert(n).type) for n in range(120)]
    assert asked(topic.history, "select count(*), count(distinct (part, off)) from alerts") == [(120, 120)]
    assert {writer.terminate() for writer in writers[1:]} == {0}
    assert pl.DataFrame(asked(topic.history, "select day::text from alerts"), orient="row").n_unique() > 3
