"""A program under test: started, watched, killed, stopped by its own id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.servers.forked import Forked

ROOT = Path(__file__).parents[2]
SERVING = {"run": "ConsumerThread]: Starting", "train": "reading examples", "history": "following the clicks"}
"""What a long-lived command logs once its signal handlers are in place and it is at work."""


BUSY = 3
"""A machine whose cores others take is so many times slower. Deadlines of the tests end what hangs; they measure nothing."""


class _Process(subprocess.Popen[bytes]):
    """Waits longer than it is told where others take the cores."""

    def wait(self, timeout: float | None = None) -> int:
        return super().wait(None if timeout is None else BUSY * timeout)


class _Forked(Forked):
    """As patient."""

    def wait(self, timeout: float | None = None) -> int:
        return super().wait(None if timeout is None else BUSY * timeout)


class Program:
    """`churnwatch ARGS` with a log of its own.

    Parameters
    ----------
    root : Path
        The folder of the build to run.
    forked : bool
        Whether to fork it from a process that has imported this build already, which takes a fifth of the CPU of a fresh start.
    """

    def __init__(self, args: list[str], environment: dict[str, str], log: Path, root: Path = ROOT, *, forked: bool = False) -> None:
        self.log = log
        self._serving = SERVING.get(args[0])
        self.process: _Process | _Forked
        env = {**os.environ, **environment, "PYTHONPATH": str(root)}
        if forked:
            self.process = _Forked(args, env, log, root)
            return
        command = [sys.executable, "-c", "from stream.cli import main; main()", *args]
        with log.open("ab") as file:
            self.process = _Process(command, stdout=file, stderr=file, env=env, stdin=subprocess.DEVNULL, start_new_session=True, cwd=root)

    @property
    def code(self) -> int | None:
        """The exit code, None while it runs."""
        return self.process.poll()

    def signal(self, number: int) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self, timeout_s: float = 20.0) -> int:
        """SIGTERM once it is at work; before that the default handler would end it."""
        if self._serving is not None:
            wait_until(lambda: self.at_work() or self.process.poll() is not None, 60, "at work", self.text)
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        return self.process.wait(timeout_s)

    def heeds_sigterm(self) -> bool:
        """Whether the program has a handler of its own for it."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        caught = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt"))
        return bool(caught >> (signal.SIGTERM - 1) & 1)

    def at_work(self) -> bool:
        return self._serving is None or self._serving in self.text()

    def text(self) -> str:
        return self.log.read_text(errors="replace")


def wait_until(
    true: Callable[[], bool], timeout_s: float, what: str, say: Callable[[], str] = str, progress: Callable[[], object] = lambda: None
) -> None:
    """Wait for a condition; fail with what was waited for.

    Parameters
    ----------
    timeout_s : float
        How long it may take on a machine that is quiet, in seconds; counted anew whenever `progress` has changed.
    """
    seen, deadline = progress(), time.monotonic() + BUSY * timeout_s
    while not true():
        if (now := progress()) != seen:
            seen, deadline = now, time.monotonic() + BUSY * timeout_s
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} within {BUSY} times {timeout_s:g} s; {say()}")
        time.sleep(0.05)
