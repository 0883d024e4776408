"""`churnwatch sql` answers a SELECT over the views, and nothing else: no file, no setting, no writing, bound in time and memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stream.cli import app
from stream.faults import UsageFault
from tests.insights.example import import_example, said


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return import_example(tmp_path_factory.mktemp("example"))


def test_a_select_is_answered_as_table_csv_and_json(history: Path) -> None:
    query = "select channel, count(*) as people from users group by channel order by channel"
    table = said(history, ["sql", query]).splitlines()
    assert table[0].split() == ["channel", "people"]
    assert [line.split()[0] for line in table[1:]] == ["ads", "referral", "search"]
    assert said(history, ["sql", query, "--csv"]).splitlines()[0] == "channel,people"
    found = json.loads(said(history, ["sql", query, "--json"]))
    assert sum(row["people"] for row in found["rows"]) == 240
    assert found["as_of"]["zone"] == "UTC"


def test_rows_beyond_the_limit_are_cut_and_that_is_said(history: Path) -> None:
    done = CliRunner(env={"CHURNWATCH_HISTORY": str(history)}).invoke(app, ["sql", "select * from users", "--limit", "2", "--csv"])
    assert len(done.stdout.splitlines()) == 3
    assert "more than 2 rows" in done.stderr


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("select 1; select 2", "one SELECT"),
        ("copy (select 1) to '{folder}/x.csv'", "one SELECT"),
        ("export database '{folder}/x'", "one SELECT"),
        ("create table x as select 1", "one SELECT"),
        ("set lock_configuration = false", "one SELECT"),
        ("attach '{folder}/x.db'", "one SELECT"),
        ("install httpfs", "one SELECT"),
        ("select * from read_csv('{outside}')", "no files"),
        ("select * from read_text('{outside}')", "no files"),
        ("select * from glob('{outside}*')", "no files"),
        ("select * from query('select * from read_text(''{outside}'')')", "no files"),
        ("select * from '{outside}'", "no files"),
        ("select * from secret", "does not exist"),
        ("selct 1", "syntax error"),
        ("", "one SELECT"),
    ],
)
def test_anything_else_is_refused(query: str, says: str, history: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("password\n")
    with pytest.raises(UsageFault, match=says):
        _asked(history, query.format(folder=history, outside=secret))
    assert not (history / "x.csv").exists()


def test_a_long_query_is_broken_off(history: Path) -> None:
    with pytest.raises(UsageFault, match=r"stopped after 0\.2 s"):
        _asked(history, "select count(*) from range(100000000000) a, range(1000) b", "--seconds", "0.2")


def test_a_large_query_gets_no_more_memory_than_it_may_have(history: Path) -> None:
    with pytest.raises(UsageFault, match="more memory"):
        _asked(history, "select list(a.range) from range(3000) a, range(3000) b", "--memory", "40MB")


def test_memory_is_a_size(history: Path) -> None:
    with pytest.raises(UsageFault, match="500MB"):
        _asked(history, "select 1", "--memory", "lots")


def _asked(history: Path, *words: str) -> str:
    done = CliRunner(env={"CHURNWATCH_HISTORY": str(history)}).invoke(app, ["sql", *words])
    if done.exception is not None:
        raise done.exception
    return done.stdout
