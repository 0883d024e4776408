"""One app on real servers: topics, a log, workers as processes, and the same log run by one undisturbed shard in memory as the oracle."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from kafka import KafkaConsumer, TopicPartition

from features.definitions.rules import pieces
from features.events.columns import ColumnReader
from features.store.keys import shard_keys
from features.store.memory import MemoryStore
from features.store.redis import connect
from online_models.cadence import CadenceScorer
from online_models.example import unpack_block
from online_models.scorer import Champion
from stream.alerts.message import decode_alert
from stream.cli.admin import create_topics
from stream.kafka.topics import topic_names
from stream.outbox import unpack_entry
from stream.ownership.stored import stored_metas
from stream.position import position_of
from stream.settings import Settings, load_settings
from stream.shard.meta import ShardMeta
from stream.shard.records import Records, of_records
from stream.shard.settings import ShardSettings
from stream.shard.step import Shard, answered
from tests.oracles.engine import comparable
from tests.servers.process import ROOT, Program, wait_until

DAY_MS = 86_400_000
PARTITIONS = 4


@dataclass
class World:
    kafka: str
    redis: str
    app: str
    folder: Path
    toml: str = ""
    programs: list[Program] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.config = self.folder / "churnwatch.toml"
        self.config.write_text(self.toml or DEFAULT_TOML)
        self.environment = {
            "CHURNWATCH_KAFKA": self.kafka,
            "CHURNWATCH_REDIS": self.redis,
            "CHURNWATCH_APP": self.app,
            "CHURNWATCH_TOPIC_PREFIX": f"{self.app}.",
            "CHURNWATCH_CONFIG": str(self.config),
            "CHURNWATCH_WEB": "",
        }
        self.settings: Settings = load_settings(self.config, self.environment, app__group=self.app)
        self.config.write_text(self.config.read_text().replace("[app]", f'[app]\ngroup = "{self.app}"'))
        self.topics = topic_names(f"{self.app}.")
        self.client = connect(self.redis)
        list(create_topics(self.settings))
        self._serial = itertools.count()

    def start(self, *args: str, root: Path = ROOT, fresh: bool = False) -> Program:
        """Start a process of this build, or of the one in another folder; a fresh one goes all the way of a start, as an operator's does."""
        log = self.folder / f"worker-{next(self._serial)}.log"
        program = Program(list(args) or ["run"], self.environment, log, root, forked=root == ROOT and not fresh)
        self.programs.append(program)
        return program

    def stop_all(self) -> None:
        for program in self.programs:
            program.kill()

    def produce(self, values: Iterable[tuple[str, bytes]]) -> int:
        producer = Producer({"bootstrap.servers": self.kafka, "compression.type": "lz4", "linger.ms": 20, "partitioner": "murmur2_random",
                             "queue.buffering.max.messages": 2_000_000})  # fmt: skip
        count = 0
        for user, value in values:
            producer.produce(self.topics["clicks"], value, user.encode())
            count += 1
            if count % 10_000 == 0:
                producer.poll(0)
        producer.flush()
        return count

    def metas(self) -> dict[int, ShardMeta]:
        return stored_metas(self.client, self.app, PARTITIONS)

    def taken(self) -> int:
        return sum(sum(meta.totals.values()) for meta in self.metas().values())

    def wait_taken(self, count: int, timeout_s: float) -> None:
        wait_until(
            lambda: self.taken() >= count, timeout_s, f"{count} records taken", lambda: f"{self.taken()} were; {self.tails()}", self.taken
        )

    def tails(self) -> str:
        return "\n".join(program.text()[-1500:] for program in self.programs[-3:])

    def log(self, logical: str, isolation: str = "read_committed") -> dict[int, list[Any]]:
        """Return all records of a topic, by partition."""
        consumer = KafkaConsumer(bootstrap_servers=self.kafka, isolation_level=isolation, enable_auto_commit=False)
        found: dict[int, list[Any]] = {}
        for number in sorted(consumer.partitions_for_topic(self.topics[logical]) or ()):
            tp = TopicPartition(self.topics[logical], number)
            consumer.assign([tp])
            consumer.seek_to_beginning(tp)
            end = consumer.end_offsets([tp])[tp]
            found[number] = []
            while consumer.position(tp) < end:
                found[number] += consumer.poll(timeout_ms=500).get(tp, [])
        consumer.close()
        return found

    def states(self, partition: int) -> dict[str, bytes]:
        prefix = shard_keys(self.app, partition).states
        keys: list[bytes] = list(self.client.scan_iter(f"{prefix}*", count=5_000))
        values: list[Any] = []
        for at in range(0, len(keys), 5_000):
            found: Any = self.client.mget(keys[at : at + 5_000])
            values += found
        return {key.decode()[len(prefix) :]: value for key, value in zip(keys, values, strict=True)}

    def replay(self, key_events: tuple[str, ...]) -> dict[int, tuple[Shard, MemoryStore, list[tuple[Any, str]], list[tuple[int, str]]]]:
        """Run the same log through one undisturbed shard per partition, in memory, scored by the rule."""
        return {partition: asyncio.run(self._replay(partition, records, key_events)) for partition, records in self.log("clicks").items()}

    async def _replay(self, partition: int, log: list[Any], key_events: tuple[str, ...]) -> Any:
        spec = self.settings.spec(key_events)
        serial = itertools.count()
        store = MemoryStore(lambda: str(next(serial)))
        champions = [Champion(0, CadenceScorer(definition.horizon_ms)) for definition in spec.definitions]
        settings = ShardSettings(self.app, partition, spec, self.settings.policy(), capacity=1 << 21)
        shard = Shard(settings, await store.take(partition, 1), champions)
        history = self.metas()[partition].rules
        said: list[tuple[Any, str]] = []
        for at in range(0, len(log), 5_000):
            part = of_records(log[at : at + 5_000])
            for rows, rules, after in pieces(history, part.offset, int(part.offset[-1]) + 1):
                one = part[rows]
                columns = ColumnReader(spec, rules).read(one.values, one.append_ms)
                records = Records(columns, one.offset, one.values, after)
                start = 0
                while start < columns.n:
                    step = await answered(shard.advance(records, start), partial(store.read, partition))
                    await store.commit(partition, step.commit)
                    shard.committed(step)
                    start = step.taken
                    said += [(entry.position, entry.topic) for entry in map(unpack_entry, step.commit.outbox)]
        return shard, store, said, []

    def _complete(self, said: dict[str, int]) -> bool:
        for topic, count in said.items():
            if sum(map(len, self.log(topic).values())) < count:
                return False
        told: Counter[int] = Counter()
        for message in self.log("examples")[0]:
            block = unpack_block(message.value)
            told[block.partition] = max(told[block.partition], block.first_number + len(block.items))
        return all(told[partition] >= meta.example_no for partition, meta in self.metas().items())

    def _let_the_next_owner_say_the_rest(self, said: dict[str, int]) -> None:
        """Start once more. A stop is bounded in time, so what Kafka had not confirmed by then is in the outbox and leaves with the next owner."""
        if self._complete(said):
            return
        worker = self.start()
        wait_until(lambda: self._complete(said), 90, "the rest was said", self.tails)
        assert worker.terminate() == 0

    def check(self, key_events: tuple[str, ...]) -> Counter[str]:
        """Check that states, outcomes, alerts and dead letters equal those of the undisturbed run, each of them once."""
        totals: Counter[str] = Counter()
        replayed = self.replay(key_events)
        said = {
            topic: sum(one == topic for _, _, entries, _ in replayed.values() for _, one in entries) for topic in ("alerts", "dead_letters")
        }
        self._let_the_next_owner_say_the_rest(said)
        alerts, dead = self.log("alerts"), self.log("dead_letters")
        for partition, (shard, store, said, _) in replayed.items():
            expected = store.users(partition)
            found = self.states(partition)
            assert found.keys() == expected.keys()
            count = len(self.settings.definitions)
            wrong = [user for user in expected if comparable(user, found[user], count) != comparable(user, expected[user], count)]
            assert not wrong, f"shard {partition}: {len(wrong)} of {len(expected)} states differ"
            meta = self.metas()[partition]
            assert meta.totals == shard.meta.totals
            assert meta.example_no == shard.meta.example_no
            positions = [position_of(message.headers) for message in alerts[partition]]
            assert positions == [position for position, topic in said if topic == "alerts"], f"alerts of shard {partition}"
            assert len(dead[partition]) == sum(topic == "dead_letters" for _, topic in said)
            totals["users"] += len(expected)
            totals["alerts"] += len(positions)
            totals["dead letters"] += len(dead[partition])
            totals["examples"] += meta.example_no
        ids = [(alert.alert_id, alert.type) for messages in alerts.values() for alert in (decode_alert(m.value) for m in messages)]
        assert len(ids) == len(set(ids))
        return totals


DEFAULT_TOML = """
[app]

[features]
key_events = ["click", "view", "purchase"]

[alerts]
backfill = true
threshold = 0.5

[time]
ticks = false

[learning]
min_labels = 100000000

[[definitions]]
name = "gone"
active_window = "3d"
horizon = "2d"
"""


def made_up_log(events: int, users: int, days: float, seed: int = 1) -> Iterable[tuple[str, bytes]]:
    """Make clicks over some days that end two hours ago: users differ in how much they click, and there are retries, late clicks and poison."""
    rng = random.Random(seed)
    end = int(time.time() * 1000) - 2 * 3_600_000
    start = end - int(days * DAY_MS)
    for number in range(events):
        user = f"user-{int(users * rng.random() ** 2.5):07d}"
        ts = start + (end - start) * number // events - (rng.randrange(3_000_000) if rng.random() < 0.05 else 0)
        roll = rng.random()
        if roll < 0.002:
            yield user, b"{broken"
            continue
        event_id = f"e{number if roll > 0.01 else max(0, number - 1)}"
        yield user, json.dumps({"user": user, "ts": ts, "type": rng.choice(("click", "view", "purchase")), "event_id": event_id}).encode()
