"""Reads back what stands in one partition: committed records only, up to where the log ended when the scan began.

A `read_committed` reader never sees aborted and control records, so the offsets it sees have gaps, and the log may end in one. Where a stretch
ends is therefore told by the position of the consumer, not by the last record seen.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream.kafka.connection import Connection, aio_consumer

STALL_S = 20.0
"""A scan that makes no progress for this long has failed."""


class Scan:
    """One partition between two offsets; make it with `open_scan`.

    Attributes
    ----------
    first, end : int
        First offset of the log, and its last stable one: every transaction below that has ended.
    """

    def __init__(self, consumer: AIOKafkaConsumer, tp: TopicPartition, first: int, end: int) -> None:
        self._consumer, self._tp = consumer, tp
        self.first, self.end = first, end

    async def read(self, start: int, stop: int) -> list[Any]:
        """Return the committed records with offsets in [start, stop).

        Raises
        ------
        TimeoutError
            There was no progress for `STALL_S`.
        """
        consumer, tp = self._consumer, self._tp
        records: list[Any] = []
        if start >= stop:
            return records
        consumer.seek(tp, start)
        loop = asyncio.get_running_loop()
        position = start
        async with asyncio.timeout(STALL_S) as limit:
            while position < stop:
                came = (await consumer.getmany(tp, timeout_ms=100)).get(tp, [])
                records += [record for record in came if record.offset < stop]
                reached = await consumer.position(tp)
                if reached > position:
                    limit.reschedule(loop.time() + STALL_S)
                position = reached
        return records

    def backwards(self, stride: int) -> Iterator[tuple[int, int]]:
        """Yield ranges of offsets [start, stop) from the end to the beginning, each twice as long as the one before."""
        stop = self.end
        while stop > self.first:
            start = max(self.first, stop - stride)
            yield start, stop
            stop, stride = start, 2 * stride


@contextlib.asynccontextmanager
async def open_scan(connection: Connection, topic: str, partition: int) -> AsyncIterator[Scan]:
    """Open a scan of a partition as it is now, and close its connection at the end."""
    consumer = aio_consumer(
        connection,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="none",
        fetch_max_wait_ms=50,
    )
    tp = TopicPartition(topic, partition)
    try:
        async with asyncio.timeout(STALL_S):
            await consumer.start()
            consumer.assign([tp])
            first = (await consumer.beginning_offsets([tp]))[tp]
            end = (await consumer.end_offsets([tp]))[tp]
        yield Scan(consumer, tp, first, end)
    finally:
        with contextlib.suppress(Exception):
            await consumer.stop()
