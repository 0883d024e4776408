"""What the writer of the history says to Prometheus."""

from __future__ import annotations

from collections.abc import Mapping

from insights.history.live.writer import Flushed
from stream.metric import Metric, Metrics

HISTORY_METRICS = (
    Metric("churnwatch_history_rows", "counter", (), "events written into the history"),
    Metric("churnwatch_history_repeats", "counter", (), "events dropped because their day holds them already"),
    Metric("churnwatch_history_erased", "counter", (), "events of erased users, or that erase somebody, which were not written"),
    Metric("churnwatch_history_late", "counter", (), "events kept although they were late as the engine counts it"),
    Metric("churnwatch_history_rejected", "counter", ("reason",), "records that are no events"),
    Metric("churnwatch_history_alerts", "counter", (), "alerts written into the history"),
    Metric("churnwatch_history_scores", "counter", (), "risks at landmarks written into the history"),
    Metric("churnwatch_history_outcomes", "counter", (), "outcomes of landmarks written into the history"),
    Metric("churnwatch_history_missing", "counter", (), "examples whose numbers were passed over: the topic did not hold them any more"),
    Metric("churnwatch_history_commits", "counter", (), "commits of rows"),
    Metric("churnwatch_history_commit_seconds", "histogram", (), "from the rows to the synced commit"),
    Metric("churnwatch_history_stale", "counter", (), "commits lost to another writer, which were begun again"),
    Metric("churnwatch_history_lag_records", "gauge", (), "records of clicks that are not in the history yet"),
    Metric("churnwatch_history_newest_timestamp_seconds", "gauge", (), "the broker's stamp of the newest record in the history"),
    Metric("churnwatch_history_files", "gauge", (), "files of the table of events"),
    Metric("churnwatch_history_bytes", "gauge", (), "their size"),
    Metric("churnwatch_history_dirty_days", "gauge", (), "days that the derived tables do not show yet; questions compute them meanwhile"),
    Metric("churnwatch_history_upkeep_seconds", "counter", ("what",), "time spent on merging, deriving and tidying"),
    Metric("churnwatch_history_stuck", "gauge", (), "1 while it cannot go on: the log says why"),
)  # fmt: skip


class HistoryMetrics(Metrics):
    """The metrics of the table, filled after each commit and each piece of upkeep."""

    def __init__(self) -> None:
        super().__init__(HISTORY_METRICS)

    def flushed(self, flushed: Flushed, seconds: float) -> None:
        """Note a commit."""
        self.counter("churnwatch_history_rows").inc(flushed.appended.rows)
        self.counter("churnwatch_history_repeats").inc(flushed.appended.repeats)
        self.counter("churnwatch_history_erased").inc(flushed.appended.erased)
        self.counter("churnwatch_history_late").inc(flushed.late)
        for reason, count in flushed.rejected.items():
            self.counter("churnwatch_history_rejected").labels(reason).inc(count)
        self.counter("churnwatch_history_commits").inc()
        self.histogram("churnwatch_history_commit_seconds").observe(seconds)
        if flushed.records:
            self.gauge("churnwatch_history_newest_timestamp_seconds").set(flushed.arrived_ms / 1000)

    def followed(self, counts: Mapping[str, int]) -> None:
        """Note a commit of what the engine says: rows by table, and what is missing."""
        for name, count in counts.items():
            self.counter(f"churnwatch_history_{name}").inc(count)

    def stands(self, lag: int, files: int, size_bytes: int) -> None:
        """Note how far it is, and what it takes."""
        self.gauge("churnwatch_history_lag_records").set(lag)
        self.gauge("churnwatch_history_files").set(files)
        self.gauge("churnwatch_history_bytes").set(size_bytes)

    def upkeep(self, what: str, seconds: float) -> None:
        """Note a piece of upkeep."""
        self.counter("churnwatch_history_upkeep_seconds").labels(what).inc(seconds)

    def stuck(self, is_stuck: bool) -> None:
        """Note whether it can go on."""
        self.gauge("churnwatch_history_stuck").set(is_stuck)
