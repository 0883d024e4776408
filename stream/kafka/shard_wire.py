"""A shard's fenced line to a real Kafka.

One transactional producer per shard, `transactional.id` = app-group-topic-partition: whoever opens it fences every earlier holder.
A transaction holds the entries and, last, the marker on the compacted topic `progress`. After any error the producer is unusable, and
whether its transaction was committed is unknown: the caller opens a new wire and reads the marker.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced

from stream.kafka.connection import Connection, aio_producer
from stream.kafka.origin import app_header, is_foreign
from stream.kafka.scan import Scan, open_scan
from stream.kafka.security import Security
from stream.kafka.wire import ClockAhead, Fenced, Marker, Tick, WireUnavailable
from stream.outbox import Entry
from stream.position import has_position, position_of

TRANSACTION_TIMEOUT_MS = 10_000
MIN_GAP_S = 0.02
"""Least time between two transactions: those that follow at once run into retries of 100 ms in the broker."""
TIMEOUT_S = 20.0
STOP_S = 1.0
"""Longest wait for a producer that is thrown away to stop, and the same again for its connections to close."""
BATCH_BYTES = 1 << 19
"""Most bytes of one produce request for one partition; the broker's own limit is 1 MiB."""

_marker_encoder = msgspec.msgpack.Encoder()
_marker_decoder = msgspec.msgpack.Decoder(Marker)


@dataclass(frozen=True, slots=True)
class WireSettings:
    """How to reach Kafka.

    Attributes
    ----------
    topics : mapping of logical to real topic name
    security : Security
        TLS and SASL.
    """

    bootstrap: str
    app: str
    group: str
    topics: Mapping[str, str]
    security: Security = field(default_factory=Security)

    @property
    def connection(self) -> Connection:
        """Where Kafka is, and how it is reached."""
        return Connection(self.bootstrap, self.security)


class ExamplesProducer:
    """The process's one idempotent producer to `examples`; shared by its shards."""

    def __init__(self, settings: WireSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    async def send(self, partition: int, blocks: Sequence[bytes]) -> None:
        """Send blocks in order and wait for all.

        Raises
        ------
        WireUnavailable
            Some may have arrived. Send all of them again: the trainer drops repeats by their numbers.
        """
        topic = self._settings.topics["examples"]
        key, headers = str(partition).encode(), app_header(self._settings.app)
        producer = None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                producer = await self._started()
                await _delivered([await producer.send(topic, block, key=key, partition=0, headers=headers) for block in blocks])
        except (KafkaError, TimeoutError, OSError) as error:
            # only the one that failed: by now another shard may have started the next
            if producer is not None and self._producer is producer:
                await self.close()
            raise WireUnavailable(f"examples: {error!r}") from error

    async def _started(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._producer is None:
                producer = aio_producer(
                    self._settings.connection,
                    enable_idempotence=True,
                    compression_type="zstd",  # aiokafka's lz4 is the slow, high level: four times the time for more bytes
                    request_timeout_ms=10_000,
                    max_request_size=8 << 20,
                )
                await _start(producer)
                self._producer = producer
            return self._producer

    async def close(self) -> None:
        """Stop the producer; the next send starts another."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)


class KafkaWire:
    """See `stream.kafka.wire.Wire`."""

    def __init__(self, settings: WireSettings, partition: int, examples: ExamplesProducer) -> None:
        self._settings, self._partition, self._examples = settings, partition, examples
        self._producer: AIOKafkaProducer | None = None
        self._usable = False
        self._lock = asyncio.Lock()
        self._ended = 0.0

    async def at(self, point: str) -> None:
        """Do nothing. It marks a place between two steps of a transaction, `begun` or `sent`, where tests of crashes end the process."""

    async def open(self) -> None:
        """See `stream.kafka.wire.Wire`."""
        s = self._settings
        producer = aio_producer(
            s.connection,
            transactional_id=f"{s.app}-{s.group}-{s.topics['clicks']}-{self._partition}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            request_timeout_ms=10_000,
            max_batch_size=BATCH_BYTES,
            linger_ms=0,
        )
        async with self._unavailable("opening the producer"), asyncio.timeout(TIMEOUT_S):
            await _start(producer)
        self._producer, self._usable = producer, True

    async def publish(self, entries: Sequence[Entry], marker: Marker) -> None:
        """See `stream.kafka.wire.Wire`."""
        topics, partition = self._settings.topics, self._partition
        async with self._transaction() as producer:
            sent: list[asyncio.Future[Any]] = []
            try:
                for entry in entries:
                    topic, key = topics[entry.topic], entry.key or None
                    sent.append(await producer.send(topic, entry.value, key, partition, headers=entry.headers))
                sent.append(await producer.send(topics["progress"], _marker_encoder.encode(marker), self._key, partition))
            except BaseException:
                for one in sent:
                    one.add_done_callback(_seen)
                raise
            await _delivered(sent)

    async def tick(self, next_offset: int, latest_ms: int) -> Tick:
        """See `stream.kafka.wire.Wire`."""
        async with self._transaction() as producer:
            topic, headers = self._settings.topics["time"], app_header(self._settings.app)
            record = await producer.send_and_wait(topic, str(next_offset).encode(), partition=self._partition, headers=headers)
            # LogAppendTime: the acknowledgement carries the broker's stamp, so that it can be judged while it can still be taken back.
            if record.timestamp > latest_ms:
                raise ClockAhead(self._partition, record.timestamp, latest_ms)
        return Tick(record.offset, next_offset, record.timestamp)

    async def publish_examples(self, blocks: Sequence[bytes]) -> None:
        """See `stream.kafka.wire.Wire`."""
        await self._examples.send(self._partition, blocks)

    async def last_marker(self) -> Marker | None:
        """See `stream.kafka.wire.Wire`. It scans back from the end, since aborted transactions and control records may stand last."""
        async with self._scan("progress") as scan:
            for start, stop in scan.backwards(16):
                for record in reversed(await scan.read(start, stop)):
                    if record.key == self._key and record.value is not None:
                        return _marker_decoder.decode(record.value)
        return None

    async def alerts_after(self, next_offset: int) -> Sequence[Entry]:
        """See `stream.kafka.wire.Wire`. Alerts stand in order of position, so the scan back ends at the first one before `next_offset`."""
        stretches: list[list[Entry]] = []
        async with self._scan("alerts") as scan:
            for start, stop in scan.backwards(256):
                records = [record for record in await scan.read(start, stop) if has_position(record.headers) and self._is_ours(record)]
                found = [Entry(position_of(r.headers), "alerts", r.key or b"", r.value, list(r.headers)) for r in records]
                stretches.append([entry for entry in found if entry.position.offset >= next_offset])
                if len(stretches[-1]) < len(found):
                    break
        return [entry for stretch in reversed(stretches) for entry in stretch]

    async def ticks_from(self, time_offset: int) -> Sequence[Tick]:
        """See `stream.kafka.wire.Wire`."""
        async with self._scan("time") as scan:
            records = await scan.read(max(scan.first, time_offset), scan.end)
        return [Tick(record.offset, int(record.value), record.timestamp) for record in records if self._is_ours(record)]

    async def close(self) -> None:
        """See `stream.kafka.wire.Wire`."""
        producer, self._producer, self._usable = self._producer, None, False
        if producer is not None:
            await _stop(producer)

    def _is_ours(self, record: Any) -> bool:
        return not is_foreign(record.headers, self._settings.app)

    @property
    def _key(self) -> bytes:
        return f"{self._settings.app}-{self._partition}".encode()

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AIOKafkaProducer]:
        async with self._lock:
            producer = self._producer
            if producer is None or not self._usable:
                raise WireUnavailable(f"shard {self._partition}: the wire is closed, or broke before")
            await asyncio.sleep(max(0.0, self._ended + MIN_GAP_S - time.monotonic()))
            refused: ClockAhead | None = None
            self._usable = False  # until this transaction is known to be committed; a cancelled caller leaves it so
            try:
                async with asyncio.timeout(TRANSACTION_TIMEOUT_MS / 1000):
                    await producer.begin_transaction()
                    await self.at("begun")
                    try:
                        yield producer
                    except ClockAhead as error:
                        refused = error
                        await producer.abort_transaction()
                    else:
                        await self.at("sent")
                        await producer.commit_transaction()
            except Exception as error:
                # aiokafka shows fencing as whatever error it runs into next, even as an AssertionError
                if _is_fenced(producer, error):
                    raise Fenced(f"shard {self._partition}: a newer producer, or the transaction outlived its timeout") from error
                raise WireUnavailable(f"shard {self._partition}: transaction: {error!r}") from error
            self._usable = True
            self._ended = time.monotonic()
            if refused is not None:
                raise refused

    @contextlib.asynccontextmanager
    async def _scan(self, logical: str) -> AsyncIterator[Scan]:
        s = self._settings
        async with self._unavailable(f"reading {logical}"), open_scan(s.connection, s.topics[logical], self._partition) as scan:
            yield scan

    @contextlib.asynccontextmanager
    async def _unavailable(self, doing: str) -> AsyncIterator[None]:
        try:
            yield
        except (KafkaError, TimeoutError, OSError) as error:
            raise WireUnavailable(f"shard {self._partition}: {doing}: {error!r}") from error


async def _start(producer: AIOKafkaProducer) -> None:
    try:
        await producer.start()
    except BaseException:
        await _stop(producer)
        raise


async def _stop(producer: AIOKafkaProducer) -> None:
    """Close a producer within a bound, whatever state it is in. Nothing is committed."""
    try:
        await asyncio.wait_for(producer.stop(), STOP_S)
    except Exception:  # noqa: BLE001 - it is being thrown away; a sender that waits for a dead broker is cut off below
        with contextlib.suppress(Exception):
            await asyncio.wait_for(producer.client.close(), STOP_S)


def _seen(one: asyncio.Future[Any]) -> None:
    """Read an error that nobody waits for any more, since another one ended the transaction first; else asyncio would report it as overlooked."""
    if not one.cancelled():
        one.exception()


async def _delivered(sent: Sequence[asyncio.Future[Any]]) -> None:
    """Wait for all acknowledgements; raise the first error and leave none unseen."""
    errors = [one for one in await asyncio.gather(*sent, return_exceptions=True) if isinstance(one, BaseException)]
    if errors:
        raise errors[0]


def _is_fenced(producer: AIOKafkaProducer, error: BaseException) -> bool:
    task = producer._sender.sender_task  # noqa: SLF001 - the one place where aiokafka keeps the cause
    cause = task.exception() if task is not None and task.done() and not task.cancelled() else None
    return any(isinstance(one, (ProducerFenced, InvalidProducerEpoch)) for one in (error, cause))
