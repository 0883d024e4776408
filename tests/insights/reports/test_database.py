"""Answers in a real PostgreSQL: a question has in its table what it answered last, no row twice and none of before, and a reader never sees a part of it."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from insights.analyses.plain import LONG_COLUMNS, Entry, Found, Known, Rows
from insights.reports.database import NotKept, check, keep, rows_of
from stream.demo.local_redis import free_port
from tests.servers.postgres import new_database

pytestmark = pytest.mark.real_postgres

ENTRY = Entry(name="paths", layout="list", metrics=(), columns=(("source", "text"), ("count", "people")), parameters=())
GROUPS = [None, "ads", "a'); drop table paths; --", "渠道", "zero\0byte"]
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
NAMES = [*(name for name, _ in LONG_COLUMNS), "source", "count"]


def answer(rows: list[dict[str, Any]], minutes: int = 0, entry: Entry = ENTRY) -> Found:
    known = Known(
        watermark=BEGIN + timedelta(minutes=minutes), offsets={}, zone="UTC", week_start="monday", late=0, rejected=0, complete_from=None,
        left_censored=0,
    )  # fmt: skip
    return Found(analysis=entry.name, parameters={}, as_of=known, rows=Rows({name: [row.get(name) for row in rows] for name in NAMES}))


def random_rows(random_: random.Random) -> list[dict[str, Any]]:
    cells = [(cohort, k, group) for cohort in (None, "2026-03-02") for k in (None, 1, 7) for group in GROUPS]
    return [
        {
            "metric": "retention", "cohort": cohort, "k": k, "group": group, "source": random_.choice([None, "x"]) if k is None else None,
            "n": random_.choice([None, 2**40]), "value": random_.choice([None, 0.1, random_.random()]), "state": "open", "count": 3,
        }
        for cohort, k, group in random_.sample(cells, random_.randrange(len(cells)))
    ]  # fmt: skip


def kept(address: str, table: str = "paths") -> list[dict[str, Any]]:
    with psycopg.connect(address, row_factory=dict_row) as db:
        return db.execute(f"SELECT * FROM {table} ORDER BY question, key").fetchall()  # type: ignore[arg-type]  # names of ours


def expected(last: dict[str, Found]) -> list[dict[str, Any]]:
    """What a table holds if it is thrown away and all questions are written again."""
    rows = [row for question, found in last.items() for row in rows_of(found, ENTRY, question)]
    return sorted(rows, key=lambda row: (row["question"], row["key"]))


def test_a_table_holds_what_each_question_answered_last(postgres: str) -> None:
    address, random_, last = new_database(postgres), random.Random(1), dict[str, Found]()
    for run in range(10):
        question = random_.choice(["a", "b", "q'; --"])
        before = {row["key"] for row in rows_of(last[question], ENTRY, question)} if question in last else set()
        last[question] = answer(random_rows(random_), run)
        for _ in range(random_.choice([1, 2])):
            done = keep(address, "paths", question, ENTRY, last[question])
            now = {row["key"] for row in rows_of(last[question], ENTRY, question)}
            assert done == (len(now), len(before - now))
            assert kept(address) == expected(last)
            before = now


def test_a_reader_sees_the_old_whole_or_the_new_whole(postgres: str) -> None:
    address = new_database(postgres)
    answers = [answer([{"metric": "m", "k": k, "value": float(run)} for k in range(run, run + 40 + run % 3)], run) for run in range(25)]
    wholes = {(found.as_of.watermark, found.rows.height, len(set(found.rows.columns["k"]))) for found in answers}
    keep(address, "bi", "a", ENTRY, answers[0])
    seen, over, faults = list[Any](), threading.Event(), list[BaseException]()

    def read() -> None:
        with psycopg.connect(address, autocommit=True) as db:
            while not over.wait(0.01):
                seen.append(
                    db.execute("SELECT min(as_of), max(as_of), count(*), count(DISTINCT k), min(value), max(value) FROM bi").fetchone()
                )

    def write(mine: list[Found]) -> None:
        try:
            for found in mine:
                keep(address, "bi", "a", ENTRY, found)
        except BaseException as error:  # noqa: BLE001 - told by the test
            faults.append(error)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(mine,)) for mine in (answers[::2], answers[1::2])]
    for thread in [reader, *writers]:
        thread.start()
    for thread in writers:
        thread.join(60)
    over.set()
    reader.join(60)
    assert not faults
    assert len({row[0] for row in seen}) > 1, "something changed while somebody read"
    for oldest, newest, rows, ks, low, high in seen:
        assert (oldest, rows, ks) in wholes
        assert (oldest, low) == (newest, high)


def test_what_fails_half_way_changes_nothing(postgres: str) -> None:
    address = new_database(postgres)
    first = answer([{"metric": "m", "k": k, "value": 1.0} for k in range(5)])
    keep(address, "bi.paths", "a", ENTRY, first) if _schema(address, "bi") else None
    twice = answer([{"metric": "m", "k": 9, "value": value} for value in (1.0, 2.0)], 5)
    with pytest.raises(NotKept, match="PostgreSQL has not taken it") as caught:
        keep(address, "bi.paths", "a", ENTRY, twice)
    assert caught.value.why == "database"
    assert kept(address, "bi.paths") == expected({"a": first})


def _schema(address: str, name: str) -> bool:
    with psycopg.connect(address) as db:
        db.execute(f"CREATE SCHEMA {name}")  # type: ignore[arg-type]  # a name of ours
    return True


def test_others_keep_what_they_may_and_what_is_not_ours_is_left_alone(postgres: str) -> None:
    address = new_database(postgres)
    reader = f"reader_{address[-12:]}"
    check(address, "paths", ENTRY)
    with psycopg.connect(address) as db:
        assert db.execute("SELECT to_regclass('paths')").fetchone() == (None,), "a check leaves nothing behind"
    keep(address, "paths", "a", ENTRY, answer([{"metric": "m"}]))
    with psycopg.connect(address) as db:
        db.execute(f"CREATE ROLE {reader}")  # type: ignore[arg-type]  # a name of ours
        db.execute(f"GRANT SELECT ON paths TO {reader}")  # type: ignore[arg-type]  # names of ours
        db.execute("CREATE TABLE theirs (a int)")
    keep(address, "paths", "a", ENTRY, answer([{"metric": "other"}]))
    with psycopg.connect(address) as db:
        assert db.execute("SELECT has_table_privilege(%s, 'paths', 'SELECT')", (reader,)).fetchone() == (True,)
        db.execute(f"REVOKE ALL ON paths FROM {reader}")  # type: ignore[arg-type]  # names of ours
        db.execute(f"DROP ROLE {reader}")  # type: ignore[arg-type]  # names of ours
    for do in (lambda: keep(address, "theirs", "a", ENTRY, answer([])), lambda: check(address, "theirs", ENTRY)):
        with pytest.raises(NotKept, match="the table theirs has other columns") as caught:
            do()
        assert caught.value.why == "columns"


@pytest.mark.parametrize("where", ["127.0.0.1:{port}", "["])
def test_a_database_that_is_away_is_said_without_its_password(where: str) -> None:
    with pytest.raises(NotKept) as caught:
        keep(f"postgresql://ann:secret@{where.format(port=free_port())}/x", "paths", "a", ENTRY, answer([]))
    assert caught.value.why == "database"
    assert "secret" not in str(caught.value)
