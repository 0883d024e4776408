"""Every metric of a worker, in one table: in base units, with bounded labels, and never with a user id. And the observer that fills it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from prometheus_client import Gauge

from features.events.event import Reason
from features.users.state import NEVER
from online_models.checkpoint import Header
from online_models.judged import SPANS, Judged, over, tenths_in_words
from stream.metric import Metric, Metrics
from stream.outbox import Entry
from stream.ownership.observer import Observer
from stream.processes.intake_watch import IntakeWatch
from stream.shard.dead_letters import DEAD_LETTERS
from stream.shard.step import Shard, Step

if TYPE_CHECKING:
    from stream.ownership.session import Session


log = logging.getLogger(__name__)

LARGE = 0.5
"""Share of the events that one user may have before a warning is logged."""


METRICS: tuple[Metric, ...] = (
    Metric("churnwatch_events", "counter", ("outcome",), "records taken, by outcome"),
    Metric(
        "churnwatch_foreign_keys", "counter", (), "records whose key is not their user: key clicks by user, or users are split over shards"
    ),
    Metric(
        "churnwatch_future_share", "gauge", (), "share of the records of the last 5 minutes that were rejected as future: a clock is wrong"
    ),
    Metric(
        "churnwatch_largest_user_share",
        "gauge",
        ("partition",),
        "share of the user with most events, of up to 10,000 events a minute: near 1 it is a bot, or an id that stands for nobody",
    ),
    Metric("churnwatch_steps", "counter", (), "commits to Redis"),
    Metric("churnwatch_commit_seconds", "histogram", (), "commit to Redis"),
    Metric("churnwatch_publish_seconds", "histogram", (), "transaction to Kafka"),
    Metric(
        "churnwatch_click_to_publish_seconds",
        "histogram",
        (),
        "from the broker's stamp of the causing click to its alert's commit",
    ),
    Metric("churnwatch_alerts", "counter", ("definition", "type"), "alerts decided"),
    Metric("churnwatch_alerts_capped", "counter", (), "alerts not opened because the day's cap was used up"),
    Metric("churnwatch_alerts_too_old", "counter", (), "alerts not opened because their landmark lies too far back"),
    Metric("churnwatch_dead_letters", "counter", ("reason",), "dead letters published"),
    Metric("churnwatch_snapshots", "counter", (), "snapshots taken"),
    Metric("churnwatch_labels", "counter", (), "labels matured"),
    Metric("churnwatch_snapshots_pending", "gauge", ("partition",), "snapshots that wait for their label (estimate after a take)"),
    Metric("churnwatch_snapshots_oldest_seconds", "gauge", ("partition",), "landmark of the oldest of them, seconds since the epoch"),
    Metric(
        "churnwatch_timers_overdue", "gauge", ("partition",), "landmarks and labels due by the watermark and not fired: a sweep is behind"
    ),
    Metric("churnwatch_users_armed", "gauge", ("partition",), "users with a daily landmark"),
    Metric("churnwatch_watermark_seconds", "gauge", ("partition",), "event time up to which the shard has come, seconds since the epoch"),
    Metric("churnwatch_lag_records", "gauge", ("partition",), "records of clicks not yet taken"),
    Metric("churnwatch_unconfirmed", "gauge", ("partition",), "alerts, dead letters and blocks of examples not confirmed by Kafka"),
    Metric("churnwatch_time_held", "gauge", (), "1 while time stands still because all of intake is silent, or far below its usual rate"),
    Metric("churnwatch_ticks", "counter", (), "ticks appended"),
    Metric("churnwatch_ticks_refused", "counter", (), "ticks not appended because the broker's clock was further ahead than time can be"),
    Metric(
        "churnwatch_clock_difference_seconds",
        "gauge",
        ("partition",),
        "the broker's stamp of the last tick minus this machine's clock: beyond a minute one of the two is wrong",
    ),
    Metric("churnwatch_takes", "counter", (), "shards taken"),
    Metric("churnwatch_shards_lost", "counter", (), "shards lost to another owner or to a store that went back"),
    Metric("churnwatch_shards_owned", "gauge", (), "shards of this worker"),
    Metric(
        "churnwatch_definition_since_seconds",
        "gauge",
        ("definition", "partition"),
        "event time since which the shard follows a definition, seconds since the epoch; 0 = since the beginning of the log",
    ),
    Metric("churnwatch_model_version", "gauge", ("definition",), "version of the model that scores, 0 = the rule"),
    Metric("churnwatch_model_labels", "gauge", ("definition", "label"), "labels the newest version has learned, by label"),
    Metric("churnwatch_model_champion", "gauge", ("definition", "model"), "1 for the model that the newest version serves, else 0"),
    Metric(
        "churnwatch_model_quality",
        "gauge",
        ("definition", "model", "figure"),
        "each model over the window of matured labels: log_loss, auc, pr_auc, brier, ece, lift_10",
    ),
    Metric(
        "churnwatch_model_segment_quality", "gauge", ("definition", "segment", "figure"), "the champion over the same window, by segment"
    ),
    Metric(
        "churnwatch_model_calibration",
        "gauge",
        ("definition", "risk", "figure"),
        "the champion over the same window, by tenths of the stated risk: labels, and the mean risk stated and the share that churned",
    ),
    Metric(
        "churnwatch_model_calibration_days",
        "gauge",
        ("definition", "days", "figure"),
        "the same of the landmarks of the newest 1, 7 and 28 days whose outcomes are known, whoever served then",
    ),
    Metric("churnwatch_model_drifts", "counter", ("definition",), "changes found in the champion's loss or in its scores"),
)


class WorkerMetrics(Metrics, Observer):
    """The metrics of the table, filled with what the sessions do."""

    def __init__(self, definitions: Sequence[str]) -> None:
        super().__init__(METRICS)
        self._definitions = list(definitions)
        for outcome in (reason.name for reason in Reason):
            self.counter("churnwatch_events").labels(outcome)
        self._foreign_keys_said = False
        self._said_large: set[int] = set()
        self._shown: dict[str, dict[str, float]] = {}
        self.last_step = time.monotonic()

    def stepped(self, partition: int, step: Step, shard: Shard, commit_s: float) -> None:
        """See `stream.ownership.observer.Observer`."""
        self.last_step = time.monotonic()
        self.histogram("churnwatch_commit_seconds").observe(commit_s)
        for outcome, count in step.outcomes.items():
            self.counter("churnwatch_events").labels(outcome).inc(count)
        self.counter("churnwatch_steps").inc()
        outputs, examples = step.outputs, step.outputs.for_trainer.examples
        labels = int((examples.kind == 1).sum())
        self.counter("churnwatch_labels").inc(labels)
        self.counter("churnwatch_snapshots").inc(len(examples) - labels)
        self.counter("churnwatch_alerts_capped").inc(outputs.capped)
        self.counter("churnwatch_alerts_too_old").inc(outputs.too_old)
        for (k, kind), count in outputs.decided.items():
            self.counter("churnwatch_alerts").labels(self._definitions[k], kind).inc(count)
        for one in step.meta.definitions:
            since_s = 0 if one.since_ms == NEVER else one.since_ms / 1000
            self.gauge("churnwatch_definition_since_seconds").labels(one.name, str(partition)).set(since_s)
        for definition, champion in zip(self._definitions, shard.champions, strict=True):
            self.gauge("churnwatch_model_version").labels(definition).set(champion.version)

    def look(
        self,
        sessions: Mapping[int, Session],
        watch: IntakeWatch,
        lag: Mapping[int, int],
        apart_ms: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        """Show the shards as they stand. A shard that went to another worker is shown by that worker and no longer by this one.

        Parameters
        ----------
        lag : mapping of partition to int
            Records of clicks not yet taken, where known.
        apart_ms : mapping of partition to int
            The broker's clock minus this machine's, ms, where known.
        """
        shown: dict[str, dict[str, float]] = {row.name: {} for row in METRICS if row.labels == ("partition",)}
        for partition, session in sessions.items():
            name, shard = str(partition), session.shard
            timers, meta = shard.timers, shard.meta
            shown["churnwatch_unconfirmed"][name] = session.unconfirmed
            shown["churnwatch_snapshots_pending"][name] = timers.pending
            shown["churnwatch_users_armed"][name] = timers.armed
            if (share := watch.largest_share(partition)) is not None:
                shown["churnwatch_largest_user_share"][name] = share
                self._warn_of_one_user(partition, share)
            if partition in apart_ms:
                shown["churnwatch_clock_difference_seconds"][name] = apart_ms[partition] / 1000
            if partition in lag:
                shown["churnwatch_lag_records"][name] = lag[partition]
            if meta.max_ms == NEVER:
                continue
            watermark_ms = meta.watermark_ms(shard.settings.spec.lateness_ms)
            shown["churnwatch_watermark_seconds"][name] = watermark_ms / 1000
            shown["churnwatch_timers_overdue"][name] = timers.overdue(meta.swept_ms, watermark_ms) if meta.swept_ms != NEVER else 0
            if (oldest := timers.oldest_pending_ms) is not None:
                shown["churnwatch_snapshots_oldest_seconds"][name] = oldest / 1000
        for metric, values in shown.items():
            gauge = self.gauge(metric)
            for name in self._shown.get(metric, {}).keys() - values.keys():
                gauge.remove(name)
            for name, value in values.items():
                gauge.labels(name).set(value)
        self._shown = shown
        self.gauge("churnwatch_shards_owned").set(len(sessions))
        self.gauge("churnwatch_future_share").set(watch.future_share)

    def learned(self, header: Header) -> None:
        """Show what a model version says of itself and of the candidates it was chosen from."""
        name = header.definition
        for label, count in (("1", header.churned), ("0", header.labels - header.churned)):
            self.gauge("churnwatch_model_labels").labels(name, label).set(count)
        for model, row in header.figures.items():
            self.gauge("churnwatch_model_champion").labels(name, model).set(model == header.champion)
            self._figures(self.gauge("churnwatch_model_quality"), (name, model), row)
        for segment, row in header.segments.items():
            self._figures(self.gauge("churnwatch_model_segment_quality"), (name, segment), row)
        for risk, group in tenths_in_words(header.tenths):
            self._judged(self.gauge("churnwatch_model_calibration"), (name, risk), group)
        for span in SPANS if header.days else ():
            self._judged(self.gauge("churnwatch_model_calibration_days"), (name, str(span)), over(header.days, span))
        self.counter("churnwatch_model_drifts").labels(name).inc(header.drifts)

    @staticmethod
    def _judged(gauge: Gauge, labels: tuple[str, str], group: Judged) -> None:
        gauge.labels(*labels, "labels").set(group.n)
        for figure, share in zip(("stated", "churned"), group.shares(), strict=True):
            gauge.labels(*labels, figure).set(share)

    @staticmethod
    def _figures(gauge: Gauge, labels: tuple[str, str], row: Mapping[str, float | None]) -> None:
        for figure, value in row.items():
            if value is not None:
                gauge.labels(*labels, figure).set(value)

    def foreign_keys(self, partition: int, records: int) -> None:
        """See `stream.ownership.observer.Observer`."""
        if records and not self._foreign_keys_said:
            self._foreign_keys_said = True
            log.warning("clicks are not keyed by user: the state of one user may be split over shards", extra={"partition": partition})
        self.counter("churnwatch_foreign_keys").inc(records)

    def _warn_of_one_user(self, partition: int, share: float) -> None:
        if share > LARGE and partition not in self._said_large:
            self._said_large.add(partition)
            log.warning(
                "one user has most of the events: a bot, or an id that stands for nobody, which features.not_users rejects",
                extra={"partition": partition, "share": f"{share:.0%}"},
            )

    def published(self, partition: int, entries: Sequence[Entry], publish_s: float) -> None:
        """See `stream.ownership.observer.Observer`."""
        del partition
        self.histogram("churnwatch_publish_seconds").observe(publish_s)
        now_ms = time.time() * 1000
        latency = self.histogram("churnwatch_click_to_publish_seconds")
        for entry in entries:
            if entry.topic == DEAD_LETTERS:
                self.counter("churnwatch_dead_letters").labels(dict(entry.headers)["cw-reason"].decode()).inc()
            else:
                latency.observe(max(0.0, (now_ms - entry.cause_ms) / 1000))
