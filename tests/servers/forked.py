"""Workers forked from a process that has imported and compiled everything: at work in a fraction of a second where a fresh one needs five."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.servers.preloaded"])


class ForkedProgram:
    """`churnwatch ARGS` in a process of its own, with a log of its own.

    Attributes
    ----------
    process : multiprocessing.Process
        Its `exitcode` is the program's; minus the signal's number when a signal ended it.
    """

    def __init__(self, args: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        log.touch()
        self.process = _context.Process(target=_run, args=(args, dict(environment), str(log)), daemon=True)
        self.process.start()

    @property
    def code(self) -> int | None:
        """The exit code, None while it runs."""
        return self.process.exitcode

    def signal(self, number: int) -> None:
        if self.process.pid is not None and self.process.exitcode is None:
            os.kill(self.process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.join()

    def heeds_sigterm(self) -> bool:
        """Whether the program has a handler of its own for it."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        caught = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt"))
        return bool(caught >> (signal.SIGTERM - 1) & 1)

    def text(self) -> str:
        return self.log.read_text(errors="replace")


def _run(args: list[str], environment: dict[str, str], log: str) -> None:
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.environ.update(environment)
    sys.argv = ["churnwatch", *args]
    from stream.cli import main

    main()
