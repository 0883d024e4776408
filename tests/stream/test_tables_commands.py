"""`churnwatch tables`: a table of the settings is made once a period whoever looks, now when it is asked for, and what is wrong is said with the fix."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import psycopg
import pytest
from typer.testing import CliRunner

from insights.store.deliveries import known_since
from insights.store.store import open_store
from insights.store.tables import DELIVERIES
from stream.cli import app
from stream.demo.local_redis import free_port
from stream.faults import UsageFault
from tests.insights.example import import_example
from tests.servers.postgres import new_database

pytestmark = pytest.mark.real_postgres
TOML = """
[[questions]]
name = "back"
title = "Do they come back"
analysis = "retention"
parameters = { unit = "week", follow = 3 }
[[tables]]
name = "who-buys"
analysis = "rfm"
folder = "{folder}"
forms = ["parquet", "csv", "xlsx"]
[[tables]]
name = "back"
question = "back"
at = "00:00"
folder = "{folder}"
table = "retention"
"""
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Type a command in a folder with a history, tables and a PostgreSQL."""
    (tmp_path / "churnwatch.toml").write_text(TOML.replace("{folder}", str(tmp_path / "out")))
    for name, value in {
        "CONFIG": str(tmp_path / "churnwatch.toml"),
        "HISTORY": str(import_example(tmp_path)),
        "PAGE_STORE": f"sqlite:///{tmp_path / 'page.db'}",
        "BI_DATABASE": new_database(postgres),
        "REDIS": f"redis://127.0.0.1:{free_port()}",
    }.items():
        monkeypatch.setenv(f"CHURNWATCH_{name}", value)

    def one(*words: str) -> str:
        told = CliRunner().invoke(app, ["tables", *words], catch_exceptions=False)
        assert told.exit_code == 0, told.output
        return " ".join(told.output.split())

    return one


def test_tables_are_made_now_and_when_they_are_due(run: Run, tmp_path: Path) -> None:
    out, address = tmp_path / "out", os.environ["CHURNWATCH_BI_DATABASE"]
    assert run("check") == "2 tables are fine"
    assert not out.exists()
    assert "not due yet" in run("ls")
    assert "not due yet" in run("write", "--due")
    assert not out.exists()

    told = run("write")
    assert f"in {out}: who-buys.parquet, who-buys.csv, who-buys.xlsx" in told
    rows = pl.read_parquet(out / "who-buys.parquet")
    assert rows.height
    assert pl.read_csv(out / "who-buys.csv", infer_schema_length=None).height == rows.height
    assert zipfile.is_zipfile(out / "who-buys.xlsx")
    back = pl.read_parquet(out / "back.parquet")
    with psycopg.connect(address) as db:
        kept = db.execute('SELECT metric, cohort, k, "group", n, value, state, as_of FROM retention').fetchall()
        assert sorted(map(str, ((*row[:7],) for row in kept))) == sorted(
            map(str, back.select("metric", "cohort", "k", "group", "n", "value", "state").iter_rows())
        )
        assert {row[7].astimezone(UTC).date() for row in kept} == {datetime(2026, 3, 29, tzinfo=UTC).date()}
        db.execute("UPDATE retention SET value = -1")
    assert f"{back.height} rows in retention of PostgreSQL, 0 of before gone" in run("write", "back")

    store = open_store(os.environ["CHURNWATCH_PAGE_STORE"])
    with store.write() as db:  # as if they had been there for days
        for table in ("table back", "table who-buys"):
            db.execute(DELIVERIES.update().where(DELIVERIES.c.what == table).values(at_ms=known_since(db, table, 0) - 3 * 86_400_000))
    store.close()
    for file in out.iterdir():
        file.unlink()
    assert "written: 2 of 2 places have that of" in run("write", "--due").replace("written late", "written")
    assert sorted(file.name for file in out.iterdir()) == ["back.parquet", "who-buys.csv", "who-buys.parquet", "who-buys.xlsx"]
    (out / "back.parquet").unlink()
    run("write", "--due")
    assert not (out / "back.parquet").exists(), "once a period"


def test_what_is_wrong_is_said_with_the_fix(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "churnwatch.toml"
    file.write_text(
        file.read_text().replace('analysis = "rfm"', 'analysis = "rmf"').replace('question = "back"', 'question = "gone"')
        + '[[tables]]\nname = "c"\nanalysis = "retention"\nparameters = { unit = "year" }\ntable = "nowhere.x"\n'
        + '[[tables]]\nname = "d"\nanalysis = "retention"\ntable = "nowhere.x"\n'
    )
    with pytest.raises(UsageFault) as caught:
        run("check")
    for part in (
        "the table 'who-buys' cannot be asked: there is no analysis 'rmf'; did you mean rfm?",
        "the table 'back': there is no question 'gone'; there are: back",
        "the table 'c' cannot be asked: unit is one of",
        "the table 'd': PostgreSQL has not taken it: schema \"nowhere\" does not exist",
    ):
        assert part in str(caught.value), part
    with pytest.raises(UsageFault, match="there is no table 'x' in"):
        run("write", "x")
