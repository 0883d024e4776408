"""An INSERT that may say what to do when the row is there already: the same words in both kinds of database, but from two modules."""

from __future__ import annotations

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_into(db: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT with `on_conflict_do_update`, `on_conflict_do_nothing` and `excluded`."""
    return sqlite.insert(table) if db.dialect.name == "sqlite" else postgresql.insert(table)
