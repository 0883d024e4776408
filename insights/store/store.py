"""Where the page's database is, and how it is opened: a file of SQLite, or a PostgreSQL.

A transaction is `with store.write() as db` or `with store.read() as db`; the functions of this room take `db`. So what belongs together is
written together, such as a person and the line about them in the audit log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from insights.store import schema
from stream.faults import UsageFault

DEFAULT_URL = "sqlite:///churnwatch-page.db"
BUSY_S = 15
"""How long a writer of SQLite waits for another one, and how long a PostgreSQL may take to answer."""
Db = Connection
"""One transaction, which the functions of this room take."""
StoreFault = SQLAlchemyError
"""What is raised in a transaction when the database is away or at odds with us."""
_WRITES = "churnwatch_writes"
_EXAMPLES = 'such as "sqlite:///churnwatch-page.db" or "postgresql://user:password@host/database"'


class Store:
    """An open store. Threads may share it; a process that forks opens its own.

    Attributes
    ----------
    where : str
        Its address without the password.
    """

    def __init__(self, engine: Engine) -> None:
        self.where = engine.url.render_as_string(hide_password=True)
        self._engine = engine
        postgresql = engine.dialect.name == "postgresql"
        # one snapshot for all that a page shows, so that its figures agree with each other
        reading: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True} if postgresql else {}
        self._reader = engine.execution_options(**reading)
        self._writer = engine.execution_options(**{_WRITES: True})

    @property
    def dialect(self) -> str:
        """The kind of database: "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a transaction that only reads, and sees one moment."""
        with self._reader.begin() as db:
            yield db

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a transaction that writes: kept when the block ends, undone when it raises. In SQLite there is one at a time."""
        with self._writer.begin() as db:
            yield db

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def open_store(url: str = DEFAULT_URL) -> Store:
    """Open a store; make it, or bring it to the present schema, if need be. Processes that do so at once wait for each other.

    Parameters
    ----------
    url : str
        ``sqlite:///PATH`` (four slashes for an absolute path) or ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``.

    Raises
    ------
    UsageFault
        The address is none, or there is nothing to open at it; the message says what to do.
    insights.store.schema.NewerStore
        A newer build has written the store.
    """
    where = _address(url)
    store = Store(_engine(where))
    try:
        with store.read() as db:
            current = schema.stored(db) == schema.newest()
        if not current:
            with store.write() as db:
                schema.lock(db)
                schema.migrate(db, store.where)
    except OperationalError as error:
        store.close()
        raise UsageFault(f"the store {store.where} cannot be opened: {_first_line(error)}. {_mend(where)}") from error
    except DBAPIError as error:
        store.close()
        raise UsageFault(f"{store.where} is no store of churnwatch: {_first_line(error)}. Name another database or file.") from error
    except BaseException:
        store.close()
        raise
    return store


def is_there(url: str) -> bool:
    """Whether there is something to open at an address: of SQLite, its file. Raises UsageFault for what is no address."""
    where = _address(url)
    return where.drivername != "sqlite" or Path(str(where.database)).exists()


def _address(url: str) -> URL:
    try:
        found = make_url(url)
    except ArgumentError:
        raise UsageFault(f"the store's address is no address: give one {_EXAMPLES}") from None  # not shown: it may hold a password
    if found.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return found.set(drivername="postgresql+psycopg")
    if found.drivername != "sqlite":
        raise UsageFault(f"the store cannot be a {found.drivername}: give an address {_EXAMPLES}")
    if not found.database or found.database == ":memory:":
        raise UsageFault(f"the store needs a file, because memory is not shared between processes: give an address {_EXAMPLES}")
    return found


def _engine(where: URL) -> Engine:
    if where.drivername != "sqlite":
        return create_engine(where, pool_pre_ping=True, connect_args={"connect_timeout": BUSY_S})
    _private_file(Path(str(where.database)))
    engine = create_engine(where, connect_args={"timeout": BUSY_S})
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _private_file(path: Path) -> None:
    """Make the file, for us alone, before SQLite would make it for everybody. What SQLite puts beside it gets the same rights."""
    try:
        path.touch(mode=0o600)
        path.chmod(0o600)
    except OSError as error:
        raise UsageFault(
            f"the store's file {path} cannot be made: {error.strerror}. Make its folder, let us write there, or name another file."
        ) from error


def _on_connect(connection: Any, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own; see _on_begin
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(db: Connection) -> None:
    # A transaction that reads first and writes later could not be repeated when another one has written in between: who writes says so at once.
    db.exec_driver_sql("BEGIN IMMEDIATE" if db.get_execution_options().get(_WRITES) else "BEGIN")


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]


def _mend(where: URL) -> str:
    if where.drivername == "sqlite":
        return "See that nothing else holds the file, and that its disk has room."
    return f"Start PostgreSQL at {where.host or 'its socket'}, make the database and the user, or name another store."
