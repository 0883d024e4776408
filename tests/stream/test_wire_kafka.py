"""What only a real Kafka has: open transactions, control records, fencing in the middle, a broker that is not there."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from stream.demo.local_redis import free_port
from stream.kafka.shard_wire import MIN_GAP_S, ExamplesProducer, KafkaWire, WireSettings
from stream.kafka.topics import topic_names
from stream.kafka.wire import Fenced, Marker, WireUnavailable
from stream.outbox import Entry
from tests.stream.test_wire_contract import ANY_TIME, marker, opened
from tests.stream.topics import make_topics

pytestmark = pytest.mark.real_kafka


class Stopping(KafkaWire):
    """Waits at one point until told to go on; notes when it got to each."""

    stop_at = ""

    def __init__(self, settings: WireSettings, partition: int, examples: ExamplesProducer) -> None:
        super().__init__(settings, partition, examples)
        self.there, self.go_on = asyncio.Event(), asyncio.Event()
        self.times: list[tuple[str, float]] = []

    async def at(self, point: str) -> None:
        self.times.append((point, time.monotonic()))
        if point == self.stop_at:
            self.there.set()
            await self.go_on.wait()


@pytest.fixture
def settings(kafka: str, app_name: str) -> WireSettings:
    return WireSettings(kafka, app_name, "g", make_topics(kafka, f"{app_name}.", 1))


@pytest.fixture
async def examples(settings: WireSettings) -> AsyncIterator[ExamplesProducer]:
    producer = ExamplesProducer(settings)
    yield producer
    await producer.close()


@pytest.fixture
async def wire(settings: WireSettings, examples: ExamplesProducer) -> AsyncIterator[Stopping]:
    one = Stopping(settings, 0, examples)
    await one.open()
    yield one
    one.go_on.set()
    await one.close()


async def committed(settings: WireSettings, logical: str) -> list[bytes]:
    """Values a read_committed reader sees."""
    consumer = AIOKafkaConsumer(
        settings.topics[logical],
        bootstrap_servers=settings.bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        tp = next(iter(consumer.assignment()))
        end, values = (await consumer.end_offsets([tp]))[tp], []
        while await consumer.position(tp) < end:
            values += [record.value for record in (await consumer.getmany(tp, timeout_ms=100)).get(tp, [])]
        return values
    finally:
        await consumer.stop()


async def test_the_marker_is_found_behind_aborted_transactions(settings: WireSettings, wire: Stopping) -> None:
    await wire.publish([opened(1)], marker(opened(1)))
    await wire.close()
    noise = AIOKafkaProducer(bootstrap_servers=settings.bootstrap, transactional_id=f"noise-{settings.app}")
    await noise.start()
    try:
        for _ in range(15):
            await noise.begin_transaction()
            for logical in ("progress", "alerts", "time"):
                await noise.send_and_wait(settings.topics[logical], b"not this", key=f"{settings.app}-0".encode(), partition=0)
            await noise.abort_transaction()
    finally:
        await noise.stop()
    await wire.open()
    assert await wire.last_marker() == marker(opened(1))
    assert list(await wire.alerts_after(0)) == [opened(1)]
    assert list(await wire.ticks_from(0)) == []
    tick = await wire.tick(4, ANY_TIME)
    assert list(await wire.ticks_from(0)) == [tick]


async def test_another_application_s_marker_is_not_ours(settings: WireSettings, wire: Stopping, examples: ExamplesProducer) -> None:
    await wire.publish([opened(1)], marker(opened(1)))
    other = KafkaWire(WireSettings(settings.bootstrap, "other", "g", settings.topics), 0, examples)
    await other.open()
    assert await other.last_marker() is None
    for offset in range(40):
        await other.publish([], Marker(opened(offset).position, offset))
    await other.close()
    assert await wire.last_marker() == marker(opened(1))


@pytest.mark.parametrize("point", ["begun", "sent"])
async def test_a_new_owner_ends_an_open_transaction_and_fences_its_holder(
    settings: WireSettings, wire: Stopping, examples: ExamplesProducer, point: str
) -> None:
    wire.stop_at = point
    publishing = asyncio.create_task(wire.publish([opened(1), opened(2)], marker(opened(2))))
    await wire.there.wait()
    owner = KafkaWire(settings, 0, examples)
    await owner.open()
    assert await owner.last_marker() is None
    await owner.publish([opened(3)], marker(opened(3)))
    wire.go_on.set()
    with pytest.raises(Fenced):
        await publishing
    with pytest.raises(WireUnavailable):
        await wire.publish([opened(4)], marker(opened(4)))
    assert await owner.last_marker() == marker(opened(3))
    assert await committed(settings, "alerts") == [b"3"]
    await owner.close()


async def test_a_cancelled_publish_leaves_a_wire_that_says_so(settings: WireSettings, wire: Stopping, examples: ExamplesProducer) -> None:
    wire.stop_at = "sent"
    publishing = asyncio.create_task(wire.publish([opened(1)], marker(opened(1))))
    await wire.there.wait()
    publishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await publishing
    with pytest.raises(WireUnavailable):
        await wire.tick(1, ANY_TIME)
    await wire.close()
    owner = KafkaWire(settings, 0, examples)
    await owner.open()
    await owner.publish([opened(1)], marker(opened(1)))
    assert await committed(settings, "alerts") == [b"1"]
    await owner.close()


async def test_an_entry_too_large_for_kafka_takes_the_whole_transaction_with_it(settings: WireSettings, wire: Stopping) -> None:
    huge = Entry(opened(2).position, "alerts", b"k", b"x" * (2 << 20), [])
    with pytest.raises(WireUnavailable):
        await wire.publish([opened(1), huge], marker(huge))
    await wire.close()
    assert await committed(settings, "alerts") == []


async def test_transactions_keep_their_distance(wire: Stopping) -> None:
    for offset in range(5):
        await wire.publish([opened(offset)], marker(opened(offset)))
    sent = [at for point, at in wire.times if point == "sent"]
    begun = [at for point, at in wire.times if point == "begun"]
    assert min(after - before for before, after in zip(sent[:-1], begun[1:], strict=True)) >= MIN_GAP_S


async def test_a_tick_has_the_broker_s_time(wire: Stopping) -> None:
    before = time.time_ns() // 1_000_000
    tick = await wire.tick(0, ANY_TIME)
    assert before <= tick.time_ms <= time.time_ns() // 1_000_000


async def test_examples_arrive_in_order_on_one_partition(settings: WireSettings, wire: Stopping, examples: ExamplesProducer) -> None:
    blocks = [b"%d" % number for number in range(200)]
    await wire.publish_examples(blocks[:150])
    await examples.close()
    large = random.Random(1).randbytes(3 << 20)
    await wire.publish_examples([*blocks[150:], large])
    assert await committed(settings, "examples") == [*blocks, large]


async def test_no_broker_is_said_so_and_closing_does_not_wait(app_name: str) -> None:
    nowhere = WireSettings(f"127.0.0.1:{free_port()}", app_name, "g", topic_names())
    examples = ExamplesProducer(nowhere)
    wire = KafkaWire(nowhere, 0, examples)
    with pytest.raises(WireUnavailable):
        await wire.open()
    with pytest.raises(WireUnavailable):
        await wire.last_marker()
    with pytest.raises(WireUnavailable):
        await wire.publish_examples([b"x"])
    await wire.close()
    await examples.close()
