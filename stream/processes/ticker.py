"""How far the log has come, and when to append a tick to it.

Asks Kafka for the ends of clicks, lets `stream.processes.clock` decide, and ticks through the sessions.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from features.store.contract import StaleOwner, StoreUnavailable
from features.users.state import NEVER
from stream.kafka.wire import ClockAhead, WireError
from stream.ownership.event_clock import EventClock
from stream.ownership.host import Host
from stream.ownership.session import Session
from stream.processes.clock import BrokerClocks, ClockSettings, Intake, PartitionLag, decide_tick
from stream.processes.metrics import WorkerMetrics
from stream.settings import Settings

log = logging.getLogger(__name__)


class Ticker:
    """Looks at all partitions of clicks, and appends ticks to those of ours that are idle.

    Attributes
    ----------
    period_s : float
        How often to `look`, in seconds.
    lag : dict of partition to int
        Records of our partitions that are not taken yet.
    held : bool
        Whether time is held, because nothing or far less than usual comes in, or because nothing has come yet.
    clocks : BrokerClocks
        How far the brokers' clocks differ from this machine's, as far as it is known.
    events : EventClock
        What the records of all shards of this process say of the time.
    """

    def __init__(self, settings: Settings, topic: str, host: Host, events: EventClock, metrics: WorkerMetrics) -> None:
        self._topic, self._host, self.events, self._metrics = topic, host, events, metrics
        self._on = bool(settings["time.ticks"])
        self._clock = ClockSettings(settings["time.tick_interval"], settings["time.tick_max_behind"], settings["time.max_idle_hold"])
        self.period_s = max(0.1, self._clock.tick_interval_ms / 1000 / 4)
        self.lag: dict[int, int] = {}
        self.held = False
        self.clocks = BrokerClocks()
        self.ends: dict[int, int] = {}
        """Partition -> its end as last seen."""
        self.grown_s: dict[int, float] = {}
        """Partition -> when it was last seen to have grown, by a clock that only goes forward."""
        self._intake = Intake()
        self._faltering_since_s: float | None = None

    async def look(self, thread: Any) -> None:
        """Look at all partitions once, and append ticks where they are due.

        Parameters
        ----------
        thread : ConsumerThread
            The consumer thread, which alone may ask the broker.
        """
        consumer = thread._consumer
        if consumer is None or not self._host.sessions:
            self.lag = {}
            return
        count = len(consumer.partitions_for_topic(self._topic) or ())
        ends: dict[int, int] = await thread.call_thread(thread.ends, self._topic, count)
        now_s = time.monotonic()
        faltering_ms = self._note(ends, now_s)
        # made anew each time, since the lag of a shard that another worker has taken over is not ours
        self.lag = {partition: max(0, ends.get(partition, 0) - session.next_offset) for partition, session in self._host.sessions.items()}
        quiet_ms = int((now_s - max(self.grown_s.values(), default=now_s)) * 1000)
        held = False
        for partition, session in list(self._host.sessions.items()):
            if not self._on or session.lost is not None or session.shard.meta.max_ms == NEVER:
                continue
            at_end = await thread.call_thread(thread.at_end, partition, ends.get(partition, 0))
            idle_ms = int((now_s - self.grown_s.get(partition, now_s)) * 1000) if at_end else 0
            # until this take has seen a record, our own clock stands in for the broker's
            behind_ms = (session.newest_append_ms or int(time.time() * 1000)) - session.shard.meta.max_ms
            decision = decide_tick(self._clock, PartitionLag(idle_ms, behind_ms), quiet_ms, faltering_ms, known=self.events.known)
            held |= decision == "held"
            if decision == "tick":
                await self._tick(partition, session)
            else:
                self.clocks.waits(partition)
        self.held = held
        self._metrics.gauge("churnwatch_time_held").set(held or self.clocks.any_ahead)
        self.clocks.keep(self._host.sessions)

    def in_words(self) -> list[str]:
        """Return what holds time or is wrong with a clock, a sentence each; empty when all is well."""
        if not self.held:
            return self.clocks.in_words()
        why = (
            "no partition receives anything, or far less than usual"
            if self.events.known
            else "no click has come since this worker started, so that there is nothing to hold the broker's clock against"
        )
        return [f"time is held: {why}", *self.clocks.in_words()]

    def _note(self, ends: dict[int, int], now_s: float) -> int:
        """Note the ends of all partitions; return for how many ms far less than usual has come in, 0 when intake is as usual."""
        for partition, end in ends.items():
            if self.ends.get(partition) != end:
                self.ends[partition], self.grown_s[partition] = end, now_s
        self._intake.saw(sum(ends.values()), now_s)
        self._faltering_since_s = (self._faltering_since_s or now_s) if self._intake.faltering else None
        return 0 if self._faltering_since_s is None else 1 + int((now_s - self._faltering_since_s) * 1000)

    async def _tick(self, partition: int, session: Session) -> None:
        try:
            stamp_ms = await session.tick()
        except ClockAhead as error:
            self._metrics.counter("churnwatch_ticks_refused").inc()
            if self.clocks.refused(partition, error.stamp_ms, error.latest_ms):
                log.warning("tick not appended: %s", error, extra={"partition": partition})
            stamp_ms = error.stamp_ms
        except (StaleOwner, StoreUnavailable, WireError):
            return  # the session says that it is lost, and is taken again
        else:
            self.clocks.waits(partition)
            if stamp_ms is None:
                return
            self._metrics.counter("churnwatch_ticks").inc()
        if self.clocks.compare(partition, stamp_ms, int(time.time() * 1000)):
            log.warning("the broker's clock and this machine's are apart: one of the two is wrong", extra={"partition": partition})
