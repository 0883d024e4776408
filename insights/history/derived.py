"""The derived tables: what each user did on each day, and what there is of each user, kept so that questions need not read every event.

A row of `user_day` depends on the events of its day only. So the days whose events have changed since the derived tables were made are *dirty*, and are computed anew; all
others stand. Until that is done the reader computes the dirty days itself, so nobody ever sees an old number. A crash between the tables only repeats the work.
Of traits the newest of each counts, so what the changed days tell is added to what was known.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from insights.history.days import told_sql, traits_sql, user_day_sql, users_sql
from insights.history.duck import connected, files_sql, quoted
from insights.history.events import Rules
from insights.history.faults import HistoryMissing, HistoryStale
from insights.history.standing import Standing
from insights.history.table import DataFile, Table
from insights.history.tables import EVENTS, FOLLOWED, TRAITS, USER_DAY, USERS, TableSpec

UP_TO = "events"
"""The source whose position in a derived table is the version of the events that it was made of."""
RULES = "churnwatch.rules"
KNOWN_AT = {"alerts": "event_time", "scores": "landmark", "outcomes": "matured"}
"""Of what the engine said, the column that tells since when it was known."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The events and the derived tables, as they stand together.

    Attributes
    ----------
    user_day, users : Table or None
        None if there is none yet, or it cannot be used beside these events.
    dirty : frozenset of str
        Days whose rows in `user_day` are not those of the events.
    traits : Table or None
        It may be older than the others; `untold` are the files of events that it does not know.
    followed : dict of str to Table
        What the engine said, by name, as far as it was ever followed.
    """

    events: Table
    user_day: Table | None
    users: Table | None
    dirty: frozenset[str]
    traits: Table | None
    followed: dict[str, Table]

    @property
    def rules(self) -> Rules:
        """What days, visits and money mean in it."""
        return Rules.of(self.events.properties)

    @property
    def untold(self) -> list[DataFile]:
        """Files of events of which the table of traits does not know all."""
        known = 0 if self.traits is None else self.traits.position(UP_TO)
        return [one for one in self.events.files() if one.changed > known]


def snapshot(folder: Path) -> Snapshot:
    """Open all tables. The derived ones come first, so that they are never ahead of the events.

    Raises
    ------
    HistoryMissing
        If there is no history in the folder.
    """
    traits, users, user_day = _there(folder, TRAITS), _there(folder, USERS), _there(folder, USER_DAY)
    events = Table.open(folder, EVENTS)
    rules = digest(Rules.of(events.properties))
    days = user_day if user_day is not None and user_day.properties.get(RULES) == rules else None
    up_to = 0 if days is None else days.position(UP_TO)
    dirty = frozenset(one.partition for one in events.files() if one.changed > up_to)
    # the table of users is of use only beside the very table of days that it was made from
    beside = users is not None and days is not None and users.properties.get(RULES) == rules and users.position(UP_TO) == up_to
    followed = {spec.name: table for spec in FOLLOWED if (table := _there(folder, spec)) is not None}
    return Snapshot(events, days, users if beside else None, dirty, traits, followed)


def _there(folder: Path, spec: TableSpec) -> Table | None:
    try:
        return Table.open(folder, spec)
    except HistoryMissing:
        return None


def digest(rules: Rules) -> str:
    """Return what tells tables of different rules apart."""
    return hashlib.sha256(repr(sorted(rules.properties().items())).encode()).hexdigest()[:16]


def views(con: duckdb.DuckDBPyConnection, at: Snapshot, before_ms: int | None = None) -> None:
    """Make a view of each table; `user_day`, `users` and `traits` are exact however old the derived tables are, and what was never followed is empty.

    Parameters
    ----------
    before_ms : int, optional
        As if nothing had happened from this time on, ms since the epoch: later events are left out, and what the engine said or learned later.
    """
    files = at.events.files()
    if before_ms is None:
        con.execute(f"create view events as {_events(at, files)}")
    else:
        # the day of that time is computed from its events, and what is stored of users and traits knows too much
        last = datetime.fromtimestamp(before_ms / 1000, UTC).astimezone(ZoneInfo(at.rules.timezone)).date().isoformat()
        files = [one for one in files if one.partition <= last]
        con.execute(f"create view events as select * from ({_events(at, files)}) where {_before('ts', before_ms)}")
        at = replace(at, users=None, traits=None, dirty=at.dirty | {one.partition for one in at.events.files() if one.partition >= last})
    for spec in FOLLOWED:
        paths = [one.path for one in at.followed[spec.name].files()] if spec.name in at.followed else []
        whole = files_sql(spec, at.events.folder.parent / spec.name, paths)
        cut = "" if before_ms is None else f" where {_before(KNOWN_AT[spec.name], before_ms)}"
        con.execute(f"create view {spec.name} as select * from ({whole}){cut}")
    con.execute(f"create view traits as {_newest_traits(at) if before_ms is None else traits_sql(told_sql('events'))}")
    dirty = _events(at, [one for one in files if one.partition in at.dirty])
    _derived_views(con, at, f"({dirty})" if before_ms is None else f"(select * from ({dirty}) where {_before('ts', before_ms)})")


def _before(column: str, ms: int) -> str:
    return f"{column} < make_timestamptz({ms * 1000})"


def _derived_views(con: duckdb.DuckDBPyConnection, at: Snapshot, dirty_events: str) -> None:
    """Make the views `user_day` and `users`: what stands of clean days, and of the others what their events say."""
    dirty = ", ".join(f"date {quoted(day)}" for day in sorted(at.dirty)) or "null::date"
    live = user_day_sql(dirty_events, at.rules)
    if at.user_day is None:
        con.execute(f"create view user_day as {live}")
        con.execute(f"create view users as {users_sql('user_day')}")
        return
    stored = files_sql(USER_DAY, at.user_day.folder, [one.path for one in at.user_day.files()])
    con.execute(
        f"create view user_day as select * from ({stored}) where day not in ({dirty}) union all by name {live}"
        if at.dirty
        else f"create view user_day as {stored}"
    )
    if at.users is None:
        con.execute(f"create view users as {users_sql('user_day')}")
        return
    whole = files_sql(USERS, at.users.folder, [one.path for one in at.users.files()])
    if not at.dirty:
        con.execute(f"create view users as {whole}")
        return
    touched = f'select "user" from ({stored}) where day in ({dirty}) union select "user" from user_day where day in ({dirty})'
    again = users_sql(f'(select * from user_day where "user" in ({touched}))')
    con.execute(f'create view users as select * from ({whole}) where "user" not in ({touched}) union all by name {again}')


def _events(at: Snapshot, files: list[DataFile]) -> str:
    return files_sql(EVENTS, at.events.folder, [one.path for one in files])


def _newest_traits(at: Snapshot) -> str:
    """Return SQL of the newest of each trait: of what the table knows, and what the files say that it does not know."""
    stored = "" if at.traits is None else files_sql(TRAITS, at.traits.folder, [one.path for one in at.traits.files()])
    if stored and not at.untold:
        return stored
    told = told_sql(f"({_events(at, at.untold)})")
    return traits_sql(f"{stored} union all by name {told}" if stored else told)


def derive(folder: Path) -> int:
    """Compute the dirty days anew, then the users and their traits; return how many days were dirty.

    Raises
    ------
    HistoryStale
        If another writer derived meanwhile; what is written is then left to them.
    """
    at = snapshot(folder)
    con = connected()
    try:
        if at.users is None or at.dirty:
            days = at.user_day or _made(folder, USER_DAY, at.rules)
            if at.dirty or not days.position(UP_TO):
                _derive_days(con, at, days)
            _derive_users(con, days, _made(folder, USERS, at.rules))
        if at.traits is None or at.untold:
            _derive_traits(con, at, at.traits or Table.create(folder, TRAITS, {}))
    finally:
        con.close()
    return len(at.dirty)


def derive_all(folder: Path) -> None:
    """Derive until nothing is left to do; where another writer does the same, let them."""
    with contextlib.suppress(HistoryStale):
        while derive(folder):
            pass


def _made(folder: Path, spec: TableSpec, rules: Rules) -> Table:
    """Open a derived table for writing; make it, or empty it if it was made by other rules."""
    wanted = {RULES: digest(rules)}
    table = Table.create(folder, spec, wanted)
    if table.properties.get(RULES) != wanted[RULES]:
        table.commit(Standing(), removes=table.files(), positions={UP_TO: 0})
        table.delta.alter.set_table_properties(wanted, raise_if_not_exists=False)
        table.renew()
    return table


def _derive_days(con: duckdb.DuckDBPyConnection, at: Snapshot, days: Table) -> None:
    """Put the dirty days' rows in place of those that stand there."""
    adds: list[DataFile] = []
    removes: list[DataFile] = []
    for month, dirty in groupby(sorted(at.dirty), key=lambda day: day[:7]):
        again = {date.fromisoformat(day) for day in dirty}
        old = [one for one in days.files_of(month) if any(one.least <= day <= one.greatest for day in again)]  # type: ignore[operator]  # a file with rows has both
        others = days.read(old).filter(~pl.col("day").is_in(sorted(again)))
        files = [one for one in at.events.files() if one.partition[:7] == month and date.fromisoformat(one.partition) in again]
        new = pl.DataFrame(con.sql(user_day_sql(f"({files_sql(EVENTS, at.events.folder, [one.path for one in files])})", at.rules)))
        adds += [days.write(month, rows) for rows in (others, _as_in_files(USER_DAY, new)) if rows.height]
        removes += old
    days.commit(Standing(), adds=adds, removes=removes, positions={UP_TO: at.events.version})


def _derive_users(con: duckdb.DuckDBPyConnection, days: Table, users: Table) -> None:
    """Put all users in place of those that stand there."""
    stored = files_sql(USER_DAY, days.folder, [one.path for one in days.files()])
    rows = _as_in_files(USERS, pl.DataFrame(con.sql(users_sql(f"({stored})"))))
    adds = [users.write("", rows)] if rows.height else []
    users.commit(Standing(), adds=adds, removes=users.files(), positions={UP_TO: days.position(UP_TO)})


def _derive_traits(con: duckdb.DuckDBPyConnection, at: Snapshot, traits: Table) -> None:
    """Put all traits in place of those that stand there; where the new events tell nothing, only say that they are known."""
    (tells,) = con.execute(f"select exists(select * from ({_events(at, at.untold)}) where type = 'identify')").fetchall()[0]
    adds: list[DataFile] = []
    if tells and (rows := _as_in_files(TRAITS, pl.DataFrame(con.sql(_newest_traits(at))))).height:
        adds = [traits.write("", rows)]
    traits.commit(Standing(), adds=adds, removes=traits.files() if adds else [], positions={UP_TO: at.events.version})


def _as_in_files(spec: TableSpec, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(pl.col(name).cast(kind) for name, kind in spec.in_files.items()).sort(spec.order)
