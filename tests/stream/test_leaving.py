"""Leaving the group ends, whatever aiokafka's tasks and the broker are at; a consumer whose insides hang in every way there is."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from stream.intake.leaving import CLOSE_S, END_S, TELL_S, leave


async def for_ever() -> None:
    await asyncio.Event().wait()


async def heartbeat() -> None:
    """As aiokafka's: told to end it does, without an error."""
    try:
        await for_ever()
    except asyncio.CancelledError:
        return


async def coordination(beating: asyncio.Task[None]) -> None:
    """As aiokafka's before a join: it waits for the heartbeat to end, and goes on to a join that nobody answers."""
    await beating
    await for_ever()


class Client:
    def __init__(self, *, answers: bool) -> None:
        self.answers = answers
        self._conns: dict[Any, Any] = {}
        self.asked: list[str] = []

    async def send(self, node: int, request: Any, *, group: Any) -> None:
        self.asked.append(type(request).__name__)
        if not self.answers:
            await for_ever()

    async def close(self) -> None:
        if not self.answers:
            await for_ever()


def consumer_of(client: Client, *, node: int | None = 1, member: str = "m-1") -> Any:
    loop = asyncio.get_running_loop()
    beating = loop.create_task(heartbeat())
    coordinator = SimpleNamespace(
        _closing=loop.create_future(),
        _coordination_task=loop.create_task(coordination(beating)),
        _heartbeat_task=beating,
        _commit_refresh_task=loop.create_task(for_ever()),
        _client=client,
        coordinator_id=node,
        member_id=member,
        group_id="g",
    )
    return SimpleNamespace(_closed=False, _coordinator=coordinator, _fetcher=None, _client=client)


@pytest.mark.parametrize("answers", [True, False], ids=["broker is well", "broker sleeps"])
async def test_a_leave_ends_every_task_within_its_bound(answers: bool) -> None:
    client = Client(answers=answers)
    consumer = consumer_of(client)
    await asyncio.sleep(0)  # the tasks begin
    async with asyncio.timeout(10 * (END_S + TELL_S + CLOSE_S)):
        await leave(consumer)
    coordinator = consumer._coordinator
    assert all(task.done() for task in (coordinator._coordination_task, coordinator._heartbeat_task, coordinator._commit_refresh_task))
    assert client.asked == ["LeaveGroupRequest"]
    assert coordinator._closing.done()
    await leave(consumer)
    assert client.asked == ["LeaveGroupRequest"], "once"


async def test_nobody_is_told_who_is_not_known_or_not_met() -> None:
    for node, member in ((None, "m-1"), (1, "")):
        client = Client(answers=True)
        await leave(consumer_of(client, node=node, member=member))
        assert client.asked == []


async def test_a_consumer_that_has_not_started_is_closed() -> None:
    client = Client(answers=True)
    consumer = SimpleNamespace(_closed=False, _coordinator=None, _fetcher=None, _client=client)
    await leave(consumer)
    assert consumer._closed
