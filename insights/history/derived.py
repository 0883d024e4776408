"""The derived tables: what each user did on each day, and what there is of each user, kept so that questions need not read every event.

A row of `user_day` depends on the events of its day only. So the days whose events have changed since the derived tables were made are *dirty*, and are computed anew; all
others stand. Until that is done the reader computes the dirty days itself, so nobody ever sees an old number. A crash between the tables only repeats the work.
Of traits the newest of each counts, so what the changed days tell is added to what was known. So it is of joined ids; persons whose ids are others than when the
derived tables were made are computed anew on all their days.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable
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
from insights.history.joined import ALIAS
from insights.history.persons import Persons, followed_sql, joined_sql, persons_in
from insights.history.standing import Standing
from insights.history.table import DataFile, Table
from insights.history.tables import EVENTS, FOLLOWED, IDS, TRAITS, USER_DAY, USERS, TableSpec

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
    ids : Table or None
        What alias events told; it may be older than the others, and `unheard` are the files of events that it does not know.
    """

    events: Table
    user_day: Table | None
    users: Table | None
    dirty: frozenset[str]
    traits: Table | None
    followed: dict[str, Table]
    ids: Table | None

    @property
    def rules(self) -> Rules:
        """What days, visits and money mean in it."""
        return Rules.of(self.events.properties)

    @property
    def untold(self) -> list[DataFile]:
        """Files of events of which the table of traits does not know all."""
        known = 0 if self.traits is None else self.traits.position(UP_TO)
        return [one for one in self.events.files() if one.changed > known]

    @property
    def unheard(self) -> list[DataFile]:
        """Files of events with what the table of joined ids does not know; none while no alias event came."""
        known, newest = 0 if self.ids is None else self.ids.position(UP_TO), self.events.standing.aliased
        if ALIAS not in self.rules.set_aside or (newest is not None and newest <= known):
            return []
        return [one for one in self.events.files() if one.changed > known]


def snapshot(folder: Path) -> Snapshot:
    """Open all tables. The derived ones come first, so that they are never ahead of the events.

    Raises
    ------
    HistoryMissing
        If there is no history in the folder.
    """
    ids = _there(folder, IDS) if (folder / IDS.name).is_dir() else None
    traits, users, user_day = (_there(folder, spec) for spec in (TRAITS, USERS, USER_DAY))
    events = Table.open(folder, EVENTS)
    rules = digest(Rules.of(events.properties))
    days = user_day if user_day is not None and user_day.properties.get(RULES) == rules else None
    up_to = 0 if days is None else days.position(UP_TO)
    dirty = frozenset(one.partition for one in events.files() if one.changed > up_to)
    # the table of users is of use only beside the very table of days that it was made from
    beside = users is not None and days is not None and users.properties.get(RULES) == rules and users.position(UP_TO) == up_to
    followed = {spec.name: table for spec in FOLLOWED if (table := _there(folder, spec)) is not None}
    return Snapshot(
        events, days, users if beside else None, dirty, traits, followed, ids if ALIAS in Rules.of(events.properties).set_aside else None
    )


def _there(folder: Path, spec: TableSpec) -> Table | None:
    try:
        return Table.open(folder, spec)
    except HistoryMissing:
        return None


def digest(rules: Rules) -> str:
    """Return what tells tables of different rules apart."""
    return hashlib.sha256(repr(sorted(rules.properties().items())).encode()).hexdigest()[:16]


def views(con: duckdb.DuckDBPyConnection, at: Snapshot, before_ms: int | None = None, *, as_they_came: bool = False) -> None:
    """Make a view of each table; `user_day`, `users` and `traits` are exact however old the derived tables are, and what was never followed is empty.

    Where ids are joined, `user` is the person in each, and `ids` says which id counts under which.

    Parameters
    ----------
    before_ms : int, optional
        As if nothing had happened from this time on, ms since the epoch: later events are left out, and what the engine said or learned later.
    as_they_came : bool
        Make only `events` and what was followed, with the ids that came.
    """
    files = at.events.files()
    followed = {spec.name: _followed(at, spec, before_ms) for spec in FOLLOWED}
    if as_they_came:
        for name, sql in {"events": _events(at, files), **followed}.items():
            con.execute(f"create view {name} as {sql}")
        return
    if before_ms is not None:
        # the day of that time is computed from its events, and what is stored of users and traits knows too much
        last = datetime.fromtimestamp(before_ms / 1000, UTC).astimezone(ZoneInfo(at.rules.timezone)).date().isoformat()
        files = [one for one in files if one.partition <= last]
        at = replace(at, users=None, traits=None, dirty=at.dirty | {one.partition for one in at.events.files() if one.partition >= last})
    joined = persons_of(con, at, before_ms)

    def rows_of(some: list[DataFile]) -> str:
        cut = _events(at, some) if before_ms is None else f"select * from ({_events(at, some)}) where {_before('ts', before_ms)}"
        return joined_sql(cut, joined)

    con.execute(f"create view events as {rows_of(files)}")
    for spec in FOLLOWED:
        con.execute(f"create view {spec.name} as {followed_sql(spec, followed[spec.name], joined)}")
    con.execute(f"create view traits as {_joined_traits(at, joined) if before_ms is None else traits_sql(told_sql('events'))}")
    _derived_views(con, at, joined, files, rows_of)


def _before(column: str, ms: int) -> str:
    return f"{column} < make_timestamptz({ms * 1000})"


def _derived_views(
    con: duckdb.DuckDBPyConnection, at: Snapshot, joined: Persons, files: list[DataFile], rows_of: Callable[[list[DataFile]], str]
) -> None:
    """Make the views `user_day` and `users`: what stands, and of dirty days and of persons who have moved what their events say."""
    if at.user_day is None:
        con.execute(f"create view user_day as {user_day_sql('events', at.rules)}")
        con.execute(f"create view users as {users_sql('user_day')}")
        return
    stored = files_sql(USER_DAY, at.user_day.folder, [one.path for one in at.user_day.files()])
    again = _again(con, at, stored, joined)
    if again.nothing:
        con.execute(f"create view user_day as {stored}")
    else:
        anew = again.sql(at.rules, files, rows_of)
        con.execute(f"create view user_day as select * from ({stored}) where {again.stands()} union all by name {anew}")
    if at.users is None:
        con.execute(f"create view users as {users_sql('user_day')}")
        return
    whole = files_sql(USERS, at.users.folder, [one.path for one in at.users.files()])
    if again.nothing:
        con.execute(f"create view users as {whole}")
        return
    dirty = _dates(at.dirty)
    touched = f'select "user" from ({stored}) where day in ({dirty}) union select "user" from user_day where day in ({dirty})'
    if joined.moved:
        touched += " union select name from moved"
    anew = users_sql(f'(select * from user_day where "user" in ({touched}))')
    con.execute(f'create view users as select * from ({whole}) where "user" not in ({touched}) union all by name {anew}')


def persons_of(con: duckdb.DuckDBPyConnection, at: Snapshot, before_ms: int | None = None, *, anew: bool = False) -> Persons:
    """Make the view `ids`, and where persons are others than when the derived tables were made, the table `moved`; return what is to be known of them."""
    stored, unheard = [] if at.ids is None else at.ids.files(), at.events.files() if anew else at.unheard
    told = "" if at.ids is None or not stored else files_sql(IDS, at.ids.folder, [one.path for one in stored])
    return persons_in(con, told, _events(at, unheard) if unheard else "", before_ms, anew=anew)


@dataclass(frozen=True, slots=True)
class _Again:
    """What of the stored user days must be computed anew: the dirty days, and the days of persons who have moved.

    Attributes
    ----------
    days : frozenset of str
        Days beside the dirty ones on which somebody who moved did something.
    """

    dirty: frozenset[str]
    days: frozenset[str]
    moved: bool

    @property
    def nothing(self) -> bool:
        return not self.dirty and not self.moved

    def stands(self) -> str:
        """Return the condition that a stored row is as it must be."""
        stays = f"day not in ({_dates(self.dirty)})"
        return f'{stays} and "user" not in (select name from moved)' if self.moved else stays

    def sql(self, rules: Rules, files: list[DataFile], rows_of: Callable[[list[DataFile]], str]) -> str:
        """Return SQL of what stands in the place of the others, from some files of events; `rows_of` reads them."""
        sql = user_day_sql(f"({rows_of([one for one in files if one.partition in self.dirty])})", rules)
        if not self.days:
            return sql
        theirs = (
            f'(select * from ({rows_of([one for one in files if one.partition in self.days])}) where "user" in (select name from moved))'
        )
        return f"{sql} union all by name {user_day_sql(theirs, rules)}"


def _again(con: duckdb.DuckDBPyConnection, at: Snapshot, stored: str, joined: Persons) -> _Again:
    days: frozenset[str] = frozenset()
    if joined.moved:
        found = con.execute(f'select distinct day::text from ({stored}) where "user" in (select name from moved)').fetchall()
        days = frozenset(day for (day,) in found) - at.dirty
    return _Again(at.dirty, days, bool(joined.moved))


def _dates(days: Iterable[str]) -> str:
    return ", ".join(f"date {quoted(day)}" for day in sorted(days)) or "null::date"


def _events(at: Snapshot, files: list[DataFile]) -> str:
    return files_sql(EVENTS, at.events.folder, [one.path for one in files])


def _followed(at: Snapshot, spec: TableSpec, before_ms: int | None) -> str:
    paths = [one.path for one in at.followed[spec.name].files()] if spec.name in at.followed else []
    whole = files_sql(spec, at.events.folder.parent / spec.name, paths)
    return whole if before_ms is None else f"select * from ({whole}) where {_before(KNOWN_AT[spec.name], before_ms)}"


def _newest_traits(at: Snapshot) -> str:
    """Return SQL of the newest of each trait by the ids that came: of what the table knows, and what the files say that it does not know."""
    stored = "" if at.traits is None else files_sql(TRAITS, at.traits.folder, [one.path for one in at.traits.files()])
    if stored and not at.untold:
        return stored
    told = told_sql(f"({_events(at, at.untold)})")
    return traits_sql(f"{stored} union all by name {told}" if stored else told)


def _joined_traits(at: Snapshot, joined: Persons) -> str:
    """Return SQL of the newest of each trait of each person."""
    newest = _newest_traits(at)
    return traits_sql(joined_sql(newest, joined, TRAITS)) if joined.some else newest


def derive(folder: Path, *, ids_anew: bool = False) -> int:
    """Compute the dirty days anew, then the users and their traits; return how many days were dirty.

    Parameters
    ----------
    ids_anew : bool
        Find who is joined from all alias events that are still there; what is stored of them knows too much where some were erased.

    Raises
    ------
    HistoryStale
        If another writer derived meanwhile; what is written is then left to them.
    """
    at = snapshot(folder)
    con = connected()
    try:
        joined = persons_of(con, at, anew=ids_anew)
        if at.users is None or at.dirty or joined.moved:
            days = at.user_day or _made(folder, USER_DAY, at.rules)
            if at.dirty or joined.moved or not days.position(UP_TO):
                _derive_days(con, at, days, joined)
            _derive_users(con, days, _made(folder, USERS, at.rules))
        if at.traits is None or at.untold:
            _derive_traits(con, at, at.traits or Table.create(folder, TRAITS, {}))
        if at.unheard or ids_anew:  # last: until then whoever asks finds who has moved since
            _derive_ids(at, joined, at.ids or Table.create(folder, IDS, {}))
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


def _derive_days(con: duckdb.DuckDBPyConnection, at: Snapshot, days: Table, joined: Persons) -> None:
    """Put the dirty days' rows, and those of persons who have moved, in place of those that stand there."""
    adds: list[DataFile] = []
    removes: list[DataFile] = []
    again = _again(con, at, files_sql(USER_DAY, days.folder, [one.path for one in days.files()]), joined)
    for month, touched in groupby(sorted(again.dirty | again.days), key=lambda day: day[:7]):
        when = {date.fromisoformat(day) for day in touched}
        old = [one for one in days.files_of(month) if any(one.least <= day <= one.greatest for day in when)]  # type: ignore[operator]  # a file with rows has both
        gone = pl.col("day").is_in([day for day in sorted(when) if str(day) in again.dirty]) | pl.col("user").is_in(joined.moved)
        files = [one for one in at.events.files() if one.partition[:7] == month]
        new = pl.DataFrame(con.sql(again.sql(at.rules, files, lambda some: joined_sql(_events(at, some), joined))))
        adds += [days.write(month, rows) for rows in (days.read(old).filter(~gone), _as_in_files(USER_DAY, new)) if rows.height]
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


def _derive_ids(at: Snapshot, joined: Persons, ids: Table) -> None:
    """Put all that alias events told in place of what stands there; where the new events tell nothing, only say that they are known."""
    new = joined.told
    adds = [] if new is None or not new.height else [ids.write("", new.select(list(IDS.in_files)).sort(IDS.order))]
    ids.commit(Standing(), adds=adds, removes=[] if new is None else ids.files(), positions={UP_TO: at.events.version})


def _as_in_files(spec: TableSpec, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(pl.col(name).cast(kind) for name, kind in spec.in_files.items()).sort(spec.order)
