"""A shard's fenced line to a real Kafka.

One transactional producer per shard, `transactional.id` = app-group-topic-partition: whoever opens it fences every earlier holder.
A transaction holds the entries and, last, the marker on the compacted topic `progress`. aiokafka reports fencing as whatever error it
runs into (AssertionError among them), so any error makes the producer unusable; the caller opens a new wire and reads the marker.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced

from stream.alerts import position_of
from stream.wire import Entry, Fenced, Marker, Tick, WireUnavailable

TRANSACTION_TIMEOUT_MS = 10_000
MIN_GAP_S = 0.02
"""Least time between two transactions: back to back ones meet retries of 100 ms in the broker."""
READ_TIMEOUT_S = 20.0

_marker_encoder = msgspec.msgpack.Encoder()
_marker_decoder = msgspec.msgpack.Decoder(Marker)


@dataclass(frozen=True, slots=True)
class WireSettings:
    """How to reach Kafka.

    Attributes
    ----------
    topics : mapping of logical to real topic name
    security : keyword arguments for aiokafka clients (TLS, SASL)
    """

    bootstrap: str
    app: str
    group: str
    topics: Mapping[str, str]
    security: Mapping[str, Any] = field(default_factory=dict)


class ExamplesProducer:
    """The process's one idempotent producer to `examples`; shared by its shards."""

    def __init__(self, settings: WireSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    async def send(self, partition: int, blocks: Sequence[bytes]) -> None:
        """Send blocks in order and wait for all. Raises WireUnavailable; a repeat is dropped by its numbers."""
        topic = self._settings.topics["examples"]
        key = str(partition).encode()
        try:
            producer = await self._started()
            async with asyncio.timeout(READ_TIMEOUT_S):
                futures = [await producer.send(topic, block, key=key, partition=0) for block in blocks]
                await asyncio.gather(*futures)
        except (KafkaError, TimeoutError, OSError) as error:
            await self.close()
            raise WireUnavailable(f"examples: {error!r}") from error

    async def _started(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._settings.bootstrap, enable_idempotence=True, compression_type="lz4", max_request_size=8 << 20,
                    **self._settings.security,
                )  # fmt: skip
                await producer.start()
                self._producer = producer
            return self._producer

    async def close(self) -> None:
        """Stop the producer; the next send starts another."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(producer.stop(), 2)


class KafkaWire:
    """See `stream.wire.Wire`."""

    def __init__(self, settings: WireSettings, partition: int, examples: ExamplesProducer) -> None:
        self._settings, self._partition, self._examples = settings, partition, examples
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()
        self._ended = 0.0

    def _tp(self, logical: str) -> TopicPartition:
        return TopicPartition(self._settings.topics[logical], self._partition)

    async def open(self) -> None:
        """See `stream.wire.Wire`."""
        s = self._settings
        producer = AIOKafkaProducer(
            bootstrap_servers=s.bootstrap,
            transactional_id=f"{s.app}-{s.group}-{s.topics['clicks']}-{self._partition}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            request_timeout_ms=10_000,
            max_request_size=8 << 20,
            linger_ms=0,
            **s.security,
        )
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                await producer.start()
        except BaseException as error:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(producer.stop(), 2)
            if isinstance(error, (KafkaError, TimeoutError, OSError)):
                raise WireUnavailable(f"shard {self._partition}: opening the producer: {error!r}") from error
            raise
        self._producer = producer

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AIOKafkaProducer]:
        producer = self._producer
        if producer is None:
            raise WireUnavailable(f"shard {self._partition}: the wire is closed")
        async with self._lock:
            wait_s = self._ended + MIN_GAP_S - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            try:
                async with asyncio.timeout(TRANSACTION_TIMEOUT_MS / 1000):
                    await producer.begin_transaction()
                    yield producer
                    await producer.commit_transaction()
            except (ProducerFenced, InvalidProducerEpoch) as error:
                raise Fenced(f"shard {self._partition}") from error
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - fencing shows as any error, AssertionError included; the marker tells the truth
                raise WireUnavailable(f"shard {self._partition}: transaction: {error!r}") from error
            finally:
                self._ended = time.monotonic()

    async def publish(self, entries: Sequence[Entry], marker: Marker) -> None:
        """See `stream.wire.Wire`."""
        topics = self._settings.topics
        async with self._transaction() as producer:
            futures = [
                await producer.send(
                    topics[entry.topic], entry.value, key=entry.key or None, partition=self._partition, headers=entry.headers
                )
                for entry in entries
            ]
            key = f"{self._settings.app}-{self._partition}".encode()
            futures.append(await producer.send(topics["progress"], _marker_encoder.encode(marker), key=key, partition=self._partition))
            await asyncio.gather(*futures)

    async def publish_examples(self, blocks: Sequence[bytes]) -> None:
        """See `stream.wire.Wire`."""
        await self._examples.send(self._partition, blocks)

    async def tick(self, next_offset: int) -> Tick:
        """See `stream.wire.Wire`."""
        tp = self._tp("time")
        async with self._transaction() as producer:
            sent = await producer.send(tp.topic, str(next_offset).encode(), partition=tp.partition)
            record = await sent
        # LogAppendTime: the acknowledgement carries the broker's stamp.
        return Tick(record.offset, next_offset, record.timestamp)

    async def ticks_from(self, time_offset: int) -> Sequence[Tick]:
        """See `stream.wire.Wire`."""
        return [Tick(record.offset, int(record.value), record.timestamp) async for record in self._read("time", time_offset)]

    async def alerts_after(self, next_offset: int) -> Sequence[Entry]:
        """See `stream.wire.Wire`. Scans back from the end in doubling strides until a record from before `next_offset` is seen."""
        stride = 256
        async with self._reader("alerts") as (consumer, tp):
            first, end = await self._bounds(consumer, tp)
            while True:
                start = max(first, end - stride)
                entries = []
                async for record in self._drain(consumer, tp, start, end):
                    position = position_of(list(record.headers))
                    entries.append(Entry(position, "alerts", record.key or b"", record.value, list(record.headers)))
                if start == first or (entries and entries[0].position.offset < next_offset):
                    return [entry for entry in entries if entry.position.offset >= next_offset]
                stride *= 2

    async def last_marker(self) -> Marker | None:
        """See `stream.wire.Wire`. Scans back from the end, since aborted transactions and control records may stand last."""
        stride = 16
        async with self._reader("progress") as (consumer, tp):
            first, end = await self._bounds(consumer, tp)
            key = f"{self._settings.app}-{self._partition}".encode()
            while True:
                start = max(first, end - stride)
                last = None
                async for record in self._drain(consumer, tp, start, end):
                    if record.key == key and record.value is not None:
                        last = _marker_decoder.decode(record.value)
                if last is not None or start == first:
                    return last
                stride *= 2

    async def _read(self, logical: str, start: int) -> AsyncIterator[Any]:
        async with self._reader(logical) as (consumer, tp):
            first, end = await self._bounds(consumer, tp)
            async for record in self._drain(consumer, tp, max(first, start), end):
                yield record

    @contextlib.asynccontextmanager
    async def _reader(self, logical: str) -> AsyncIterator[tuple[AIOKafkaConsumer, TopicPartition]]:
        tp = self._tp(logical)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.bootstrap, enable_auto_commit=False, isolation_level="read_committed",
            auto_offset_reset="none", fetch_max_wait_ms=50, **self._settings.security,
        )  # fmt: skip
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                await consumer.start()
                consumer.assign([tp])
                yield consumer, tp
        except (KafkaError, TimeoutError, OSError) as error:
            raise WireUnavailable(f"shard {self._partition}: reading {logical}: {error!r}") from error
        finally:
            with contextlib.suppress(Exception):
                await consumer.stop()

    async def _bounds(self, consumer: AIOKafkaConsumer, tp: TopicPartition) -> tuple[int, int]:
        """First offset, and the last stable one: what a read_committed reader can reach now."""
        first = (await consumer.beginning_offsets([tp]))[tp]
        consumer.seek(tp, first)
        end = (await consumer.end_offsets([tp]))[tp]
        return first, end

    @staticmethod
    async def _drain(consumer: AIOKafkaConsumer, tp: TopicPartition, start: int, end: int) -> AsyncIterator[Any]:
        """Yield committed records from `start` until the position reaches `end`."""
        if start >= end:
            return
        consumer.seek(tp, start)
        while await consumer.position(tp) < end:
            for record in (await consumer.getmany(tp, timeout_ms=100)).get(tp, []):
                if record.offset < end:
                    yield record

    async def close(self) -> None:
        """See `stream.wire.Wire`."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(producer.stop(), 2)
