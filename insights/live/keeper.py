"""Keeps the board: a thread that asks the past for changes, asks Redis about the people on it, and tells whoever listens that something changed.

::

    with Keeper(past, engine) as keeper:    load what is open, then look four times a second
        keeper.board                        the present one; never blocks
        await keeper.changed(...)           the next change

The past is what counts: Redis only adds to it. While Redis is gone the list stays, and what it did not say yet is a dash.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Self

import redis

from insights.live.board import Board, to_ask
from insights.live.engine import Engine
from insights.live.people import look_up
from insights.past.past import Past

log = logging.getLogger(__name__)

LOOK_S = 0.25
"""How often the past is asked for changes, in seconds."""
CHECK_S = 60.0
"""How often all open alerts are read, in case the past was made anew."""
END_S = 3.0
"""How long the end of a look is waited for, in seconds."""
MOST_CHANGES = 1_000
NEWEST = 2**62
"""Beyond every number of a change: asked for what came after it, the past says only which is the newest."""
ASK_AGAIN_S = 10.0
"""How often Redis is asked about everybody on the board: a risk is stated anew once a day, and some 2,000 states are read in 20 ms."""


class Keeper:
    """Holds the present board.

    Parameters
    ----------
    past : Past
    engine : Engine
        Whose Redis is asked.
    """

    def __init__(self, past: Past, engine: Engine) -> None:
        self._past, self._engine = past, engine
        self._board, self._asked_s, self._checked_s, self._asked_to = Board(), float("-inf"), float("-inf"), -1
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._waiting: set[Callable[[], None]] = set()
        self._failing = False

    @property
    def board(self) -> Board:
        """The present board."""
        return self._board

    def __enter__(self) -> Self:
        """Load what is open, and go on in a thread."""
        self.look()
        self._thread = threading.Thread(target=self._keep, name="board", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the thread, and wake whoever listens. A look that hangs in Redis or in the store is not waited for."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(END_S)
        self._tell()

    @property
    def stopped(self) -> bool:
        """Whether it was stopped."""
        return self._stop.is_set()

    def look(self) -> None:
        """Look once: at the past, and at Redis for whoever is new or has not been asked about for a while."""
        board = self._with_known(self._with_changes(self._board))
        if board is not self._board:
            self._board = board
            self._tell()

    async def changed(self, edition: int, timeout_s: float) -> bool:
        """Wait until the board is another than that of an edition, or the keeper stops; return False when neither happened in time."""
        loop, event = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(event.set)

        with self._lock:
            self._waiting.add(wake)
        try:
            if self._board.edition == edition and not self.stopped:
                async with asyncio.timeout(timeout_s):
                    await event.wait()
        except TimeoutError:
            return False
        finally:
            with self._lock:
                self._waiting.discard(wake)
        return True

    def _keep(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                self.look()
                self._failing = False
            except Exception:
                if not self._failing:  # once, not at every look
                    log.exception("the list of open alerts stands still")
                self._failing = True

    def _tell(self) -> None:
        with self._lock:
            waiting = tuple(self._waiting)
        for wake in waiting:
            wake()

    def _with_changes(self, board: Board) -> Board:
        now_s = time.monotonic()
        if not board.edition:
            self._checked_s = now_s
            return self._loaded(board)
        more = True
        while more:
            changed, number = self._past.changes_since(board.number, MOST_CHANGES)
            if number < board.number:  # the store is a new one
                return self._loaded(board)
            more = len(changed) == MOST_CHANGES
            if number != board.number:
                board = board.after(number, changed)
        if now_s - self._checked_s >= CHECK_S:
            board, self._checked_s = board.only(self._past.open_alerts()), now_s
        return board

    def _loaded(self, before: Board) -> Board:
        """Return the board as it is now. Its number is asked for first: what changes meanwhile is found once more by the next look."""
        _, number = self._past.changes_since(NEWEST)
        return Board(number, before.edition + 1, from_number=number).only(self._past.open_alerts())

    def _with_known(self, board: Board) -> Board:
        view = self._engine.view()
        if view.spec is None or not view.reached:
            return board
        now_s = time.monotonic()
        everybody = now_s - self._asked_s >= ASK_AGAIN_S
        rows = [row for row in board.rows.values() if everybody or row.number > self._asked_to]
        try:
            ids, asked = to_ask(rows)
            found = look_up(self._engine.client, self._engine.app, view.spec, asked)
        except redis.RedisError:
            return board
        self._asked_to = board.number
        if everybody:
            self._asked_s = now_s
        return board.with_known({alert_id: one for alert_id, one in zip(ids, found, strict=True) if one is not None})
