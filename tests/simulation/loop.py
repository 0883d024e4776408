"""The loop of a world in which nothing waits: no socket and no clock, only what is ready, in order.

asyncio's own loop asks the kernel and the clock at every turn, which costs more here than what the tasks do.
"""

from __future__ import annotations

import asyncio
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any


class Loop(asyncio.AbstractEventLoop):
    """As much of a loop as tasks, futures, locks and events need."""

    def __init__(self) -> None:
        self._ready: deque[tuple[Context, Callable[..., object], tuple[Any, ...]]] = deque()

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Any:
        """See `asyncio.AbstractEventLoop`; nobody here takes a callback back, so there is no handle."""
        self._ready.append((context or copy_context(), callback, args))

    def create_future(self) -> asyncio.Future[Any]:
        """See `asyncio.AbstractEventLoop`."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, Any], **_: Any) -> asyncio.Task[Any]:  # type: ignore[override]  # names and contexts are not used
        """See `asyncio.AbstractEventLoop`."""
        return asyncio.Task(coro, loop=self)

    def get_debug(self) -> bool:
        """See `asyncio.AbstractEventLoop`."""
        return False

    def settle(self) -> None:
        """Run until every task waits for something that only the caller can bring about."""
        ready = self._ready
        events._set_running_loop(self)
        try:
            while ready:
                context, callback, args = ready.popleft()
                context.run(callback, *args)
        finally:
            events._set_running_loop(None)

    def end(self) -> None:
        """Cancel every task and let it end."""
        for task in asyncio.all_tasks(self):
            task.cancel()
        self.settle()
