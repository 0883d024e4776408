"""Takes erased users out of the tables: files that hold them are written anew without them, and the old files go.

Rows may lie there until then: the writer does it once a day, `churnwatch erase --now` at once. A table says up to which version of the erasures it is
free of erased users. Each pass commits to every table, even where there is nothing to remove: so a commit that was prepared before cannot come
behind it, and files that nobody refers to at that time are nobody's for good.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from insights.history.derived import derive, derive_all
from insights.history.disk import LOG, entry
from insights.history.duck import connected, lend, quoted
from insights.history.erasures import Erasures
from insights.history.events import Rules
from insights.history.faults import HistoryMissing, HistoryStale
from insights.history.joined import ALIAS, persons_of, settled, together
from insights.history.persons import told_of
from insights.history.table import DataFile, Table
from insights.history.tables import DERIVED, EVENTS, IDS, OF_USERS, TableSpec

UP_TO = "erasures"
"""The source whose position in a table is the version of the erasures that it is free of."""


@dataclass(slots=True)
class Removed:
    """What a pass took away.

    Attributes
    ----------
    rows : dict of str to int
        By table.
    files : int
        Files that were written anew.
    left : list of Path
        Files that no snapshot names any more, and which hold what was removed; whoever reads an earlier snapshot may still need them.
    """

    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    left: list[Path] = field(default_factory=list)


def pending(folder: Path) -> int:
    """Return how many erased users may still have rows in the tables."""
    erasures = Erasures.find(folder)
    if erasures is None:
        return 0
    waiting: set[str] = set()
    for spec in OF_USERS:
        with contextlib.suppress(HistoryMissing):
            waiting |= erasures.since(Table.open(folder, spec).position(UP_TO))
    return len(waiting)


def erase_all(folder: Path, progress: Callable[[str], None] = lambda _: None) -> Removed:
    """Take all erased users out of all tables.

    Parameters
    ----------
    progress : callable
        Is told the name of each table that is free of them.
    """
    removed = Removed()
    erasures = Erasures.find(folder)
    if erasures is None:
        return removed
    for spec in OF_USERS:
        with contextlib.suppress(HistoryMissing):
            erasures = _erase(folder, spec, erasures, removed)
            progress(spec.name)
        if spec is EVENTS:
            _part_again(folder, erasures)
            derive_all(folder)  # traits are kept beside what the events still say, so they are made before they are looked through
    for spec in DERIVED:
        with contextlib.suppress(HistoryMissing):
            removed.left += unneeded(Table.open(folder, spec))
            progress(spec.name)
    return removed


def _part_again(folder: Path, erasures: Erasures) -> None:
    """Derive anew who is joined, if alias events may have gone: whoever they joined, and is still there, is somebody of their own."""
    with contextlib.suppress(HistoryMissing):
        while (ids := Table.open(folder, IDS)).files() and erasures.since(ids.position(UP_TO)):
            with contextlib.suppress(HistoryStale):
                derive(folder, ids_anew=True)
                return


def _erase(folder: Path, spec: TableSpec, erasures: Erasures, removed: Removed) -> Erasures:
    """Take all erased users out of one table; return the version of the erasures that it is free of."""
    while True:
        table = Table.open(folder, spec)
        told = _told(table) if erasures.since(table.position(UP_TO)) else None
        if told is not None and spec is EVENTS and ALIAS in Rules.of(table.properties).set_aside:
            erasures = erasures.of_persons(told)  # an alias event may have been on its way when somebody was noted
        named: dict[str, list[str]] = {} if told is None else dict(told.group_by("id").agg("user").iter_rows())
        adds, removes, count = _without(table, erasures, _names(table, erasures, named), named)
        standing = replace(table.standing, rows=table.standing.rows - count, erased=table.standing.erased + count)
        with contextlib.suppress(HistoryStale):
            table.commit(standing, adds=adds, removes=removes, positions={UP_TO: erasures.version})
            removed.rows[spec.name] = removed.rows.get(spec.name, 0) + count
            removed.files += len(removes)
            removed.left += unneeded(table)
            return erasures


def _told(table: Table) -> pl.DataFrame | None:
    """Return which ids alias events name in a table, with the users of these events; None where it has none."""
    if table.spec is EVENTS:
        return told_of(table)
    return table.read(table.files(), ["id", "user"]) if table.spec is IDS else None


def _names(table: Table, erasures: Erasures, named: Mapping[str, list[str]]) -> list[str]:
    """Return the ids in a table, or named there, of users who were erased since it was last free of them: only their digests are known."""
    wanted = erasures.since(table.position(UP_TO))
    if not wanted:
        return []
    con = connected()
    try:
        rows = con.execute(f'select distinct "user" from ({_sql(table)})').fetchall()
    finally:
        con.close()
    return sorted(user for user in {user for (user,) in rows} | set(named) if erasures.digest(user) in wanted)


def _without(
    table: Table, erasures: Erasures, users: Sequence[str], named: Mapping[str, list[str]]
) -> tuple[list[DataFile], list[DataFile], int]:
    """Write the files anew that hold rows to be removed; return the new files, the old ones, and how many rows went."""
    adds: list[DataFile] = []
    removes: list[DataFile] = []
    count = 0
    for one in _holding(table, users, named):
        rows = table.read([one])
        covered = erasures.covered(rows if "event_id" in rows.columns else rows.drop("part", "off", strict=False), table.spec.measured)
        if covered.any():
            removes.append(one)
            # also without a row: the file says that its day has changed
            adds.append(table.write(one.partition, rows.filter(~covered)))
            count += int(covered.sum())
    return adds, removes, count


def _holding(table: Table, users: Collection[str], named: Mapping[str, list[str]]) -> list[DataFile]:
    if not users:
        return []
    # rows that name one of them are looked for by their own users
    users = sorted({*users, *(user for one in users for user in named.get(one, ()))})
    con = connected()
    try:
        lend(con, "gone", pl.DataFrame({"name": list(users)}, schema={"name": pl.String}))
        which = f"= {quoted(next(iter(users)))}" if len(users) == 1 else "in (select name from gone)"
        found = con.execute(f'select distinct filename from ({_sql(table, "filename = true, ")}) where "user" {which}').fetchall()
    finally:
        con.close()
    names = {str(name) for (name,) in found}
    return [one for one in table.files() if str(table.folder / one.path) in names]


def _sql(table: Table, more: str = "") -> str:
    paths = [one.path for one in table.files()]
    if not paths:
        return 'select null::varchar as "user", null::varchar as filename where false'
    listed = ", ".join(quoted(str(table.folder / path)) for path in paths)
    return f"select * from read_parquet([{listed}], {more}hive_partitioning = false)"


def unneeded(table: Table) -> list[Path]:
    """Return the files of a table that neither its newest snapshot names, nor a commit can that is being prepared: they are older than the newest commit."""
    committed_s = entry(table.folder, table.version).stat().st_mtime
    named = {table.folder / one.path for one in table.files()}
    there = (one for one in table.folder.rglob("*.parquet") if LOG not in one.parts)
    return [one for one in there if one not in named and one.stat().st_mtime <= committed_s]


def delete(files: Sequence[Path], after_s: float) -> int:
    """Wait until whoever reads an earlier snapshot has had their time, then delete files; return how many."""
    if files:
        time.sleep(after_s)
    for one in files:
        one.unlink(missing_ok=True)
    return len(files)


def whole_persons(folder: Path, users: Sequence[str]) -> list[str]:
    """Return some ids and, behind them, all others that are joined to these in the history."""
    with contextlib.suppress(HistoryMissing):
        events = Table.open(folder, EVENTS)
        if ALIAS in Rules.of(events.properties).set_aside and events.standing.aliased != 0:
            found = together(persons_of(settled(told_of(events))), users)
            return [*users, *sorted(found - set(users))]
    return list(users)


def rows_of(folder: Path, users: Sequence[str]) -> dict[str, int]:
    """Return how many rows each table has of some users."""
    found: dict[str, int] = {}
    for spec in (*OF_USERS, *DERIVED):
        with contextlib.suppress(HistoryMissing):
            table, con = Table.open(folder, spec), connected()
            try:
                lend(con, "gone", pl.DataFrame({"name": list(users)}, schema={"name": pl.String}))
                (count,) = con.execute(f'select count(*) from ({_sql(table)}) where "user" in (select name from gone)').fetchall()[0]
                found[spec.name] = int(count)
            finally:
                con.close()
    return found
