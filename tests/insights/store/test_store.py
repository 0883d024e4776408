"""A store is made, opened again, moved forward by one process at a time, and refused where it is not ours."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from subprocess import PIPE

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect, text

import insights.made.tables
import insights.past.tables  # noqa: F401 - some of the tables are there
from insights.store import audit, schema
from insights.store.store import Store, open_store
from insights.store.tables import METADATA
from stream.faults import UsageFault
from tests.servers.process import ROOT


def lines(store: Store) -> list[str]:
    with store.read() as db:
        return [line.what for line in audit.newest_lines(db)]


def test_migrations_make_the_tables_that_the_code_uses(store: Store) -> None:
    with store.read() as db:
        assert compare_metadata(MigrationContext.configure(db), METADATA) == []
        found = inspect(db)
        for table in METADATA.sorted_tables:  # what the comparison passes over
            checks = {str(one["name"]) for one in found.get_check_constraints(table.name)}
            assert checks == {str(one.name) for one in table.constraints if isinstance(one, CheckConstraint)}, table
            assert found.get_pk_constraint(table.name)["constrained_columns"] == [column.name for column in table.primary_key]


def test_what_was_written_is_there_when_it_is_opened_again(store: Store, store_url: str) -> None:
    with store.write() as db:
        audit.note(db, at_ms=1, who="ann", what="login")
    again = open_store(store_url)
    assert lines(again) == ["login"]
    again.close()


def test_what_a_failing_transaction_wrote_is_gone(store: Store) -> None:
    def fails() -> None:
        with store.write() as db:
            audit.note(db, at_ms=1, who="ann", what="login")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert lines(store) == []


def test_a_store_of_a_newer_build_is_refused_and_left_as_it_is(store: Store, store_url: str) -> None:
    with store.write() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(schema.NewerStore, match=r"schema 9999.* knows up to \d{4}\. Start that version again") as refused:
        open_store(store_url)
    assert store.where in str(refused.value)
    with store.read() as db:
        assert schema.stored(db) == "9999"


OPENS = """
import sys
from insights.store.store import open_store
sys.stdin.readline()
open_store(sys.argv[1]).close()
"""


def test_processes_that_open_a_new_store_at_once_make_it_once(store_url: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", OPENS, store_url]
    processes = [subprocess.Popen(command, env=environment, stdin=PIPE, stderr=PIPE, text=True) for _ in range(3)]
    said = [process.communicate("go\n")[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    store = open_store(store_url)
    with store.read() as db:
        assert schema.stored(db) == schema.newest()
    store.close()


def test_a_writer_waits_for_another_one_and_readers_wait_for_nobody(store: Store) -> None:
    written = threading.Event()

    def write() -> None:
        with store.write() as db:
            audit.note(db, at_ms=2, who="ann", what="second")
        written.set()

    with store.write() as db:
        audit.note(db, at_ms=1, who="ann", what="first")
        other = threading.Thread(target=write)
        other.start()
        assert lines(store) in ([], ["second"])  # PostgreSQL lets both write
    other.join()
    assert written.is_set()
    assert sorted(lines(store)) == ["first", "second"]


def test_a_reader_sees_one_moment(store: Store) -> None:
    with store.read() as db:
        assert audit.newest_lines(db) == []
        with store.write() as writer:
            audit.note(writer, at_ms=1, who="ann", what="login")
        assert audit.newest_lines(db) == []
    assert lines(store) == ["login"]


@pytest.mark.real_postgres
def test_a_reader_of_postgresql_cannot_write(postgres: str) -> None:
    store = open_store(postgres)

    def writes() -> None:
        with store.read() as db:
            audit.note(db, at_ms=1, who="ann", what="login")

    with pytest.raises(Exception, match="read-only transaction"):
        writes()
    store.close()


def test_the_file_is_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "page.db"
    path.touch(mode=0o644)
    store = open_store(f"sqlite:///{path}")
    with store.write() as db:
        audit.note(db, at_ms=1, who="ann", what="login")
        files = sorted(tmp_path.iterdir())
        assert [one.name for one in files] == ["page.db", "page.db-shm", "page.db-wal"]
        assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
    store.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nowhere", r"no address: give one such as"),
        ("mysql://ann:secret@host/page", r"cannot be a mysql: give an address"),
        ("sqlite://", r"needs a file"),
        ("sqlite:///:memory:", r"needs a file"),
        ("sqlite:////no/such/folder/page.db", r"Make its folder"),
        ("postgresql://ann:secret@127.0.0.1:1/page", r"cannot be opened: .*Start PostgreSQL at 127\.0\.0\.1"),
    ],
)
def test_an_address_that_is_none_is_refused_with_what_to_do(url: str, said: str) -> None:
    with pytest.raises(UsageFault, match=said) as refused:
        open_store(url)
    assert "secret" not in str(refused.value)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.db"
    path.write_text("a letter to ann, which is long enough to look like something" * 20)
    with pytest.raises(UsageFault, match=r"is no store of churnwatch: .*Name another"):
        open_store(f"sqlite:///{path}")
    assert path.read_text().startswith("a letter")
