"""Programs forked from a process that has imported and compiled everything: at work in a fraction of a second, where a fresh one needs five of a core."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.servers.preloaded"])


class Forked:
    """`churnwatch ARGS` in a process and a session of its own, asked as `subprocess.Popen` is.

    Parameters
    ----------
    environment : mapping
        All of it.
    root : Path
        The folder it runs in.
    """

    def __init__(self, args: list[str], environment: Mapping[str, str], log: Path, root: Path) -> None:
        log.touch()
        self._process = _context.Process(target=_run, args=(args, dict(environment), str(log), str(root)), daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, minus the signal's number when a signal ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Raise `subprocess.TimeoutExpired` when it still runs after so many seconds."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("churnwatch", timeout or 0.0)
        return self._process.exitcode


def _run(args: list[str], environment: dict[str, str], log: str, root: str) -> None:
    os.setsid()
    output, nothing = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT), os.open(os.devnull, os.O_RDONLY)
    for file, stream in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(file, stream)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(root)
    sys.argv = ["churnwatch", *args]
    from stream.cli import main

    try:
        main()
    finally:
        atexit._run_exitfuncs()  # a process of multiprocessing leaves them out
