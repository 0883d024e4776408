"""Who looks whether a report is due? A thread of `churnwatch web`; several pages of one store may do so, and each report goes out once."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from insights.reports.deliver import Deliverer, standings
from insights.reports.due import Due
from insights.reports.mail import mail_server, send
from insights.web.parts import Parts
from insights.web.report.message import Content, into_folder, message_of
from insights.web.report.reports import Reports
from stream.settings.reports import ScheduledReport

log = logging.getLogger(__name__)

EVERY_S = 20.0
END_S = 3.0
"""A report that is under way at a stop is not waited for longer: another process, or the next start, takes it over."""


def deliverer_of(parts: Parts, reports: Reports) -> Deliverer[Content]:
    """Return what delivers the reports of the settings."""
    server = mail_server(parts.settings)

    def post(report: ScheduledReport, due: Due, recipient: str, content: Content) -> None:
        if recipient.startswith("folder:"):
            into_folder(content, report, due)
        else:
            send(server, recipient, message_of(content, report, due, server.sender, recipient, parts.now_ms()))

    return Deliverer(
        parts.store, parts.settings.reports, lambda report, _: reports.content(report), post, secrets.token_hex(8), parts.now_ms,
        lambda report, outcome: parts.metrics.counter("churnwatch_reports").labels(report, outcome).inc(),
    )  # fmt: skip


class Runner:
    """Looks every `EVERY_S` seconds, while it is entered; does nothing where no report is configured."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._stop = parts, threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin."""
        if self._parts.settings.reports:
            look = deliverer_of(self._parts, Reports(self._parts)).look
            self._thread = threading.Thread(target=self._run, args=(look,), name="reports", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(END_S)

    def _run(self, look: Callable[[], int]) -> None:
        failing = False
        while not self._stop.is_set():
            try:
                show(self._parts)
                look()
                show(self._parts)
                failing = False
            except Exception:
                if not failing:  # once, not at every look
                    log.exception("reports stand still")
                failing = True
            self._stop.wait(EVERY_S)


def show(parts: Parts) -> None:
    """Tell Prometheus for how long each report has been waited for."""
    for one in standings(parts.store, parts.settings.reports, parts.now_ms()):
        parts.metrics.gauge("churnwatch_report_overdue_seconds").labels(one.report.name).set(one.overdue_ms(parts.now_ms()) / 1000)
