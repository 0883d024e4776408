"""One process that computes, seen from ours: started, asked one question at a time within a time, ended. Threads may end it while another waits.

::

    NoAnswer    it did not answer; `reason` says why
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import BinaryIO, cast

from insights.analyses.plain import Entry
from insights.asked.messages import REPLY, Hello, Question, Reason, Reply, Setup, frame_of
from insights.asked.scratch import Scratch

START_S = 60.0
"""So long a process may take to load what it computes with."""
_PIECE = 1 << 20
_SIZE = 4


class NoAnswer(Exception):
    """See the module."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Child:
    """A running process.

    Attributes
    ----------
    entries : tuple of Entry
        The analyses that it has.

    Raises
    ------
    NoAnswer
        It did not start.
    """

    def __init__(self, setup: Setup) -> None:
        threads = {"POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        root = str(Path(__file__).parents[2])
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CHURNWATCH_")}  # no secret is needed there
        paths = os.pathsep.join([root, *filter(None, [inherited.get("PYTHONPATH")])])
        self._scratch = Scratch()
        process = subprocess.Popen(
            [sys.executable, "-m", "insights.asked.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**inherited, **threads, "PYTHONPATH": paths},
            cwd=self._scratch.folder,  # where DuckDB puts what it cannot keep
            start_new_session=True,  # Ctrl-C at a terminal is for us, and we end it
        )
        self._process, self._to, self._from = process, cast("BinaryIO", process.stdin), cast("BinaryIO", process.stdout)
        hello = self.ask(setup, START_S)
        self.entries: tuple[Entry, ...] = cast("Hello", hello).entries

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def ask(self, question: Question | Setup, seconds: float) -> Reply:
        """Ask, and wait for the reply. After `NoAnswer` the process is gone.

        Raises
        ------
        NoAnswer
            It took more than `seconds`, or ended.
        """
        try:
            self._send(frame_of(question))
            return self._reply(seconds)
        except BaseException:
            self.end()
            raise

    def stop(self) -> None:
        """Have it end in the middle of a question; who waits for the reply gets `NoAnswer`. Any thread may."""
        self._process.kill()

    def end(self) -> None:
        """End it, whatever it does, and let go of it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._to, self._from):
            with contextlib.suppress(OSError):  # what was not sent any more
                pipe.close()
        self._scratch.remove()

    def _send(self, frame: bytes) -> None:
        try:
            self._to.write(frame)
            self._to.flush()
        except OSError:
            raise NoAnswer("ended") from None

    def _reply(self, seconds: float) -> Reply:
        until, taken, wanted = time.monotonic() + seconds, bytearray(), _SIZE
        while len(taken) < wanted:
            taken += self._piece(until - time.monotonic())
            if wanted == _SIZE and len(taken) >= _SIZE:
                wanted += int.from_bytes(taken[:_SIZE], "big")
        return REPLY.decode(memoryview(taken)[_SIZE:])

    def _piece(self, seconds: float) -> bytes:
        waiting = select.poll()
        waiting.register(self._from, select.POLLIN)
        if not waiting.poll(max(0.0, seconds) * 1000):
            raise NoAnswer("too_long")
        piece = os.read(self._from.fileno(), _PIECE)
        if not piece:
            raise NoAnswer("ended")
        return piece
