"""What is exported and imported into an empty history is there again, event by event, in every form; of erased users nothing is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from typer.testing import CliRunner

from insights.history.erasures import Erasures
from insights.history.exporting import COLUMNS, ENDINGS, export
from stream.cli import app
from stream.faults import UsageFault
from tests.insights.history.histories import asked

TEXTS = ['say "hi", ann', "=1+1", "two\nlines", "渠道", "back\\slash", "null", "1e5", " left", None]
COUNTED = 'select "user", ts, type, channel, item, session, value, event_id, props, day from events'


def run(history: Path, *words: str) -> str:
    done = CliRunner(env={"CHURNWATCH_HISTORY": str(history), "COLUMNS": "400"}).invoke(app, ["history", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def rows() -> list[dict[str, Any]]:
    made = []
    for n in range(400):
        text = TEXTS[n % len(TEXTS)]
        event = {
            "user": f"u{n % 7} {(text or 'x').strip()}",
            "ts": 1_772_300_000_000 + n * 1_777_777,
            "type": ["view", "purchase", "identify"][n % 3],
        }
        event |= {"event_id": f"e{n}"} if n % 4 else {}
        event |= {"channel": text, "item": text} if text is not None and text == text.strip() else {}
        made.append(event | ({"value": n / 8} if n % 5 else {}) | ({"props": {"a": [n, {"b": text}], "plan": "pro"}} if n % 3 == 2 else {}))
    return made


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    (folder / "in.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, rows())))
    run(folder / "history", "import", str(folder / "in.jsonl"))
    return folder / "history"


def in_order(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(found, key=str)


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_exported_is_taken_back_as_it_was(history: Path, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"out{ending}"
    assert "400 events of 9 days" in run(history, "export", str(out))
    run(tmp_path / "again", "import", str(out))
    assert in_order(asked(tmp_path / "again", COUNTED)) == in_order(asked(history, COUNTED))
    assert [one.name for one in tmp_path.iterdir()].count(out.name) == 1
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")], "nothing is left beside it"
    run(history, "import", str(out))
    assert asked(history, "select count(*) from events") == [(400,)], "put where it came from, it adds nothing"


def test_days_and_columns_are_those_that_were_asked_for(history: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    run(history, "export", str(out), "--since", "2026-03-01", "--until", "2026-03-02", "--columns", "value")
    found = pl.read_parquet(out)
    assert found.columns == ["user", "ts", "type", "value"]
    wanted = asked(history, "select count(*), sum(value) from events where day between '2026-03-01' and '2026-03-02'")
    assert [(found.height, found["value"].sum())] == wanted
    run(history, "export", str(out), "--since", "2030-01-01")
    assert (pl.read_parquet(out).height, pl.read_parquet(out).columns) == (0, list(COLUMNS))


def test_of_erased_users_nothing_is_exported_before_their_rows_are_gone(tmp_path: Path) -> None:
    history, out = tmp_path / "history", tmp_path / "out.jsonl"
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, rows())))
    run(history, "import", str(tmp_path / "in.jsonl"))
    gone, at = "u0 =1+1", datetime(2026, 11, 1, tzinfo=UTC)
    theirs = sum(row["user"] == gone for row in rows())
    Erasures.make(history).register([(gone, "erase", at, at, 0, 1)])
    assert asked(history, f"select count(*) from events where \"user\" = '{gone}'") == [(theirs,)], "they wait for the next pass"
    done = export(history, out)
    assert (done.rows, done.erased) == (400 - theirs, theirs)
    assert theirs > 1
    assert gone not in out.read_text()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["out.txt"], "take one of .parquet, .csv, .jsonl"),
        (["out.csv", "--columns", "colour"], "there is no column 'colour'"),
        (["out.csv", "--since", "march"], "--since: a day such as"),
        (["out.csv", "--since", "2026-03-02", "--until", "2026-03-01"], "is after --until"),
        (["nowhere/out.csv"], "cannot write nowhere/out.csv"),
    ],
)
def test_what_cannot_be_written_is_said(history: Path, words: list[str], says: str) -> None:
    with pytest.raises(UsageFault, match=says):
        run(history, "export", *words)
