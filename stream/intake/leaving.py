"""How a worker leaves its consumer group: in an order of our own, each step within a bound, whatever the broker does.

aiokafka's own close waits for its coordination task, and that task waits for whatever it is doing: a callback of a rebalance, a join that the
broker answers only when every other member has joined, or a commit of offsets that is repeated until the coordinator is found. Once the close
has begun, nobody looks for the coordinator any more, so such a wait may never end. A worker whose shards are drained needs none of it.

1. The coordinator's tasks end, wherever they are.
2. The broker is told, so that others own the partitions at once and not after the session timeout.
3. The fetcher and the connections are closed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.client import ConnectionGroup
from aiokafka.conn import CloseReason
from aiokafka.protocol.group import JoinGroupRequest, LeaveGroupRequest

log = logging.getLogger(__name__)

END_S = 1.0
"""Longest wait for the coordinator's tasks together. A cancelled task ends at its next step."""
TELL_S = 1.0
"""Longest wait for the broker's answer. A healthy broker answers within milliseconds."""
CLOSE_S = 1.0
"""Longest wait for the connections to close. What they have not sent by then is given up."""


async def leave(consumer: AIOKafkaConsumer) -> None:
    """Leave the group and close the consumer; must run in the consumer's own loop.

    Ends within `END_S` + `TELL_S` + `CLOSE_S`. A second call does nothing, and neither does `consumer.stop()` after it.
    """
    if consumer._closed:
        return
    consumer._closed = True
    coordinator = consumer._coordinator
    if coordinator is not None:
        if not coordinator._closing.done():
            coordinator._closing.set_result(None)
        deadline_s = asyncio.get_running_loop().time() + END_S
        for name in ("_coordination_task", "_heartbeat_task", "_commit_refresh_task"):  # the first starts the others
            await _end(getattr(coordinator, name), deadline_s)
        if not await _within(TELL_S, _tell(coordinator)):
            log.info("the group could not be told of the leave: others take over after the session timeout")
    await _within(CLOSE_S, _close(consumer))


async def _tell(coordinator: Any) -> None:
    node, member, client = coordinator.coordinator_id, coordinator.member_id, coordinator._client
    if member == JoinGroupRequest.UNKNOWN_MEMBER_ID:
        return
    if node is None:
        raise ConnectionError("the coordinator is not known")
    # A broker answers the requests of one connection in turn, and ours might wait behind a join that waits for others: so use a new connection.
    held = client._conns.pop((node, ConnectionGroup.COORDINATION), None)
    if held is not None:
        held.close(reason=CloseReason.SHUTDOWN)
    await client.send(node, LeaveGroupRequest(coordinator.group_id, member), group=ConnectionGroup.COORDINATION)


async def _close(consumer: AIOKafkaConsumer) -> None:
    if consumer._fetcher is not None:
        await consumer._fetcher.close()
    await consumer._client.close()


async def _end(task: asyncio.Task[Any] | None, deadline_s: float) -> None:
    """Cancel a task, again and again, until it has ended.

    Once is not enough: a task that awaits another one hands the cancellation on to it, and itself goes on when the other has ended.
    """
    loop = asyncio.get_running_loop()
    while task is not None and not task.done() and loop.time() < deadline_s:
        task.cancel()
        await asyncio.wait([task], timeout=END_S / 10)
    if task is not None and task.done() and not task.cancelled():
        task.exception()  # looked at, so that asyncio does not report it as overlooked


async def _within(bound_s: float, step: Coroutine[Any, Any, None]) -> bool:
    """Run a step to its end or its bound; return whether it succeeded. Its error is dropped: a worker that leaves need not know that the broker is away."""
    task = asyncio.create_task(step)
    await asyncio.wait([task], timeout=bound_s)
    if not task.done():
        task.cancel()
        return False
    return not task.cancelled() and task.exception() is None
