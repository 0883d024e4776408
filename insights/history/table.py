"""One Delta table: its snapshot, its files, and the commit that either happens as a whole or not at all.

A commit is a compare-and-swap on the version of the log: positions are compared on the very snapshot that is committed upon, and delta-rs may not retry.
With retries it would accept a stale snapshot, and rows would be doubled. Its `optimize` does the same, so it is never called (docs/history.md).

    write files, sync them -> commit version v + 1 (an exclusive link) -> sync the entry and its folder
"""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from insights.history.disk import LOG, drop_torn_entry, entry, sync, sync_all
from insights.history.faults import HistoryMissing, HistoryRefused, HistoryStale, HistoryUnwritable
from insights.history.standing import KEY, Standing
from insights.history.tables import TableSpec

FORMAT_KEY, FORMAT = "churnwatch.format", "1"
"""Property of a table that says how it is written: columns, names of files, what a commit says of itself. Whoever changes one of these takes the next number."""
ROW_GROUP = 131_072
CHECKPOINT_EVERY = 20
LOG_KEPT = "interval 1 days"
"""Entries of the log are kept so long, so that a checkpoint torn by a power cut can be done without; what was removed stands in checkpoints as long."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file of a table.

    Attributes
    ----------
    path : str
        Below the table's folder.
    partition : str
        "" if the table has none.
    least, greatest : date, datetime or None
        Of the column that the table measures; None for a file without rows.
    """

    path: str
    partition: str
    size_bytes: int
    rows: int
    least: date | None = None
    greatest: date | None = None

    @property
    def changed(self) -> int:
        """The newest version of the table by which rows of this file came, or others went from it; its name says it."""
        return int(self.path.rpartition("/")[2].partition("-")[0])

    def stats(self, measured: str) -> str:
        """Return what the log says of the file, as Delta writes it."""
        if self.least is None or self.greatest is None:
            return json.dumps({"numRecords": self.rows})
        return json.dumps(
            {
                "numRecords": self.rows,
                "minValues": {measured: self.least.isoformat()},
                "maxValues": {measured: self.greatest.isoformat()},
                "nullCount": {measured: 0},
            }
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
        """Open a table for writing; make it if it is not there.

        Raises
        ------
        HistoryUnwritable
            If the folder cannot be made.
        """
        where = folder / spec.name
        with _writing(folder):
            where.mkdir(parents=True, exist_ok=True)
        if (where / LOG).is_dir():
            drop_torn_entry(where)
        with contextlib.suppress(CommitFailedError):  # another process has made it meanwhile
            DeltaTable.create(
                where,
                schema=spec.schema(),
                partition_by=[spec.partition] if spec.partition else [],
                mode="ignore",
                configuration={
                    "delta.checkpointInterval": str(CHECKPOINT_EVERY),
                    "delta.logRetentionDuration": LOG_KEPT,
                    "delta.deletedFileRetentionDuration": LOG_KEPT,
                    FORMAT_KEY: FORMAT,
                    **properties,
                },
                raise_if_key_not_exists=False,
                commit_properties=CommitProperties(max_commit_retries=0),  # or it would put its properties over those of the other
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
        HistoryRefused
            If another program or another version of this one has made it.
        """
        where = folder / spec.name
        try:
            delta = DeltaTable(where)
        except TableNotFoundError:
            raise HistoryMissing(
                f"there is no history in {folder}: `churnwatch history import FILES` makes one of files, `churnwatch history run` one of the clicks; "
                "history.dir in churnwatch.toml (or CHURNWATCH_HISTORY) says where it is"
            ) from None
        found = delta.metadata().configuration.get(FORMAT_KEY)
        if found != FORMAT:
            made = "another program" if found is None else f"another version of churnwatch (format {found}, this one writes {FORMAT})"
            raise HistoryRefused(
                f"{where} was made by {made}: name another folder in history.dir (CHURNWATCH_HISTORY), and fill it from the topic or from files"
            )
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

    def write(self, partition: str, rows: pl.DataFrame, *, changed: int | None = None) -> DataFile:
        """Write one file that nobody refers to yet; `commit` has the disk keep it.

        Parameters
        ----------
        rows : frame
            With the columns that files hold, in the table's order.
        changed : int, optional
            The version by which the newest of these rows came; default: the one that is to be committed next.
        """
        below = f"{self.spec.partition}={partition}" if self.spec.partition else ""
        name = f"{self.version + 1 if changed is None else changed}-{uuid.uuid4().hex}.parquet"
        path = f"{below}/{name}" if below else name
        with _writing(self.folder):
            (self.folder / below).mkdir(parents=True, exist_ok=True)
            rows.write_parquet(self.folder / path, compression="zstd", row_group_size=ROW_GROUP)
        measured = rows[self.spec.measured]
        return DataFile(
            path, partition, (self.folder / path).stat().st_size, rows.height, _measure(measured.min()), _measure(measured.max())
        )

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
        HistoryUnwritable
            If the commit failed and nobody else has committed.
        """
        now_ms = time.time_ns() // 1_000_000
        actions: list[AddAction | RemoveAction] = [
            AddAction(one.path, one.size_bytes, self._values(one), now_ms, changes, one.stats(self.spec.measured)) for one in adds
        ]
        actions += [RemoveAction(one.path, changes, now_ms, one.size_bytes, self._values(one)) for one in removes]
        properties = saying(standing, self.version + 1, positions or {})
        sync_all([self.folder / one.path for one in adds])
        version = self.version
        partition_by = [self.spec.partition] if self.spec.partition else []
        try:
            self.delta.create_write_transaction(
                actions, "append", self.spec.schema(), partition_by=partition_by, commit_properties=properties
            )
        except CommitFailedError as error:
            if DeltaTable(self.folder).version() > version:
                raise HistoryStale(str(error)) from error
            raise HistoryUnwritable(f"{self.folder} cannot be written: {error}") from error
        sync(entry(self.folder, version + 1))
        sync(self.folder / LOG)
        self.delta.update_incremental()
        # somebody else may have committed since, and then the snapshot is theirs
        self.standing = standing if self.version == version + 1 else standing_of(self.delta)
        self._files = self._by_partition = None

    def _values(self, one: DataFile) -> dict[str, str | None]:
        return {self.spec.partition: one.partition} if self.spec.partition else {}


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HistoryUnwritable(
            f"the history in {folder} cannot be written ({error.strerror or error}): make room, or name another folder in history.dir (CHURNWATCH_HISTORY)"
        ) from error


def saying(standing: Standing, version: int, positions: Mapping[str, int]) -> CommitProperties:
    """Return how a commit is to be made: not again by itself, with positions, and with what is to be said as of a version."""
    return CommitProperties(
        custom_metadata={KEY: {"version": version, **standing.plain()}},
        max_commit_retries=0,
        app_transactions=[Transaction(source, end) for source, end in positions.items()],
    )


def standing_of(delta: DeltaTable) -> Standing:
    """Return what the newest commit of ours up to this snapshot says; commits that say nothing, such as those of other programs, are passed over.

    delta-rs returns the newest entries that there are by now, which may be newer than the snapshot, and numbers them from the snapshot's version
    down; so each says its version itself.
    """
    version = delta.version()
    for most in (1, 10, 100, None):
        found: list[dict[str, Any]] = delta.history(most)
        said = next((one[KEY] for one in found if KEY in one and one[KEY]["version"] <= version), None)
        if said is not None:
            return Standing.of(said)
    return Standing()


def _measure(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return value if isinstance(value, date) else None
