"""The topic of examples into the tables `scores` and `outcomes`: what risk was said of whom at each landmark, and what came of it.

A worker may publish a block twice, cut differently, so offsets do not say what is new. The numbers of a shard's examples do, and of labels from outside their
offset in the topic `labels`. Each table keeps the next number of each shard with its own rows, so a crash between the two commits loses and doubles nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import polars as pl

from insights.history.erasures import Erasures
from insights.history.events import Rules
from insights.history.faults import HistoryStale
from insights.history.live.clicks import Topic
from insights.history.live.example_rows import labels_of, numbers_of, outcomes_of, scores_of
from insights.history.maintenance import compact
from insights.history.table import Table
from insights.history.tables import OUTCOMES, SCORES, TableSpec
from online_models.example import ExampleBlock
from online_models.example_blocks import unpack_record
from online_models.external_labels import LabelBlock
from stream.shard.records import LogRecords

log = logging.getLogger(__name__)


class ExamplesWriter:
    """Writes the topic of one app into two tables of its history."""

    def __init__(self, folder: Path, rules: Rules) -> None:
        self.scores, self.outcomes = (_Side(Table.create(folder, spec, {}), rules.timezone) for spec in (SCORES, OUTCOMES))

    @property
    def waiting(self) -> int:
        """How many rows were read and are not committed yet."""
        return self.scores.waiting + self.outcomes.waiting

    def begin(self, topic: Topic, first: Mapping[int, int]) -> dict[int, int]:
        """Forget what was read, and return where each partition is read on: behind what both tables have."""
        starts = [side.begin(topic) for side in (self.scores, self.outcomes)]
        return {number: max(min(start[number] for start in starts), first[number]) for number in range(topic.partitions)}

    def take(self, partition: int, records: LogRecords) -> None:
        """Decode records and keep them for the next flush; what is no example is passed over."""
        for offset, value in zip(records.offset.tolist(), records.values, strict=True):
            try:
                block = unpack_record(value or b"")
                if isinstance(block, LabelBlock):
                    self.outcomes.take_labels(block)
                else:
                    self.scores.take(block)
                    self.outcomes.take(block)
            except (msgspec.MsgspecError, ValueError):
                log.warning("a record of the examples is none", extra={"partition": partition, "offset": offset})

    def flush(self, ends: Mapping[int, int]) -> dict[str, int]:
        """Commit what was read, one table after the other; return how many rows each got, and how many examples are missing.

        Raises
        ------
        HistoryStale
            If another writer was first: `begin` again.
        """
        missing = self.scores.missing
        return {"scores": self.scores.flush(ends), "outcomes": self.outcomes.flush(ends), "missing": missing}


@dataclass
class _Side:
    """One of the two tables, and what was read for it since its last commit."""

    table: Table
    zone: str
    topic: Topic = field(default_factory=lambda: Topic("", "", 0, "examples"))
    starts: dict[int, int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    watermarks: dict[str, int] = field(default_factory=dict)
    parts: list[pl.DataFrame] = field(default_factory=list)
    missing: int = 0

    @property
    def waiting(self) -> int:
        return sum(part.height for part in self.parts)

    def begin(self, topic: Topic) -> dict[int, int]:
        self.table.renew()
        self.topic, self.starts = topic, {number: self.table.position(topic.source(number)) for number in range(topic.partitions)}
        self._forget()
        return self.starts

    def _forget(self) -> None:
        self.numbers, self.watermarks, self.parts, self.missing = {}, {}, [], 0

    def _next(self, source: str) -> int:
        """Return the next number of a source: 0 if none has come yet."""
        return self.numbers.get(source, self.table.position(source))

    def take(self, block: ExampleBlock) -> None:
        """Keep the examples of a block that were not there yet."""
        numbers = numbers_of(block)
        source = f"numbers/{self.topic.id}/{block.lineage}/{block.partition}"
        known, end = self._next(source), block.first_number + len(numbers)
        rows = (scores_of if self.table.spec is SCORES else outcomes_of)(block, numbers >= known)
        self.missing += max(0, block.first_number - known) if known else 0
        self.numbers[source] = max(known, end)
        if block.watermark_ms > 0:  # a shard without events has no time yet
            shard = f"shard/{block.partition}"
            self.watermarks[shard] = max(block.watermark_ms, self.watermarks.get(shard, block.watermark_ms))
        if rows.height:
            self.parts.append(rows)

    def take_labels(self, block: LabelBlock) -> None:
        """Keep the labels from outside that were not there yet."""
        source = f"labels/{self.topic.id}"
        known = self._next(source)
        self.parts.append(labels_of([label for label in block.labels if label.offset >= known]))
        self.numbers[source] = max(known, block.next_offset)

    def flush(self, ends: Mapping[int, int]) -> int:
        if dict(ends) == self.starts:
            return 0
        places = {self.topic.source(number): start for number, start in self.starts.items()}
        if any(self.table.position(source) != start for source, start in places.items()):
            raise HistoryStale(f"the {self.table.spec.name} are elsewhere by now")
        rows, erasures = _in_order(self.parts, self.table.spec, self.zone), Erasures.find(self.table.folder.parent)
        if erasures is not None:
            rows = rows.filter(~erasures.covered(rows, self.table.spec.measured))
        adds = [self.table.write(str(day), of_day.drop("day")) for (day,), of_day in sorted(rows.partition_by("day", as_dict=True).items())]
        positions = {self.topic.source(number): end for number, end in ends.items()}
        standing = self.table.standing.reached(positions)
        newest = {**standing.newest_ms, **{shard: max(at, standing.newest_ms.get(shard, at)) for shard, at in self.watermarks.items()}}
        said = replace(
            standing,
            rows=standing.rows + rows.height,
            lost=standing.lost + self.missing,
            newest_ms=newest,
            watermark_ms=min(newest.values(), default=standing.watermark_ms),
        )
        self.table.commit(said, adds=adds, positions={**positions, **self.numbers})
        self.starts = dict(ends)
        self._forget()
        compact(self.table)
        return rows.height


def _in_order(parts: list[pl.DataFrame], spec: TableSpec, zone: str) -> pl.DataFrame:
    """Return rows as files of the table hold them, with their day."""
    empty = pl.DataFrame(schema=spec.in_files)
    day = pl.col(spec.measured).dt.convert_time_zone(zone).dt.date()
    return pl.concat([empty, *parts]).with_columns(day=day).sort(spec.order)
