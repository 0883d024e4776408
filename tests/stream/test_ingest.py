"""Files into a real topic: in order of time, each event once, and nothing at all unless everything is usable."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from features.events.event import decode_event
from stream.demo.local_redis import LocalRedis
from tests.servers.process import wait_until

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis]
CASES = Path(__file__).parents[1] / "cases" / "inputs"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def env(kafka: str, redis_server: LocalRedis, app_name: str) -> dict[str, str]:
    return os.environ | {
        "CHURNWATCH_KAFKA": kafka, "CHURNWATCH_REDIS": redis_server.url, "CHURNWATCH_APP": app_name, "CHURNWATCH_TOPIC_PREFIX": f"{app_name}-",
    }  # fmt: skip


@pytest.fixture
def run(env: dict[str, str], tmp_path: Path) -> Run:
    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "stream", *arguments], env=env, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
        )

    assert command("topics", "create", "--partitions", "2").returncode == 0
    return command


@pytest.fixture
def sent(kafka: str, app_name: str) -> Callable[[], list[list[tuple[bytes, dict[str, Any]]]]]:
    """Everything in the topic, a list a partition: key and event."""

    def read() -> list[list[tuple[bytes, dict[str, Any]]]]:
        consumer = KafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
        partitions = [TopicPartition(f"{app_name}-clicks", number) for number in range(2)]
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(partitions)
        found: list[list[tuple[bytes, dict[str, Any]]]] = [[], []]
        while any(consumer.position(one) < ends[one] for one in partitions):
            for partition, records in consumer.poll(1000).items():
                for record in records:
                    decode_event(record.value)
                    found[partition.partition].append((record.key, json.loads(record.value)))
        consumer.close()
        return found

    return read


def events(found: list[list[tuple[bytes, dict[str, Any]]]]) -> Iterator[dict[str, Any]]:
    for partition in found:
        for _, event in partition:
            yield event


def test_a_file_grouped_by_user_arrives_in_order_of_time(run: Run, sent: Any) -> None:
    done = run("ingest", str(CASES / "k_grouped_by_user.csv"))
    assert done.returncode == 0, done.stderr
    assert "2,400 events sent" in done.stdout
    assert "not in order of time: sorted" in done.stdout
    found = sent()
    assert sum(map(len, found)) == 2400
    for partition in found:
        times = [event["ts"] for _, event in partition]
        assert times == sorted(times)
        assert all(key == event["user"].encode() for key, event in partition)


def test_daily_exports_of_one_name_and_size_are_ten_different_events(run: Run, sent: Any) -> None:
    for day in ("day0", "day1"):
        assert run("ingest", str(CASES / "daily" / day / "events.csv")).returncode == 0
    assert len({event["event_id"] for event in events(sent())}) == 10


def test_a_renamed_and_mended_file_gives_the_same_ids(run: Run, sent: Any, tmp_path: Path) -> None:
    rows = [f"u{i % 3},{1700000000000 + i // 4},click" for i in range(40)]
    (tmp_path / "first.csv").write_text("\n".join(["user,ts,type", *rows, "u1,soon,click", ""]))
    refused = run("ingest", "first.csv")
    assert refused.returncode == 2
    assert "1 of 41 rows are unusable" in refused.stderr
    assert not list(events(sent()))
    assert run("ingest", "first.csv", "--skip-bad", "1").returncode == 0
    before = [event["event_id"] for event in events(sent())]
    assert len(set(before)) == 40
    (tmp_path / "mended.csv").write_text("\n".join(["user,ts,type", *rows, "u1,1700000000999,click", ""]))
    assert run("ingest", "mended.csv").returncode == 0
    after = [event["event_id"] for event in events(sent())]
    assert len(after) == 81
    assert len(set(after)) == 41


def test_every_field_arrives_as_it_stands_in_the_file(run: Run, sent: Any, tmp_path: Path) -> None:
    said = {
        "user": 'a"b\\c\n\u0001é', "ts": 1700000000000, "type": "buy", "value": 9.5, "item": "7", "session": "s", "channel": "ads", "event_id": "e",
        "props": {"a": {"b": [1, "x"]}},
    }  # fmt: skip
    (tmp_path / "one.jsonl").write_text(json.dumps(said))
    assert run("ingest", "one.jsonl").returncode == 0
    assert list(events(sent())) == [said]


def test_more_than_fits_into_memory_goes_through_a_folder_and_leaves_nothing_there(run: Run, sent: Any, tmp_path: Path) -> None:
    (tmp_path / "spill").mkdir()
    done = run("ingest", str(CASES / "k_grouped_by_user.csv"), "--spill", "spill")
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "spill").iterdir())
    missing = run("ingest", str(CASES / "k_grouped_by_user.csv"), "--spill", "nowhere")
    assert missing.returncode == 2
    assert "nowhere" in missing.stderr
    assert "Traceback" not in missing.stderr
    no_folder = run("ingest", str(CASES / "k_grouped_by_user.csv"), "--spill", str(CASES / "k_grouped_by_user.csv"))
    assert no_folder.returncode == 2
    assert "no folder can be made in" in no_folder.stderr
    assert sum(map(len, sent())) == 2400


def test_when_kafka_begins_to_refuse_events_it_is_said_how_many_had_left(
    run: Run, env: dict[str, str], sent: Any, kafka: str, app_name: str, tmp_path: Path
) -> None:
    (tmp_path / "long.csv").write_text("\n".join(["user,ts,type", *(f"u{i % 999},{1700000000000 + i},click" for i in range(600_000))]))
    sending = subprocess.Popen(
        [sys.executable, "-m", "stream", "ingest", "long.csv"], env=env, cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    consumer = KafkaConsumer(bootstrap_servers=kafka)
    partitions = [TopicPartition(f"{app_name}-clicks", number) for number in range(2)]
    wait_until(lambda: any(consumer.end_offsets(partitions).values()), 60, "the first events")
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, f"{app_name}-clicks", {"max.message.bytes": "200"})])
    admin.close()
    consumer.close()
    _, said = sending.communicate(timeout=120)
    assert sending.returncode == 2
    assert "Traceback" not in said
    left = re.search(r"([\d,]+) of 600,000 events had left", said)
    assert left, said
    assert int(left[1].replace(",", "")) == sum(map(len, sent())) > 0


def test_times_a_worker_would_reject_are_not_sent(run: Run, sent: Any, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("user,ts,type\nann,1985-01-01,x\n")
    assert "1 of 1 rows are unusable" in run("ingest", "old.csv").stderr
    done = run("ingest", "old.csv", "--oldest", "1980-01-01")
    assert done.returncode == 2
    assert "features.oldest" in done.stderr
    assert not list(events(sent()))
