"""One Delta table: its snapshot, its files, and the commit that either happens as a whole or not at all.

A commit is a compare-and-swap on the version of the log: positions are compared on the very snapshot that is committed upon, and delta-rs may not retry.
With retries it would accept a stale snapshot, and rows would be doubled. Its `optimize` does the same, so it is never called (docs/history.md).

    write files, sync them -> commit version v + 1 (an exclusive link) -> sync the entry and its folder
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from insights.history.disk import LOG, drop_torn_entry, entry, sync, sync_all
from insights.history.faults import HistoryMissing, HistoryStale
from insights.history.standing import KEY, Standing
from insights.history.tables import TableSpec

ROW_GROUP = 131_072
CHECKPOINT_EVERY = 20
LOG_KEPT = "interval 7 days"


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file of a table: path below the table's folder, partition ("" if the table has none), size and rows."""

    path: str
    partition: str
    size_bytes: int
    rows: int
    least: datetime | None = None
    greatest: datetime | None = None

    def stats(self, measured: str) -> str:
        """Return what the log says of the file, as Delta writes it."""
        if self.least is None or self.greatest is None:
            return json.dumps({"numRecords": self.rows})
        least, greatest = self.least.isoformat(timespec="microseconds"), self.greatest.isoformat(timespec="microseconds")
        return json.dumps(
            {"numRecords": self.rows, "minValues": {measured: least}, "maxValues": {measured: greatest}, "nullCount": {measured: 0}}
        )


@dataclass(slots=True)
class Table:
    """One table at one version; `renew` goes to the newest."""

    folder: Path
    spec: TableSpec
    delta: DeltaTable
    standing: Standing
    _files: list[DataFile] | None = field(default=None, repr=False)
    _by_partition: dict[str, list[DataFile]] | None = field(default=None, repr=False)

    @classmethod
    def create(cls, folder: Path, spec: TableSpec, properties: Mapping[str, str]) -> Table:
        """Open a table for writing; make it if it is not there."""
        where = folder / spec.name
        where.mkdir(parents=True, exist_ok=True)
        if (where / LOG).is_dir():
            drop_torn_entry(where)
        DeltaTable.create(
            where,
            schema=spec.schema(),
            partition_by=[spec.partition] if spec.partition else [],
            mode="ignore",
            configuration={"delta.checkpointInterval": str(CHECKPOINT_EVERY), "delta.logRetentionDuration": LOG_KEPT, **properties},
            raise_if_key_not_exists=False,
        )
        table = cls.open(folder, spec)
        if table.version == 0:
            sync(entry(where, 0))
            sync(where / LOG)
            sync(where)
            sync(folder)
        return table

    @classmethod
    def open(cls, folder: Path, spec: TableSpec) -> Table:
        """Open a table for reading, or for a writer that knows it is there.

        Raises
        ------
        HistoryMissing
            If there is no such table.
        """
        where = folder / spec.name
        try:
            delta = DeltaTable(where)
        except TableNotFoundError:
            raise HistoryMissing(
                f"there is no history in {folder}: `churnwatch history import FILES` makes one of files, `churnwatch history run` one of the clicks; "
                "history.dir in churnwatch.toml (or CHURNWATCH_HISTORY) says where it is"
            ) from None
        return cls(where, spec, delta, standing_of(delta))

    @property
    def version(self) -> int:
        """The version of the log that this snapshot is."""
        return int(self.delta.version())

    @property
    def properties(self) -> Mapping[str, str]:
        """What is fixed of the table."""
        return {name: value for name, value in self.delta.metadata().configuration.items() if value is not None}

    def renew(self) -> None:
        """Go to the newest version."""
        self.delta = DeltaTable(self.folder)
        self.standing, self._files, self._by_partition = standing_of(self.delta), None, None

    def position(self, source: str) -> int:
        """Return up to where a source is in this snapshot: its next offset or row."""
        return int(self.delta.transaction_version(source) or 0)

    def files(self) -> list[DataFile]:
        """Return the files of this snapshot, in order of their partitions."""
        if self._files is None:
            found = pl.DataFrame(self.delta.get_add_actions(flatten=True))
            names = {"path": "path", "size_bytes": "size_bytes", "rows": "num_records", "partition": f"partition.{self.spec.partition}",
                     "least": f"min.{self.spec.measured}", "greatest": f"max.{self.spec.measured}"}  # fmt: skip
            plain = found.select(pl.col(column).alias(name) for name, column in names.items() if column in found.columns)
            self._files = [
                DataFile(**{**row, "partition": str(row.get("partition") or "")}) for row in plain.sort("path").iter_rows(named=True)
            ]
        return self._files

    def files_of(self, partition: str) -> list[DataFile]:
        """Return the files of one partition in this snapshot."""
        if self._by_partition is None:
            self._by_partition = {}
            for one in self.files():
                self._by_partition.setdefault(one.partition, []).append(one)
        return self._by_partition.get(partition, [])

    def read(self, files: Sequence[DataFile], columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Read some of the table's files; the column of the partition is not among theirs."""
        kept = list(columns or self.spec.in_files)
        if not files:
            return pl.DataFrame(schema={name: self.spec.columns[name] for name in kept})
        return pl.concat(pl.read_parquet(self.folder / one.path, columns=kept, hive_partitioning=False) for one in files)

    def write(self, partition: str, rows: pl.DataFrame) -> DataFile:
        """Write one file that nobody refers to yet; `commit` has the disk keep it.

        Parameters
        ----------
        rows : frame
            At least one row, with the columns that files hold, in the table's order.
        """
        below = f"{self.spec.partition}={partition}" if self.spec.partition else ""
        path = f"{below}/{uuid.uuid4().hex}.parquet" if below else f"{uuid.uuid4().hex}.parquet"
        (self.folder / below).mkdir(parents=True, exist_ok=True)
        rows.write_parquet(self.folder / path, compression="zstd", row_group_size=ROW_GROUP)
        measured = rows[self.spec.measured]
        return DataFile(path, partition, (self.folder / path).stat().st_size, rows.height, _moment(measured.min()), _moment(measured.max()))

    def commit(
        self, standing: Standing, *, adds: Sequence[DataFile] = (), removes: Sequence[DataFile] = (),
        positions: Mapping[str, int] | None = None, changes: bool = True,
    ) -> None:  # fmt: skip
        """Make files, removals and positions one new version; this snapshot becomes that version.

        Parameters
        ----------
        changes : bool
            Whether the rows change; False where the same rows are only put into other files.

        Raises
        ------
        HistoryStale
            If another writer has committed since this snapshot. The files that were written are then nobody's, and `vacuum` takes them away.
        """
        now_ms = time.time_ns() // 1_000_000
        actions: list[AddAction | RemoveAction] = [
            AddAction(one.path, one.size_bytes, self._values(one), now_ms, changes, one.stats(self.spec.measured)) for one in adds
        ]
        actions += [RemoveAction(one.path, changes, now_ms, one.size_bytes, self._values(one)) for one in removes]
        properties = CommitProperties(
            custom_metadata={KEY: standing.plain()},
            max_commit_retries=0,
            app_transactions=[Transaction(source, end) for source, end in (positions or {}).items()],
        )
        sync_all([self.folder / one.path for one in adds])
        version = self.version
        partition_by = [self.spec.partition] if self.spec.partition else []
        try:
            self.delta.create_write_transaction(
                actions, "append", self.spec.schema(), partition_by=partition_by, commit_properties=properties
            )
        except CommitFailedError as error:
            raise HistoryStale(str(error)) from error
        sync(entry(self.folder, version + 1))
        sync(self.folder / LOG)
        self.delta.update_incremental()
        # somebody else may have committed since, and then the snapshot is theirs
        self.standing = standing if self.version == version + 1 else standing_of(self.delta)
        self._files = self._by_partition = None

    def _values(self, one: DataFile) -> dict[str, str | None]:
        return {self.spec.partition: one.partition} if self.spec.partition else {}


def standing_of(delta: DeltaTable) -> Standing:
    """Return what the newest commit of ours says; commits of other programs, which say nothing, are passed over."""
    newest: list[dict[str, Any]] = delta.history(1)
    if newest and KEY in newest[0]:
        return Standing.of(newest[0][KEY])
    return next((Standing.of(one[KEY]) for one in delta.history() if KEY in one), Standing())


def _moment(value: Any) -> datetime | None:
    return value.astimezone(UTC) if isinstance(value, datetime) else None
