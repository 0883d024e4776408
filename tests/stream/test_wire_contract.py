"""What every wire must do: the one to a real Kafka and the one of the simulation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from features.definitions.rules import NO_RULES, Rules, RulesSince, pack_history
from stream.kafka.connection import Connection
from stream.kafka.scan import open_scan
from stream.kafka.shard_wire import ExamplesProducer, KafkaWire, WireSettings
from stream.kafka.wire import ClockAhead, Marker, Wire, WireError
from stream.outbox import Entry
from stream.position import DEAD_LETTER, EVENT_DUE, OPENED, Position
from tests.simulation.world import SimWire, Worker, World
from tests.stream.topics import make_topics

PARTITIONS = 2
ANY_TIME = 2**62


@dataclass(frozen=True)
class MakeWire:
    """Makes wires to one log, and reads all examples that were published there."""

    one: Callable[[int], Wire]
    examples: Callable[[], Awaitable[list[bytes]]]

    def __call__(self, partition: int) -> Wire:
        return self.one(partition)


class OpenWorld(World):
    """The simulation's world without its scheduler: nobody waits at any point."""

    async def pause(self, worker: Worker, point: str) -> None:
        await asyncio.sleep(0)


@pytest.fixture(params=["simulated", pytest.param("kafka", marks=pytest.mark.real_kafka)])
async def make(request: pytest.FixtureRequest, app_name: str) -> AsyncIterator[MakeWire]:
    if request.param == "simulated":
        world = OpenWorld(1, PARTITIONS)

        async def in_world() -> list[bytes]:
            return world.examples

        yield MakeWire(lambda partition: SimWire(world, Worker(0), partition), in_world)
        return
    bootstrap = request.getfixturevalue("kafka")
    settings = WireSettings(bootstrap, app_name, "g", make_topics(bootstrap, f"{app_name}.", PARTITIONS))
    examples = ExamplesProducer(settings)
    made: list[KafkaWire] = []

    def one(partition: int) -> Wire:
        made.append(KafkaWire(settings, partition, examples))
        return made[-1]

    async def in_log() -> list[bytes]:
        async with open_scan(Connection(bootstrap), settings.topics["examples"], 0) as scan:
            return [record.value for record in await scan.read(scan.first, scan.end)]

    yield MakeWire(one, in_log)
    for wire in made:
        await wire.close()
    await examples.close()


def opened(offset: int) -> Entry:
    position = Position(offset, 1_000, "ann", OPENED)
    header = b'[%d,1000,"ann",%d]' % (offset, OPENED)
    return Entry(position, "alerts", b"ann", b"%d" % offset, [("cw-position", header)])


def dead(offset: int) -> Entry:
    return Entry(Position(offset, EVENT_DUE, "", DEAD_LETTER), "dead_letters", b"", b"%d" % offset, [("cw-reason", b"late")])


def marker(entry: Entry) -> Marker:
    return Marker(entry.position, entry.position.offset + 1)


async def open_one(make: MakeWire, partition: int = 0) -> Wire:
    wire = make(partition)
    await wire.open()
    return wire


async def test_nothing_was_said_before_the_first_word(make: MakeWire) -> None:
    wire = await open_one(make)
    assert await wire.last_marker() is None
    assert list(await wire.alerts_after(0)) == []
    assert list(await wire.ticks_from(0)) == []


async def test_what_was_published_is_read_back_as_it_was(make: MakeWire) -> None:
    wire = await open_one(make)
    first, second, third = opened(3), dead(5), opened(9)
    await wire.publish([first, second], marker(second))
    await wire.publish([third], marker(third))
    assert await wire.last_marker() == marker(third)
    assert list(await wire.alerts_after(0)) == [first, third]
    assert list(await wire.alerts_after(4)) == [third]
    assert list(await wire.alerts_after(10)) == []


async def test_the_next_owner_sees_it_and_the_last_one_is_fenced(make: MakeWire) -> None:
    zombie = await open_one(make)
    await zombie.publish([opened(1)], marker(opened(1)))
    owner = await open_one(make)
    with pytest.raises(WireError):
        await zombie.publish([opened(2)], marker(opened(2)))
    assert await owner.last_marker() == marker(opened(1))
    await owner.publish([opened(3)], marker(opened(3)))
    assert list(await owner.alerts_after(0)) == [opened(1), opened(3)]
    assert await owner.last_marker() == marker(opened(3))


async def test_a_fenced_one_cannot_tick(make: MakeWire) -> None:
    zombie = await open_one(make)
    owner = await open_one(make)
    with pytest.raises(WireError):
        await zombie.tick(7, ANY_TIME)
    assert list(await owner.ticks_from(0)) == []


async def test_shards_neither_fence_nor_see_each_other(make: MakeWire) -> None:
    one, other = await open_one(make, 0), await open_one(make, 1)
    await one.publish([opened(1)], marker(opened(1)))
    await other.publish([opened(2)], marker(opened(2)))
    await one.tick(3, ANY_TIME)
    assert list(await other.alerts_after(0)) == [opened(2)]
    assert await one.last_marker() == marker(opened(1))
    assert list(await other.ticks_from(0)) == []


async def test_a_long_history_is_found_from_its_end(make: MakeWire) -> None:
    wire = await open_one(make)
    history = [opened(offset) for offset in range(0, 4_000, 2)]
    for start in range(0, len(history), 400):
        part = history[start : start + 400]
        await wire.publish(part, marker(part[-1]))
    for next_offset in (0, 1, 1_000, 3_000, 3_998, 3_999):
        found = await wire.alerts_after(next_offset)
        assert list(found) == [entry for entry in history if entry.position.offset >= next_offset]
    assert await wire.last_marker() == marker(history[-1])


async def test_ticks_come_back_at_their_offsets_with_their_times(make: MakeWire) -> None:
    wire = await open_one(make)
    ticks = [await wire.tick(next_offset, ANY_TIME) for next_offset in (0, 5, 5)]
    assert [tick.next_offset for tick in ticks] == [0, 5, 5]
    assert list(await wire.ticks_from(0)) == ticks
    assert list(await wire.ticks_from(ticks[0].time_offset + 1)) == ticks[1:]
    assert list(await wire.ticks_from(ticks[-1].time_offset + 1)) == []
    assert [tick.time_ms for tick in ticks] == sorted(tick.time_ms for tick in ticks)


async def test_a_tick_later_than_can_be_leaves_nothing_and_the_wire_goes_on(make: MakeWire) -> None:
    wire = await open_one(make)
    first = await wire.tick(0, ANY_TIME)
    with pytest.raises(ClockAhead) as ahead:
        await wire.tick(1, first.time_ms - 1)
    assert ahead.value.stamp_ms >= first.time_ms
    assert list(await wire.ticks_from(0)) == [first]
    last = await wire.tick(2, ANY_TIME)
    assert list(await wire.ticks_from(first.time_offset + 1)) == [last]
    await wire.publish([opened(1)], marker(opened(1)))
    assert await wire.last_marker() == marker(opened(1))


async def test_a_marker_brings_back_the_rules_it_was_given(make: MakeWire) -> None:
    wire = await open_one(make)
    rules = [RulesSince(0, NO_RULES), RulesSince(7, Rules(strict_types=("click",), not_users=("0",), oldest_ms=5))]
    given = Marker(opened(1).position, 2, pack_history(rules))
    await wire.publish([], given)
    assert await wire.last_marker() == given


async def test_publishing_and_ticking_side_by_side(make: MakeWire) -> None:
    wire = await open_one(make)
    await asyncio.gather(*(wire.tick(offset, ANY_TIME) for offset in range(3)), wire.publish([opened(1)], marker(opened(1))))
    assert sorted(tick.next_offset for tick in await wire.ticks_from(0)) == [0, 1, 2]
    assert await wire.last_marker() == marker(opened(1))


async def test_examples_of_shards_do_not_disturb_each_other(make: MakeWire) -> None:
    one, other = await open_one(make, 0), await open_one(make, 1)
    await asyncio.gather(one.publish_examples([b"a", b"b"]), other.publish_examples([b"c"]))
    await one.publish_examples([])
    found = await make.examples()
    assert sorted(found) == [b"a", b"b", b"c"]
    assert [block for block in found if block != b"c"] == [b"a", b"b"], "of one shard they stay in order"
