"""Persons in SQL: events, and what the engine said, under the id that stands for all ids of a person. Where no ids are joined, the SQL is as it was."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import polars as pl

from insights.history.duck import connected, files_sql, lend
from insights.history.joined import ALIAS, TOLD, moved, persons_of, settled, told_in
from insights.history.table import Table
from insights.history.tables import EVENTS, IDS, TableSpec

DUE = {"alerts": "event_time", "scores": "matured", "outcomes": "matured"}
"""Of what the engine said, the column of when it was over: later than the ids were joined, it was said of an id that was given up, and not of the person."""
_ASKED = '"user", ts, type, props, part, off, event_id'
_NONE = 'select null::varchar as id, null::varchar as "user", null::timestamptz as ts, null::integer as part, null::bigint as off, null::varchar as event_id, null::varchar as person where false'


@dataclass(frozen=True, slots=True)
class Persons:
    """What is to be known of joined ids.

    Attributes
    ----------
    some : bool
        Whether any are.
    moved : list of str
        Persons who have others of their ids than the stored ones say.
    told : frame or None
        All that was told, as the table `ids` has it, if the stored ones do not say it.
    """

    some: bool = False
    moved: tuple[str, ...] = ()
    told: pl.DataFrame | None = None


def persons_in(con: duckdb.DuckDBPyConnection, stored: str, unheard: str, before_ms: int | None = None, *, anew: bool = False) -> Persons:
    """Make the view `ids`: each id that counts under another, with the columns of the table of that name.

    Parameters
    ----------
    stored : str
        SQL of what is known already, with those columns; "" for nothing.
    unheard : str
        SQL of events among which there may be others; "" for none.
    before_ms : int, optional
        Only what was told before this time counts, ms since the epoch.
    anew : bool
        `unheard` are all events, and what is known besides counts no more.
    """
    new = pl.DataFrame(con.sql(f"select {_ASKED} from ({unheard}) where type = '{ALIAS}'")) if unheard else None
    told = pl.DataFrame(schema=TOLD) if new is None else told_in(new)
    if not told.height and not anew and (before_ms is None or not stored):
        con.execute(f"create view ids as {f'select * from ({stored}) where person is not null' if stored else _NONE}")
        return Persons(some=bool(stored))
    before = pl.DataFrame(con.sql(stored)) if stored else pl.DataFrame(schema=IDS.columns)
    before = before.select(pl.col(name).cast(kind) for name, kind in IDS.columns.items())
    every = told.select(list(TOLD)) if anew else pl.concat([before.select(list(TOLD)), told.select(list(TOLD))])
    if before_ms is not None:
        every = every.filter(pl.col("ts").dt.timestamp("us") < before_ms * 1000)
    now = settled(every)
    lend(con, "ids", now.filter(pl.col("person").is_not_null()))
    others = tuple(sorted(moved(persons_of(before), persons_of(now))))
    lend(con, "moved", pl.DataFrame({"name": list(others)}, schema={"name": pl.String}))
    return Persons(some=True, moved=others, told=now)


def told_of(events: Table) -> pl.DataFrame:
    """Return what the alias events of the table of events tell; it is read in whole, unless there are none."""
    files = events.files() if events.standing.aliased != 0 else []
    con = connected()
    try:
        rows = files_sql(EVENTS, events.folder, [one.path for one in files])
        return told_in(pl.DataFrame(con.sql(f"select {_ASKED} from ({rows}) where type = '{ALIAS}'")))
    finally:
        con.close()


def joined_sql(rows: str, joined: Persons, spec: TableSpec = EVENTS) -> str:
    """Return SQL of rows of a table with the person in the place of the id that came."""
    if not joined.some:
        return rows
    return f'select {_columns(spec)} from ({rows}) as came left join ids on ids.id = came."user"'


def followed_sql(spec: TableSpec, rows: str, joined: Persons) -> str:
    """Return SQL of what the engine said of persons: of an id that counts under another, only what was over when it was joined."""
    if not joined.some:
        return rows
    return f"{joined_sql(rows, joined, spec)} where ids.id is null or came.{DUE[spec.name]} <= ids.ts"


def _columns(spec: TableSpec) -> str:
    others = ", ".join(f'came."{name}"' for name in spec.columns if name != "user")
    return f'coalesce(ids.person, came."user") as "user", {others}'
