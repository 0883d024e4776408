"""Who looks whether a report or a table is due, and whether watched numbers are within bounds? A thread of `churnwatch web`; several pages of one store may do so, and each report goes out once."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from insights.reports.deliver import Deliverer, standings
from insights.reports.due import Due
from insights.reports.mail import mail_server, send
from insights.web.parts import Parts
from insights.web.report import tables
from insights.web.report.message import Content, into_folder, message_of
from insights.web.report.reports import Reports
from insights.web.report.tables import tables_deliverer
from insights.web.rounds import Rounds
from insights.web.watching.telling import Publish, Telling
from insights.web.watching.watcher import check_all, look_at_all
from stream.faults import UsageFault
from stream.kafka.clients import producer_to
from stream.settings import Settings
from stream.settings.reports import ScheduledReport

KAFKA_S = 10.0


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


def reports_and_watches(parts: Parts) -> Rounds:
    """Return what looks, which does nothing where no report, no table and no watch is configured. What is under way at a stop is taken over by another process, or at the next start.

    Raises
    ------
    UsageFault
        A watch or a table asks for what there is not.
    """
    delivers: list[Callable[[], object]] = []
    if parts.settings.tables:
        tables.check_all(parts)
        delivers.append(tables_deliverer(parts).look)
    if parts.settings.reports:
        delivers.append(deliverer_of(parts, Reports(parts)).look)
    does: list[Callable[[], object]] = [partial(show, parts), *delivers, partial(show, parts)] if delivers else []
    if parts.settings.watches:
        check_all(parts)
        topic = any(one.topic for one in parts.settings.watches)
        does += [partial(look_at_all, parts), Telling(parts, to_topic(parts.settings) if topic else None).tell]
    return Rounds("reports, tables or watches", [_untold(one) for one in does])


def _untold(do: Callable[[], object]) -> Callable[[threading.Event], object]:
    return lambda _stop: do()


def show(parts: Parts) -> None:
    """Tell Prometheus for how long each report and each table has been waited for."""
    gauge = parts.metrics.gauge("churnwatch_report_overdue_seconds")
    for one in standings(parts.store, parts.settings.reports, parts.now_ms()):
        gauge.labels(one.report.name).set(one.overdue_ms(parts.now_ms()) / 1000)
    for one in standings(parts.store, parts.settings.tables, parts.now_ms()):
        gauge.labels(one.report.what).set(one.overdue_ms(parts.now_ms()) / 1000)
