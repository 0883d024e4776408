"""Answers come from a process beside ours, are kept, and are made again when the history goes on; whatever happens to that process is said in words."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
import pytest

from insights.analyses.as_plain import entry_of
from insights.analyses.catalog import CATALOG
from insights.analyses.plain import Cell
from insights.asked import version
from insights.asked.asked import Answer, Asked
from insights.asked.child import NoAnswer
from insights.asked.messages import AskSql, Faulted, Listed
from insights.asked.scratch import PREFIX, Scratch
from insights.history.tables import ALERTS, FOLLOWED
from insights.written.rows import json_of
from tests.insights.asked.conftest import Clock
from tests.insights.example import append, said
from tests.servers.process import wait_until

WAIT_S = 120.0
PAST: dict[str, object] = {"since": "2026-02-02", "until": "2026-02-08"}
ENDLESS = "select sum(a.range * b.range) from range(100000000) a, range(1000000) b"


def test_whoever_only_asks_need_not_load_what_computes() -> None:
    code = "import sys, insights.asked.asked, insights.written.tables, insights.written.said, insights.written.rows; print([one for one in ('polars', 'duckdb', 'deltalake', 'numpy') if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert done.stdout.strip() == "[]"


async def test_an_answer_is_that_of_the_command_line(asked: Asked, history: Path) -> None:
    answer = await asked.ask("retention", {"unit": "week", "by": "channel"}, persons=True, wait_s=WAIT_S)
    assert answer.state == "ready", answer.words
    assert answer.result is not None
    assert answer.as_of is not None
    assert json.loads(json_of(answer.result)) == json.loads(said(history, ["retention", "--unit", "week", "--by", "channel", "--json"]))


def test_the_catalog_is_that_of_the_processes(asked: Asked) -> None:
    assert asked.catalog() == {one.name: entry_of(one) for one in CATALOG.values()}


def grown(folder: Path, events: list[dict[str, object]], name: str = "more") -> None:
    """Put more events into a history."""
    from typer.testing import CliRunner

    from stream.cli import app

    file = folder.parent / f"{name}.jsonl"
    file.write_bytes(b"\n".join(map(msgspec.json.encode, events)))
    done = CliRunner(env={"CHURNWATCH_HISTORY": str(folder)}).invoke(app, ["history", "import", str(file)], catch_exceptions=False)
    assert done.exit_code == 0, done.output


def copy_of(history: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(history, tmp_path / "history"))


def pids(asked: Asked) -> list[int]:
    return [child.pid for child in asked.crew._idle]


async def ready(asked: Asked, name: str, parameters: dict[str, object]) -> Answer:
    answer = await asked.ask(name, parameters, persons=True, wait_s=WAIT_S)
    assert answer.state == "ready", answer
    return answer


async def test_what_was_found_is_there_after_a_restart_and_nothing_is_computed(opened: Callable[..., Asked]) -> None:
    first = await ready(opened(), "lifecycle", {"unit": "week"})
    again = opened()
    answer = await again.ask("lifecycle", {"unit": "week", "limit": "10"}, persons=True)  # the default, so the same question
    assert (answer.state, answer.result) == ("ready", first.result)
    assert pids(again) == []
    assert (await again.ask("lifecycle", {"unit": "month"}, persons=True)).state == "running"


async def test_two_pages_of_a_store_do_not_compute_the_same(opened: Callable[..., Asked]) -> None:
    one, other = opened(), opened()
    one.catalog()
    assert one.look("stickiness", {}, persons=True).state == "running"
    assert other.look("stickiness", {}, persons=True).state == "running"
    assert (one.crew.waiting, other.crew.waiting) == (1, 0)
    found = await ready(one, "stickiness", {})
    assert other.look("stickiness", {}, persons=True).result == found.result


async def test_a_history_that_went_on_is_asked_again_behind_the_old_answer(
    opened: Callable[..., Asked], history: Path, tmp_path: Path, clock: Clock
) -> None:
    folder = copy_of(history, tmp_path)
    asked = opened(folder=folder)
    old = await ready(asked, "active_users", {})
    past = await ready(asked, "active_users", PAST)
    grown(folder, [{"user": "new", "ts": "2026-03-30T10:00:00Z", "type": "open"}])
    assert (await asked.ask("active_users", {}, persons=True)).state == "ready"  # made a moment ago: a writer commits every few seconds
    clock.now_ms += 3_600_000
    answer = await asked.ask("active_users", {}, persons=True)
    assert (answer.state, answer.result) == ("refreshing", old.result)
    wait_until(lambda: asked.look("active_users", {}, persons=True).state == "ready", WAIT_S, "the newer answer is there")
    newer = asked.look("active_users", {}, persons=True).result
    assert newer is not None
    assert newer.as_of.watermark > old.as_of.watermark  # type: ignore[operator, union-attr]  # there are events
    # days that are over: the same answer holds, as of then, and was not computed again
    wait_until(lambda: asked.look("active_users", PAST, persons=True).state == "ready", WAIT_S, "it was looked at")
    still = await ready(asked, "active_users", PAST)
    assert still.result == past.result
    # until one of those days is rewritten
    grown(folder, [{"user": "late", "ts": "2026-02-03T10:00:00Z", "type": "open"}], "late")
    clock.now_ms += 3_600_000
    wait_until(lambda: asked.look("active_users", PAST, persons=True).state == "ready", WAIT_S, "it was looked at")
    rewritten = await ready(asked, "active_users", PAST)
    assert rewritten.result != past.result


async def test_an_answer_that_rests_on_what_the_engine_said_is_old_when_more_was_said(
    opened: Callable[..., Asked], history: Path, tmp_path: Path, clock: Clock
) -> None:
    folder = copy_of(history, tmp_path)
    asked = opened(folder=folder)
    old, other = await ready(asked, "reasons", {}), await ready(asked, "stickiness", {})
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    alert = {"alert_id": "f" * 32, "type": "opened", "user": "somebody else", "definition": "churn14", "landmark": at, "event_time": at, "part": 0, "off": 10**6,
             "reason_codes": ["silence"], "reasons": ["silence"]}  # fmt: skip
    append(folder, ALERTS, pl.DataFrame([alert]))
    clock.now_ms += 3_600_000
    assert asked.look("reasons", {}, persons=True).state == "refreshing"
    assert asked.look("stickiness", {}, persons=True).state == "ready", "no event came"
    wait_until(lambda: asked.look("reasons", {}, persons=True).state == "ready", WAIT_S, "the newer answer is there")
    newer = asked.look("reasons", {}, persons=True).result
    assert newer is not None
    assert newer != old.result
    assert asked.look("stickiness", {}, persons=True).result == other.result


def test_versions_know_the_tables_of_what_the_engine_said() -> None:
    assert set(version.FOLLOWED) == {spec.name for spec in FOLLOWED}


def folders(there: Path) -> set[str]:
    return {one.name for one in there.glob(f"{PREFIX}*")}


async def test_no_folder_stays_behind_however_a_process_ended(
    opened: Callable[..., Asked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = Scratch()
    (left.folder / "spilled").write_bytes(b"x")
    other = Scratch()
    os.close(left._lock)  # as when its owner is killed
    asked = opened()
    assert folders(tmp_path) == {other.folder.name}, "a start clears what nobody owns, and nothing else"
    await asked.sql("select 1", 1)
    (there,) = folders(tmp_path) - {other.folder.name}
    child = asked.crew.child()
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(NoAnswer):
        child.ask(AskSql("select 1", 1), 10)
    assert there not in folders(tmp_path)
    await asked.sql("select 1", 1)
    asked.close()
    other.remove()
    assert folders(tmp_path) == set()


async def test_a_process_that_is_gone_takes_one_question_with_it(asked: Asked) -> None:
    await asked.sql("select 1", 1)
    for pid in pids(asked):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids(asked)), 10, "they are gone")
    answer = await asked.ask("lifecycle", {"unit": "month"}, persons=True, wait_s=WAIT_S)
    assert (answer.state, answer.reason) == ("refused", "ended")
    assert "page.analyses_memory" in answer.words
    asked.again(answer.key)
    await ready(asked, "lifecycle", {"unit": "month"})


async def test_a_question_that_takes_too_long_is_stopped(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    asked.catalog()
    monkeypatch.setattr(asked.crew, "seconds", 0.5)
    found = await asked.sql(ENDLESS, 10)
    assert isinstance(found, Faulted)
    assert found.reason == "too_long"
    assert not asked.crew.waiting


async def test_a_question_that_takes_too_much_memory_is_refused_and_the_next_is_answered(opened: Callable[..., Asked]) -> None:
    asked = opened(memory_mb=1_024)
    hog = "select list(repeat('x', 1000) || range) from range(20000000)"
    found = await asked.sql(hog, 10)
    assert isinstance(found, Faulted)
    assert found.reason in {"usage", "too_big", "ended"}
    assert "memory" in found.words
    rows = await asked.sql("select count(*) as n from events", 10)
    assert isinstance(rows, Listed)
    assert rows.rows.columns["n"][0] > 0


async def test_somebody_may_stop_a_question(asked: Asked) -> None:
    asked.catalog()
    answer = asked.look("paths_into_silence", {}, persons=True)
    asked.cancel(answer.key)
    answer = await asked.ask("paths_into_silence", {}, persons=True, wait_s=WAIT_S)
    assert (answer.state, answer.reason) == ("refused", "cancelled")


async def test_whoever_goes_away_stops_what_is_kept_by_nobody(asked: Asked) -> None:
    asked.catalog()
    going = asyncio.create_task(asked.sql(ENDLESS, 10))
    await asyncio.to_thread(wait_until, lambda: asked.crew.waiting == 1, WAIT_S, "it is asked")
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    wait_until(lambda: not asked.crew.waiting, WAIT_S, "it is stopped")


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("fame", {}, "no analysis"),
        ("retention", {"unit": "year"}, "hour, day"),
        ("retention", {"colour": "red"}, "colour"),
        ("clusters", {"like": "x"}, "like"),
    ],
)
def test_a_wrong_question_is_refused_before_anything_is_computed(asked: Asked, name: str, parameters: dict[str, object], says: str) -> None:
    answer = asked.look(name, parameters, persons=True)
    assert (answer.state, answer.reason) == ("refused", "usage")
    assert says in answer.words
    assert not asked.crew.waiting


def test_without_a_history_nothing_is_started(opened: Callable[..., Asked], tmp_path: Path) -> None:
    asked = opened(folder=tmp_path / "none")
    answer = asked.look("retention", {}, persons=True)
    assert (answer.state, asked.has_history) == ("no_history", False)
    assert "history import" in answer.words
    assert pids(asked) == []


async def test_the_people_behind_a_cell_are_as_many_as_it_says(asked: Asked) -> None:
    found = await ready(asked, "retention", {"unit": "week"})
    assert found.result is not None
    row = next(row for row in found.result.rows.dicts() if row["metric"] == "retention" and row["k"] == 1 and row["n"] > 3)
    cell = Cell(metric="retention", cohort=row["cohort"], k=1)
    people = await asked.people("retention", {"unit": "week"}, cell, 1_000)
    assert isinstance(people, Listed)
    assert (people.rows.height, people.more) == (row["n"], False)
    fewer = await asked.people("retention", {"unit": "week"}, cell, 2)
    assert isinstance(fewer, Listed)
    assert (fewer.rows.height, fewer.more) == (2, True)
    wrong = await asked.people("retention", {"unit": "week"}, Cell(metric="retention", cohort="2020-01-06", k=1), 10)
    assert isinstance(wrong, Faulted)
    assert wrong.reason == "usage"


async def test_a_parquet_file_holds_the_rows(asked: Asked, tmp_path: Path) -> None:
    import polars as pl

    found = await ready(asked, "lifecycle", {"unit": "week"})
    assert found.result is not None
    data = await asked.parquet(found.result)
    assert isinstance(data, bytes)
    (tmp_path / "rows.parquet").write_bytes(data)
    assert pl.read_parquet(tmp_path / "rows.parquet").to_dicts() == found.result.rows.dicts()
