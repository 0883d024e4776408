"""Rows of the topic into the history: what was read is kept until a flush commits it together with the positions behind it.

After any error everything that is kept here is forgotten: the positions in the table say what happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from features.events.columns import ColumnReader
from insights.history.events import Appended, Events, Rules
from insights.history.faults import HistoryRefused
from insights.history.live.clicks import Topic
from insights.history.live.rows import NEVER, joined, read_rows
from insights.history.standing import Standing
from stream.shard.records import LogRecords


@dataclass(slots=True)
class Pending:
    """What was read since the last commit."""

    parts: list[pl.DataFrame] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    late: int = 0
    newest_ms: dict[int, int] = field(default_factory=dict)
    first_arrived_ms: int = -NEVER
    arrived_ms: int = NEVER
    records: int = 0


@dataclass(frozen=True, slots=True)
class Flushed:
    """What a commit held.

    Attributes
    ----------
    arrived_ms : int
        The broker's stamp of the newest record in it, ms since the epoch; `NEVER` if there was none.
    """

    appended: Appended
    records: int
    late: int
    rejected: Counter[str]
    arrived_ms: int


class Writer:
    """Writes one topic into one history.

    Parameters
    ----------
    lateness_ms : int
        How late an event may be and still count in full in the engine; the watermark stays so far behind.
    """

    def __init__(self, folder: Path, rules: Rules, reader: ColumnReader, lateness_ms: int) -> None:
        self.events = Events(folder, rules)
        self._reader, self._lateness_ms = reader, lateness_ms
        self._pending, self._topic = Pending(), Topic("", "", 0)
        self._starts: dict[int, int] = {}
        self._lost, self._began_late = 0, False

    @property
    def waiting(self) -> int:
        """How many records were read and are not committed yet."""
        return self._pending.records

    def begin(self, topic: Topic, first: Mapping[int, int], *, partial: bool = False) -> dict[int, int]:
        """Forget what was read, go to the newest version, and return where each partition is read on.

        Parameters
        ----------
        first : dict of int to int
            The first offset that the topic still has of each partition.
        partial : bool
            Go on behind what retention has deleted, and say so in the table.

        Raises
        ------
        HistoryRefused
            If retention has deleted what would come next.
        """
        self.events.renew()
        self._pending, self._topic = Pending(), topic
        self._starts = {number: self.events.table.position(topic.source(number)) for number in range(topic.partitions)}
        lost = {number: first[number] - at for number, at in self._starts.items() if 0 < at < first[number]}
        if lost and not partial:
            number = min(lost)
            raise HistoryRefused(
                f"{topic.name} begins at offset {first[number]} of partition {number}, and the history ends at {self._starts[number]}: what lies between was deleted before "
                "it was read. Run it once with --partial to go on without; what is missing is counted as lost"
            )
        self._lost = sum(lost.values())
        self._began_late = any(at == 0 < first[number] for number, at in self._starts.items())
        return {number: max(at, first[number]) for number, at in self._starts.items()}

    def take(self, partition: int, records: LogRecords) -> None:
        """Decode records and keep them for the next flush."""
        pending = self._pending
        stored = self.events.table.standing.newest_ms.get(self._topic.source(partition), NEVER)
        columns = self._reader.read(records.values, records.append_ms)
        read = read_rows(partition, records.offset, columns, pending.newest_ms.get(partition, stored), self._lateness_ms)
        pending.parts.append(read.rows)
        pending.rejected += read.rejected
        pending.late += read.late
        pending.newest_ms[partition] = read.newest_ms
        pending.arrived_ms = max(pending.arrived_ms, int(records.append_ms[-1]))
        pending.first_arrived_ms = min(pending.first_arrived_ms, int(records.append_ms[0]))
        pending.records += columns.n

    def flush(self, ends: Mapping[int, int], behind: Mapping[int, int]) -> Flushed | None:
        """Commit what was read, with the positions behind it; return None if there is nothing new.

        Parameters
        ----------
        ends : dict of int to int
            The next offset of each partition.
        behind : dict of int to int
            Of each partition, how many records are not read yet.

        Raises
        ------
        HistoryStale
            If another writer was first: `begin` again.
        """
        if ends == self._starts:
            return None
        source, pending, standing = self._topic.source, self._pending, self.events.table.standing
        positions = {source(number): end for number, end in ends.items()}
        newest = standing.newest_ms | {source(number): at for number, at in pending.newest_ms.items() if at != NEVER}
        said = replace(
            standing.reached(positions),
            newest_ms=newest,
            late=standing.late + pending.late,
            rejected=dict(Counter(standing.rejected) + pending.rejected),
            lost=standing.lost + self._lost,
            watermark_ms=self._watermark_ms(standing, newest, [source(number) for number, left in behind.items() if left > 0]),
        )
        if self._began_late and standing.complete_from_ms is None and pending.records:
            said = replace(said, complete_from_ms=pending.first_arrived_ms)
        starts = {source(number): start for number, start in self._starts.items()}
        appended = self.events.append(joined(pending.parts), starts, positions, said)
        self._pending, self._starts, self._lost = Pending(), dict(ends), 0
        return Flushed(appended, pending.records, pending.late, pending.rejected, pending.arrived_ms)

    def _watermark_ms(self, standing: Standing, newest: Mapping[str, int], behind: list[str]) -> int | None:
        """Return up to when all is known: by the partition that is furthest behind, or by the newest event where none is. It never goes back."""
        known = [newest.get(source, NEVER) for source in behind] or [max(newest.values(), default=NEVER)]
        if min(known) == NEVER:
            return standing.watermark_ms
        return max(min(known) - self._lateness_ms, standing.watermark_ms if standing.watermark_ms is not None else NEVER)
