"""Files into the history: the rows that the reader judged usable, each once, however often and under whatever name they are imported."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import write_deltalake
from typer.testing import CliRunner

from features.files.options import ReadOptions
from features.files.order import Order
from features.files.reader import EventFile
from features.files.summary import Summary
from features.files.whole import judged
from insights.history import table
from insights.history.events import Events
from insights.history.faults import HistoryMissing, HistoryRefused, HistoryUnwritable
from insights.history.importing import Source, done, import_files, source_of
from insights.history.reader import open_log
from stream.cli import app
from tests.insights.history.histories import BERLIN, asked, ms_of, rows_of

OPTIONS = ReadOptions(now_ms=1_800_000_000_000)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHURNWATCH_HISTORY", str(tmp_path / "history"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "history"


def run(*words: str | Path, stdin: bytes = b"") -> str:
    done = CliRunner().invoke(app, ["history", "import", *map(str, words)], input=stdin, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def csv(path: Path, rows: int, first: int = 0) -> Path:
    lines = [f"u{n % 7},{1_700_000_000_000 + n * 3_600_000},{'buy' if n % 5 else 'view'},{n / 4}" for n in range(first, first + rows)]
    path.write_text("\n".join(["user,ts,type,value", *reversed(lines), ""]))
    return path


def usable(path: Path) -> list[tuple[Any, ...]]:
    file = EventFile(path, OPTIONS, Summary(str(path)))
    frames = list(file.frames())
    return sorted(pl.concat(map(file.settled, frames)).select("user", "ts", "type", "value").iter_rows())


def held(folder: Path) -> list[tuple[Any, ...]]:
    found = asked(folder, 'select "user", ts, type, value, part, off from events')
    assert {part for *_, part, _ in found} == {-1}
    assert sorted(off for *_, off in found) == sorted(set(range(len(found))))
    return sorted((user, ms_of(ts), kind, value) for user, ts, kind, value, *_ in found)


def test_an_import_holds_what_the_reader_judged_usable(tmp_path: Path, folder: Path) -> None:
    file = csv(tmp_path / "events.csv", 300)
    said = run(file)
    assert "300 events imported" in said
    assert held(folder) == usable(file)


def test_the_same_content_is_imported_once_by_whatever_name_or_way(tmp_path: Path, folder: Path) -> None:
    file = csv(tmp_path / "events.csv", 40)
    run(file)
    shutil.copy(file, tmp_path / "other.txt")
    assert "the same content is in the history already" in run(tmp_path / "other.txt")
    assert "the same content is in the history already" in run("-", stdin=file.read_bytes())
    run(file, tmp_path / "other.txt")
    assert held(folder) == usable(file)


def test_files_that_overlap_do_not_double_what_they_share(tmp_path: Path, folder: Path) -> None:
    one, two = csv(tmp_path / "one.csv", 40), csv(tmp_path / "two.csv", 40, first=20)
    run(one)
    assert "20 events were repeats" in run(two)
    assert sorted(asked(folder, "select count(*) from events")) == [(60,)]


def test_unusable_rows_import_nothing_until_they_may_be_left_out(tmp_path: Path, folder: Path) -> None:
    file = csv(tmp_path / "events.csv", 10)
    file.write_text(file.read_text() + ",1700000000000,view,1\n")
    done = CliRunner().invoke(app, ["history", "import", str(file)])
    assert done.exit_code != 0
    assert "nothing was imported: 1 of 11 rows are unusable" in str(done.exception)
    run(file, "--skip-bad", "1")
    assert held(folder) == usable(file)


def test_status_says_what_there_is(tmp_path: Path, folder: Path) -> None:
    run(csv(tmp_path / "events.csv", 30))
    said = CliRunner().invoke(app, ["history", "status"], catch_exceptions=False).output
    assert "30 on" in said
    assert "to derive    nothing" in said
    found = json.loads(CliRunner().invoke(app, ["history", "status", "--json"], catch_exceptions=False).output)
    assert (found["events"], found["days_to_derive"], found["offsets"]) == (30, 0, {})
    assert found["watermark_ms"] == max(row[1] for row in usable(tmp_path / "events.csv"))


class Killed(BaseException):
    """The process ends here."""


def ordered(spill: Path, *paths: Path) -> tuple[Order, list[Source]]:
    spill.mkdir()
    files = [EventFile(path, OPTIONS, Summary(str(path))) for path in paths]
    order = Order(spill, run_rows=64, part_rows=16)
    judged(files, order, lambda _: None)
    return order, [replace(source_of(file.path, OPTIONS), rows=file.summary.usable) for file in files]


@pytest.mark.parametrize("after", [1, 3, 7])
def test_an_import_that_was_killed_goes_on_where_it_was(tmp_path: Path, folder: Path, after: int) -> None:
    one, two = csv(tmp_path / "one.csv", 100), csv(tmp_path / "two.csv", 100, first=70)
    steps = iter(range(after))

    def kill(_: int) -> None:
        if next(steps, None) is None:
            raise Killed

    order, sources = ordered(tmp_path / "a", one, two)
    with pytest.raises(Killed):
        import_files(Events(folder, BERLIN), order, sources, kill, commit_rows=1)
    before = len(asked(folder, "from events"))
    order, sources = ordered(tmp_path / "b", one, two)
    events = Events(folder, BERLIN)
    assert not any(done(events, source) for source in sources)
    imported = import_files(events, order, sources)
    assert 0 < before < 170
    assert imported.known > 0
    assert imported.rows == 170 - before
    assert all(done(events, source) for source in sources)
    found = [(user, ms_of(ts), kind, value) for user, ts, kind, value in asked(folder, 'select "user", ts, type, value from events')]
    assert sorted(found) == sorted(set(usable(one)) | set(usable(two)))


def test_an_import_begun_with_other_options_is_refused_until_it_has_ended(tmp_path: Path, folder: Path) -> None:
    file = csv(tmp_path / "one.csv", 100)
    order, (source,) = ordered(tmp_path / "a", file)

    def kill(_: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        import_files(Events(folder, BERLIN), order, [source], kill, commit_rows=1)
    order, (source,) = ordered(tmp_path / "b", file)
    with pytest.raises(HistoryRefused, match="other options"):
        import_files(Events(folder, BERLIN), order, [replace(source, how=source.how + 1)])


def test_an_import_goes_on_beside_another_writer(tmp_path: Path, folder: Path) -> None:
    """Another writer commits between any two commits of the import, so that each of its first attempts is lost."""
    file = csv(tmp_path / "one.csv", 100)
    order, sources = ordered(tmp_path / "a", file)
    other, at = Events(folder, BERLIN), 0

    def interfere(_: int) -> None:
        nonlocal at
        other.renew()
        rows = rows_of([("zoe", 1_700_000_000_000 + at, "view", f"{at}")], first=at)
        other.append(rows, {"clicks/t/0": at}, {"clicks/t/0": at + 1}, other.table.standing)
        at += 1

    imported = import_files(Events(folder, BERLIN), order, sources, interfere, commit_rows=1)
    assert imported.rows == 100
    assert at > 3
    assert asked(folder, "select count(*) filter (part = -1), count(*) filter (part = 0) from events") == [(100, at)]


def test_a_folder_that_cannot_be_written_says_which_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HistoryUnwritable, match=r"file.*history\.dir"):
        Events(tmp_path / "file", BERLIN)


def test_no_history_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(HistoryMissing, match="churnwatch history import FILES"):
        open_log(tmp_path)
    with pytest.raises(HistoryMissing, match="churnwatch history run"):
        open_log(tmp_path / "nowhere")


def test_an_empty_history_has_empty_views(tmp_path: Path) -> None:
    Events(tmp_path, BERLIN)
    log = open_log(tmp_path)
    assert [log.con.table(view).fetchall() for view in ("events", "user_day", "users")] == [[], [], []]
    assert log.as_of.watermark is None


@pytest.mark.parametrize("made_by", ["another program", "another version"])
def test_a_table_of_others_is_refused_with_the_fix(folder: Path, tmp_path: Path, made_by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = csv(tmp_path / "a.csv", 5)
    if made_by == "another program":
        write_deltalake(folder / "events", pl.DataFrame({"user": ["ann"]}))
    else:
        monkeypatch.setattr(table, "FORMAT", "0")
        run(rows)
        monkeypatch.undo()
        monkeypatch.setenv("CHURNWATCH_HISTORY", str(folder))
    for asks in (lambda: open_log(folder), lambda: run(rows)):
        with pytest.raises(HistoryRefused, match=rf"was made by {made_by}.*another folder in history.dir"):
            asks()
