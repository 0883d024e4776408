"""DuckDB over files of the history's tables. It is given lists of files, which are snapshots, so it needs no reader of Delta of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl

from insights.history.tables import TEXTS, TableSpec

_SQL = {
    pl.String(): "VARCHAR",
    pl.Boolean(): "BOOLEAN",
    TEXTS: "VARCHAR[]",
    pl.Float64(): "DOUBLE",
    pl.Int32(): "INTEGER",
    pl.Int64(): "BIGINT",
    pl.Date(): "DATE",
}


def connected(*, threads: int = 2, memory: str = "2GB") -> duckdb.DuckDBPyConnection:
    """Return DuckDB in memory, with times in UTC; the column `day` has the calendar of the history's zone."""
    con = duckdb.connect(config={"threads": threads, "memory_limit": memory})
    con.execute("set preserve_insertion_order = false")
    con.execute("set timezone = 'UTC'")
    return con


def files_sql(spec: TableSpec, folder: Path, paths: Sequence[str]) -> str:
    """Return SQL that reads files of a table, or gives its columns without rows if there are no files."""
    kinds = {name: _SQL.get(kind, "TIMESTAMPTZ") for name, kind in spec.columns.items()}
    if not paths:
        return "select " + ", ".join(f'null::{kind} as "{name}"' for name, kind in kinds.items()) + " where false"
    listed = ", ".join(quoted(str(folder / path)) for path in paths)
    columns = ", ".join(f'"{name}"' for name in spec.columns)
    hive = "hive_partitioning = false"
    if spec.partition:
        hive = f"hive_partitioning = true, hive_types = {{{quoted(spec.partition)}: {kinds[spec.partition]}}}"
    return f"select {columns} from read_parquet([{listed}], {hive})"


def quoted(text: str) -> str:
    """Write a text as SQL has it.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def lend(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    """Make a table of a small frame. By parameters, so that nothing of it comes to a disk, and pyarrow is not needed."""
    columns = ", ".join(
        f'unnest($c{at}::{_SQL.get(kind, "TIMESTAMPTZ")}[]) as "{column}"' for at, (column, kind) in enumerate(frame.schema.items())
    )
    con.execute(f"create table {name} as select {columns}", {f"c{at}": frame[column].to_list() for at, column in enumerate(frame.columns)})
