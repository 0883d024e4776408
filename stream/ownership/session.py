"""One shard until its loss: the protocol around the pure core. `stream.ownership.opening` takes it.

``process``   decode, merge ticks, step, commit; publishing goes on beside it
``tick``      append time to the log and apply it
``close``     stop; what is not confirmed stays in the outbox for the next owner

Everything here is asynchronous over two contracts, `features.store.contract.Store` and `stream.kafka.wire.Wire`, so that the simulation runs this very
code over fakes. Any error leaves the object unusable: it says so in ``lost`` and refuses every further call; the caller opens a new one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

import msgspec

from features.definitions.rules import Rules, pack_history, pieces
from features.events.columns import ColumnReader
from features.store.contract import Commit, Damaged, StaleOwner, Store, Taken, stream_id
from features.users.state import NEVER, LayoutError
from online_models.scorer import Champion
from stream.alerts.policy import Adopted
from stream.faults import Refused
from stream.kafka.wire import ClockAhead, Marker, Tick, Wire, WireError
from stream.outbox import Entry, unpack_entry
from stream.ownership.contract import Batch, GapDetected
from stream.ownership.event_clock import EventClock
from stream.ownership.observer import Observer
from stream.position import Position
from stream.shard.meta import ShardMeta
from stream.shard.records import LogRecords, Records, tick_records
from stream.shard.settings import ShardSettings
from stream.shard.step import Shard, Step, answered

log = logging.getLogger(__name__)

SALT_BYTES = 16
PUBLISH_AT_MOST = 5_000
"""Entries of one transaction."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What a session works with.

    Attributes
    ----------
    make_wire : callable
        Partition -> a new, unopened wire.
    champions : callable
        Watermark (ms) -> the scorer of each definition, no newer than the watermark.
    outbox_max : int
        Unconfirmed entries at which the shard stops reading.
    rebuild : bool
        Whether an empty store may be filled from the log although alerts were published before.
    partial : bool
        Whether it may be although the beginning of the log is gone.
    events : EventClock
        What the records of all shards of this process say of the time.
    monotonic_ms : callable
        Milliseconds by a clock that only goes forward.
    """

    store: Store
    make_wire: Callable[[int], Wire]
    champions: Callable[[int], Sequence[Champion]]
    observers: Sequence[Observer] = ()
    outbox_max: int = 20_000
    rebuild: bool = False
    partial: bool = False
    events: EventClock = field(default_factory=EventClock)
    monotonic_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000


class Session:
    """One owned shard. `stream.ownership.opening.open_session` makes it."""

    def __init__(
        self,
        settings: ShardSettings,
        dependencies: Dependencies,
        taken: Taken,
        wire: Wire,
        meta: ShardMeta,
        adopted: Adopted,
        ticks: Sequence[Tick],
    ) -> None:
        self.settings, self._dependencies, self._wire = settings, dependencies, wire
        self.partition = settings.partition
        self.shard = Shard(settings, taken, dependencies.champions(NEVER), adopted, meta)
        self._reader = ColumnReader(settings.spec, settings.rules)
        self._ticks = deque(ticks)
        self._lock = asyncio.Lock()
        self._wire_lock = asyncio.Lock()
        self._sent: Position = adopted.until
        self._outbox: deque[tuple[str, Entry, int]] = deque()
        self._exbox: deque[tuple[str, bytes]] = deque(taken.exbox)
        self._outbox_trim: str | None = None
        self._exbox_trim: str | None = None
        self._wake_outbox, self._wake_exbox = asyncio.Event(), asyncio.Event()
        self._drained = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.lost: BaseException | None = None
        self.newest_append_ms: int | None = None
        """The broker's stamp of the last record applied; None when there was none since the take."""
        self._queue_left_over(taken, adopted)

    @property
    def next_offset(self) -> int:
        """Input offset to read next."""
        return self.shard.meta.next_offset

    @property
    def ready(self) -> bool:
        """Whether another batch may come: the outbox is not overfull and the shard is still ours."""
        return self.lost is None and len(self._outbox) < self._dependencies.outbox_max

    @property
    def unconfirmed(self) -> int:
        """Outbox entries and example blocks that Kafka has not confirmed."""
        return len(self._outbox) + len(self._exbox)

    def _queue_left_over(self, taken: Taken, adopted: Adopted) -> None:
        for entry_id, packed in taken.outbox:
            try:
                entry = unpack_entry(packed)
            except msgspec.DecodeError:
                raise Damaged(self.partition, f"the outbox entry {entry_id} cannot be read") from None
            if adopted.covers(entry.position):
                self._outbox_trim = entry_id
            else:
                self._outbox.append((entry_id, entry, self.shard.meta.next_offset))

    def start(self) -> None:
        """Begin publishing."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._guard(self._publish_alerts)), loop.create_task(self._guard(self._publish_examples))]
        self._wake_outbox.set()
        self._wake_exbox.set()

    async def _guard(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - handed to whoever calls next; nothing is swallowed
            self.lost = error

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Let in one caller at a time, and nobody after a caller that was cut short.

        After that the arena and the ticks may differ from what the store and the log hold.
        """
        async with self._lock:
            self._check()
            try:
                yield
            except (GapDetected, ClockAhead):
                raise  # nothing was touched
            except BaseException as error:
                self.lost = error if isinstance(error, Exception) else StaleOwner(self.partition, "a step was cut short")
                raise

    async def apply_waiting(self) -> None:
        """Apply the ticks that stand at the stored offset; they need not wait for another record."""
        async with self._turn():
            await self._apply_waiting_ticks(self.next_offset)

    async def process(self, batch: Batch) -> None:
        """Apply one batch.

        Raises
        ------
        GapDetected
            The batch does not begin where the shard stands.
        StaleOwner, WireError
            The shard is lost; open it again if still a member.
        """
        async with self._turn():
            if batch.start != self.next_offset:
                raise GapDetected(self.partition, self.next_offset, batch.start)
            records = batch.records
            at = 0
            while self._ticks and self._ticks[0].next_offset <= batch.next:
                tick = self._ticks[0]
                upto = max(at, int(records.offset.searchsorted(tick.next_offset)))
                await self._apply_records(records[at:upto], tick.next_offset)
                at = upto
                await self._apply(tick_records(self._ticks.popleft(), self.next_offset))
            await self._apply_records(records[at:], batch.next)

    async def tick(self) -> int | None:
        """Append the broker's time to the log at the present offset, and apply it once it is there.

        Returns
        -------
        int or None
            What the broker's clock said, ms since the epoch. None when that is not known, or when no record has come yet to compare it with.

        Raises
        ------
        ClockAhead
            The broker's clock is further ahead than time can be. Nothing was appended, and the shard is still ours.
        StaleOwner, StoreUnavailable, WireError
            The shard is lost; open it again if still a member.
        """
        stamp_ms = None
        async with self._turn():
            async with self._wire_lock:
                latest_ms = self._dependencies.events.latest_ms(self._dependencies.monotonic_ms(), self.settings.spec.lateness_ms)
                if latest_ms is None:
                    return None
                try:
                    self._ticks.append(await self._wire.tick(self.next_offset, latest_ms))
                    stamp_ms = self._ticks[-1].time_ms
                except WireError:
                    # It is unknown whether the tick was appended, so read the log.
                    await self._renew_wire()
                    self._ticks = deque(await self._wire.ticks_from(self.shard.meta.time_offset))
            await self._apply_waiting_ticks(self.next_offset)
        return stamp_ms

    async def flush(self) -> None:
        """Wait until everything committed so far is confirmed by Kafka."""
        while self._outbox or self._exbox:
            self._check()
            self._drained.clear()
            if self._outbox or self._exbox:
                await self._drained.wait()
        self._check()

    async def close(self) -> None:
        """Stop publishing and let the wire go; whoever still waits for a turn finds it lost."""
        self.lost = self.lost or StaleOwner(self.partition, "closed")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._wire.close()

    def _check(self) -> None:
        if self.lost is not None:
            raise self.lost

    async def _apply_records(self, records: LogRecords, next_offset: int) -> None:
        """Decode and apply records, each by the rules that hold at its offset."""
        for rows, rules, after in pieces(self.shard.meta.rules, records.offset, next_offset):
            decoded = self._decode(records[rows], rules, after)
            await self._apply(decoded)
            self.newest_append_ms = int(records.append_ms[rows][-1])
            if (newest_ms := decoded.columns.newest_ms) is not None:
                self._dependencies.events.saw(newest_ms, self._dependencies.monotonic_ms())

    def _decode(self, records: LogRecords, rules: Rules, next_offset: int) -> Records:
        if rules != self._reader.rules:
            self._reader = ColumnReader(self.settings.spec, rules)
        columns = self._reader.read(records.values, records.append_ms, records.keys)
        for observer in self._dependencies.observers:
            if columns.foreign:
                observer.foreign_keys(self.partition, columns.foreign)
            observer.read(self.partition, columns.users)
        return Records(columns, records.offset, records.values, next_offset)

    async def _apply_waiting_ticks(self, offset: int) -> None:
        while self._ticks and self._ticks[0].next_offset <= offset:
            await self._apply(tick_records(self._ticks.popleft(), self.next_offset))

    async def _apply(self, records: Records) -> None:
        """Step until all records are taken; each step is committed before the next begins."""
        start = 0
        while True:
            shard = self.shard
            shard.champions = list(self._dependencies.champions(shard.meta.watermark_ms(self.settings.spec.lateness_ms)))
            try:
                step = await answered(shard.advance(records, start), partial(self._dependencies.store.read, self.partition))
            except (Damaged, LayoutError) as error:
                await self._must_be_ours(error)
                raise refusal_of(self.partition, error) from None
            await self._commit(step)
            start = step.taken
            if start >= records.columns.n:
                return

    async def _commit(self, step: Step) -> None:
        commit: Commit = step.commit
        commit.outbox_trim, commit.exbox_trim = self._outbox_trim, self._exbox_trim
        began = time.perf_counter()
        try:
            await self._dependencies.store.commit(self.partition, commit)
        except Damaged as damage:
            raise refusal_of(self.partition, damage) from None
        commit_s = time.perf_counter() - began
        self._outbox_trim = self._exbox_trim = None
        number = commit.commit_no + 1
        self.shard.committed(step)
        for index, entry in enumerate(step.outputs.entries):
            self._outbox.append((stream_id(number, index), entry, step.meta.next_offset))
        for index, block in enumerate(commit.exbox):
            self._exbox.append((stream_id(number, index), block))
        if self._outbox:
            self._wake_outbox.set()
        if commit.exbox:
            self._wake_exbox.set()
        for observer in self._dependencies.observers:
            observer.stepped(self.partition, step, self.shard, commit_s)

    async def _must_be_ours(self, error: Exception) -> None:
        """Raise StaleOwner if the shard is another's by now: what a former owner takes for damage is what the next one has written since."""
        if await self._dependencies.store.owner(self.partition) != self.shard.token:
            raise StaleOwner(self.partition, "token, seen when what was read did not fit") from error

    async def _publish_alerts(self) -> None:
        while True:
            await self._wake_outbox.wait()
            self._wake_outbox.clear()
            while self._outbox:
                async with self._wire_lock:
                    batch = list(islice(self._outbox, PUBLISH_AT_MOST))
                    entries = [entry for _, entry, _ in batch]
                    if not batch:
                        break  # confirmed while this waited for the lock
                    self._sent = max(self._sent, entries[-1].position)
                    began = time.perf_counter()
                    try:
                        await self._wire.publish(entries, Marker(entries[-1].position, batch[-1][2], pack_history(self.shard.meta.rules)))
                    except WireError:
                        await self._renew_wire()
                    else:
                        self._confirm(entries[-1].position, time.perf_counter() - began)
            self._drained.set()

    def _confirm(self, upto: Position, publish_s: float = 0.0) -> None:
        """Take entries up to a published position off the queue; the next commit trims them."""
        confirmed = []
        while self._outbox and self._outbox[0][1].position <= upto:
            self._outbox_trim, entry, _ = self._outbox.popleft()
            confirmed.append(entry)
        if confirmed:
            # without the id: this stays in Redis until the next publish, and a little too early does no harm
            self.shard.published = confirmed[-1].position._replace(user="")
            for observer in self._dependencies.observers:
                observer.published(self.partition, confirmed, publish_s)

    async def _publish_examples(self) -> None:
        while True:
            await self._wake_exbox.wait()
            self._wake_exbox.clear()
            while self._exbox:
                batch = list(self._exbox)
                await self._wire.publish_examples([block for _, block in batch])
                for _ in batch:
                    self._exbox.popleft()
                self._exbox_trim = batch[-1][0]
            self._drained.set()

    async def _renew_wire(self) -> None:
        """Replace the wire after any error; its lock must be held.

        The new wire is fenced anew, and its marker says which entries had left after all.

        Raises
        ------
        StaleOwner
            The shard is another's, or another has published for it.
        """
        await self._wire.close()
        if await self._dependencies.store.owner(self.partition) != self.shard.token:
            raise StaleOwner(self.partition, "token, seen after the wire broke")
        self._wire = self._dependencies.make_wire(self.partition)
        marker = await open_wire(self._dependencies, self._wire, self.partition, self.shard.token)
        if marker is None:
            return
        if marker.position > self._sent:
            raise StaleOwner(self.partition, "another owner has published further")
        self._confirm(marker.position)


async def open_wire(dependencies: Dependencies, wire: Wire, partition: int, token: object) -> Marker | None:
    """Fence the wire of a shard that was taken, and return its marker.

    Raises
    ------
    StaleOwner
        Another has taken the shard since.
    """
    await wire.open()
    # Between our take and our fence another owner may have done both. Only the one whose token is stored may go on.
    if await dependencies.store.owner(partition) != token:
        await wire.close()
        raise StaleOwner(partition, "token, seen after fencing")
    return await wire.last_marker()


def refusal_of(partition: int, error: Damaged | LayoutError) -> Refused:
    """Return what a worker that cannot read its shard says before it stops, with what to do."""
    if isinstance(error, LayoutError):  # of another version or configuration
        return Refused(f"shard {partition}: {error}")
    return Refused(
        f"{error}. Damaged state is never guessed at: start once with `churnwatch run --rebuild --partition {partition}`, which makes this "
        f"shard's state again from the log, and says nothing twice; `churnwatch state check --partition {partition}` names the damaged keys"
    )
