"""Where do users stand at this moment? Many callers, one read of Redis at a time.

Whoever asks while a read is under way waits for the next one, which begins after they have asked: no answer is older than its question, and none
comes from a cache. So a busy server reads hundreds of users at once, and an idle one reads each as they come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import NamedTuple

from features.reader import AppUnknown, UserReader
from features.store.contract import StoreUnavailable
from features.users.spec import FeatureSpec
from features.users.standing import Standing
from features.users.state import LayoutError
from insights.live.engine import Engine, EngineView

MOST = 2_000
"""Users that are read at once; decoding them takes some ten milliseconds."""


class Stand(NamedTuple):
    """An answer.

    Attributes
    ----------
    view : EngineView
        The engine, asked before the users were: they count at least what it says.
    spec : FeatureSpec
        That of the app.
    users : list of Standing or None
        In the order asked for; None for a user whom nobody has seen.
    """

    view: EngineView
    spec: FeatureSpec
    users: list[Standing | None]


class _Question(NamedTuple):
    users: Sequence[str]
    answer: asyncio.Future[Stand]


class Standings:
    """Reads for all callers of one event loop.

    Parameters
    ----------
    engine : Engine
        Of the app to read from.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._reader = engine, UserReader(engine.client, engine.app)
        self._waiting: list[_Question] = []
        self._thread = ThreadPoolExecutor(1, "standings")
        self._work: asyncio.Task[None] | None = None

    async def of(self, users: Sequence[str]) -> Stand:
        """Return where some users stand, read after this was called.

        Raises
        ------
        StoreUnavailable
            If Redis does not answer.
        AppUnknown
            If no worker has run yet.
        LayoutError
            If the state of one of them cannot be read.
        """
        question = _Question(users, asyncio.get_running_loop().create_future())
        self._waiting.append(question)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._answer_all())
        return await question.answer

    async def _answer_all(self) -> None:
        while self._waiting:
            some = self._next()
            if not await self._answer(some) and len(some) > 1:
                for question in some:  # one of them cannot be read: the others still can
                    await self._answer([question])

    def _next(self) -> list[_Question]:
        count = taken = 0
        while taken < len(self._waiting) and (not taken or count + len(self._waiting[taken].users) <= MOST):
            count += len(self._waiting[taken].users)
            taken += 1
        some, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return some

    async def _answer(self, some: Sequence[_Question]) -> bool:
        """Answer some questions by one read; return False if they must be asked one by one."""
        users = list(chain.from_iterable(question.users for question in some))
        try:
            view, spec, found = await asyncio.get_running_loop().run_in_executor(self._thread, self._read, users)
        except Exception as error:  # noqa: BLE001 - carried to whoever asked
            if isinstance(error, LayoutError) and len(some) > 1:
                return False
            for question in some:
                if not question.answer.done():
                    question.answer.set_exception(error)
            return True
        at = 0
        for question in some:
            if not question.answer.done():  # else whoever asked has gone
                question.answer.set_result(Stand(view, spec, found[at : at + len(question.users)]))
            at += len(question.users)
        return True

    def _read(self, users: Sequence[str]) -> Stand:
        view = self._engine.view()
        if not view.reached:
            raise StoreUnavailable("Redis did not answer within the last second")
        if view.spec is None:
            raise AppUnknown(self._engine.app)
        if view.spec.spec != self._reader.spec.spec:
            self._reader = UserReader(self._engine.client, self._engine.app)  # a definition was added
        return Stand(view, self._reader.spec.spec, self._reader.standings(users))
