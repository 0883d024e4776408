"""Who looks whether a report or a table is due, and whether watched numbers are within bounds? A thread of `churnwatch web`; several pages of one store may do so, and each report goes out once."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from insights.reports.deliver import Deliverer, standings
from insights.reports.due import Due
from insights.reports.mail import mail_server, send
from insights.web.parts import Parts
from insights.web.report import tables
from insights.web.report.message import Content, into_folder, message_of
from insights.web.report.reports import Reports
from insights.web.report.tables import tables_deliverer
from insights.web.watching.telling import Publish, Telling
from insights.web.watching.watcher import check_all, look_at_all
from stream.faults import UsageFault
from stream.kafka.clients import producer_to
from stream.settings import Settings
from stream.settings.reports import ScheduledReport

log = logging.getLogger(__name__)

EVERY_S = 20.0
KAFKA_S = 10.0
END_S = 3.0
"""A report that is under way at a stop is not waited for longer: another process, or the next start, takes it over."""


def deliverer_of(parts: Parts, reports: Reports) -> Deliverer[ScheduledReport, Content]:
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


def to_topic(settings: Settings) -> Publish:
    """Return what writes to the topic `metric_alerts`, once Kafka is there."""
    opened: list[tuple[Any, str]] = []

    def publish(records: Sequence[tuple[bytes, bytes]]) -> None:
        if not opened:
            opened.append(producer_to(settings, "metric_alerts"))
        producer, topic = opened[0]
        faults: list[object] = []
        for key, value in records:
            producer.produce(topic, value, key, on_delivery=lambda error, _: faults.append(error) if error is not None else None)
        if producer.flush(KAFKA_S) or faults:
            opened.clear()
            raise UsageFault("Kafka has not taken what watches say: it is sent again")

    return publish


class Runner:
    """Looks every `EVERY_S` seconds, while it is entered; does nothing where no report, no table and no watch is configured."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._stop = parts, threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin. Raises UsageFault for a watch or a table of what there is not."""
        parts, does = self._parts, list[Callable[[], object]]()
        if parts.settings.tables:
            tables.check_all(parts)
            does += [tables_deliverer(parts).look, lambda: show(parts)]
        if parts.settings.reports:
            does += [lambda: show(parts), deliverer_of(parts, Reports(parts)).look, lambda: show(parts)]
        if parts.settings.watches:
            check_all(parts)
            topic = any(one.topic for one in parts.settings.watches)
            does += [lambda: look_at_all(parts), Telling(parts, to_topic(parts.settings) if topic else None).tell]
        if does:
            self._thread = threading.Thread(target=self._run, args=(does,), name="reports", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(END_S)

    def _run(self, does: Sequence[Callable[[], object]]) -> None:
        failing: set[int] = set()
        while not self._stop.is_set():
            for number, do in enumerate(does):
                try:
                    do()
                    failing.discard(number)
                except Exception:
                    if number not in failing:  # once, not at every look
                        log.exception("reports, tables or watches stand still")
                    failing.add(number)
            self._stop.wait(EVERY_S)


def show(parts: Parts) -> None:
    """Tell Prometheus for how long each report and each table has been waited for."""
    gauge = parts.metrics.gauge("churnwatch_report_overdue_seconds")
    for one in standings(parts.store, parts.settings.reports, parts.now_ms()):
        gauge.labels(one.report.name).set(one.overdue_ms(parts.now_ms()) / 1000)
    for one in standings(parts.store, parts.settings.tables, parts.now_ms()):
        gauge.labels(one.report.what).set(one.overdue_ms(parts.now_ms()) / 1000)
