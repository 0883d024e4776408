"""A topic of clicks for the writer of the history, on a real Kafka, and what a history of it must hold, told by reading it plainly."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from kafka import KafkaConsumer, TopicPartition

from insights.history.events import Rules
from insights.history.reader import open_log
from stream.cli.admin import create_topics
from stream.cli.history import rules_of
from stream.settings import Settings, load_settings
from tests.insights.history.histories import ms_of
from tests.oracles.history import day_of
from tests.servers.process import Program

START_MS = 1_760_000_000_000
HOUR_MS = 3_600_000
TOML = """
[features]
timezone = "Europe/Berlin"
not_users = ["nobody"]
[kafka]
partitions = 3
[history]
interval = "100ms"
rows = 400
web = ""
"""
Row = tuple[Any, ...]
"""Part, offset, user, time (ms), type, channel, item, session, value, event id, props as an object."""


@dataclass
class Topic:
    """One app with a topic of clicks and a history."""

    kafka: str
    app: str
    folder: Path
    toml: str = TOML
    programs: list[Program] = field(default_factory=list)

    def __post_init__(self) -> None:
        config = self.folder / "churnwatch.toml"
        config.write_text(self.toml)
        self.environment = {
            "CHURNWATCH_KAFKA": self.kafka,
            "CHURNWATCH_APP": self.app,
            "CHURNWATCH_TOPIC_PREFIX": f"{self.app}.",
            "CHURNWATCH_CONFIG": str(config),
            "CHURNWATCH_HISTORY": str(self.history),
        }
        self.settings: Settings = load_settings(config, self.environment)
        self.rules: Rules = rules_of(self.settings)
        list(create_topics(self.settings))
        self._serial = itertools.count()

    @property
    def history(self) -> Path:
        return self.folder / "history"

    def start(self, *args: str) -> Program:
        program = Program(["history", "run", *args], self.environment, self.folder / f"writer-{next(self._serial)}.log", forked=True)
        self.programs.append(program)
        return program

    def stop_all(self) -> None:
        for program in self.programs:
            program.kill()

    def produce(self, payloads: Iterable[tuple[str, bytes]]) -> None:
        producer = Producer({"bootstrap.servers": self.kafka, "linger.ms": 20, "partitioner": "murmur2_random"})
        for user, payload in payloads:
            producer.produce(f"{self.app}.clicks", payload, user.encode())
            producer.poll(0)
        producer.flush()

    def records(self) -> Iterator[Any]:
        """Yield all records of the topic, one partition after the other."""
        consumer = KafkaConsumer(bootstrap_servers=self.kafka, enable_auto_commit=False)
        for number in sorted(consumer.partitions_for_topic(f"{self.app}.clicks") or ()):
            place = TopicPartition(f"{self.app}.clicks", number)
            consumer.assign([place])
            consumer.seek_to_beginning(place)
            end = consumer.end_offsets([place])[place]
            while consumer.position(place) < end:
                yield from consumer.poll(timeout_ms=500).get(place, [])
        consumer.close()

    def expected(self) -> dict[tuple[int, int], Row]:
        """Return the rows that the history must hold, by part and offset."""
        seen: set[tuple[str, str, Any]] = set()
        rows: dict[tuple[int, int], Row] = {}
        for record in self.records():
            try:
                event = json.loads(record.value)
            except ValueError:
                continue
            if event["user"] == "nobody":
                continue
            event_id = event.get("event_id")
            key = (event["user"], event_id or "", day_of(event["ts"], self.rules.timezone))
            if event_id is not None and key in seen:
                continue
            seen.add(key)
            rest = (event.get(name) for name in ("channel", "item", "session", "value", "event_id"))
            props = event.get("props") or None
            rows[record.partition, record.offset] = (
                record.partition,
                record.offset,
                event["user"],
                event["ts"],
                event["type"],
                *rest,
                props,
            )
        return rows

    def held(self) -> tuple[dict[str, int], list[Row]]:
        """Return the offsets and the rows of one snapshot of the history."""
        log = open_log(self.history)
        found = log.con.execute(
            'select part, "off", "user", ts, type, channel, item, session, value, event_id, props from events order by part, "off"'
        ).fetchall()
        log.con.close()
        rows = [(*row[:3], ms_of(row[3]), *row[4:10], None if row[10] is None else json.loads(row[10])) for row in found]
        return dict(log.as_of.offsets or {}), rows


def made_up(count: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """Yield users and payloads: repeats near and far, events without an id, late ones, payloads that are no events, props of every shape."""
    chance = random.Random(seed)
    sent: list[tuple[str, bytes]] = []
    for n in range(count):
        draw = chance.random()
        if draw < 0.08 and sent:
            yield chance.choice(sent[-40:] if draw < 0.06 else sent)
            continue
        user = f"user {chance.randrange(60)}" if draw < 0.97 else chance.choice(["nobody", "ünïcode", 'a "quoted" \\ one'])
        event: dict[str, Any] = {
            "user": user,
            "ts": START_MS + n * 10_000 - (2 * 24 * HOUR_MS if draw > 0.9 else 0),
            "type": chance.choice(["view", "buy"]),
        }
        if draw < 0.9:
            event["event_id"] = f"e{n}"
        if n % 2:
            event |= {"channel": chance.choice(["ads", "seo"]), "item": f"sku-{n % 9}", "session": f"s{n // 7}", "value": n / 4}
        if n % 3 == 0:
            event["props"] = chance.choice([{}, {"platform": "ios", "deep": [1, {"a": "}"}]}, {"text": "ä\n"}])
        payload = json.dumps(event, ensure_ascii=n % 5 == 0).encode()
        sent.append((user, payload))
        yield user, payload if n % 50 else b"{broken"
