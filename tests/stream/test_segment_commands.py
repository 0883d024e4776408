"""`churnwatch segment`: the people behind a number are saved, and every analysis can be asked of them alone; also of whoever meets a rule."""

from __future__ import annotations

import io
import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from stream.cli import app
from tests.insights.example import import_example

CELL = ("retention", "--unit", "week", "--users", "cohort=2026-02-02,k=1")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return import_example(tmp_path_factory.mktemp("example"))


@pytest.fixture
def says(history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    return CliRunner(env={"CHURNWATCH_HISTORY": str(history)})


def said(runner: CliRunner, *arguments: str, fails: str = "") -> str:
    done = runner.invoke(app, arguments)
    assert (done.exception is not None) == bool(fails), done.output
    if fails:
        assert fails in str(done.exception)
    return done.output


def counts(runner: CliRunner, *arguments: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(said(runner, *arguments, "--json"))["rows"]
    return rows


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_people_behind_a_number_are_saved_and_asked_of(ending: str, says: CliRunner) -> None:
    people = [one["user"] for one in json.loads(said(says, *CELL, "--json"))["users"]]
    assert len(people) > 5
    said(says, *CELL, "--out", f"people.{ending}")
    assert f"{len(people)} users" in said(says, "segment", "save", "february", "--file", f"people.{ending}")
    rows = counts(says, "retention", "--unit", "week", "--segment", "february")
    assert {row["cohort"]: row["n"] for row in rows if row["k"] == 0 and row["cohort"] and row["n"]} == {"2026-02-02": len(people)}
    assert [one["user"] for one in json.loads(said(says, *CELL, "--segment", "february", "--json"))["users"]] == people
    assert f"Only of the segment february: {len(people)} people" in said(says, "retention", "--unit", "week", "--segment", "february")


def test_a_rule_holds_of_who_meets_it_now(says: CliRunner) -> None:
    said(says, "segment", "save", "payers", "--rule", "purchases >= 1", "--rule", "channel != none", "--title", "Who paid")
    listed = said(says, "segment", "ls")
    assert "Who paid" in listed
    assert "purchases >= 1 and channel != none" in " ".join(listed.split())
    wanted = pl.read_csv(
        io.StringIO(said(says, "sql", "select count(*) as n from users where purchases >= 1 and coalesce(channel, '') <> ''", "--csv"))
    )["n"][0]
    rows = counts(says, "retention", "--unit", "month", "--by", "segment.payers")
    entered = [(row["group"], row["n"]) for row in rows if row["metric"] == "retention" and row["k"] == 0]
    assert sum(n for group, n in entered if group == "payers" and isinstance(n, int)) == wanted
    assert {group for group, _ in entered} == {"payers", "(none)"}


def test_a_segment_is_replaced_and_removed_only_when_one_says_so(says: CliRunner) -> None:
    said(says, "segment", "save", "some", "--rule", "purchases >= 1")
    said(says, "segment", "save", "some", "--rule", "purchases >= 2", fails="there is a segment 'some' already")
    said(says, "segment", "save", "some", "--rule", "purchases >= 2", "--replace")
    assert "purchases >= 2" in said(says, "segment", "ls")
    said(says, "segment", "rm", "some")
    said(says, "segment", "rm", "some", fails="no segment 'some'")
    said(says, "retention", "--segment", "some", fails="no segment 'some'")


def test_who_is_erased_from_a_history_leaves_the_lists(tmp_path: Path, says: CliRunner) -> None:
    from insights.made.shelf import users_of
    from stream.cli.made_store import made_store

    (tmp_path / "own").mkdir()
    history = import_example(tmp_path / "own")
    Path("people.txt").write_text("p1\nnobody\n")
    said(says, "segment", "save", "some", "--file", "people.txt")
    says.invoke(app, ["history", "erase", "nobody", "--yes"], env={"CHURNWATCH_HISTORY": str(history)})
    with made_store() as store, store.read() as db:
        assert users_of(db, "some") == ("p1",)


@pytest.mark.parametrize(
    ("text", "users"),
    [
        ("ann\nbob\n", ["ann", "bob"]),
        ('user,n\nann,1\n"bo,b",2\n\'=1+1,3\n', ["ann", "bo,b", "=1+1"]),
        ('{"users": [{"user": "ann"}, {"user": "two\\nlines"}]}', ["ann", "two\nlines"]),
    ],
)
def test_a_list_is_read_from_any_file_of_ours(text: str, users: list[str], says: CliRunner) -> None:
    from insights.made.shelf import users_of
    from stream.cli.made_store import made_store

    Path("people.txt").write_text(text)
    said(says, "segment", "save", "some", "--file", "people.txt")
    with made_store() as store, store.read() as db:
        assert users_of(db, "some") == tuple(sorted(users))


@pytest.mark.parametrize(
    ("arguments", "fails"),
    [
        ((), "either --rule"),
        (("--rule", "purchases >= 1", "--file", "x"), "either --rule"),
        (("--rule", "colour = red"), "no field 'colour'"),
        (("--file", "none.csv"), "cannot be read"),
        (("--file", "empty.csv"), "has no user"),
        (("--file", "odd.json"), "no list of users"),
        (("--file", "odd.parquet"), "no list of users"),
    ],
)
def test_what_is_no_segment_is_refused(arguments: tuple[str, ...], fails: str, says: CliRunner) -> None:
    Path("empty.csv").write_text("user\n")
    Path("odd.json").write_text('{"people": []}')
    Path("odd.parquet").write_text("x")
    said(says, "segment", "save", "some", *arguments, fails=fails)
