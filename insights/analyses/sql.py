"""What may somebody ask in SQL? One SELECT over the documented views, bound in time and memory; no file, no setting, no second statement.

DuckDB itself is closed before the text is run: it opens the history's own files and no others, and its configuration is locked. Only a SELECT is taken, since
a COPY could write beside the files that may be read.
"""

from __future__ import annotations

import threading
from pathlib import Path

import duckdb
import polars as pl

from insights.analyses.crowd import Crowd
from insights.history.tables import VIEWS
from stream.faults import UsageFault


def ask(crowd: Crowd, folder: Path, text: str, *, seconds: float, most: int) -> tuple[pl.DataFrame, bool]:
    """Run one SELECT; return its rows, and whether there are more than were asked for.

    Afterwards the connection stays closed to everything else.

    Parameters
    ----------
    folder : Path
        The history, whose files the views read.
    seconds : float
        It is broken off after so long.
    most : int
        Rows to be returned at most.

    Raises
    ------
    stream.faults.UsageFault
        If it is no single SELECT, is wrong, needs a file or too much memory, or takes too long.
    """
    _close(crowd.con, folder)
    try:
        statements = crowd.con.extract_statements(text)
    except duckdb.Error as error:
        raise UsageFault(_told(error)) from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise UsageFault("take one SELECT over {views}: nothing here can be written, set or attached", views=", ".join(VIEWS))
    late = threading.Event()

    def stop() -> None:
        late.set()
        crowd.con.interrupt()

    timer = threading.Timer(seconds, stop)
    timer.start()
    try:
        rows = pl.DataFrame(crowd.con.sql(statements[0]).limit(most + 1))
    except duckdb.Error as error:
        if late.is_set():
            raise UsageFault(f"stopped after {seconds:g} s: ask of fewer days, or allow more with --seconds") from None
        raise UsageFault(_told(error)) from None
    finally:
        timer.cancel()
    return rows.head(most), rows.height > most


def _close(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Leave DuckDB the files of the history, and nothing to write to."""
    con.execute("SET allowed_directories = [$folder]", {"folder": f"{folder.resolve()}/"})
    for setting in (
        "python_enable_replacements = false",
        "temp_directory = ''",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "allow_community_extensions = false",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        con.execute(f"SET {setting}")


def _told(error: duckdb.Error) -> str:
    """Say what is wrong with a query as DuckDB does: its first line, without what names a file of this machine."""
    if isinstance(error, duckdb.PermissionException):
        return f"a query reads {', '.join(VIEWS)} and no files"
    if isinstance(error, duckdb.OutOfMemoryException):
        return "it needs more memory than it may have: ask of fewer days, or of user_day in place of events"
    return str(error).split("\n\n")[0].strip()
