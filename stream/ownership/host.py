"""The shards of this process: opens sessions when the transport says "yours", drops them when it says "no longer"."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import replace

from features.store.contract import StaleOwner, StoreUnavailable
from stream.kafka.wire import WireError
from stream.ownership.contract import Batch, GapDetected, ShardLost, Standing
from stream.ownership.opening import open_session
from stream.ownership.session import Dependencies, Session
from stream.shard.settings import ShardSettings
from stream.shard.since import in_words

log = logging.getLogger(__name__)


class Host:
    """Implements `stream.ownership.contract.ShardHost`.

    Parameters
    ----------
    settings : ShardSettings
        Shared by all shards; the partition is filled in at each take.
    on_lost : callable
        Called with (partition, error) when a session ends by itself, for the log and the metrics.
    on_taken : callable, optional
        Called with the partition after each take.
    """

    def __init__(
        self,
        settings: ShardSettings,
        dependencies: Dependencies,
        on_lost: Callable[[int, BaseException], None],
        on_taken: Callable[[int], None] = lambda _partition: None,
    ) -> None:
        self._settings, self._dependencies, self._on_lost, self._on_taken = settings, dependencies, on_lost, on_taken
        self.sessions: dict[int, Session] = {}
        self._busy: set[int] = set()
        self._draining = False

    async def take(self, partition: int, generation: int, *, force: bool = False, first: int = 0) -> Standing:
        """Open the shard anew; whatever this process knew of it is dropped. Raises ShardLost when that fails."""
        await self.revoke([partition])
        try:
            session = await open_session(
                replace(self._settings, partition=partition), self._dependencies, generation, force=force, first=first
            )
            self.sessions[partition] = session
            await session.apply_waiting()
        except (StaleOwner, StoreUnavailable, WireError) as error:
            await self._drop(partition, error)
            raise ShardLost(f"shard {partition}: {error}") from error
        log.info(
            "shard taken",
            extra={"partition": partition, "offset": session.next_offset, "definitions": in_words(session.shard.meta.definitions)},
        )
        self._on_taken(partition)
        return Standing(session.shard.token.epoch, session.next_offset)

    async def revoke(self, partitions: Collection[int]) -> None:
        """Drop shards; uncommitted work is lost, which is what makes a hand-over safe."""
        dropped = [self.sessions.pop(partition, None) for partition in list(partitions)]
        await asyncio.gather(*(session.close() for session in dropped if session is not None))

    async def process(self, batch: Batch) -> None:
        """Apply a batch if it belongs to the present take. A batch of an earlier take is dropped, since the new take has sought to its own place."""
        session = self.sessions.get(batch.partition)
        if session is None or session.shard.token.epoch != batch.epoch:
            return
        self._busy.add(batch.partition)
        try:
            await session.process(batch)
        except GapDetected:
            raise
        except (StaleOwner, StoreUnavailable, WireError) as error:
            if self.sessions.get(batch.partition) is session:
                await self._drop(batch.partition, error)
                raise ShardLost(f"shard {batch.partition}: {error}") from error
        finally:
            self._busy.discard(batch.partition)

    def ready(self, partition: int) -> bool:
        """Whether the next batch of this partition may be fetched."""
        session = self.sessions.get(partition)
        return session is not None and partition not in self._busy and session.ready and not self._draining

    async def drain(self, patience_s: float) -> None:
        """Prepare for a stop: accept no more batches, finish those being applied, and wait until Kafka has confirmed what they say.

        What is not confirmed within `patience_s` stays in the outbox for the next owner.
        """
        self._draining = True
        try:
            async with asyncio.timeout(patience_s):
                while self._busy:  # noqa: ASYNC110 - a step or two; an event would have to follow every change of the set
                    await asyncio.sleep(0.01)
                await asyncio.gather(*(session.flush() for session in self.sessions.values()))
        except (TimeoutError, StaleOwner, StoreUnavailable, WireError):
            return

    async def _drop(self, partition: int, error: BaseException) -> None:
        self._on_lost(partition, error)
        session = self.sessions.pop(partition, None)
        if session is not None:
            await session.close()
