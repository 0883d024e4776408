"""What the page says to Prometheus: a table, what fills it, and the layer that counts answers. `/metrics` asks for a token that may read aggregates."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from insights.past.follow import FollowObserver
from insights.web.who import API
from stream.metric import Metric, Metrics

PAGE_METRICS = (
    Metric("churnwatch_page_answers", "counter", ("kind", "status"), "answers of the page, by kind (page, api, file) and class of status (2xx)"),
    Metric("churnwatch_page_answer_seconds", "histogram", ("kind",), "from a request's head to the end of its answer, streams left out"),
    Metric("churnwatch_page_reached", "gauge", ("server",), "1 while redis and kafka answer the page, else 0"),
    Metric("churnwatch_page_open_alerts", "gauge", ("definition",), "open alerts on the list"),
    Metric("churnwatch_page_past_records", "counter", ("what",), "records that were read into the past, by what became of them"),
    Metric("churnwatch_page_past_commit_seconds", "histogram", (), "commit to the page's store"),
    Metric("churnwatch_page_past_lag_records", "gauge", (), "records of alerts and examples not yet read into the past"),
    Metric("churnwatch_page_past_holds", "gauge", (), "1 in the process that writes the past, 0 in the others"),
    Metric("churnwatch_page_past_stuck", "gauge", (), "1 while this process cannot write the past: the log says why"),
    Metric("churnwatch_page_ahead", "counter", ("outcome",), "answers computed because a day was over, before anybody asked: computed, refused"),
    Metric("churnwatch_page_ahead_due", "gauge", (), "answers of Today, Retention and Groups that do not know the newest day that is over, at the last look"),
    Metric("churnwatch_report_overdue_seconds", "gauge", ("report",), "for how long a report, or a table (`table NAME`), has been due that not every recipient has; 0 when all have it"),
    Metric("churnwatch_reports", "counter", ("report", "outcome"), "reports, and tables (`table NAME`), to one recipient each, by what became of them: sent, failed, unsure"),
)  # fmt: skip


class PageMetrics(Metrics, FollowObserver):
    """The metrics of the table, filled by the follower of the past, by answers, and at each look."""

    def __init__(self) -> None:
        super().__init__(PAGE_METRICS)

    def committed(self, counts: Counter[str], seconds: float, lag: int) -> None:
        """See `FollowObserver`."""
        for what, n in counts.items():
            self.counter("churnwatch_page_past_records").labels(what).inc(n)
        self.histogram("churnwatch_page_past_commit_seconds").observe(seconds)
        self.gauge("churnwatch_page_past_lag_records").set(lag)
        self.gauge("churnwatch_page_past_stuck").set(0)

    def holds(self, ours: bool) -> None:
        """See `FollowObserver`."""
        self.gauge("churnwatch_page_past_holds").set(ours)
        self.gauge("churnwatch_page_past_stuck").set(0)

    def troubled(self, why: str) -> None:
        """See `FollowObserver`."""
        del why  # the log has it
        self.gauge("churnwatch_page_past_stuck").set(1)

    def look(self, open_alerts: Mapping[str, int], reached: Mapping[str, bool]) -> None:
        """Show how many alerts of each definition are open, and which servers answer."""
        for server, answers in reached.items():
            self.gauge("churnwatch_page_reached").labels(server).set(answers)
        for definition, n in open_alerts.items():
            self.gauge("churnwatch_page_open_alerts").labels(definition).set(n)


class Counted:
    """Counts answers and how long they took: pure ASGI."""

    def __init__(self, app: ASGIApp, metrics: PageMetrics) -> None:
        self.app = app
        self._answers, self._seconds = metrics.counter("churnwatch_page_answers"), metrics.histogram("churnwatch_page_answer_seconds")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, kind, stream = time.perf_counter(), kind_of(scope["path"]), False

        async def counted(message: Message) -> None:
            nonlocal stream
            if message["type"] == "http.response.start":
                self._answers.labels(kind, f"{message['status'] // 100}xx").inc()
                stream = any(
                    name == b"content-type" and value.startswith(b"text/event-stream") for name, value in message.get("headers", ())
                )
            await send(message)

        await self.app(scope, receive, counted)
        if not stream:
            self._seconds.labels(kind).observe(time.perf_counter() - began)


def kind_of(path: str) -> str:
    """Return what a path leads to.

    >>> [kind_of(path) for path in ("/api/v1/risks", "/static/page.js", "/at-risk")]
    ['api', 'file', 'page']
    """
    return "api" if path.startswith(API) else "file" if path.startswith("/static/") else "page"
