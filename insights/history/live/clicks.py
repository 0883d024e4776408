"""The clicks, or another topic, from given offsets on, in whole batches of columns; without a consumer group, and committed records only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from insights.history.faults import HistoryRefused
from stream.intake.record_batches import keep_bytes, next_records
from stream.kafka.connection import Connection, admin, aio_consumer
from stream.kafka.reach import reach
from stream.shard.records import LogRecords

MOST = 20_000
"""Most records of a partition that are handed out at once."""
REQUEST_MS = 10_000
FETCH_BYTES = 4 << 20
"""Of one partition in one fetch. A larger one is no faster, and holds more in memory."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is now.

    Attributes
    ----------
    id : str
        Another one if the topic was deleted and made anew.
    partitions : int
    """

    name: str
    id: str
    partitions: int
    logical: str = "clicks"

    def source(self, partition: int) -> str:
        """Return the name of a partition's position."""
        return f"{self.logical}/{self.id}/{partition}"


def topic_now(connection: Connection, name: str, logical: str = "clicks") -> Topic:
    """Ask Kafka for a topic.

    Raises
    ------
    UsageFault
        If no broker can be reached.
    HistoryRefused
        If there is no such topic.
    """
    reach(connection)
    client = admin(connection, request_timeout_ms=REQUEST_MS, bootstrap_timeout_ms=REQUEST_MS // 2)
    try:
        if name not in set(client.list_topics()):
            raise HistoryRefused(f"there is no topic {name}: run `churnwatch topics create`, or set kafka.topic_prefix or kafka.clicks")
        (found,) = client.describe_topics([name])
    finally:
        client.close()
    return Topic(name, str(found["topic_id"]), len(found["partitions"]), logical)


class Clicks:
    """The open topic; `open_clicks` makes it.

    Parameters
    ----------
    most : int
        Most records that are handed out at once, of all partitions together.

    Attributes
    ----------
    first : dict of int to int
        Of each partition, the first offset that the topic had at the last look.
    """

    def __init__(self, consumer: AIOKafkaConsumer, topic: Topic, most: int) -> None:
        self._consumer = consumer
        self._most = min(MOST, max(1, most // topic.partitions))
        self.topic = topic
        self._places = {number: TopicPartition(topic.name, number) for number in range(topic.partitions)}
        self.first: dict[int, int] = {}
        self._ends: dict[int, int] = {}

    async def look(self) -> None:
        """Ask where each partition begins and ends."""
        places = list(self._places.values())
        self._consumer.assign(places)
        first, ends = await self._consumer.beginning_offsets(places), await self._consumer.end_offsets(places)
        self.first = {number: first[place] for number, place in self._places.items()}
        self._ends = {number: ends[place] for number, place in self._places.items()}

    def seek(self, positions: Mapping[int, int]) -> None:
        """Go to where each partition is read on."""
        for number, place in self._places.items():
            self._consumer.seek(place, positions[number])

    async def some(self, timeout_s: float) -> list[tuple[int, LogRecords]]:
        """Return records of each partition that has some, with its number; an empty list if none come in time."""
        until = time.monotonic() + timeout_s
        while True:
            found = [
                (number, records)
                for number, place in self._places.items()
                if (records := await next_records(self._consumer, place, self._most))
            ]
            left_s = until - time.monotonic()
            if found or left_s <= 0:
                return found
            waiter: Any = self._consumer._fetcher._create_fetch_waiter()
            done, _ = await asyncio.wait([waiter], timeout=left_s)
            if not done:
                waiter.cancel()
            else:
                waiter.result()  # an authorization error, if any

    async def positions(self) -> dict[int, int]:
        """Return which offset of each partition is read next; it passes markers of transactions too, which are no records."""
        return {number: await self._consumer.position(place) for number, place in self._places.items()}

    def ends(self) -> dict[int, int]:
        """Return where each partition ended when the broker last said so: every transaction before that has ended."""
        for number, place in self._places.items():
            self._ends[number] = max(self._ends[number], self._consumer.last_stable_offset(place) or 0)
        return dict(self._ends)


@asynccontextmanager
async def open_clicks(connection: Connection, topic: Topic, most: int = 1_000_000, *, check_crcs: bool = True) -> AsyncIterator[Clicks]:
    """Open the topic, and close the connection at the end.

    Parameters
    ----------
    check_crcs : bool
        Whether checksums of batches are held against them; only a broker in memory has wrong ones.
    """
    keep_bytes()
    consumer = aio_consumer(
        connection, enable_auto_commit=False, isolation_level="read_committed", auto_offset_reset="none", fetch_max_wait_ms=200,
        max_partition_fetch_bytes=FETCH_BYTES, check_crcs=check_crcs,
    )  # fmt: skip
    await consumer.start()
    try:
        yield Clicks(consumer, topic, most)
    finally:
        await consumer.stop()
