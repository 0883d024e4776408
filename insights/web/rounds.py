"""Something that is looked at again and again beside the page, in a thread, while it is entered. What fails is tried again at the next look."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

log = logging.getLogger(__name__)

EVERY_S = 20.0
END_S = 3.0
"""A look that is under way at a stop is not waited for longer."""


class Rounds:
    """Looks every `every_s` seconds, once at the beginning; starts no thread where there is nothing to do.

    Parameters
    ----------
    name : str
        Of the thread, and in the log.
    does : sequence of callable
        Each is told of a stop.
    """

    def __init__(self, name: str, does: Sequence[Callable[[threading.Event], object]], every_s: float = EVERY_S) -> None:
        self._name, self._does, self._every_s, self._stop = name, does, every_s, threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin."""
        if self._does:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(END_S)

    def _run(self) -> None:
        failing: set[int] = set()
        while not self._stop.is_set():
            for number, do in enumerate(self._does):
                try:
                    do(self._stop)
                    failing.discard(number)
                except Exception:
                    if number not in failing:  # once, not at every look
                        log.exception("%s stand still", self._name)
                    failing.add(number)
            self._stop.wait(self._every_s)
