"""`churnwatch history run`: read the clicks, commit them to the history, keep its files in order, until a signal. Exit codes are those of `stream.processes.program`."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from aiokafka.errors import KafkaError

from features.events.columns import ColumnReader
from insights.history.events import Rules
from insights.history.faults import HistoryStale
from insights.history.live.alerts import AlertsWriter
from insights.history.live.clicks import Clicks, Topic, open_clicks, topic_now
from insights.history.live.examples import ExamplesWriter
from insights.history.live.followed import TopicWriter
from insights.history.live.metrics import HistoryMetrics
from insights.history.live.upkeep import DERIVE_EVERY_S, Upkeep
from insights.history.live.writer import Writer
from stream.faults import UsageFault
from stream.kafka.connection import Connection, connection_of
from stream.kafka.topics import topic_names
from stream.processes.health import build_web, serve
from stream.processes.program import Stopper
from stream.settings import Settings

log = logging.getLogger(__name__)

POLL_S = 0.25
"""How long the topic is waited for before anything else is looked at, such as a stop."""
LOOK_EVERY_S = 60.0
"""How often it is asked whether the topic is still the same, with as many partitions."""
PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
SILENT_S = 60.0
"""A loop that has not come round for so long is not ready any more."""
SECOND_WRITER = "A second writer on this machine needs an address of its own, such as CHURNWATCH_HISTORY_WEB=127.0.0.1:6070, or none, CHURNWATCH_HISTORY_WEB="


class Asks(Protocol):
    """What a topic is now; see `topic_now`."""

    def __call__(self, connection: Connection, name: str, logical: str = "clicks", /) -> Topic:
        """Ask."""
        ...


class Log(NamedTuple):
    """How Kafka is asked.

    Attributes
    ----------
    topic : callable
        Says what a topic is now.
    check_crcs : bool
        See `open_clicks`.
    """

    topic: Asks = topic_now
    check_crcs: bool = True


REAL = Log()


class Program:
    """The process: one loop that reads, commits and keeps order, and what it says of itself.

    Parameters
    ----------
    partial : bool
        See `Writer.begin`.
    asked : Log
        For a broker that must be asked otherwise than a real one.
    derive_every_s : float
        See `Upkeep`.
    """

    def __init__(
        self, settings: Settings, rules: Rules, asked: Log = REAL, *, partial: bool = False, derive_every_s: float = DERIVE_EVERY_S
    ) -> None:
        self._settings, self._asked, self._partial = settings, asked, partial
        self._connection = connection_of(settings)
        self._names = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])
        reader = ColumnReader(settings.spec(), settings.rules().for_senders())
        folder = Path(settings["history.dir"])
        self.metrics = HistoryMetrics()
        self._writer = Writer(folder, rules, reader, settings["features.lateness"])
        self._followed: dict[str, TopicWriter] = {"alerts": AlertsWriter(folder, rules), "examples": ExamplesWriter(folder, rules)}
        self._upkeep = Upkeep(folder, self._writer.events, self.metrics.upkeep, derive_every_s)
        self._trouble = "it is starting"
        self._round_s = time.monotonic()
        self._stop = asyncio.Event()

    def live(self) -> list[str]:
        """Return what says that the loop stands still."""
        silent_s = time.monotonic() - self._round_s
        return [f"nothing was done for {silent_s:.0f} s"] if silent_s > SILENT_S else []

    def ready(self) -> list[str]:
        """Return why events do not reach the history now."""
        return [self._trouble] if self._trouble else self.live()

    def stop(self) -> None:
        """Commit what was read, and end."""
        self._stop.set()

    async def follow(self) -> None:
        """Follow the clicks, and what the engine says beside them, until `stop`. What a person must mend is raised; a server that is away is waited for."""
        turns: list[Callable[[], Awaitable[None]]] = [self._turn]
        turns += [functools.partial(self._turn_beside, logical, writer) for logical, writer in self._followed.items()]
        await asyncio.gather(*map(self._again_and_again, turns))

    async def _again_and_again(self, turn: Callable[[], Awaitable[None]]) -> None:
        pause_s = PAUSE_S
        while not self._stop.is_set():
            try:
                await turn()
                pause_s = PAUSE_S
            except HistoryStale:
                log.info("another writer was first: reading again from where the history is")
                self.metrics.counter("churnwatch_history_stale").inc()
            except (KafkaError, UsageFault, OSError) as error:
                if isinstance(error, UsageFault) and not getattr(error, "away", False):
                    raise
                why = str(error) if isinstance(error, UsageFault) else getattr(error, "strerror", None) or type(error).__name__
                log.warning("the history does not go on for now", extra={"why": why})
                self._trouble = f"it cannot go on for now: {why}"
                self.metrics.stuck(True)
                self._round_s = time.monotonic()
                await self._pause(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _pause(self, seconds: float) -> None:
        """Wait, or until asked to stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    async def _turn(self) -> None:
        """Follow from where the table is; return when asked to stop, or when the topic is another one."""
        topic = await asyncio.to_thread(self._asked.topic, self._connection, self._names["clicks"])
        async with open_clicks(self._connection, topic, self._settings["history.rows"], check_crcs=self._asked.check_crcs) as clicks:
            await clicks.look()
            clicks.seek(await asyncio.to_thread(self._writer.begin, topic, clicks.first, partial=self._partial))
            log.info("following the clicks", extra={"partitions": topic.partitions, "version": self._writer.events.table.version})
            self._trouble, looked_s = "", time.monotonic()
            self.metrics.stuck(False)
            while not self._stop.is_set():
                await self._gather(clicks)
                await self._flush(clicks)
                await asyncio.to_thread(self._upkeep.piece)
                if time.monotonic() > looked_s + LOOK_EVERY_S:
                    if await self._is_another(topic):
                        log.warning("the topic was made anew, or has more partitions now")
                        return
                    looked_s = time.monotonic()

    async def _turn_beside(self, logical: str, writer: TopicWriter) -> None:
        """Follow another topic from where its tables are; return when asked to stop, or when the topic is another one."""
        topic = await asyncio.to_thread(self._asked.topic, self._connection, self._names[logical], logical)
        async with open_clicks(self._connection, topic, check_crcs=self._asked.check_crcs) as records:
            await records.look()
            records.seek(await asyncio.to_thread(writer.begin, topic, records.first))
            looked_s = time.monotonic()
            while not self._stop.is_set():
                while writer.waiting < self._settings["history.rows"] and (found := await records.some(0.0)):
                    for partition, some in found:
                        await asyncio.to_thread(writer.take, partition, some)
                is_behind = writer.waiting >= self._settings["history.rows"]
                self.metrics.followed(await asyncio.to_thread(writer.flush, await records.positions()))
                if time.monotonic() > looked_s + LOOK_EVERY_S:
                    if await self._is_another(topic):
                        return
                    looked_s = time.monotonic()
                if not is_behind:
                    await self._pause(self._settings["history.interval"] / 1000)

    async def _is_another(self, topic: Topic) -> bool:
        return await asyncio.to_thread(self._asked.topic, self._connection, topic.name, topic.logical) != topic

    async def _gather(self, clicks: Clicks) -> None:
        """Read until there is enough for a commit, the first record has waited long enough, or nothing is there."""
        until_s: float | None = None
        while not self._stop.is_set() and self._writer.waiting < self._settings["history.rows"]:
            self._round_s = now = time.monotonic()
            if until_s is not None and now >= until_s:
                return
            found = await clicks.some(POLL_S if until_s is None else min(POLL_S, until_s - now))
            for partition, records in found:
                await asyncio.to_thread(self._writer.take, partition, records)
            if found and until_s is None:
                until_s = now + self._settings["history.interval"] / 1000
            if until_s is None:
                return

    async def _flush(self, clicks: Clicks) -> None:
        ends = await clicks.positions()
        behind = {number: max(end - ends[number], 0) for number, end in clicks.ends().items()}
        began = time.monotonic()
        flushed = await asyncio.to_thread(self._writer.flush, ends, behind)
        if flushed is not None:
            self.metrics.flushed(flushed, time.monotonic() - began)
            files = self._writer.events.table.files()
            self.metrics.stands(sum(behind.values()), len(files), sum(one.size_bytes for one in files))


async def run(settings: Settings, rules: Rules, asked: Log = REAL, *, partial: bool = False, derive_every_s: float = DERIVE_EVERY_S) -> int:
    """Run until a signal, a refusal or a bug; return the exit code."""
    stopper = Stopper()
    stopper.arm()
    await asyncio.to_thread(
        asked.topic, connection_of(settings), topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])["clicks"]
    )
    program = Program(settings, rules, asked, partial=partial, derive_every_s=derive_every_s)
    served = None
    if settings["history.web"]:
        app = build_web(program.metrics.registry, program.live, program.ready, settings["worker.web_token"])
        served = await serve(app, settings["history.web"], setting="history.web", advice=SECOND_WRITER)
    work = asyncio.create_task(program.follow())
    work.add_done_callback(
        lambda task: None if task.cancelled() or task.exception() is None else stopper.bug(task.exception() or SystemExit())
    )
    await stopper.wait()
    program.stop()
    await asyncio.wait([work])
    if served is not None:
        await served.close()
    return stopper.code


def main(settings: Settings, rules: Rules, asked: Log = REAL, *, partial: bool = False, derive_every_s: float = DERIVE_EVERY_S) -> int:
    """Run in this process; return the exit code. Parameters as of `Program`."""
    return asyncio.run(run(settings, rules, asked, partial=partial, derive_every_s=derive_every_s))
