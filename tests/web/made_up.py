"""A whole app on made-up clicks, in this process: its shards over a store, and a trainer. What it says is kept as a consumer of its topics would read it.

The shards are those of a worker (`stream.ownership.session`); only Kafka is a list in memory. Time is the log's: nothing here looks at a clock,
so the same clicks give the same alerts, models and states.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from zlib import crc32

import redis

from features.store.app_spec import AppSpec
from features.store.redis import RedisStore, save_spec
from online_models.registry_redis import RedisRegistry
from stream.alerts.message import ALERTS
from stream.demo.product import Click
from stream.kafka.origin import app_header
from stream.kafka.wire import Marker, Tick
from stream.outbox import Entry
from stream.ownership.contract import Batch
from stream.ownership.event_clock import EventClock
from stream.ownership.opening import open_session
from stream.ownership.served import ModelSource, model_key
from stream.ownership.session import Dependencies, Session
from stream.position import position_of
from stream.processes.trainer import Training, trainer_settings
from stream.settings import Settings
from stream.shard.records import of_records
from stream.shard.settings import ShardSettings

KEY_EVENTS = ("view", "click", "purchase", "error")
BATCH_MS = 6 * 3_600_000
"""Clicks of so much time are one batch. What the trainer learned from it serves from the next one on."""


@dataclass(frozen=True, slots=True)
class Message:
    """One record of a topic, as a consumer reads it."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]] = field(default_factory=list)


class Topics:
    """What was said so far.

    Attributes
    ----------
    alerts, examples : list of Message
        In the order in which they were said.
    """

    def __init__(self) -> None:
        self.alerts: list[Message] = []
        self.examples: list[Message] = []
        self.markers: dict[int, Marker] = {}
        self.ticks: dict[int, list[Tick]] = {}
        self.now_ms = 0
        """What the broker's clock says."""


class MemoryWire:
    """One shard's line to the topics: see `stream.kafka.wire.Wire`."""

    def __init__(self, topics: Topics, app: str, partition: int) -> None:
        self._topics, self._app, self._partition = topics, app, partition

    async def open(self) -> None:
        return

    async def close(self) -> None:
        return

    async def last_marker(self) -> Marker | None:
        return self._topics.markers.get(self._partition)

    async def alerts_after(self, next_offset: int) -> Sequence[Entry]:
        mine = [one for one in self._topics.alerts if one.partition == self._partition]
        said = [Entry(position_of(one.headers), ALERTS, one.key or b"", one.value, one.headers) for one in mine]
        return [entry for entry in said if entry.position.offset >= next_offset]

    async def publish(self, entries: Sequence[Entry], marker: Marker) -> None:
        alerts, offset = self._topics.alerts, sum(one.partition == self._partition for one in self._topics.alerts)
        said = [entry for entry in entries if entry.topic == ALERTS]
        alerts += [Message(self._partition, offset + i, one.cause_ms, one.key, one.value, list(one.headers)) for i, one in enumerate(said)]
        self._topics.markers[self._partition] = marker

    async def publish_examples(self, blocks: Sequence[bytes]) -> None:
        examples, key = self._topics.examples, b"%d" % self._partition
        examples += [Message(0, len(examples) + i, self._topics.now_ms, key, one, app_header(self._app)) for i, one in enumerate(blocks)]

    async def tick(self, next_offset: int, latest_ms: int) -> Tick:
        ticks = self._topics.ticks.setdefault(self._partition, [])
        ticks.append(Tick(len(ticks), next_offset, self._topics.now_ms))
        return ticks[-1]

    async def ticks_from(self, time_offset: int) -> Sequence[Tick]:
        return self._topics.ticks.get(self._partition, [])[time_offset:]


class MadeUpApp:
    """The workers and the trainer of one app.

    Parameters
    ----------
    settings : Settings
    client : redis.Redis
        The Redis in which the app stores.
    partitions : int
    """

    def __init__(self, settings: Settings, client: redis.Redis, *, partitions: int = 2) -> None:
        self.settings, self.client, self.partitions = settings, client, partitions
        self.spec, self.name = settings.spec(KEY_EVENTS), str(settings["app.name"])
        self.topics = Topics()
        self._generation, self._events = 0, EventClock()
        self._next = dict.fromkeys(range(partitions), 0)
        """Offset of the next click, by partition."""
        stored = AppSpec(
            spec=self.spec, cluster_id="made-up", topic_id="made-up", partitions=partitions, spec_hash=self.spec.hash,
            app=self.name, group=self.name, topic_prefix=str(settings["kafka.topic_prefix"]),
        )  # fmt: skip
        save_spec(client, self.name, stored)
        registry, key = RedisRegistry(client, self.name), model_key(settings)
        self._training = Training(trainer_settings(settings), registry, self.spec.hash, key)
        self._models = ModelSource(registry, settings.definitions, self.spec.hash, key)

    @property
    def ends(self) -> dict[int, int]:
        """Where the log of clicks ends, by partition."""
        return dict(self._next)

    def play(self, clicks: Sequence[Click], until_ms: int) -> None:
        """Take clicks in order of time; then nobody clicks, and time goes on until `until_ms`."""
        with ThreadPoolExecutor(1) as pool:  # the caller may have an event loop already, as who drives a browser has
            pool.submit(asyncio.run, self._play(clicks, until_ms)).result()

    async def _play(self, clicks: Sequence[Click], until_ms: int) -> None:
        self._generation += 1
        store = RedisStore(self.client, self.name)
        dependencies = Dependencies(
            store, lambda partition: MemoryWire(self.topics, self.name, partition), self._models.champions,
            events=self._events, monotonic_ms=lambda: self.topics.now_ms,
        )  # fmt: skip
        policy, rules = self.settings.policy(), self.settings.rules()
        sessions = [
            await open_session(ShardSettings(self.name, partition, self.spec, policy, rules=rules), dependencies, self._generation)
            for partition in range(self.partitions)
        ]
        try:
            for _, some in groupby(clicks, lambda click: click.ts // BATCH_MS):
                await self._take(sessions, list(some))
            self.topics.now_ms = until_ms
            for session in sessions:
                await session.tick()
                await session.flush()
            self._learn()
        finally:
            for session in sessions:
                await session.close()
            store.close()

    async def _take(self, sessions: Sequence[Session], clicks: list[Click]) -> None:
        self.topics.now_ms = clicks[-1].ts
        for partition, session in enumerate(sessions):
            first = self._next[partition]
            its = [one for one in clicks if crc32(one.user.encode()) % self.partitions == partition]
            log = [Message(partition, first + i, one.ts, one.user.encode(), one.payload) for i, one in enumerate(its)]
            self._next[partition] += len(log)
            await session.process(
                Batch("clicks", partition, first, self._next[partition], of_records(log), 0, self._generation, self._next[partition])
            )
            await session.flush()
        self._learn()

    def _learn(self) -> None:
        made = False
        for message in self.topics.examples[self._training.next_offset :]:
            made |= bool(self._training.feed(message.offset, message.timestamp, message.value, save=False))
        if made:
            self._training.save()
            self._models.refresh()
