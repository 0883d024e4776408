"""The topics `alerts` and `examples` as one log that is read from given offsets on; without a consumer group, and committed records only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from stream.kafka.connection import Connection, aio_consumer

FETCHED = 50
"""Records that are handed out at once; a block of examples may hold thousands."""
SETTLE_S = 10.0
Place = tuple[str, int]
"""Topic and partition."""


class TopicsMadeAnew(Exception):
    """The topics do not hold the record that is to be read next: they no longer fit what was read before."""


class Topics:
    """The open topics; `open_topics` makes it.

    Alerts are read first, as far as they go at the start: they are few, and the labels that come after them then say of each at once what came true.
    """

    def __init__(self, consumer: AIOKafkaConsumer, alerts: list[TopicPartition], examples: TopicPartition) -> None:
        self._consumer, self._alerts, self._examples = consumer, alerts, examples
        self._every = [*alerts, examples]
        self._ends: dict[TopicPartition, int] = {}
        self._alerts_until: dict[TopicPartition, int] = {}

    async def seek(self, positions: Mapping[Place, int]) -> None:
        """Go to where each partition is read on, or to its beginning. Raises TopicsMadeAnew when it does not hold that place."""
        self._consumer.assign(self._every)
        first = await self._consumer.beginning_offsets(self._every)
        wanted = {tp: positions.get((tp.topic, tp.partition), first[tp]) for tp in self._every}
        for tp, at in wanted.items():
            if at < first[tp]:
                raise TopicsMadeAnew
            self._consumer.seek(tp, at)
        until = time.monotonic() + SETTLE_S
        while any(wanted[tp] > end for tp, end in (await self._look_at_ends()).items()):
            # a broker that has just started may not know yet how far its log goes
            if time.monotonic() > until:
                raise TopicsMadeAnew
            await asyncio.sleep(0.5)
        self._alerts_until = {tp: self._ends[tp] for tp in self._alerts}
        self._consumer.pause(self._examples)

    async def some(self, timeout_ms: int) -> list[Any]:
        """Return the next records, in the order of each partition; an empty list if none come in time. Raises TopicsMadeAnew."""
        if self._alerts_until and all([await self._consumer.position(tp) >= end for tp, end in self._alerts_until.items()]):
            self._alerts_until = {}
            self._consumer.resume(self._examples)
        try:
            fetched: dict[Any, list[Any]] = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=FETCHED)
        except OffsetOutOfRangeError:
            raise TopicsMadeAnew from None
        return [record for records in fetched.values() for record in records]

    async def positions(self) -> dict[Place, int]:
        """Return which offset of each partition is read next; it passes markers of transactions too, which are no records."""
        return {(tp.topic, tp.partition): await self._consumer.position(tp) for tp in self._every}

    def ends(self) -> dict[Place, int]:
        """Return where each partition ended when the broker last said so: every transaction before that has ended."""
        for tp in self._every:
            self._ends[tp] = max(self._ends[tp], self._consumer.last_stable_offset(tp) or 0)
        return {(tp.topic, tp.partition): end for tp, end in self._ends.items()}

    async def _look_at_ends(self) -> dict[TopicPartition, int]:
        self._ends = await self._consumer.end_offsets(self._every)
        return self._ends


@asynccontextmanager
async def open_topics(connection: Connection, alerts: str, partitions: int, examples: str, *, check_crcs: bool) -> AsyncIterator[Topics]:
    """Open the topics, by their names, and close the connection at the end."""
    consumer = aio_consumer(
        connection, enable_auto_commit=False, isolation_level="read_committed", auto_offset_reset="none", check_crcs=check_crcs,
        fetch_max_wait_ms=200,
    )  # fmt: skip
    await consumer.start()
    try:
        yield Topics(consumer, [TopicPartition(alerts, number) for number in range(partitions)], TopicPartition(examples, 0))
    finally:
        await consumer.stop()
