"""Reads the topics `alerts` and `examples` as long as it runs, and writes the past; the thin shell around `insights.past.fold` and the writer.

It runs in a thread of its own, with an event loop of its own, so it never holds up whoever serves pages. It waits for the app to be started, for its turn
when another process writes, and for servers that are away. It reads on where the store says, never where Kafka says: there is no consumer group.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable

from aiokafka.errors import KafkaError
from sqlalchemy.exc import DBAPIError

from features.store.app_spec import AppSpec
from insights.past.fold.batch import Batch
from insights.past.fold.standing import Standing
from insights.past.hold import HoldLost, Source, refuse_other_app
from insights.past.topics import Topics, TopicsMadeAnew, open_topics
from insights.past.writer import HOLD_MS, Writer
from insights.store.store import Store
from stream.faults import UsageFault
from stream.kafka.connection import connection_of
from stream.kafka.reach import reach
from stream.kafka.topics import topic_names
from stream.settings import Settings

log = logging.getLogger(__name__)

MOST = 20_000
GATHER_S = 1.0
"""A batch is committed after so long at the latest: a commit for each block would cost more than what is in it."""
PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0


class FollowObserver:
    """Hears what a follower does; every method may be overridden, and is called from the follower's thread."""

    def committed(self, counts: Counter[str], seconds: float, lag: int) -> None:
        """Note a commit: what was in it (`insights.past.fold.batch.Batch.counts`), how long it took, and how many records are not read yet."""

    def holds(self, ours: bool) -> None:
        """Note whether this process is the one that writes."""

    def troubled(self, why: str) -> None:
        """Note that it cannot go on for now: in a few words, without secrets or user ids. What it commits next says that it goes on."""


class Follower:
    """Follows the topics of one app.

    Parameters
    ----------
    find_spec : callable
        Returns what the app was started with; None before its first start. It is asked again and again until then.
    share : float
        Largest share of its time that it works, above 0, up to 1: while it reads much at once, pages must be served beside it.
    most : int
        A batch is committed once it has so many alerts and examples.
    hold_ms : int
        How long another process waits for this one before it takes over, ms.
    check_crcs : bool
        Whether checksums of Kafka's batches are checked.

    Raises
    ------
    insights.past.hold.OtherApp
        The store belongs to another app.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        find_spec: Callable[[], AppSpec | None],
        observer: FollowObserver | None = None,
        *,
        share: float = 0.5,
        most: int = MOST,
        hold_ms: int = HOLD_MS,
        check_crcs: bool = True,
    ) -> None:
        self._settings, self._store, self._find_spec = settings, store, find_spec
        self._observer = observer or FollowObserver()
        self._idle_per_busy, self._most, self._hold_ms, self._check_crcs = 1 / share - 1, most, hold_ms, check_crcs
        self._holder = f"{os.uname().nodename[:20]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._names = topic_names(settings["kafka.topic_prefix"])
        self._renew_at_s = 0.0
        with store.read() as db:
            refuse_other_app(db, settings["app.name"])

    def start(self, stop: threading.Event) -> threading.Thread:
        """Follow in a thread, which ends soon after `stop` is set; join it before the store is closed."""

        def work() -> None:
            try:
                self.run(stop)
            except Exception as error:
                log.exception("the past is not followed any more, until the next start")
                self._observer.troubled(f"ended: {type(error).__name__}")

        thread = threading.Thread(target=work, name="past", daemon=True)
        thread.start()
        return thread

    def run(self, stop: threading.Event) -> None:
        """Follow until `stop` is set."""
        pause_s = PAUSE_S
        while not stop.is_set():
            try:
                if not self._turn(stop):
                    stop.wait(PAUSE_S)
                pause_s = PAUSE_S
            except HoldLost:
                log.info("another process writes the past now")
            except (KafkaError, DBAPIError, OSError, UsageFault) as error:
                why = self._why(error)
                log.warning("the past is not followed for now", extra={"why": why})
                self._observer.troubled(why)
                stop.wait(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _why(self, error: Exception) -> str:
        """Say what is in the way. Not in a database's own words: it puts into them what it could not store, and that is about people."""
        if isinstance(error, UsageFault):
            return str(error)
        if isinstance(error, KafkaError | OSError):
            try:
                reach(connection_of(self._settings))
            except UsageFault as found:
                return str(found)
        return type(error).__name__

    def _turn(self, stop: threading.Event) -> bool:
        """Follow while the past is ours to write; return False if it is not our turn."""
        spec = self._find_spec()
        if spec is None:
            return False
        topics = (self._names["alerts"], self._names["examples"])
        source = Source(self._settings["app.name"], spec.cluster_id, spec.topic_id, topics, spec.spec.timezone)
        writer = Writer(self._store, source, self._holder, self._hold_ms)
        standing = writer.take(_now_ms())
        if standing is None:
            return False
        self._observer.holds(True)
        self._renew_at_s = time.monotonic() + self._hold_ms / 3_000
        try:
            while not stop.is_set():
                try:
                    asyncio.run(self._follow(spec, writer, standing, stop))
                except TopicsMadeAnew:
                    log.warning("the topics do not go on where they were left: the past is made anew from what they hold")
                    standing = writer.begin_anew(_now_ms())
        finally:
            self._observer.holds(False)
            with contextlib.suppress(DBAPIError):  # without a database, the hold runs out by itself
                writer.release()
        return True

    async def _follow(self, spec: AppSpec, writer: Writer, standing: Standing, stop: threading.Event) -> None:
        names = self._names["alerts"], spec.partitions, self._names["examples"]
        async with open_topics(connection_of(self._settings), *names, check_crcs=self._check_crcs) as topics:
            await topics.seek(standing.positions)
            while not stop.is_set():
                batch, busy_s = await self._gather(Batch(self._settings["app.name"], spec.spec.hash, standing), topics, stop)
                ends, began = topics.ends(), time.monotonic()
                if batch.standing.positions != standing.positions:
                    writer.commit(batch, _now_ms(), ends)
                elif began >= self._renew_at_s:
                    writer.renew(_now_ms(), ends)
                else:
                    continue
                self._renew_at_s, took_s = began + self._hold_ms / 3_000, time.monotonic() - began
                standing = batch.standing
                self._observer.committed(batch.counts, took_s, sum(ends.values()) - sum(standing.positions.values()))
                if len(batch) >= self._most:
                    await asyncio.sleep((busy_s + took_s) * self._idle_per_busy)

    async def _gather(self, batch: Batch, topics: Topics, stop: threading.Event) -> tuple[Batch, float]:
        """Read into a batch until it is full or old enough; return it, and the seconds of work that went into it."""
        until, busy_s = time.monotonic() + GATHER_S, 0.0
        while len(batch) < self._most and not stop.is_set() and (left_s := until - time.monotonic()) > 0:
            records = await topics.some(int(min(left_s, 0.25) * 1000))
            began = time.monotonic()
            for record in records:
                if record.topic == self._names["alerts"]:
                    batch.add_alert(record.value, record.headers)
                else:
                    batch.add_examples(record.value, record.headers, record.timestamp)
            busy_s += time.monotonic() - began
        for place, offset in (await topics.positions()).items():
            batch.passed(*place, offset)
        return batch, busy_s


def _now_ms() -> int:
    return int(time.time() * 1000)
