"""The topic of alerts into the table of alerts: each message once, beside what its user did."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import polars as pl

from insights.history.erasures import Erasures
from insights.history.events import Rules
from insights.history.faults import HistoryStale
from insights.history.live.clicks import Topic
from insights.history.maintenance import compact
from insights.history.table import Table
from insights.history.tables import ALERTS
from stream.alerts.message import Alert, decode_alert
from stream.shard.records import LogRecords

log = logging.getLogger(__name__)


class AlertsWriter:
    """Writes the topic of one app into the table of its history."""

    def __init__(self, folder: Path, rules: Rules) -> None:
        self.table = Table.create(folder, ALERTS, {})
        self._zone = rules.timezone
        self._topic, self._starts = Topic("", "", 0, "alerts"), dict[int, int]()
        self._pending: list[tuple[int, int, Alert]] = []

    @property
    def waiting(self) -> int:
        """How many alerts were read and are not committed yet."""
        return len(self._pending)

    def begin(self, topic: Topic, first: Mapping[int, int]) -> dict[int, int]:
        """Forget what was read, go to the newest version, and return where each partition is read on; what retention has deleted is passed over."""
        self.table.renew()
        self._pending, self._topic = [], topic
        self._starts = {number: self.table.position(topic.source(number)) for number in range(topic.partitions)}
        return {number: max(at, first[number]) for number, at in self._starts.items()}

    def take(self, partition: int, records: LogRecords) -> None:
        """Decode records and keep them for the next flush; what is no alert of ours is passed over."""
        for offset, value in zip(records.offset.tolist(), records.values, strict=True):
            try:
                self._pending.append((partition, offset, decode_alert(value or b"")))
            except msgspec.MsgspecError:
                log.warning("a record of the alerts is none", extra={"partition": partition, "offset": offset})

    def flush(self, ends: Mapping[int, int]) -> dict[str, int]:
        """Commit what was read, with the positions behind it; return how many alerts there were.

        Raises
        ------
        HistoryStale
            If another writer was first: `begin` again.
        """
        if ends == self._starts:
            return {}
        starts = {self._topic.source(number): start for number, start in self._starts.items()}
        if any(self.table.position(source) != start for source, start in starts.items()):
            raise HistoryStale("the alerts are elsewhere by now")
        rows, erasures = rows_of(self._pending, self._zone), Erasures.find(self.table.folder.parent)
        if erasures is not None:
            rows = rows.filter(~erasures.covered(rows.drop("part", "off"), ALERTS.measured))
        days = rows.partition_by("day", as_dict=True)
        adds = [self.table.write(str(day), of_day.drop("day")) for (day,), of_day in sorted(days.items())]
        positions = {self._topic.source(number): end for number, end in ends.items()}
        self.table.commit(self.table.standing.reached(positions), adds=adds, positions=positions)
        count = len(self._pending)
        self._pending, self._starts = [], dict(ends)
        compact(self.table)
        return {"alerts": count}


def rows_of(alerts: Sequence[tuple[int, int, Alert]], zone: str) -> pl.DataFrame:
    """Return alerts with their places in the topic as rows of the table, in its order."""
    plain = {
        "alert_id": [one.alert_id for *_, one in alerts],
        "type": [one.type for *_, one in alerts],
        "cause": [one.cause for *_, one in alerts],
        "user": [one.user for *_, one in alerts],
        "definition": [one.definition for *_, one in alerts],
        "risk": [one.risk for *_, one in alerts],
        "threshold": [one.threshold for *_, one in alerts],
        "horizon_ms": [one.horizon_ms for *_, one in alerts],
        "landmark": [one.landmark_ms for *_, one in alerts],
        "valid_until": [one.valid_until_ms for *_, one in alerts],
        "event_time": [one.event_time_ms for *_, one in alerts],
        "scored": [one.scored_ms for *_, one in alerts],
        "reasons": [one.reasons for *_, one in alerts],
        "reason_codes": [[code.code for code in one.reason_codes] for *_, one in alerts],
        "model": [one.model for *_, one in alerts],
        "model_version": [one.model_version for *_, one in alerts],
        "part": [part for part, *_ in alerts],
        "off": [offset for _, offset, _ in alerts],
    }
    times = ("landmark", "valid_until", "event_time", "scored")
    kinds = {name: pl.Int64() if name in times else kind for name, kind in ALERTS.in_files.items()}
    frame = pl.DataFrame(plain, schema=kinds).with_columns(
        (pl.col(name) * 1000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC") for name in times
    )
    return frame.with_columns(day=pl.col("event_time").dt.convert_time_zone(zone).dt.date()).sort(ALERTS.order)
