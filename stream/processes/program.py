"""The process around the Faust app: signals, exit codes, a stop that ends.

Exit codes::

    0     stopped as asked
    2     refused; the message says what to do
    70    crashed; the log says why
    75    the stop took longer than 10 s and was cut short; all that was acknowledged is committed, and the next owner goes on
    80-   ended by the watchdog (`stream.processes.watchdog`)
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from stream.faults import Refused

EXIT_OK, EXIT_REFUSED, EXIT_CRASH, EXIT_SLOW_STOP = 0, 2, 70, 75
STOP_DEADLINE_S = 10.0

log = logging.getLogger(__name__)


class Stopper:
    """Is set once, by the first signal or the first bug; from then on a thread ends the process if the stop hangs."""

    def __init__(self) -> None:
        self.code = EXIT_OK
        self._event = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def arm(self) -> None:
        """Install the signal handlers. A second signal is ignored, since asking again does not make a stop faster."""
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self.stop, EXIT_OK)

    def stop(self, code: int) -> None:
        """Ask for the end with this exit code; if it was asked for before, the first code stands."""
        if self._event.is_set():
            return
        self.code = code
        self._event.set()
        threading.Thread(target=_end_anyway, args=(code,), daemon=True, name="stop-deadline").start()

    def bug(self, error: BaseException) -> None:
        """Log our own bug, or a shard that must not be served, once, and stop."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        refused = isinstance(error, Refused)
        if not self._event.is_set():
            log.error("stopping: %s", error if refused else type(error).__name__, exc_info=None if refused else error)
        self.stop(EXIT_REFUSED if refused else EXIT_CRASH)

    async def wait(self) -> None:
        """Wait for the end to be asked for."""
        await self._event.wait()


def _end_anyway(code: int) -> None:
    threading.Event().wait(STOP_DEADLINE_S)
    log.error("the stop took over %s s, ending now", STOP_DEADLINE_S)
    leave(code or EXIT_SLOW_STOP)


def leave(code: int) -> NoReturn:
    """End the process at once, whatever its threads are doing."""
    logging.shutdown()
    os._exit(code)


async def run_app(
    app: Any,
    stopper: Stopper,
    alongside: Callable[[], Awaitable[None]] | None = None,
    before_stop: Callable[[], Awaitable[None]] | None = None,
) -> int:
    """Start the app, wait for the stop, stop the app; return the exit code.

    Parameters
    ----------
    alongside : callable, optional
        Returns work that runs beside the app; its error is a bug of ours.
    before_stop : callable, optional
        Returns work to be done before the app is stopped, if the stop was asked for.
    """
    app.finalize()
    tasks: list[asyncio.Future[Any]] = []
    try:
        if not await _started(app, stopper):
            return stopper.code
    except Exception as error:  # noqa: BLE001 - no broker, no group: all end the same way
        log.error("cannot start: %s", error)  # noqa: TRY400 - the message says it all
        return EXIT_CRASH
    try:
        if alongside is not None:
            tasks.append(asyncio.ensure_future(alongside()))
            tasks[0].add_done_callback(
                lambda task: None if task.cancelled() or task.exception() is None else stopper.bug(task.exception() or SystemExit())
            )
        watch = asyncio.ensure_future(_watch_crash(app, stopper))
        tasks.append(watch)
        await stopper.wait()
    finally:
        if stopper.code == EXIT_OK:
            stopper.stop(EXIT_OK)
        if before_stop is not None and stopper.code == EXIT_OK:
            await before_stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await app.stop()
    return stopper.code


async def _started(app: Any, stopper: Stopper) -> bool:
    """Start the app; return False if a stop was asked for first, which a broker that does not answer must not hold up."""
    starting, asked = asyncio.ensure_future(app.start()), asyncio.ensure_future(stopper.wait())
    await asyncio.wait([starting, asked], return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        asked.cancel()
        await starting
        return True
    starting.cancel()
    await asyncio.wait([starting])
    await app.stop()
    return False


async def _watch_crash(app: Any, stopper: Stopper) -> None:
    """Stop the process when a Faust service has crashed, which Faust itself only notes in an event."""
    await app._crashed.wait()
    reason = getattr(app, "_crash_reason", None) or getattr(app, "crash_reason", None)
    stopper.bug(reason if isinstance(reason, BaseException) else RuntimeError("a Faust service crashed"))
