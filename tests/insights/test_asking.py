"""The commands made from the catalog: each example runs and stands in docs/analyses.md, programs get rows, people get tables and lists, mistakes get words."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
import typer

from insights.analyses.analysis import Cell
from insights.analyses.as_plain import entry_of
from insights.analyses.catalog import CATALOG
from insights.analyses.crowd import Crowd, crowd_of
from insights.analyses.plain import Found, Known, Rows
from insights.history.reader import open_log
from insights.reports.database import rows_of
from insights.words import LANGUAGES, words
from insights.written.tables import people_table
from stream.cli import app
from stream.faults import UsageFault
from tests.insights import page
from tests.insights.example import all_events, import_example, said

ROOT = Path(__file__).parents[2]
GROUP: Any = typer.main.get_command(app)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return import_example(tmp_path_factory.mktemp("example"), all_events())


def test_the_page_of_analyses_is_made_from_the_catalog_and_its_examples_run(history: Path) -> None:
    assert (ROOT / "docs" / "analyses.md").read_text() == page.page()


@pytest.mark.parametrize("one", CATALOG.values(), ids=lambda one: one.name)
def test_an_analysis_is_a_command_with_an_option_for_each_parameter(one: Any) -> None:
    GROUP.load()
    command = GROUP.commands[one.name.replace("_", "-")]
    options = {parameter.name for parameter in command.params}
    assert {field.name for field in msgspec.structs.fields(one.parameters)} <= options
    assert {"as_json", "as_csv", "out", "users", "lang", "as_of"} <= options
    assert all(parameter.help for parameter in command.params)
    assert one.example, "an example that a test can run"


def found_rows(one: Any, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of an answer as a table of PostgreSQL keeps them."""
    known = Known(
        watermark=None, offsets={}, zone="UTC", week_start="monday", late=0, rejected=0, complete_from=None, left_censored=0
    )  # fmt: skip
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return rows_of(Found(analysis=one.name, parameters={}, as_of=known, rows=Rows(columns)), entry_of(one), "a")


@pytest.mark.parametrize("one", CATALOG.values(), ids=lambda one: one.name)
def test_programs_get_the_same_rows_every_time(one: Any, history: Path) -> None:
    first = said(history, [*one.example, "--json"])
    assert first == said(history, [*one.example, "--json"])
    found = json.loads(first)
    assert found.keys() == {"as_of", "rows"}
    assert {"metric", "cohort", "k", "group", "n", "value", "low", "high", "state"} <= found["rows"][0].keys()
    lines = said(history, [*one.example, "--csv"]).splitlines()
    assert len(lines) == len(found["rows"]) + 1
    rows = found_rows(one, found["rows"])
    assert len({row["key"] for row in rows}) == len(rows), "a table of PostgreSQL could not tell them apart"


def test_the_people_behind_a_cell_are_as_many_as_it_says(history: Path) -> None:
    rows = json.loads(said(history, ["retention", "--unit", "week", "--json"]))["rows"]
    cell = next(row for row in rows if row["metric"] == "retention" and row["k"] == 1 and row["n"] > 3)
    found = json.loads(said(history, ["retention", "--unit", "week", "--json", "--users", f"cohort={cell['cohort']},k=1"]))["users"]
    assert len(found) == cell["n"]
    assert sum(one["came_back"] for one in found) == cell["count"]
    assert f"{cell['n']} people" in said(history, ["retention", "--unit", "week", "--users", f"cohort={cell['cohort']},k=1"])


def test_a_table_is_shaded_in_a_terminal_and_plain_in_a_pipe(history: Path) -> None:
    plain = said(history, ["retention", "--unit", "week"])
    assert "\x1b[" not in plain
    assert "48;2;" in said(history, ["retention", "--unit", "week"], columns=100) or "48;5;" in said(
        history, ["retention", "--unit", "week"], columns=100
    )


def test_it_is_said_in_chinese(history: Path) -> None:
    assert "用户生命周期" in said(history, ["lifecycle", "--lang", "zh"])


def test_a_file_is_written(history: Path, tmp_path: Path) -> None:
    out = tmp_path / "lifecycle.json"
    assert "rows written" in said(history, ["lifecycle", "--out", str(out)])
    assert json.loads(out.read_text())["rows"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["retention", "--by", "colour"], "there is no field 'colour'"),
        (["retention", "--users", "monday"], "names no cell"),
        (["retention", "--users", "metric=fame,k=1"], "no metric 'fame'"),
        (["retention", "--users", "cohort=2026-01-05,k=one"], "whole number"),
        (["retention", "--users", "cohort=2020-01-05,k=1"], "no cell"),
        (["retention", "--users", "cohort=2026-01-05,k=1,group=ads"], "only with --by"),
        (["retention", "--json", "--csv"], "either"),
        (["lifecycle", "--since", "monday"], "is no day"),
        (["lifecycle", "--out", "x.doc"], ".parquet"),
    ],
)
def test_a_mistake_gets_words_and_no_trace(words: list[str], says: str, history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from typer.testing import CliRunner

    done = CliRunner(env={"CHURNWATCH_HISTORY": str(history)}).invoke(app, words)
    assert isinstance(done.exception, UsageFault)
    assert says in str(done.exception)


def test_without_a_history_the_message_says_how_to_make_one(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    done = CliRunner(env={"CHURNWATCH_HISTORY": str(tmp_path / "none")}).invoke(app, ["retention"])
    assert "history import" in str(done.exception)


def test_an_answer_as_of_a_time_is_that_of_a_log_cut_there(history: Path) -> None:
    cut = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    whole, log = open_log(history), open_log(history, before_ms=round(cut.timestamp() * 1000))
    assert log.as_of.watermark == cut
    said_then = {
        name: pl.DataFrame(whole.con.sql(f"SELECT * FROM {name} WHERE {known} < $cut", params={"cut": cut}))
        for name, known in (("events", "ts"), ("scores", "landmark"), ("outcomes", "matured"), ("alerts", "event_time"))
    }
    events = said_then.pop("events")
    assert 0 < events.height == log.as_of.events < whole.as_of.events
    oracle, crowd = crowd_of(events, log.as_of, said_then), Crowd(log.con, log.as_of)
    for name, rows in said_then.items():
        assert 0 < rows.height == log.con.sql(f"SELECT count(*) FROM {name}").fetchall()[0][0]
    for one in (CATALOG[name] for name in ("active_users", "retention", "rfm", "reasons")):
        asked = one.parameters()
        found, wanted = (one.run(over, asked) for over in (crowd, oracle))
        assert (found.rows.equals(wanted.rows), found.left_censored) == (True, wanted.left_censored), one.name
    for opened in (whole, log):
        opened.con.close()


def test_a_time_may_be_a_day_and_one_that_is_none_is_refused(history: Path) -> None:
    then = json.loads(said(history, ["retention", "--unit", "week", "--as-of", "2026-03-01", "--json"]))
    assert then["as_of"]["watermark"] == "2026-03-01T00:00:00Z"
    assert "As of Mar 1, 2026, 06:00 UTC" in said(history, ["lifecycle", "--as-of", "2026-03-01T06:00"])
    assert said(history, ["sql", "SELECT max(day) < '2026-03-01' AS cut FROM user_day", "--as-of", "2026-03-01", "--csv"]).split() == [
        "cut",
        "True",
    ]
    assert said(history, ["rfm", "--as-of", "2030-01-01", "--csv"]) == said(history, ["rfm", "--csv"])
    with pytest.raises(UsageFault, match="--as-of: a day such as 2026-03-01"):
        said(history, ["rfm", "--as-of", "yesterday"], code=2)


def test_other_commands_do_not_wait_for_the_analyses() -> None:
    code = "import sys; from stream.cli import app; import typer; g = typer.main.get_command(app); g.get_command(None, 'run'); print('polars' in sys.modules, 'duckdb' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["False", "False"]


def test_the_people_behind_a_link_of_paths_are_listed(history: Path) -> None:
    listed = said(history, ["paths", "--depth", "4", "--users", "metric=people,k=1,source=open,target=view", "--csv"]).splitlines()
    assert listed[0].startswith("user,visits")
    assert len(listed) - 1 == 37  # as docs/analyses.md says


def test_the_people_behind_each_kind_of_number_are_listed_in_words(history: Path) -> None:
    log = open_log(history)
    crowd = Crowd(log.con, log.as_of)
    for one in CATALOG.values():
        asked = one.parameters(**{one.arguments: ("open", "view", "purchase")} if one.arguments else {})
        rows = [] if one.behind is None else one.run(crowd, asked).rows.drop_nulls("value").to_dicts()
        of_metrics = list({row["metric"]: row for row in rows if row["metric"] not in {"overall", "spread"}}.values())
        for row in of_metrics[:1] + of_metrics[-1:]:
            cell = Cell(**{name: row[name] for name in Cell.__struct_fields__ if name in row})
            for lang in LANGUAGES:
                people = one.behind(crowd, asked, cell).to_dict(as_series=False)  # type: ignore[misc]  # it has rows only with a list
                assert people_table(Rows(people), words(lang)).head
    crowd.close()
