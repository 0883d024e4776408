"""What of delta-rs the commit of the history rests on. If one of these fails with another version of it, that version must not be used."""

from __future__ import annotations

import json
import os
from pathlib import Path

import polars as pl
import pytest
from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, RemoveAction

SCHEMA = Schema([Field("n", PrimitiveType("long"))])


def table(folder: Path) -> DeltaTable:
    return DeltaTable.create(folder, schema=SCHEMA, mode="ignore", configuration={"delta.checkpointInterval": "5"})


def commit(at: DeltaTable, name: str, *, position: int | None = None, remove: str = "", rows: int = 3) -> None:
    file = Path(at.table_uri.removeprefix("file://")) / name
    pl.DataFrame({"n": range(rows)}).write_parquet(file)
    size = file.stat().st_size
    actions: list[AddAction | RemoveAction] = [AddAction(name, size, {}, 0, True, json.dumps({"numRecords": rows}))]
    actions += [RemoveAction(remove, True, 0, size, {})] if remove else []
    positions = [Transaction("clicks/0", position)] if position is not None else []
    at.create_write_transaction(
        actions, "append", SCHEMA, commit_properties=CommitProperties(max_commit_retries=0, app_transactions=positions)
    )


def rows(folder: Path) -> int:
    return sum(pl.read_parquet(one).height for one in DeltaTable(folder).file_uris())


def test_a_stale_snapshot_may_not_add(tmp_path: Path) -> None:
    table(tmp_path)
    first, zombie = DeltaTable(tmp_path), DeltaTable(tmp_path)
    commit(first, "a.parquet", position=3)
    with pytest.raises(CommitFailedError):
        commit(zombie, "b.parquet", position=3)
    with pytest.raises(CommitFailedError):  # nor with a position of another source, which conflicts with nothing
        commit(zombie, "c.parquet")
    assert rows(tmp_path) == 3


def test_a_stale_snapshot_may_not_put_files_in_place_of_others(tmp_path: Path) -> None:
    commit(table(tmp_path), "a.parquet")
    first, zombie = DeltaTable(tmp_path), DeltaTable(tmp_path)
    commit(first, "b.parquet", remove="a.parquet")
    with pytest.raises(CommitFailedError):
        commit(zombie, "c.parquet", remove="a.parquet")
    assert rows(tmp_path) == 3


def test_positions_outlive_checkpoints_and_clean_ups(tmp_path: Path) -> None:
    table(tmp_path)
    for n in range(12):
        commit(DeltaTable(tmp_path), f"{n}.parquet", position=n)
    at = DeltaTable(tmp_path)
    at.create_checkpoint()
    at.cleanup_metadata()
    assert DeltaTable(tmp_path).transaction_version("clicks/0") == 11


def test_vacuum_takes_removed_files_and_those_of_nobody_and_no_other(tmp_path: Path) -> None:
    commit(table(tmp_path), "a.parquet")
    commit(DeltaTable(tmp_path), "b.parquet", remove="a.parquet")
    pl.DataFrame({"n": [1]}).write_parquet(tmp_path / "orphan.parquet")
    os.utime(tmp_path / "orphan.parquet", (0, 0))
    DeltaTable(tmp_path).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False, full=True)
    assert {one.name for one in tmp_path.glob("*.parquet")} == {"b.parquet"}
    assert rows(tmp_path) == 3
