"""How does an answer enter a PostgreSQL? Row by row in place of the one before, all in one transaction: a reader sees the old whole or the new whole.

A table of ours, in the long form::

    question   name of the table in the settings; several may share one table of PostgreSQL
    key        names the row within its question: made of metric, cohort, k, group and whatever else tells rows apart, not of its value
    metric, cohort, k, group, ..., n, value, low, high, state    as in docs/analyses.md, and what the analysis has besides
    as_of      up to when all was known

``(question, key)`` is its primary key. A table is made when it is not there, and never dropped, so what others were granted on it stays.

::

    NotKept    nothing has changed; `why` is one word for it: database, columns
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Double,
    Engine,
    MetaData,
    Table,
    Text,
    create_engine,
    delete,
    exists,
    func,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from insights.analyses.plain import LONG_COLUMNS, Entry, Found

CONNECT_S, LOCK_S, STATEMENT_S = 15, 120, 300
"""So long PostgreSQL may take to answer, to let us at the table, and for one statement, seconds."""
VALUES = frozenset({"n", "value", "low", "high", "state", "count"})
"""Columns that say something of a row; all others tell it from the rest."""
_TYPES = {"text": Text, "k": BigInteger, "n": BigInteger, "people": BigInteger, "to": BigInteger}


class NotKept(Exception):
    """See the module."""

    def __init__(self, why: str, said: str) -> None:
        super().__init__(said)
        self.why = why


class Kept(NamedTuple):
    """What a question has in its table now, and how many rows of before are gone."""

    rows: int
    gone: int


def columns_of(entry: Entry) -> dict[str, Any]:
    """Return the columns of an analysis with their types, without those that all tables have.

    >>> entry = Entry(name="paths", layout="list", metrics=(), columns=(("source", "text"),), parameters=())
    >>> list(columns_of(entry))
    ['metric', 'cohort', 'k', 'group', 'source', 'n', 'value', 'low', 'high', 'state']
    """
    kinds = {name: _TYPES.get(name, _TYPES.get(kind, Double)) for name, kind in (*LONG_COLUMNS, *entry.columns)}
    return {name: kinds[name] for told in (False, True) for name in kinds if (name in VALUES) is told}


def rows_of(found: Found, entry: Entry, question: str) -> list[dict[str, Any]]:
    """Return the rows of an answer as they are kept."""
    names = list(columns_of(entry))
    apart = [name for name in names if name not in VALUES]
    common = {"question": question, "as_of": found.as_of.watermark}
    return [
        {**common, "key": key_of([row.get(name) for name in apart]), **{name: _kept(row.get(name)) for name in names}}
        for row in found.rows.dicts()
    ]


def key_of(apart: list[Any]) -> str:
    """Return the key of a row, of what tells it from the others: the same in every build and on every machine.

    >>> key_of(["retention", "2026-03-02", 7, None])
    '54c9c897a3d78d457bcf90ba419d9e77'
    """
    return hashlib.sha256(msgspec.json.encode(apart)).hexdigest()[:32]


def _kept(value: Any) -> Any:
    """PostgreSQL has no text with a zero byte."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def keep(address: str, table: str, question: str, entry: Entry, found: Found) -> Kept:
    """Put an answer in place of what its question had.

    Parameters
    ----------
    address : str
        ``postgresql://...``; no message shows it.
    table : str
        With its schema or without.
    question : str
        By which its rows are told from those of others.

    Raises
    ------
    NotKept
    """
    rows = rows_of(found, entry, question)
    with _transaction(address) as db:
        kept = _table(table, entry)
        _make(db, kept)
        fresh = _copy(db, kept, rows)
        gone = db.execute(_gone(kept, fresh, question)).rowcount
        names = [column.name for column in kept.columns]
        new = insert(kept).from_select(names, select(*(fresh.c[name] for name in names)))
        changed = {name: new.excluded[name] for name in names if name not in {"question", "key"}}
        db.execute(new.on_conflict_do_update(index_elements=["question", "key"], set_=changed))
    return Kept(len(rows), gone)


def check(address: str, table: str, entry: Entry) -> None:
    """See that the table could be written: PostgreSQL is there, and the table is ours, or can be made. Nothing is left behind.

    Raises
    ------
    NotKept
    """
    with _transaction(address, is_kept=False) as db:
        _make(db, _table(table, entry))


def _gone(kept: Table, fresh: Table, question: str) -> Any:
    return delete(kept).where(kept.c.question == question, ~exists().where(fresh.c.key == kept.c.key))


def _table(name: str, entry: Entry) -> Table:
    schema, _, plain = name.rpartition(".")
    columns = [Column(one, kind) for one, kind in columns_of(entry).items()]
    ours = [Column("question", Text, primary_key=True), Column("key", Text, primary_key=True)]
    return Table(plain, MetaData(), *ours, *columns, Column("as_of", DateTime(timezone=True)), schema=schema or None)


def _make(db: Connection, table: Table) -> None:
    """Make the table, or see that it is ours; whoever writes it, too, waits for us."""
    db.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"churnwatch {table.fullname}"))))
    table.create(db, checkfirst=True)
    there = inspect(db)
    names = {one["name"] for one in there.get_columns(table.name, table.schema)}
    if names != set(table.columns.keys()):
        raise NotKept("columns", f"the table {table.fullname} has other columns than its rows: drop it, or name another table")
    if set(there.get_pk_constraint(table.name, table.schema)["constrained_columns"]) != {"question", "key"}:
        raise NotKept("columns", f"the table {table.fullname} is none that churnwatch made: name another table")


def _copy(db: Connection, kept: Table, rows: list[dict[str, Any]]) -> Table:
    """Put the rows beside the table, where nobody else sees them."""
    fresh = Table(
        "churnwatch_fresh",
        MetaData(),
        *(Column(one.name, one.type) for one in kept.columns),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )
    fresh.create(db, checkfirst=False)
    if rows:
        db.execute(fresh.insert(), rows)
    return fresh


@contextmanager
def _transaction(address: str, *, is_kept: bool = True) -> Iterator[Connection]:
    try:
        engine = _engine(address)
    except (SQLAlchemyError, ValueError):
        raise NotKept("database", "bi.database is no address of a PostgreSQL") from None  # not shown: it may hold a password
    try:
        with engine.connect() as db:
            for name, seconds in (("lock_timeout", LOCK_S), ("statement_timeout", STATEMENT_S)):
                db.execute(text(f"SET LOCAL {name} = '{seconds}s'"))
            yield db
            if is_kept:
                db.commit()
    except SQLAlchemyError as error:
        raise NotKept("database", f"PostgreSQL has not taken it: {_first_line(error)}") from None
    finally:
        engine.dispose()


def _engine(address: str) -> Engine:
    where = make_url(address).set(drivername="postgresql+psycopg")
    return create_engine(where, poolclass=NullPool, connect_args={"connect_timeout": CONNECT_S}, hide_parameters=True)


def _first_line(error: SQLAlchemyError) -> str:
    """Say what the server said, without statements and rows."""
    return str(getattr(error, "orig", None) or type(error).__name__).strip().partition("\n")[0]
