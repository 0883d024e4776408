"""A publisher that is made to die: it goes on above the last marker, prints what was acknowledged, and ends at the point it was given.

Run as a program, with one JSON object of `Orders` as its argument. Lines out: ``from N``, ``ack N``, ``lost Fenced``, ``done``.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import threading
from typing import Literal

import msgspec

from stream.kafka.shard_wire import ExamplesProducer, KafkaWire, WireSettings
from stream.kafka.wire import Marker, WireError
from stream.outbox import Entry
from stream.position import DEAD_LETTER, EVENT_DUE, OPENED, Position

How = Literal["begun", "sent", "committing", "anywhere", "stop begun", "stop sent"]


class Orders(msgspec.Struct):
    bootstrap: str
    app: str
    topics: dict[str, str]
    how: How
    seed: int
    total: int

    @property
    def wire(self) -> WireSettings:
        return WireSettings(self.bootstrap, self.app, "g", self.topics)


def entry_of(number: int) -> Entry:
    """The outbox: every number makes one entry, the same on every attempt."""
    if number % 5 == 4:
        return Entry(Position(number, EVENT_DUE, "", DEAD_LETTER), "dead_letters", b"", b"%d" % number, [("cw-reason", b"late")])
    header = b'[%d,1000,"u%d",%d]' % (number, number, OPENED)
    return Entry(Position(number, 1_000, f"u{number}", OPENED), "alerts", b"u%d" % number, b"%d" % number, [("cw-position", header)])


async def publish_from(wire: KafkaWire, start: int, stop: int) -> None:
    entries = [entry_of(number) for number in range(start, stop)]
    await wire.publish(entries, Marker(entries[-1].position, stop))


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


class Dying(KafkaWire):
    """Ends or stops this process at a point of the n-th transaction."""

    def __init__(self, orders: Orders, examples: ExamplesProducer, rng: random.Random) -> None:
        super().__init__(orders.wire, 0, examples)
        self._how, self._rng = orders.how, rng
        self._left = rng.randrange(1, 5)

    async def at(self, point: str) -> None:
        self._left -= point == "begun"
        if self._left > 0:
            return
        if self._how == point:
            os.kill(os.getpid(), signal.SIGKILL)
        elif self._how == f"stop {point}":
            self._how = "anywhere"
            os.kill(os.getpid(), signal.SIGSTOP)
        elif self._how == "committing" and point == "sent":
            # some time in the life of the commit request
            asyncio.get_running_loop().call_later(self._rng.uniform(0, 0.006), os.kill, os.getpid(), signal.SIGKILL)


async def main(orders: Orders) -> None:
    rng = random.Random(orders.seed)
    if orders.how == "anywhere":
        threading.Timer(rng.uniform(0, 0.5), os.kill, (os.getpid(), signal.SIGKILL)).start()
    examples = ExamplesProducer(orders.wire)
    wire = Dying(orders, examples, rng)
    await wire.open()
    last = await wire.last_marker()
    start = last.next_offset if last else 0
    say(f"from {start}")
    try:
        while start < orders.total:
            stop = start + rng.randrange(1, 20)
            await publish_from(wire, start, stop)
            say(f"ack {stop - 1}")
            start = stop
    except WireError as error:
        say(f"lost {type(error).__name__}")
    await wire.close()
    await examples.close()
    say("done")


if __name__ == "__main__":
    asyncio.run(main(msgspec.json.decode(sys.argv[1], type=Orders)))
