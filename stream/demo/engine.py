"""The engine of the demo: worker and trainer in this process, built as `churnwatch run` and `churnwatch train` build them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from features.store.redis import RedisStore, connect
from online_models.registry_redis import RedisRegistry
from stream.alerts.spoken import Lang
from stream.demo.product import DAY_MS
from stream.demo.servers import APP
from stream.demo.words import said
from stream.kafka.connection import connection_of
from stream.ownership.served import model_key
from stream.processes.trainer import Training, train, trainer_settings
from stream.processes.worker import Worker
from stream.settings import Settings

if TYPE_CHECKING:
    from online_models.trainer import Version
    from stream.processes.program import Stopper

CATCH_UP_S = 300.0
"""Longest time until the worker has taken what was sent; it is less than a second on an idle machine."""
SAVING_SHARE = 0.25
"""As in `stream.processes.trainer`, but days go by in half a second, and workers must hear of new models meanwhile."""
LEARN_S = 0.5
"""How long it is waited for at most that the trainer has come after."""


class Engine:
    """Worker and trainer.

    Parameters
    ----------
    settings : Settings
        Of the demo, whose servers run.
    key_events : tuple of str
    lang : str
        In which it is said who scores.
    lag_days : float
        What was learned last may lie so many days of the product's back.
    """

    def __init__(self, settings: Settings, key_events: tuple[str, ...], lang: Lang, lag_days: float) -> None:
        self._settings, self._lang = settings, lang
        client = connect(settings["redis.url"])
        self._store = RedisStore(client, APP)
        self._worker = Worker(settings, self._store, RedisRegistry(client, APP), key_events)
        spec = settings.spec(key_events)
        registry = RedisRegistry(client, APP)
        self._training = Training(trainer_settings(settings), registry, spec.hash, model_key(settings), saving_share=SAVING_SHARE)
        self._learned_ms: int | None = None
        self._lag_ms = lag_days * DAY_MS
        self._news = asyncio.Event()

    def scored_by(self, at_ms: int) -> str:
        """Say who scores at a time of the product's, ms."""
        version = self._worker.models.champions(at_ms)[0].version
        return said("model", self._lang, version=version) if version else said("rule", self._lang)

    async def has_taken(self, clicks: int) -> None:
        """Wait until that many clicks were taken and all that follows from them is committed.

        Raises
        ------
        TimeoutError
        """
        async with asyncio.timeout(CATCH_UP_S):
            while not self._has_taken(clicks):  # noqa: ASYNC110 - sessions tell nobody when they are done
                await asyncio.sleep(0.1)

    async def has_learned(self, now_ms: int) -> None:
        """Wait until the trainer is not far behind the product's time, but not for long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEARN_S):
                while self._learned_ms is not None and self._learned_ms < now_ms - self._lag_ms:
                    self._news.clear()
                    await self._news.wait()

    def _learned(self, versions: list[Version]) -> None:
        for version in versions:
            self._learned_ms = version.learned_until_ms
            self._news.set()

    def _has_taken(self, clicks: int) -> bool:
        sessions = self._worker.host.sessions.values()
        return sum(session.next_offset for session in sessions) >= clicks and not any(session.unconfirmed for session in sessions)

    async def run(self, beside: Sequence[Callable[[], Awaitable[None]]], at_stop: Callable[[], None]) -> int:
        """Run until one of `beside` has ended or somebody asks for the end; return the exit code.

        Parameters
        ----------
        beside : sequence of callable
            Each returns work that is done while the engine runs. Its error is raised here, once everything has ended.
        at_stop : callable
            Is called as soon as the end was asked for.
        """
        from stream.processes.program import Stopper, run_app

        stopper = Stopper()
        stopper.arm()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, stopper.stop, 0)  # its window was closed
        # Faust is imported after the handlers are in place.
        from stream.intake.app import AppSettings, build_app

        app = build_app(AppSettings(connection_of(self._settings), APP, APP, "clicks"), self._worker.host, stopper.bug)
        stop = asyncio.Event()
        tasks = [asyncio.create_task(train(self._settings, self._training, "examples", stop, self._learned))]

        async def alongside() -> None:
            tasks.extend(asyncio.create_task(_then_stop(work(), stopper)) for work in beside)
            await self._worker.alongside(app)

        async def before_stop() -> None:
            at_stop()

        try:
            code = await run_app(app, stopper, alongside, before_stop)
        finally:
            stop.set()
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            await self._worker.close()
            self._store.close()
        for error in ended:
            if isinstance(error, Exception):
                raise error
        return code


async def _then_stop(work: Awaitable[None], stopper: Stopper) -> None:
    try:
        await work
    finally:
        stopper.stop(0)
