"""Files as the world sends them: each is read or refused as it should be, and none ends in a stack trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stream.backtest.log import read_history
from stream.cli import app
from stream.faults import UsageFault
from tests.features.files.reading import CASES, read

EXPECTED = [json.loads(line) for line in (CASES / "expected.jsonl").read_text().splitlines()]
FILES = sorted(file for file in CASES.rglob("*") if file.is_file() and file.name != "expected.jsonl")


def check(*arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    done = CliRunner().invoke(app, ["ingest", *arguments, "--check", "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, [json.loads(line) for line in done.output.splitlines()], done.output


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: case["file"] + "".join(case.get("args", [])))
def test_each_file_is_read_or_refused_as_it_should_be(case: dict[str, Any]) -> None:
    code, said, _ = check(str(CASES / case["file"]), *case.get("args", []))
    assert len(said) == 1
    if case["exit"] is not None:
        assert code == case["exit"], said
    if "usable" in case:
        assert said[0]["usable"] == case["usable"], said
    assert said[0]["rows"] == said[0]["usable"] + sum(fault["count"] for fault in said[0]["unusable"])
    assert (code == 0) == (said[0]["usable"] > 0 and not said[0]["unusable"] and not said[0]["refused"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_file_ends_a_backtest_with_anything_but_words(file: Path) -> None:
    try:
        history = read_history(file)
    except UsageFault as error:
        says = str(error)
    else:
        says = str(file)
        assert history.frame.height > 0
        assert history.frame["ts"].is_sorted()
    assert str(file) in says


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("f_dup.csv", (), "the same column twice: user"),
        ("f_dup_case.csv", (), "--map user=User,ts=TS,type=Type"),
        ("f_latin1.csv", (), "--encoding"),
        ("f_ragged.csv", (), '"count":2,"row":2,"value":"bob,1700000000000,click,1,extra","line":3'),
        ("f_semicolon.csv", (), '"field":"value","count":1,"row":1,"value":"9,5"'),
        ("f_header.csv", (), "no events"),
        ("matomo.csv", (), "--ts-format"),
        ("t_amb.csv", (), "--ts-format"),
        ("t_float_s.csv", (), "looks like seconds: say --ts-unit s"),
        ("t_nanos.csv", (), "looks like nanoseconds: say --ts-unit ns"),
        ("t_float_ms.csv", (), "1700000000001.5"),
        ("t_date.csv", (), "no zone: read in UTC; --tz names another"),
        ("o_unsorted.csv", (), "not in order of time: sorted"),
        ("o_type_case.csv", (), "type: blanks around 1 id trimmed"),
        ("u_float.csv", (), "123.0 is taken as the id 123"),
        ("u_nulls.csv", (), "'undefined' (1)"),
        ("v_nan.csv", (), "value: 2 rows have NaN or infinity"),
        ("v_nan.jsonl", (), "value: 1 row has NaN or infinity"),
        ("rees46.csv", (), "read as REES46"),
        ("o_onecol.csv", (), "--type click when all rows are of one type"),
        ("t_1960.csv", ("--oldest", "1900-01-01"), "ts_out_of_range"),
    ],
)
def test_what_is_said_of_a_file(name: str, arguments: tuple[str, ...], says: str) -> None:
    assert says in check(str(CASES / name), *arguments)[2]


def test_one_row_far_from_all_others_is_named_and_changes_no_dates() -> None:
    frame, summary = read(CASES / "b_weird_2099.csv", allow_future=True)
    assert [(fault.reason, fault.row, fault.line) for fault in summary.faults.values()] == [("ts_outlier", 1218, 1219)]
    assert summary.last_ms == frame["ts"].max()


def test_a_folder_gives_one_object_a_file_and_its_code_says_whether_all_are_sound() -> None:
    code, said, _ = check(str(CASES / "f_dir"))
    assert (code, [one["usable"] for one in said]) == (0, [1, 1])
    code, said, _ = check(str(CASES / "f_dir"), str(CASES / "t_amb.csv"))
    assert (code, [one["usable"] for one in said]) == (2, [1, 1, 0])


def test_a_pattern_a_folder_and_standard_input_are_files_too() -> None:
    _, said, _ = check(str(CASES / "t_*.csv"))
    assert len(said) == len(list(CASES.glob("t_*.csv")))
    done = CliRunner().invoke(app, ["ingest", "-", "--check", "--json"], input=(CASES / "f_gz.csv.gz").read_bytes())
    assert json.loads(done.output)["usable"] == 1


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_report_for_people_holds_no_character_that_acts(file: Path) -> None:
    done = CliRunner().invoke(app, ["ingest", str(file), "--check"])
    assert done.exit_code in {0, 2}
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert all(one.isprintable() or one == "\n" for one in done.output)


def test_users_that_look_like_markup_are_shown_as_they_are() -> None:
    frame, _ = read(CASES / "u_markup.jsonl")
    assert frame["user"].to_list() == ["[/x]", "[vip]bob", '=HYPERLINK("http://x")']


def test_the_report_is_short_and_says_whom_and_when() -> None:
    done = CliRunner().invoke(app, ["ingest", str(CASES / "rees46.csv"), "--check"], env={"COLUMNS": "160"})
    assert "6 rows, all usable" in done.output
    assert "3 users" in done.output
    assert "2019-10-01 00:00 to 2019-10-02 00:02 UTC" in done.output
    assert len(done.output.splitlines()) < 10


def test_the_report_says_what_is_wrong_in_words_of_a_file_and_how_to_go_on_without_it(tmp_path: Path) -> None:
    rows = ["ann,1700000000000,x,9.5", 'bob,1700000000001,x,"9,5"', "eve,soon,x,"]
    (tmp_path / "e.csv").write_text("\n".join(["user,ts,type,value", *rows]))
    done = CliRunner().invoke(app, ["ingest", str(tmp_path / "e.csv"), "--check"])
    assert done.exit_code == 2
    assert all(says in done.output for says in ("no number such as 1234.50", "no time that can be read", "line 3", "--skip-bad 2"))
    assert "--skip-bad" not in CliRunner().invoke(app, ["ingest", str(tmp_path / "e.csv"), "--check", "--skip-bad", "2"]).output
