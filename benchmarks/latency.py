"""Click to alert: from the broker's stamp of the click that causes an alert to its arrival at a `read_committed` consumer."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from benchmarks.events import Stretch, clicks, producer
from benchmarks.world import PARTITIONS
from stream.alerts.message import decode_alert

PACE_S = 0.005
"""The clicks of this much time are handed to the producer at once."""


@dataclass
class Heard:
    """What a reader of alerts saw: for each message the ms from the click to its arrival."""

    since_ms: int
    """Alerts caused by older clicks do not count."""
    latencies_ms: list[float] = field(default_factory=list)
    types: Counter[str] = field(default_factory=Counter)

    def add(self, value: bytes, now_ms: float) -> None:
        alert = decode_alert(value)
        if alert.scored_ms >= self.since_ms:
            self.latencies_ms.append(now_ms - alert.scored_ms)
            self.types[alert.type if alert.cause is None else f"{alert.type} ({alert.cause})"] += 1

    def percentile(self, share: float) -> float:
        return round(float(np.percentile(self.latencies_ms, share)), 1)


def _listen(bootstrap: str, topic: str, heard: Heard, ready: threading.Event, stop: threading.Event) -> None:
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "bench-reader", "isolation.level": "read_committed", "enable.auto.commit": False}
    )
    consumer.assign([TopicPartition(topic, number, OFFSET_END) for number in range(PARTITIONS)])
    consumer.poll(2.0)
    ready.set()
    while not stop.is_set():
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            heard.add(message.value() or b"", time.time() * 1000)
    consumer.close()


def click_to_alert(
    bootstrap: str, topics: dict[str, str], stretch: Stretch, rate: float, warm_up_s: float, told: Callable[[int], None]
) -> Heard:
    """Send a stretch at a steady rate while listening to alerts. Clicks of the first seconds do not count.

    Parameters
    ----------
    rate : float
        Clicks per second.
    """
    heard = Heard(int((time.time() + 2.0 + warm_up_s) * 1000))
    ready, stop = threading.Event(), threading.Event()
    listener = threading.Thread(target=_listen, args=(bootstrap, topics["alerts"], heard, ready, stop), daemon=True)
    listener.start()
    ready.wait()
    sender = producer(bootstrap, linger_ms=1)
    began = time.monotonic()
    source = clicks(stretch, seed=9)
    sent = 0
    while sent < stretch.count:
        due = min(stretch.count, int((time.monotonic() - began) * rate))
        for user, payload in (next(source) for _ in range(due - sent)):
            sender.produce(topics["clicks"], payload, user)
        sent = due
        sender.poll(0)
        told(sent)
        time.sleep(PACE_S)
    sender.flush()
    time.sleep(2.0)
    stop.set()
    listener.join()
    return heard
