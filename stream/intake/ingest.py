"""Sends files of events to the clicks topic. Everything is judged and put in order before anything is sent.

features.files.whole            judges all files and puts their events in order; nothing has been sent yet
refuse_late                     the last moment to refuse
send(sending, order)            returns how many events were delivered; after an error it waits for those in flight, and says how many had left
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import polars as pl

from features.files.event_json import EventIds, payloads
from features.files.faults import FileRefused
from features.files.order import Order
from features.files.reader import EventFile
from features.store.redis import connect, load_spec
from features.users.state import NEVER
from stream.faults import UsageFault, as_new_app
from stream.kafka.clients import clicks_producer
from stream.ownership.stored import stored_metas
from stream.settings import Settings

BATCH = 20_000
IN_FLIGHT = 400_000
"""Most messages that the producer may hold."""
PATIENCE_S = 60.0
"""Longest time without a single delivery."""
AFTER_ERROR_S = 10.0
"""Longest wait for messages in flight after an error."""


def newest_watermark(settings: Settings) -> int:
    """Return the latest watermark of the app's shards, ms since the epoch; NEVER if no shard has one."""
    client = connect(settings["redis.url"])
    spec = load_spec(client, settings["app.name"])
    metas = stored_metas(client, settings["app.name"], spec.partitions if spec else 0)
    return max((meta.watermark_ms(settings["features.lateness"]) for meta in metas.values()), default=NEVER)


def refuse_late(settings: Settings, files: Sequence[EventFile], watermark: int) -> None:
    """Refuse files that begin before the watermark.

    Raises
    ------
    UsageFault
        If one does: its first events would be late, and each would become a dead letter.
    """
    begins = [(file.summary.first_ms, file.summary.file) for file in files if file.summary.first_ms is not None]
    first, name = min(begins, default=(watermark, ""))
    if first < watermark:
        raise UsageFault(
            f"{name} begins {(watermark - first) / 86_400_000:.1f} days before the watermark of app {settings['app.name']!r}: its events would all be late. "
            f"Say --force to have the late ones dead-lettered, or load it into a new app: {as_new_app(settings['app.name'])}"
        )


class Sending:
    """Messages on their way to Kafka, counted as they are delivered."""

    def __init__(self, settings: Settings) -> None:
        self._producer, self.topic = clicks_producer(settings)
        self.delivered = 0
        self.failed: list[str] = []

    def _on_delivery(self, error: Any, _message: Any) -> None:
        if error is None:
            self.delivered += 1
        else:
            self.failed.append(str(error))

    def send(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        """Hand a batch to the producer, once no more than `IN_FLIGHT` messages are on their way.

        Raises
        ------
        UsageFault
            When a message failed, or nothing was delivered for `PATIENCE_S`.
        """
        self.wait(IN_FLIGHT)
        messages: list[dict[str, Any]] = [{"value": value, "key": key} for key, value in zip(keys, values, strict=True)]
        while self._producer.produce_batch(self.topic, messages, on_delivery=self._on_delivery) < len(messages):
            # long events fill the producer's memory before its limit on messages is reached: those that found no room are handed over again
            messages = [one for one in messages if "_error" in one]
            errors = [error for one in messages if (error := one.pop("_error")).name() != "_QUEUE_FULL"]
            self.failed += [str(error) for error in errors]
            self.wait(len(self._producer) // 2)
        self._producer.poll(0)

    def wait(self, most: int) -> None:
        """Wait until no more than `most` messages are on their way.

        Raises
        ------
        UsageFault
            When a message failed, or nothing was delivered for `PATIENCE_S`.
        """
        seen, since = self.delivered, time.monotonic()
        while len(self._producer) > most and not self.failed:
            self._producer.poll(0.1)
            if self.delivered > seen:
                seen, since = self.delivered, time.monotonic()
            elif time.monotonic() - since > PATIENCE_S:
                raise UsageFault(f"Kafka took no event for {PATIENCE_S:.0f} s")
        if self.failed:
            raise UsageFault(f"Kafka refused an event: {self.failed[0]}")

    def settle(self) -> None:
        """After an error, give messages in flight `AFTER_ERROR_S` to arrive."""
        self._producer.flush(AFTER_ERROR_S)


def send(sending: Sending, order: Order, progress: Callable[[int], None]) -> int:
    """Send everything in order of time; return how many events were delivered.

    Raises
    ------
    UsageFault
        On any error. The message says how many events had left.
    """
    ids = EventIds()
    with _without_gc():
        try:
            for batch in order.batches():
                for part in batch.iter_slices(BATCH):
                    sending.send(*payloads(part, ids))
                    progress(sending.delivered)
            sending.wait(0)
        except (UsageFault, FileRefused, KeyboardInterrupt, BufferError, OSError, pl.exceptions.PolarsError) as error:
            sending.settle()
            what = "stopped" if isinstance(error, KeyboardInterrupt) else str(error)
            raise UsageFault(
                f"{what}; {sending.delivered:,} of {order.rows:,} events had left. The same command sends all of them again, with the same ids."
            ) from error
    return sending.delivered


@contextmanager
def _without_gc() -> Iterator[None]:
    """Switch the garbage collector off, which would walk through millions of messages that hold no cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
