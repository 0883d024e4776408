"""Faust's transport, fed whole record batches: one message per partition and poll, and positions from the shards' owner only.

Why: Faust makes two tasks for every message it drains; a message that carries thousands of records makes that cost vanish. The rules
(docs/architecture.md, "Transport") were found on a real broker; every override says which one it keeps.

Two threads meet here. The *consumer thread* has its own event loop and is the only one that fetches and seeks. The *main loop* runs
Faust, the agent and the shards. `ShardHost` lives in the main loop and is called across.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import aiokafka
from aiokafka import TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import ConsumerStoppedError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.consumer import ensure_TPset
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from features.store.contract import TakeRefused
from stream.faults import Refused, as_new_app
from stream.intake.leaving import leave
from stream.intake.record_batches import keep_bytes, next_records
from stream.kafka.connection import Connection, aio_consumer
from stream.ownership.contract import Batch, ShardHost, ShardLost, Standing
from stream.shard.records import LogRecords

log = logging.getLogger(__name__)

TAKE_TIMEOUT_S = 20.0
"""Bound on taking all shards; shorter than Faust's request timeout, after which it would give up without a word."""
REVOKE_TIMEOUT_S = 5.0
TAKE_ATTEMPTS = 5
COMMIT_TIMEOUT_S = 1.0

PACE_S = 0.02
"""Least time between two batches of a partition while they are small, since a step costs some milliseconds however few records it has."""

keep_bytes()


class OffsetOutsideLog(Refused):
    """The shard's offset lies outside the log; going on would silently lose or repeat clicks."""

    def __init__(self, app: str, tp: TP, stands_at: int, first: int, end: int) -> None:
        super().__init__(
            f"{tp.topic}-{tp.partition}: the shard stands at offset {stands_at}, the log has {first} to {end}. "
            "Retention deleted what was not yet read, or this is another topic: raise retention.ms for the next time, and start a new app: "
            + as_new_app(app, tp.topic)
        )


@dataclass(slots=True)
class _Own:
    """A partition as the consumer thread knows it."""

    fetch: int
    """Position of the next fetch."""
    epoch: int
    generation: int
    busy: bool = False
    """Whether a batch is on its way or being applied. The next one waits, so that it brings everything that has come meanwhile."""
    not_before: float = 0.0
    """No batch before this time of the consumer thread's loop, s; see `PACE_S`."""


class RebalanceListener(driver.ConsumerRebalanceListener):
    """Drops the shards before the group is joined again; Faust's own signals come too late for that."""

    def on_partitions_revoked(self, revoked: Iterable[Any]) -> Awaitable[None]:
        """See aiokafka."""
        rest = cast(Coroutine[Any, Any, None], super().on_partitions_revoked(revoked))
        return self._after_drop({tp.partition for tp in revoked}, rest)

    async def _after_drop(self, partitions: set[int], rest: Coroutine[Any, Any, None]) -> None:
        try:
            await cast(ConsumerThread, self._thread).drop(partitions)
        except BaseException:
            rest.close()
            raise
        await rest


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The only place that fetches and seeks."""

    own: dict[TP, _Own]

    def __post_init__(self) -> None:
        """See Faust."""
        super().__post_init__()
        self.own = {}
        self._freed = asyncio.Event()
        # Faust may ask for a seek twice at once (after recovery, and when it fetched while the flow was off): one take at a time.
        self._taking = asyncio.Lock()
        self._leaving = False

    async def on_start(self) -> None:
        """See Faust. A broker that does not answer must not hold up a stop."""
        await self.wait(super().on_start())

    async def on_thread_stop(self) -> None:
        """See Faust. The group is left first: whatever still waits for the broker ends with that."""
        self._leaving = True
        if self._consumer is not None:
            await leave(self._consumer)
        await super().on_thread_stop()

    def close(self) -> None:
        """Do nothing: Faust calls this from the main loop when a rebalance meets a stop.

        Faust's version closes, from there, connections that live in this thread's loop. The heartbeat then went on alone, a commit was repeated
        for ever because nobody looked for the coordinator any more, and the stop waited for that commit.
        """

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit the group's offsets once, and return whether that succeeded.

        Only lag tools read them, so nothing waits long for them: the next commit makes up for one that failed, and a stop needs none. aiokafka's
        own commit is repeated until it succeeds, even while the consumer closes.
        """
        consumer = self._ensure_consumer()
        ours = {tp: OffsetAndMetadata(offset, "") for tp, offset in offsets.items() if tp in consumer.assignment()}
        if self._leaving or not ours:
            return False
        self.tp_last_committed_at.update(dict.fromkeys(ours, time.monotonic()))
        coordinator = consumer._coordinator
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT_S), coordinator._commit_lock:
                await coordinator._do_commit_offsets(consumer._subscription.subscription.assignment, ours)
        except (KafkaError, TimeoutError):
            return False
        return True

    @property
    def host(self) -> ShardHost:
        """The owner of the shards, put there by `stream.intake.app`."""
        return cast(ShardHost, vars(self.app)["shard_host"])

    @property
    def max_batch(self) -> int:
        """Most records of one batch."""
        return self.app.conf.broker_max_poll_records or 5_000

    def _create_worker_consumer(self, _transport: Any) -> aiokafka.AIOKafkaConsumer:
        """Return Faust's consumer, but with a sticky assignor, read_committed, a short wait for data, and no reset of a bad offset."""
        conf = self.app.conf
        self._assignor = StickyPartitionAssignor
        return aio_consumer(
            cast(Connection, vars(self.app)["connection"]),
            client_id=conf.broker_client_id,
            group_id=conf.id,
            partition_assignment_strategy=[StickyPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_wait_ms=500,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            check_crcs=conf.broker_check_crcs,
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            max_poll_interval_ms=int((conf.broker_max_poll_interval or 300) * 1000),
            isolation_level="read_committed",
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
        )

    async def _in_main(self, work: Any, timeout_s: float) -> Any:
        """Run a coroutine in the main loop and wait for it here."""
        return await asyncio.wait_for(self._from_main(work), timeout_s)

    def _from_main(self, work: Any) -> asyncio.Future[Any]:
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.consumer.loop))

    async def drop(self, partitions: set[int]) -> None:
        """Give up these partitions before a rebalance: from here on nothing is ours."""
        self.own.clear()
        try:
            # shielded, so that it runs to its end there even if we stop waiting here: half a drop would leave a producer open
            await asyncio.wait_for(asyncio.shield(self._from_main(self.host.revoke(partitions))), REVOKE_TIMEOUT_S)
        except TimeoutError:
            log.warning("dropping shards took too long; the fence keeps them safe")

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Take every shard and seek to where it stands; Faust calls this once the partitions are ours."""
        return cast(Mapping[TP, int], await self.call_thread(self._take_all))

    async def _take_all(self) -> Mapping[TP, int]:
        async with self._taking:
            return {} if self._leaving else await self._take_assigned()

    async def _take_assigned(self) -> Mapping[TP, int]:
        consumer = self._ensure_consumer()
        generation = consumer._coordinator.generation
        sought: dict[TP, int] = {}
        self.own.clear()
        assigned = sorted(ensure_TPset(consumer.assignment()))
        firsts, ends = await consumer.beginning_offsets(assigned), await consumer.end_offsets(assigned)
        for tp in assigned:
            standing = await self._take(tp, generation, firsts[tp])
            if standing is None or generation != consumer._coordinator.generation or tp not in consumer.assignment():
                # The group moved on meanwhile: the rejoin will ask again. What is not in `own` is not fetched.
                log.info("the group moved on while shards were taken", extra={"generation": generation})
                await self.drop({one.partition for one in assigned})  # some were taken after the rebalance had dropped them
                return {}
            if not firsts[tp] <= standing.next <= ends[tp]:
                raise OffsetOutsideLog(vars(self.app)["churn_app"], tp, standing.next, firsts[tp], ends[tp])
            # No await between the check and the seek.
            consumer.seek(tp, standing.next)
            self.own[tp] = _Own(standing.next, standing.epoch, generation)
            sought[tp] = standing.next
        self._freed.set()
        return sought

    async def _take(self, tp: TP, generation: int, first: int) -> Standing | None:
        """Take one shard; None when the group has moved on.

        `TakeRefused` means that a higher generation is stored: either we slept and another worker owns the shard, or the group was made anew
        and counts from 1 again. `ShardLost` means that another worker took it at the same moment. The coordinator knows who is right: a member
        in good standing takes by force.
        """
        coordinator = self._ensure_consumer()._coordinator
        force = False
        for _ in range(TAKE_ATTEMPTS):
            try:
                taking = self.host.take(tp.partition, generation, force=force, first=first)
                return cast(Standing, await self._in_main(taking, TAKE_TIMEOUT_S))
            except (TakeRefused, ShardLost) as error:
                log.info("take refused", extra={"partition": tp.partition, "why": str(error)})
                if not await coordinator._do_heartbeat() or coordinator.generation != generation:
                    return None
                force = True
        raise ShardLost(f"shard {tp.partition} was taken {TAKE_ATTEMPTS} times and lost each time")

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is Faust's
        max_records: int | None = None,
    ) -> Mapping[TP, list[Batch]]:
        """Return one batch for each free partition that has records, after waiting for data or for a partition to become free."""
        del max_records
        fetcher, loop = consumer._fetcher, asyncio.get_running_loop()
        deadline = loop.time() + (timeout or 0)
        with fetcher._subscriptions.fetch_context():
            while self.consumer.flow_active:
                if consumer._closed or fetcher._closed:
                    raise ConsumerStoppedError
                batches = await self._fetched_batches(consumer, active_partitions)
                if batches:
                    return batches
                self._freed.clear()
                now = loop.time()
                left = min([deadline, *(own.not_before for own in self.own.values() if own.not_before > now)]) - now
                if now >= deadline:
                    break
                freed = loop.create_task(self._freed.wait())
                waiter = fetcher._create_fetch_waiter()
                done, pending = await asyncio.wait([waiter, freed], timeout=left, return_when=asyncio.FIRST_COMPLETED)
                for other in pending:
                    other.cancel()
                if waiter in done:
                    waiter.result()  # an authorization error, if any
        return {}

    async def _fetched_batches(self, consumer: aiokafka.AIOKafkaConsumer, active: set[TP]) -> dict[TP, list[Batch]]:
        batches: dict[TP, list[Batch]] = {}
        now = asyncio.get_running_loop().time()
        for tp, own in list(self.own.items()):
            if own.busy or now < own.not_before or tp not in active or not self.host.ready(tp.partition):
                continue
            records = await next_records(consumer, tp, self.max_batch)
            if records is None or self.own.get(tp) is not own:
                continue
            batch = self._batch(consumer, tp, own, records)
            own.fetch = batch.next
            if not self.consumer.flow_active or consumer._coordinator.generation != own.generation:
                self._unread(tp, own, batch)
                continue
            own.busy = True
            own.not_before = now + PACE_S if len(records) < self.max_batch // 2 else 0.0
            batches[tp] = [batch]
        return batches

    def _batch(self, consumer: aiokafka.AIOKafkaConsumer, tp: TP, own: _Own, records: LogRecords) -> Batch:
        """Make a batch. Its start, next, epoch and generation are fixed here, where nobody can seek meanwhile."""
        state = consumer._subscription.subscription.assignment.state_value(tp)
        after = state.position
        first, last = int(records.offset[0]), int(records.offset[-1])
        if not own.fetch <= first <= last < after or last - first + 1 < len(records):
            raise RuntimeError(f"{tp}: fetched {first} to {last} ({len(records)} records) at position {own.fetch}, next {after}")
        stable = consumer.last_stable_offset(tp)
        return Batch(tp.topic, tp.partition, own.fetch, after, records, own.epoch, own.generation, after if stable is None else stable)

    def _unread(self, tp: TP, own: _Own, batch: Batch) -> None:
        """Seek back: a batch that nobody may take now must be fetched again, never dropped."""
        self._ensure_consumer().seek(tp, batch.start)
        own.fetch = batch.start

    async def ends(self, topic: str, count: int) -> dict[int, int]:
        """Return the end offset of every partition of a topic, as a read_committed reader sees it."""
        tps = [TopicPartition(topic, number) for number in range(count)]
        return {tp.partition: end for tp, end in (await self._ensure_consumer().end_offsets(tps)).items()}

    async def at_end(self, partition: int, end: int) -> bool:
        """Whether a partition of ours has been read up to `end` and no batch of it is being applied."""
        for tp, own in list(self.own.items()):
            if tp.partition == partition:
                return not own.busy and await self._ensure_consumer().position(tp) >= end
        return False

    def free(self, partition: int) -> None:
        """Let the next batch of a partition come. Call it from the main loop."""
        self.thread_loop.call_soon_threadsafe(self._free, partition)

    def _free(self, partition: int) -> None:
        for tp, own in self.own.items():
            if tp.partition == partition:
                own.busy = False
        self._freed.set()

    async def seek_again(self, partition: int, offset: int, epoch: int) -> None:
        """Go back to where the shard stands. Call it from the main loop."""
        await self.call_thread(self._seek_again, partition, offset, epoch)

    async def _seek_again(self, partition: int, offset: int, epoch: int) -> None:
        for tp, own in self.own.items():
            if tp.partition == partition and own.epoch == epoch:
                self._ensure_consumer().seek(tp, offset)
                own.fetch = offset

    async def take_again(self, partition: int) -> None:
        """Take a lost shard by force if it is still ours to take. Call it from the main loop.

        Raises
        ------
        ShardLost, TimeoutError
            The take failed; try again.
        """
        await self.call_thread(self._take_again, partition)

    async def _take_again(self, partition: int) -> None:
        async with self._taking:
            await self._take_one_again(partition)

    async def _take_one_again(self, partition: int) -> None:
        consumer = self._ensure_consumer()
        coordinator = consumer._coordinator
        generation = coordinator.generation
        for tp in ensure_TPset(consumer.assignment()):
            if tp.partition != partition or tp not in self.own:
                continue
            self.own[tp].busy = True  # until it is taken again, nothing is fetched for it, and it does not count as idle at its end
            first = (await consumer.beginning_offsets([tp]))[tp]
            if not await coordinator._do_heartbeat() or coordinator.generation != generation:
                return  # no longer a member: the rejoin will bring new takes
            standing = cast(Standing, await self._in_main(self.host.take(partition, generation, force=True, first=first), TAKE_TIMEOUT_S))
            if generation != coordinator.generation or tp not in self.own:
                return
            consumer.seek(tp, standing.next)
            self.own[tp] = _Own(standing.next, standing.epoch, generation)
        self._freed.set()


class Consumer(driver.Consumer):
    """Faust's consumer with our thread."""

    RebalanceListener = RebalanceListener

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        """Return a message that carries one batch. Its offset is that of the batch's last position, so that Faust shows the true lag."""
        batch: Batch = record
        return ConsumerMessage(
            batch.topic,
            batch.partition,
            batch.next - 1,
            0.0,
            0,
            [],
            None,
            cast(bytes, batch),
            None,
            -1,
            -1,
            tp,
            generation_id=batch.generation,
        )

    def _new_offset(self, tp: TP) -> int | None:
        """Return the group offset for lag tools, after the last batch that was acknowledged. Nothing reads it back."""
        acked = self._acked[tp]
        if not acked:
            return None
        newest = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return newest + 1

    async def commit_and_end_transactions(self) -> None:
        """Commit once more before a stop or a rebalance, if that takes but a moment.

        The thread makes two calls at a time. While the broker is away, both may be takes that wait for it, and the commit would wait behind them.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(super().commit_and_end_transactions(), 2 * COMMIT_TIMEOUT_S)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: there are no gaps between batches, and Faust would fill an interval tree with the offsets inside them."""

    async def perform_seek(self) -> None:
        """Take the shards; Faust's read offset must stand before the first batch, or Faust would drop that batch as already read.

        Faust seeks once more when it stops, but then there is nothing to take.
        """
        if self.app.should_stop:
            return
        try:
            sought = await self.seek_to_committed()
        except Refused as refused:
            vars(self.app)["on_bug"](refused)  # said in one line; through Faust it would come as three stack traces
            return
        for tp, offset in sought.items():
            self._read_offset[tp] = offset - 1 if offset > 0 else None
            self._acked[tp].clear()
            self._acked_index[tp].clear()
            self._committed_offset[tp] = None

    @property
    def thread(self) -> ConsumerThread:
        """The consumer thread."""
        return cast(ConsumerThread, self._thread)


class Transport(driver.Transport):
    """The transport that `stream.intake.app` gives the app in place of Faust's own."""

    Consumer = Consumer
    driver_version = f"churnwatch over aiokafka={aiokafka.__version__}"


__all__ = ["Consumer", "ConsumerThread", "ShardLost", "Transport"]
