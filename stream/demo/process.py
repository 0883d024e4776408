"""A program of the demo in a process of its own, over the demo's servers; it ends with the demo, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

STOP_S = 5.0
"""Longest time until such a process is gone once it was asked."""


class Beside:
    """The process, while the block runs.

    Parameters
    ----------
    program : str
        Module that is run with the file of the settings.
    config : Path
        That file. What the process says goes to a log beside it.
    """

    def __init__(self, program: str, config: Path) -> None:
        self._program, self._config = program, config
        self._log = config.with_name(f"{program.rpartition('.')[2]}.log")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CHURNWATCH_")}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a fixed command
                [sys.executable, "-m", self._program, str(self._config)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Wait until it is gone."""
        self.leave()
        if self._process is not None:
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def leave(self) -> None:
        """Ask it to end, and do not wait."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    @property
    def has_ended(self) -> bool:
        """Whether it is gone."""
        return self._process is None or self._process.poll() is not None

    @property
    def last_words(self) -> str:
        """The last line that it wrote."""
        return (self._log.read_text(errors="replace").strip().splitlines() or ["nothing"])[-1]


def end_with_the_demo() -> None:
    """Ask this process, which a demo has started, to end once nobody holds the other end of its standard input: the demo is gone."""

    def watch() -> None:
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
