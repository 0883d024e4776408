"""Files hold the same rows in every form, nothing in them runs, and one that cannot be written leaves nothing behind."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from insights.analyses.analysis import LONG, Result
from insights.analyses.as_plain import entry_of, found_of, rows_of
from insights.analyses.catalog import CATALOG
from insights.analyses.crowd import crowd_of
from insights.history.reader import AsOf
from insights.words import words
from insights.written.files import page_of, write
from insights.written.rows import csv_of, json_of, json_of_people
from insights.written.tables import Shown, Table, tables_of
from stream.faults import UsageFault

HOSTILE = "=cmd|' /C calc'!A0"
RETENTION = CATALOG["retention"]


@pytest.fixture
def result() -> Result:
    events = pl.DataFrame(
        {"user": ["a", "b"], "ts": [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2)], "type": ["x"] * 2, "channel": [HOSTILE, "<b>"]}
    )
    crowd = crowd_of(events, AsOf(zone="UTC", watermark=datetime(2026, 1, 4, tzinfo=UTC), offsets={"b": 2, "a": 1}))
    return RETENTION.run(crowd, RETENTION.parameters(by="channel", follow=2, since="2026-01-01"))


def written(result: Result, path: Path) -> Path:
    found = found_of(result)
    tables = tables_of(entry_of(RETENTION), found, words("en"))
    write(path, found.as_of, result.rows, "rows", lambda: page_of(tables, ["as of <now>"], "Retention", words("en")))
    return path


def test_json_has_what_was_known_and_rows_in_the_long_form(result: Result, tmp_path: Path) -> None:
    found = json.loads(written(result, tmp_path / "r.json").read_text())
    assert found["as_of"]["watermark"] == "2026-01-04T00:00:00Z"
    assert list(found["as_of"]["offsets"]) == ["a", "b"]
    assert {"zone", "week_start", "late", "rejected", "left_censored"} <= found["as_of"].keys()
    assert list(found["rows"][0])[: len(LONG)] == list(LONG)
    assert len(found["rows"]) == result.rows.height
    assert json_of(found_of(result)) == json_of(found_of(result))
    assert json.loads(json_of_people(found_of(result).as_of, rows_of(pl.DataFrame({"user": ["a"]}))))["users"] == [{"user": "a"}]


def test_parquet_and_csv_hold_the_same_rows(result: Result, tmp_path: Path) -> None:
    assert pl.read_parquet(written(result, tmp_path / "r.parquet")).equals(result.rows)
    csv = pl.read_csv(written(result, tmp_path / "r.csv"))
    assert csv.height == result.rows.height
    assert csv["n"].to_list() == result.rows["n"].to_list()
    assert json.loads(pl.read_parquet_metadata(tmp_path / "r.parquet")["churnwatch.as_of"])["zone"] == "UTC"


def test_no_text_runs_as_a_formula(result: Result, tmp_path: Path) -> None:
    assert any(f"'{HOSTILE}" in line for line in csv_of(rows_of(result.rows)))
    with zipfile.ZipFile(written(result, tmp_path / "r.xlsx")) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if "worksheets/sheet" in name]
        assert len(sheets) == 2
        assert not any("<f>" in sheet for sheet in sheets)
        assert HOSTILE in book.read("xl/sharedStrings.xml").decode().replace("&apos;", "'")


def test_a_page_escapes_what_it_shows_and_asks_nobody(result: Result, tmp_path: Path) -> None:
    page = written(result, tmp_path / "r.html").read_text()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "as of &lt;now&gt;" in page
    assert "http" not in page
    assert "<script" not in page


def test_open_cells_of_a_page_are_not_shaded() -> None:
    cells = ((Shown("x"), Shown("50%", 0.5), Shown("9%*", 0.09, is_open=True)),)
    page = page_of([Table("t", ("a", "b", "c"), cells)], [], "t", words("en"))
    assert page.count("background:") == 1
    assert '<td class="open">9%*</td>' in page


@pytest.mark.parametrize(("name", "says"), [("r.txt", ".parquet"), ("r", "without an ending"), ("no/such/r.csv", "cannot write")])
def test_a_file_that_cannot_be_written_is_refused(result: Result, tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(UsageFault, match=says):
        written(result, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
