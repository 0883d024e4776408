"""Who makes a report, and who sends it? Whichever process claims it first; each recipient of each period gets one at most. A report here is whatever comes by itself: tables do, too.

A process looks now and then: for each report that is due, it claims the recipients that have none yet, makes the report once, and sends it to each. A claim that is
lost before the sending began is taken over; once it has begun, it is never begun again but after a refusal, or where it takes the place of what it left before (`Scheduled.repeatable`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from insights.reports.due import Due, newest_due
from insights.reports.mail import NotSent, Unsure
from insights.store import deliveries
from insights.store.deliveries import Delivery
from insights.store.store import Store
from stream.settings.schedule import Scheduled

log = logging.getLogger(__name__)

MAKING_MS = 20 * 60_000
"""So long a claim holds before anything is sent: the report is made meanwhile."""
SENDING_MS = 10 * 60_000
"""Whoever sends for longer is taken for dead: SMTP waits 30 s for each of its answers."""
KEPT_MS = 400 * 86_400_000
S = TypeVar("S", bound=Scheduled)
T = TypeVar("T")


class Sent(Protocol):
    """Is told what became of each delivery."""

    def __call__(self, report: str, outcome: str) -> None:
        """`outcome` is sent, failed or unsure."""


class Standing(NamedTuple):
    """How a report stands.

    Attributes
    ----------
    due : Due or None
        The newest time at which it was due; None before the first since it is known.
    rows : list of Delivery
        Of that period.
    recipients : int
        How many should get it.
    """

    report: Scheduled
    due: Due | None
    rows: list[Delivery]
    recipients: int

    @property
    def sent(self) -> int:
        """How many have it."""
        return sum(row.state == "sent" for row in self.rows)

    def overdue_ms(self, now_ms: int) -> int:
        """Return for how long somebody has waited for it, ms; 0 when all have it."""
        return 0 if self.due is None or self.sent >= self.recipients else max(0, now_ms - self.due.at_ms)


class Deliverer(Generic[S, T]):
    """Delivers what is due.

    Parameters
    ----------
    make : callable
        Makes a report of a period; whatever it raises, it is tried again later.
    post : callable
        Sends it to one recipient; raises `NotSent` or `Unsure`.
    me : str
        Names this process, like no other.
    sent : Sent
    """

    def __init__(
        self,
        store: Store,
        reports: Sequence[S],
        make: Callable[[S, Due], T],
        post: Callable[[S, Due, str, T], None],
        me: str,
        now_ms: Callable[[], int],
        sent: Sent,
    ) -> None:
        self._store, self._reports, self._make, self._post = store, reports, make, post
        self._me, self._now_ms, self._sent = me, now_ms, sent

    def look(self) -> int:
        """Deliver what is due and nobody delivers; return how many were sent."""
        with self._store.write() as db:
            deliveries.give_up_the_dead(db, self._now_ms())
            deliveries.forget(db, self._now_ms() - KEPT_MS)
        found = standings(self._store, self._reports, self._now_ms())
        return sum(
            self._deliver(report, one.due, one.rows) for report, one in zip(self._reports, found, strict=True) if one.due is not None
        )

    def _deliver(self, report: S, due: Due, rows: Sequence[Delivery]) -> int:
        over = {row.recipient for row in rows if (row.is_settled if report.repeatable else row.is_over)}
        mine = [recipient for recipient in report.recipients if recipient not in over and self._claimed(report, due, recipient)]
        if not mine:
            return 0
        try:
            made = self._make(report, due)
        except Exception as error:
            log.warning("a report could not be made", extra={"report": report.name, "error": type(error).__name__}, exc_info=True)
            for recipient in mine:
                self._ended(report, due, recipient, "failed", "made")
            return 0
        return sum(self._sent_to(report, due, recipient, made) for recipient in mine)

    def _claimed(self, report: S, due: Due, recipient: str) -> bool:
        now_ms = self._now_ms()
        with self._store.write() as db:
            return deliveries.claim(
                db, report.what, due.period, recipient, self._me, now_ms, now_ms + MAKING_MS, repeatable=report.repeatable
            )

    def _sent_to(self, report: S, due: Due, recipient: str, made: T) -> bool:
        now_ms = self._now_ms()
        with self._store.write() as db:
            is_mine = deliveries.begin(db, report.what, due.period, recipient, self._me, now_ms, now_ms + SENDING_MS)
        if not is_mine:
            return False
        try:
            self._post(report, due, recipient, made)
        except NotSent as error:
            log.warning("a report was not sent", extra={"report": report.name, "why": str(error)})
            self._ended(report, due, recipient, "failed", error.why)
            return False
        except Unsure as error:
            log.warning("a report may not have been sent", extra={"report": report.name, "why": str(error)})
            self._ended(report, due, recipient, "unsure", "gone")
            return False
        self._ended(report, due, recipient, "sent")
        return True

    def _ended(self, report: S, due: Due, recipient: str, state: str, why: str = "") -> None:
        with self._store.write() as db:
            deliveries.end(db, report.what, due.period, recipient, self._me, self._now_ms(), state=state, why=why)
        self._sent(report.name, state)


def standings(store: Store, reports: Iterable[Scheduled], now_ms: int) -> list[Standing]:
    """Return how each report stands. A report that is new is due from its next time on."""
    reports, found = list(reports), []
    since = _since(store, reports, now_ms)
    with store.read() as db:
        for report in reports:
            due = newest_due(report, now_ms)
            rows = deliveries.deliveries(db, report.what, due.period)
            wanted = report.recipients
            is_due = due.at_ms >= since[report.what] or rows
            found.append(Standing(report, due if is_due else None, [rows[one] for one in wanted if one in rows], len(wanted)))
    return found


def _since(store: Store, reports: Sequence[Scheduled], now_ms: int) -> dict[str, int]:
    """Return since when each report is known, by what it is called. Only for one that is new the store is written to, since a page that shows them must not wait for its turn."""
    with store.read() as db:
        known = {report.what: since for report in reports if (since := deliveries.since_of(db, report.what)) is not None}
    new = [report for report in reports if report.what not in known]
    if new:
        with store.write() as db:
            known |= {report.what: deliveries.known_since(db, report.what, now_ms) for report in new}
    return known
