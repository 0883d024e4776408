"""What does Kafka say of the clicks, and of what was rejected? Asked by a thread of its own every few seconds.

Never while a page is drawn: a broker may take long to answer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from math import exp
from typing import NamedTuple, Protocol

from insights.live.engine import Engine, EngineView
from insights.live.letters import Group, Rejected, Tally
from insights.live.state import Clicks
from stream.kafka.look import Look
from stream.settings import Settings

log = logging.getLogger(__name__)

EVERY_S = 5.0
USUAL_S = 30.0
"""Time over which the rate at which clicks are taken is averaged."""


class Intake(NamedTuple):
    """What was last seen of Kafka.

    Attributes
    ----------
    look : Look or None
        What it said when it last answered; None before that.
    looked_ms : int
        When that was, by the clock on the wall, ms.
    reached : bool
        Whether it answered when it was last asked.
    taken_per_s : float
        Clicks taken a second, of late.
    rejected : mapping of (reason, field) to Rejected
        What was rejected, as far back as letters were read.
    """

    look: Look | None
    looked_ms: int
    reached: bool
    taken_per_s: float
    rejected: Mapping[Group, Rejected] = {}

    def waiting(self, view: EngineView) -> Mapping[int, int]:
        """Return how many clicks no worker has taken yet, by partition; a shard that cannot be read is left out."""
        ends = {} if self.look is None else self.look.ends
        taken = {number: meta.next_offset for number, meta in view.metas.items()}
        return {number: max(0, end - taken.get(number, 0)) for number, end in ends.items() if number not in view.unreadable}

    def clicks(self, view: EngineView, now_ms: int) -> Clicks:
        """Return what decides the state of the page."""
        if self.look is None:
            return Clicks(reached=self.reached)
        quiet_ms = None if self.look.newest_ms is None else max(0, now_ms - self.look.newest_ms)
        workers = None if self.look.members is None else len(self.look.members)
        return Clicks(self.reached, quiet_ms, sum(self.waiting(view).values()), self.taken_per_s, workers)


class Looks(Protocol):
    """Looks at Kafka: see `stream.kafka.look.Looker`."""

    def look(self, partitions: int, group: str) -> Look:
        """See `Looker`."""
        ...

    def close(self) -> None:
        """See `Looker`."""
        ...


class Reads(Protocol):
    """Reads dead letters: see `insights.live.letters.Letters`."""

    tally: Tally

    def read(self) -> None:
        """See `Letters`."""
        ...

    def close(self) -> None:
        """See `Letters`."""
        ...


class Watch:
    """Keeps an `Intake` up to date, once it is started.

    Parameters
    ----------
    looker : Looks
    letters : Reads
    engine : Engine
    settings : Settings
    now_ms : callable
        The clock on the wall, ms.
    """

    def __init__(self, looker: Looks, letters: Reads, engine: Engine, settings: Settings, now_ms: Callable[[], int]) -> None:
        self._looker, self._letters, self._engine, self._settings, self._now_ms = looker, letters, engine, settings, now_ms
        self._intake: Intake | None = None
        self._taken: tuple[int, int] | None = None
        self._unread = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="page-clicks", daemon=True)

    def intake(self) -> Intake | None:
        """Return what was last seen; None before Kafka was asked."""
        return self._intake

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more. A question that is being asked is given up with the process."""
        self._stop.set()

    def ask(self) -> None:
        """Ask once."""
        view, before = self._engine.view(), self._intake or Intake(None, 0, reached=True, taken_per_s=0.0)
        rate = self._rate(view)
        try:
            look = self._looker.look(*self._whom(view))
        except Exception as error:  # noqa: BLE001 - whatever stands against Kafka, the page goes on and says so
            if before.reached:
                log.warning("Kafka does not answer the page: %s", error)
            self._intake = before._replace(reached=False, taken_per_s=rate)
        else:
            self._intake = Intake(look, self._now_ms(), reached=True, taken_per_s=rate, rejected=self._read())

    def _read(self) -> Mapping[Group, Rejected]:
        """Return what the dead letters say; when they cannot be read, because the topic is not there or not for us, what they said before."""
        try:
            self._letters.read()
            self._unread = False
        except Exception as error:  # noqa: BLE001 - the page only knows less of what was rejected
            if not self._unread:
                log.warning("the page cannot read dead letters: %s", error)
            self._unread = True
            self._letters.close()
        return self._letters.tally.groups

    def _whom(self, view: EngineView) -> tuple[int, str]:
        name = str(self._settings["app.group"] or self._settings["app.name"])
        return (0, name) if view.spec is None else (view.spec.partitions, view.spec.group or name)

    def _rate(self, view: EngineView) -> float:
        """Return the clicks taken a second, averaged over `USUAL_S`."""
        now_ms, taken = self._now_ms(), sum(meta.next_offset for meta in view.metas.values())
        (before_ms, before), self._taken = self._taken or (now_ms, taken), (now_ms, taken)
        usual = 0.0 if self._intake is None else self._intake.taken_per_s
        passed_s = (now_ms - before_ms) / 1000
        if passed_s <= 0:
            return usual
        return usual + (max(0, taken - before) / passed_s - usual) * (1 - exp(-passed_s / USUAL_S))

    def _run(self) -> None:
        while not self._stop.is_set():
            self.ask()
            self._stop.wait(EVERY_S)
        self._looker.close()
        self._letters.close()
