"""What will be asked in the morning is computed when a day is over, so that whoever comes first does not wait for it.

::

    the history's watermark passes the end of a day ──> each question whose answer does not know that day is due
    an answer is gone, as after an erasure          ──> due
    due ──somebody waits for something──> later
        ──another process computes it───> later
        ──────────────────────────────> computed, one at a time, in a process that gives way to all others ──> kept, or refused until the next day

Whether a question is due follows from what is kept of it, so processes that share a store agree without a word, and the claim on the answer lets one of them compute it.
After a round as long as it took is rested `REST` times: made-up products let a day go by in seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import wait
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from insights.asked.asked import REST, Asked
from insights.asked.child import NoAnswer
from insights.asked.messages import Faulted
from stream.faults import UsageFault

Question = tuple[str, Mapping[str, object]]
"""The name of an analysis and what is asked of it."""
Outcome = Literal["computed", "refused"]
STOP_S = 0.1
"""A stop is seen so soon."""


class Closed(NamedTuple):
    """A day that is over.

    Attributes
    ----------
    day : date
    end_ms : int
        When it ended, ms since the epoch.
    """

    day: date
    end_ms: int


class Standing(NamedTuple):
    """How far it is.

    Attributes
    ----------
    day : date or None
        The newest day that is over; None before there is one.
    ready : int
        Answers that know it.
    due : int
        Answers that do not yet.
    """

    day: date | None = None
    ready: int = 0
    due: int = 0


def closed_at(watermark_ms: int, zone: ZoneInfo) -> Closed:
    """Return the newest day that is over at a moment.

    >>> closed_at(1_795_737_600_000, ZoneInfo("UTC"))
    Closed(day=datetime.date(2026, 11, 26), end_ms=1795737600000)
    >>> closed_at(1_795_737_599_999, ZoneInfo("UTC")).day
    datetime.date(2026, 11, 25)
    """
    today = datetime.fromtimestamp(watermark_ms / 1000, zone).date()
    begin = datetime.combine(today, time(), zone).astimezone(UTC)
    return Closed(today - timedelta(1), round(begin.timestamp() * 1000))


class Ahead:
    """Computes ahead. One thread looks.

    Parameters
    ----------
    questions : callable
        Returns what will be asked.
    zone : callable
        Returns the zone of the days.
    told : callable
        Is given what became of each question.
    """

    def __init__(
        self,
        asked: Asked,
        questions: Callable[[], Sequence[Question]],
        zone: Callable[[], ZoneInfo],
        told: Callable[[Outcome], object] = lambda _outcome: None,
    ) -> None:
        self._asked, self._questions, self._zone, self._told = asked, questions, zone, told
        self._known: dict[str, int] = {}
        """Up to when the answer knows all that is kept, or that was refused, by key; ms."""
        self._refused: set[str] = set()
        self._spent_s = self._rest_until_s = 0.0

    def standing(self) -> Standing:
        """Return how far it is."""
        closed = self._closed()
        if closed is None:
            return Standing()
        keys = self._keys()
        return self._unknown(closed) if keys is None else self._standing(keys, closed)

    def look(self, stop: threading.Event) -> Standing:
        """Compute what is due, one question after another, until all is there, somebody waits for something else, or a stop."""
        closed, clock = self._closed(), self._asked.crew.clock
        if closed is None:
            return Standing()
        began_s, keys = clock(), self._keys()
        if keys is None:
            return self._unknown(closed)
        due = self._due(keys, closed) if began_s >= self._rest_until_s else []
        for key in due:
            if stop.is_set() or not self._compute(key, keys[key], closed, stop):
                break
        if due:
            self._asked.crew.rest()
            self._spent_s += clock() - began_s
        standing = self._standing(keys, closed)
        if self._spent_s and not standing.due:
            self._rest_until_s, self._spent_s = clock() + REST * self._spent_s, 0.0
        return standing

    def _unknown(self, closed: Closed) -> Standing:
        return Standing(closed.day, 0, len(self._questions()))

    def _standing(self, keys: Mapping[str, Question], closed: Closed) -> Standing:
        due = self._due(keys, closed)
        return Standing(closed.day, len(keys.keys() - due - self._refused), len(due))

    def _keys(self) -> dict[str, Question] | None:
        """Return the questions by their keys, without what is none with these settings; None while no process can be started that knows."""
        found = {}
        for one in self._questions():
            try:
                found[self._asked.key(*one)] = one
            except UsageFault:
                continue
            except NoAnswer:
                return None
        return found

    def _closed(self) -> Closed | None:
        mark = self._asked.watermark_ms()
        return None if mark is None else closed_at(mark, self._zone())

    def _due(self, keys: Mapping[str, Question], closed: Closed) -> list[str]:
        """Return the questions whose answer does not know a day, in order."""
        kept = self._asked.kept_of(list(keys))
        for key in kept:
            if self._known.get(key, -1) < closed.end_ms:  # else it was seen to know that day, and need not be unpacked again
                self._known[key] = self._asked.kept_until_ms(key) or -1
        return [key for key in keys if key not in kept | self._refused or self._known.get(key, -1) < closed.end_ms]

    def _compute(self, key: str, question: Question, closed: Closed, stop: threading.Event) -> bool:
        """Compute an answer; return whether the next one may be."""
        try:
            job = self._asked.renew(*question)
        except (UsageFault, NoAnswer):
            return False
        if job is None:
            return False
        while not wait([job.future], STOP_S).done:
            if stop.is_set():
                self._asked.crew.cancel(job)
                return False
        is_kept = not isinstance(job.future.result(), Faulted) and key in self._asked.kept_of([key])
        (self._refused.discard if is_kept else self._refused.add)(key)
        self._known[key] = closed.end_ms
        self._told("computed" if is_kept else "refused")
        return True
