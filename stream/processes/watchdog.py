"""A thread outside the event loop that ends a worker which is alive, idle and silent. A supervisor starts it again.

Faust keeps a failed rejoin where nobody looks, and a blocked loop cannot report itself, so this thread looks from outside. Each condition has an
exit code of its own, in the table `CODES`.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

log = logging.getLogger(__name__)

PERIOD_S = 1.0


@dataclass(frozen=True, slots=True)
class Probe:
    """One condition.

    Attributes
    ----------
    code : int
        Exit code of the process when it trips.
    what : str
        The condition in a word or two, for the log.
    bad : callable
        True while the condition holds; must not block.
    patience_s : float
        How long the condition may hold before it trips.
    """

    code: int
    what: str
    bad: Callable[[], bool]
    patience_s: float


CODES = {
    80: "the event loop stood still",
    81: "an error of the group coordinator was parked",
    82: "the group coordinator's task ended",
    83: "no shards although partitions are assigned, or a rebalance without end",
    84: "lag, and no progress",
    85: "Redis did not answer",
}


class Watchdog(threading.Thread):
    """Looks at the probes every second; the first that outlasts its patience ends the process."""

    def __init__(self, probes: Sequence[Probe], end: Callable[[int], None] = os._exit) -> None:
        super().__init__(daemon=True, name="watchdog")
        self._probes, self._end = probes, end
        self._since: dict[int, float] = {}
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Stop looking."""
        self._stopped.set()

    def run(self) -> None:
        """See threading."""
        while not self._stopped.wait(PERIOD_S):
            tripped = self.look(time.monotonic())
            if tripped is not None:
                log.critical("watchdog: %s", CODES.get(tripped.code, tripped.what), extra={"exit_code": tripped.code, "what": tripped.what})
                logging.shutdown()
                self._end(tripped.code)
                return

    def look(self, now_s: float) -> Probe | None:
        """Return the probe that has been bad for longer than its patience, if any."""
        for index, probe in enumerate(self._probes):
            if not probe.bad():
                self._since.pop(index, None)
            elif now_s - self._since.setdefault(index, now_s) > probe.patience_s:
                return probe
        return None
