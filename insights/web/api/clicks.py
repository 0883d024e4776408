"""How do events get to Kafka? By an idempotent producer; whoever sends waits until Kafka has all of them, on every replica that is in sync.

An event that Kafka has acknowledged of late, or that is on its way, is not sent again: a caller whose answer was lost sends the same batch once more,
with the same ids. Beyond that the engine drops what it has seen among a user's last eight events.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

from insights.web.api.problems import Refused
from stream.faults import UsageFault
from stream.kafka.clients import producer_to
from stream.settings import Settings

log = logging.getLogger(__name__)
REMEMBERED = 200_000
"""At least so many of the events that were acknowledged last are remembered; twice as many take some 25 MB."""
DELIVERY_S = 10.0
"""In so much time Kafka must have a message, else it has failed."""
AWAY_S = 2.0
"""So long nothing is tried after a failure."""
OPTIONS = {"linger.ms": 5, "message.timeout.ms": int(DELIVERY_S * 1000), "queue.buffering.max.messages": 1_000_000}
NOTHING_LOST = "send the same batch again after Retry-After, with the same event ids: what Kafka has already is not counted twice"


class Message(NamedTuple):
    """An event for Kafka.

    Attributes
    ----------
    mark : int
        Names user and event id, within this process.
    key, value : bytes
        User, and the event with its id as JSON.
    """

    mark: int
    key: bytes
    value: bytes


class Producer(Protocol):
    """What is used of confluent-kafka's."""

    def produce_batch(self, topic: str, messages: list[dict[str, Any]], *, on_delivery: Callable[[Any, Any], None]) -> int:
        """Take messages; return how many, and mark the others with ``_error``."""
        ...

    def poll(self, timeout: float) -> int:
        """Report deliveries."""
        ...

    def __len__(self) -> int: ...


class Recent:
    """Marks that were added of late. They are kept in two generations, so that the older half can be let go of at once.

    >>> recent = Recent(2)
    >>> recent.add([1, 2])
    >>> recent.add([3, 4])
    >>> recent.add([5])
    >>> [mark in recent for mark in (2, 3, 5)]
    [False, True, True]
    """

    def __init__(self, least: int) -> None:
        self._least = least
        self._old: set[int] = set()
        self._new: set[int] = set()

    def add(self, marks: Iterable[int]) -> None:
        """Remember some."""
        if len(self._new) >= self._least:
            self._old, self._new = self._new, set()
        self._new.update(marks)

    def __contains__(self, mark: int) -> bool:
        return mark in self._new or mark in self._old


class _OnTheWay:
    """Messages of one request, until Kafka has said of each what became of it. The thread that polls counts them."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages, self._left = messages, len(messages)
        self._loop, self.done = asyncio.get_running_loop(), asyncio.Event()
        self.error: Any = None
        self._failed: set[tuple[bytes, bytes]] = set()

    def reported(self, error: Any, message: Any) -> None:
        """Take a delivery report of confluent-kafka."""
        if error is not None:
            self.fail(error, message.key(), message.value())
        else:
            self._less()

    def fail(self, error: Any, key: bytes, value: bytes) -> None:
        self.error = error
        self._failed.add((key, value))
        self._less()

    def arrived(self) -> list[int]:
        """Return the marks of what Kafka has."""
        return [one.mark for one in self.messages if (one.key, one.value) not in self._failed]

    def _less(self) -> None:
        self._left -= 1
        if not self._left:
            self._loop.call_soon_threadsafe(self.done.set)


class Clicks:
    """Sends for all callers of one event loop.

    Parameters
    ----------
    open_producer : callable
        Returns a producer and its topic, or raises `UsageFault`; see `clicks_producer`.
    """

    def __init__(self, open_producer: Callable[[], tuple[Producer, str]], clock: Callable[[], float] = time.monotonic) -> None:
        self._open, self._clock = open_producer, clock
        self._producer: Producer | None = None
        self._topic, self._away_until = "", float("-inf")
        self._recent = Recent(REMEMBERED)
        self._flying: dict[int, _OnTheWay] = {}
        self._thread = ThreadPoolExecutor(1, "clicks")

    async def send(self, messages: Sequence[Message]) -> None:
        """Return once Kafka has all of them.

        Raises
        ------
        Refused
            If it does not have all of them. What it has is remembered, so that a retry sends only the rest.
        """
        by_mark = {one.mark: one for one in messages}
        while others := {self._flying[mark] for mark in by_mark if mark in self._flying}:
            await asyncio.gather(*(other.done.wait() for other in others))
        if fresh := [one for mark, one in by_mark.items() if mark not in self._recent]:
            sending = _OnTheWay(fresh)
            self._flying |= {one.mark: sending for one in fresh}
            await asyncio.shield(asyncio.create_task(self._deliver(sending)))  # whoever asked may go, the messages do not come back

    async def _deliver(self, sending: _OnTheWay) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._produce, sending)
            await sending.done.wait()
            self._recent.add(sending.arrived())
        except UsageFault as error:
            log.warning("no events can be sent", extra={"why": str(error)})
            raise Refused("no-kafka", NOTHING_LOST) from None
        finally:
            for one in sending.messages:
                del self._flying[one.mark]
            sending.done.set()
        if sending.error is not None:
            self._away_until = self._clock() + AWAY_S
            log.warning("Kafka did not take all events", extra={"why": str(sending.error), "of": len(sending.messages)})
            if sending.error.fatal():
                self._producer = None  # its numbers are out of order for ever: the next request opens another
            raise Refused("no-kafka", NOTHING_LOST)

    def _produce(self, sending: _OnTheWay) -> None:
        """Hand messages to the producer; runs in a thread, since opening one may take seconds."""
        if self._clock() < self._away_until:
            raise UsageFault("Kafka was away a moment ago")
        if self._producer is None:
            try:
                self._producer, self._topic = self._open()
            except UsageFault:
                self._away_until = self._clock() + AWAY_S  # here, so that what waits behind this in the thread does not try in its turn
                raise
            threading.Thread(target=self._poll, args=(self._producer,), name="clicks-poll", daemon=True).start()
        messages: list[dict[str, Any]] = [{"key": one.key, "value": one.value} for one in sending.messages]
        if self._producer.produce_batch(self._topic, messages, on_delivery=sending.reported) < len(messages):
            for message in messages:
                if "_error" in message:  # its queue is full
                    sending.fail(message["_error"], message["key"], message["value"])

    def _poll(self, producer: Producer) -> None:
        """Let delivery reports come, until the producer is given up and empty."""
        while self._producer is producer or len(producer):
            producer.poll(0.2)


def clicks_to(settings: Settings) -> Clicks:
    """Return what sends to the clicks topic of the settings."""
    return Clicks(lambda: producer_to(settings, "clicks", options=OPTIONS))
