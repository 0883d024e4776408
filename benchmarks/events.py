"""Made-up clicks: skewed users, 125 bytes of JSON each, in order of time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from confluent_kafka import Producer

EVENT_BYTES = 125
SKEW = 2.5
"""User number = users * r ** SKEW with r uniform: the most active percent makes 16 % of the clicks, the least active half 24 %."""
_CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """Clicks spread evenly over a stretch of event time.

    Attributes
    ----------
    count : int
    start_ms, end_ms : int
    users : int
    once : bool
        One click a user, in order, instead of skewed ones.
    prefix : str
        Of event ids, 2 characters: two stretches with the same one would be duplicates.
    """

    count: int
    start_ms: int
    end_ms: int
    users: int
    prefix: str
    once: bool = False


def _tails() -> list[bytes]:
    """Endings of payloads with type and item, all of one length; common types come more often."""
    weights = {"view": 12, "click": 8, "search": 4, "cart": 2, "purchase": 1, "error": 1}
    tails = []
    for name, weight in weights.items():
        for number in range(weight):
            head = f'"type":"{name}","item":"'
            tails.append((head + f"item-{number:05d}".ljust(39 - len(head), "x") + '"}').encode())
    return tails


_TAILS = _tails()


def click(user: bytes, ts_ms: int, event_id: bytes, tail: int) -> bytes:
    """Return one payload.

    >>> len(click(b"u0000001", 1_700_000_000_000, b"aa0000000001", 3))
    125
    """
    return b'{"user":"%b","ts":%d,"event_id":"%b","session":"s%b",%b' % (user, ts_ms, event_id, user[-6:], _TAILS[tail % len(_TAILS)])


def clicks(stretch: Stretch, seed: int = 1) -> Iterator[tuple[bytes, bytes]]:
    """Yield (user, payload) in order of time."""
    rng = np.random.default_rng(seed)
    prefix, span = stretch.prefix.encode(), stretch.end_ms - stretch.start_ms
    for first in range(0, stretch.count, _CHUNK):
        number = np.arange(first, min(first + _CHUNK, stretch.count))
        users = number % stretch.users if stretch.once else (stretch.users * rng.random(len(number)) ** SKEW).astype(np.int64)
        times = stretch.start_ms + number * span // stretch.count
        tails = rng.integers(0, len(_TAILS), len(number))
        for i, user, ts_ms, tail in zip(number.tolist(), users.tolist(), times.tolist(), tails.tolist(), strict=True):
            name = b"u%07d" % user
            yield name, click(name, ts_ms, b"%b%010d" % (prefix, i), tail)


def producer(bootstrap: str, linger_ms: float = 20) -> Producer:
    """Return a producer that partitions as Kafka's own clients do."""
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "compression.type": "lz4",
            "linger.ms": linger_ms,
            "partitioner": "murmur2_random",
            "queue.buffering.max.messages": 500_000,
            "log.connection.close": False,
        }
    )


def produce(bootstrap: str, topic: str, stretch: Stretch) -> float:
    """Send a stretch as fast as it goes; return the seconds it took."""
    began = time.monotonic()
    sender = producer(bootstrap)
    for number, (user, payload) in enumerate(clicks(stretch)):
        while True:
            try:
                sender.produce(topic, payload, user)
                break
            except BufferError:
                sender.poll(0.05)
        if number % 10_000 == 0:
            sender.poll(0)
    sender.flush()
    return time.monotonic() - began
