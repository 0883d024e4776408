"""Which schema a store has, and how it gets the present one: forward only, one process at a time, all steps or none.

::

    NewerStore    a newer build has written this store
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from stream.faults import Refused

_LOCK = 0x6368_7572_6E
"""Number of PostgreSQL's advisory lock, which every build takes to migrate."""


class NewerStore(Refused):
    """A newer build has written this store, and this one does not know its tables."""

    def __init__(self, where: str, found: str, known: str) -> None:
        super().__init__(
            f"the store {where} has schema {found}, written by a newer churnwatch; this one knows up to {known}. "
            "Start that version again, or a later one, or name another store."
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "insights.store:migrations")
    return config


def newest() -> str:
    """Return the number of the schema that this build knows.

    >>> newest() >= "0001"
    True
    """
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def stored(connection: Connection) -> str:
    """Return the number of the schema that a store has; "" for a new one."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def lock(connection: Connection) -> None:
    """Wait until no other process migrates. SQLite's lock is that of the write transaction itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})


def migrate(connection: Connection, where: str) -> None:
    """Bring a store to the present schema, inside the transaction of the caller, who holds the lock.

    Parameters
    ----------
    where : str
        The store's address without its password, for the message.

    Raises
    ------
    NewerStore
    """
    found, known = stored(connection), newest()
    if found == known:
        return
    if found > known:
        raise NewerStore(where, found, known)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
