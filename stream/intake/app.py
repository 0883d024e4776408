"""The Faust app: it has one agent, which reads clicks, and nothing else. Nothing happens at import."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import faust
import faust.app.base

from stream.intake.transport import Consumer, Transport
from stream.kafka.connection import Connection
from stream.kafka.origin import client_id
from stream.ownership.contract import Batch, GapDetected, ShardHost, ShardLost

log = logging.getLogger(__name__)

RETAKE_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class AppSettings:
    """The options of the Faust app that differ between deployments; the others follow from docs/architecture.md, "Transport"."""

    connection: Connection
    app: str
    group: str
    clicks: str
    max_batch: int = 5_000
    session_timeout_s: float = 6.0
    heartbeat_s: float = 1.0
    faust: dict[str, Any] = field(default_factory=dict)


class _Boot(faust.app.base.BootStrategy):
    """Starts the app without Faust's own producer, since nothing is sent through it."""

    enable_kafka_producer = False


class _App(faust.App):
    """Faust's app without its producer."""

    BootStrategy = _Boot


def build_app(settings: AppSettings, host: ShardHost, on_bug: Callable[[BaseException], None]) -> faust.App:
    """Return an app that feeds `host`.

    Parameters
    ----------
    on_bug : callable
        Called with any error that is neither a gap nor a lost shard. It is a bug of ours, or a shard that must not be served: the process must stop.
    """
    app = _App(
        settings.group,
        broker=[f"kafka://{one}" for one in settings.connection.bootstrap.split(",")],
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        stream_wait_empty=False,
        table_standby_replicas=0,
        consumer_auto_offset_reset="none",
        broker_client_id=client_id(settings.app),
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.heartbeat_s,
        broker_request_timeout=30.0,
        broker_commit_interval=2.8,
        broker_max_poll_records=settings.max_batch,
        stream_buffer_maxsize=64,
        autodiscover=False,
        debug=False,
        datadir=f"{tempfile.gettempdir()}/churnwatch-{os.getuid()}",  # Faust makes it even without tables; keep it out of the working directory
        **settings.faust,
    )
    app.transport = Transport(app.conf.broker_consumer, app)
    vars(app).update(
        shard_host=host, on_bug=on_bug, connection=settings.connection, churn_app=settings.app
    )  # where the transport looks for them
    topic = app.topic(settings.clicks, value_serializer="raw", key_serializer="raw", value_type=None, key_type=None)

    async def clicks(batches: AsyncIterable[Batch]) -> None:
        """Hand each batch to its shard. Shards work side by side, each on one batch at a time."""
        running: set[asyncio.Task[None]] = set()
        async for batch in batches:
            task = asyncio.create_task(_apply(app, host, batch, on_bug))
            running.add(task)
            task.add_done_callback(running.discard)

    app.agent(topic)(clicks)
    return app


async def _apply(app: faust.App, host: ShardHost, batch: Batch, on_bug: Callable[[BaseException], None]) -> None:
    thread = cast(Consumer, app.consumer).thread
    try:
        await host.process(batch)
    except GapDetected as gap:
        log.warning("batch does not begin where its shard stands: seeking", extra={"partition": gap.partition})
        await thread.seek_again(batch.partition, gap.expected, batch.epoch)
    except ShardLost as lost:
        log.warning("shard lost: taking it again", extra={"partition": batch.partition, "why": str(lost)})
        try:
            await retake(thread, batch.partition)
        except Exception as bug:  # noqa: BLE001 - handed on; the process stops with it
            on_bug(bug)
            return
    except Exception as bug:  # noqa: BLE001 - handed on; the process stops with it
        on_bug(bug)
        return
    thread.free(batch.partition)


async def retake(thread: Any, partition: int) -> None:
    """Take a lost shard again, until it is ours or belongs to another worker.

    Raises
    ------
    RuntimeError
        It is still assigned to us, and 60 tries, `RETAKE_PAUSE_S` apart, have failed.
    """
    for _ in range(60):
        try:
            await thread.take_again(partition)
        except (ShardLost, TimeoutError) as error:
            log.warning("taking again failed", extra={"partition": partition, "why": str(error)})
        else:
            return
        await asyncio.sleep(RETAKE_PAUSE_S)
    raise RuntimeError(f"shard {partition} could not be taken again")
