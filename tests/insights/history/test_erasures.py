"""Erasing in the history: nothing of an erased user is in any table or file, nothing of anybody else is missing, and nothing comes back."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from insights.history.derived import derive_all
from insights.history.erasing import delete, erase_all, pending, rows_of, unneeded
from insights.history.erasures import Erasures
from insights.history.events import Events
from insights.history.faults import HistoryStale
from insights.history.live.upkeep import Upkeep
from insights.history.reader import open_log
from insights.history.standing import Standing
from insights.history.status import status
from insights.history.table import Table
from insights.history.tables import ALERTS, EVENTS, USER_DAY
from stream.cli import app
from tests.insights.history.histories import BERLIN, asked, tend
from tests.oracles.erasures import Record, left

HOUR_MS = 3_600_000
START_MS = 1_760_000_000_000


def rows_of_log(log: Sequence[Record]) -> pl.DataFrame:
    props = [json.dumps({"granted": one.granted}) if one.kind == "consent" and not one.granted else None for one in log]
    frame = pl.DataFrame(
        {
            "user": pl.Series([one.user for one in log], dtype=pl.String),
            "ts": _times([one.ts_ms for one in log]),
            "type": pl.Series([one.kind for one in log], dtype=pl.String),
            "props": pl.Series(props, dtype=pl.String),
            "arrived": _times([one.arrived_ms for one in log]),
            "part": pl.Series([one.part for one in log], dtype=pl.Int32),
            "off": pl.Series([one.off for one in log], dtype=pl.Int64),
        }
    )
    return frame.with_columns(
        pl.lit(None, kind).alias(name) for name, kind in EVENTS.columns.items() if name not in frame.columns and name != "day"
    )


def _times(ms: Sequence[int]) -> pl.Series:
    return pl.Series([one * 1000 for one in ms], dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))


def made_up(seed: int, count: int = 40) -> list[Record]:
    chance = random.Random(seed)
    offsets, now, log = [0, 0], START_MS, list[Record]()
    for _ in range(count):
        now += chance.choice([0, 60_000, HOUR_MS, 20 * HOUR_MS])
        number = chance.randrange(8)
        part = number % 2
        kind = chance.choice(["view"] * 6 + ["erase", "consent"])
        ts = now - chance.choice([0, 0, 1, HOUR_MS, 30 * HOUR_MS])
        log.append(Record(f"user-{number}", ts, kind, now, part, offsets[part], granted=chance.random() < 0.7 or kind != "consent"))
        offsets[part] += 1
    return log


def append(events: Events, log: Sequence[Record], starts: dict[str, int]) -> None:
    ends = {f"clicks/t/{one.part}": one.off + 1 for one in log}
    while True:
        try:
            events.append(rows_of_log(log), {name: starts.get(name, 0) for name in ends}, ends, events.table.standing)
        except HistoryStale:
            events.renew()
        else:
            starts |= ends
            return


@settings(max_examples=5)
@given(seed=st.integers(0, 10_000))
def test_what_is_left_is_what_a_plain_reading_leaves(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder, chance = tmp_path_factory.mktemp("history"), random.Random(seed)
    log, at = made_up(seed), 0
    writers, starts = [Events(folder, BERLIN), Events(folder, BERLIN)], dict[str, int]()
    while at < len(log):
        size = chance.choice([1, 3, 20])
        append(chance.choice(writers), log[at : at + size], starts)
        at += size
        tend(folder, chance)
    erase_all(folder)
    expected = left(log)
    assert sorted(asked(folder, "select part, off from events")) == expected
    assert pending(folder) == 0
    standing = Table.open(folder, EVENTS).standing
    assert (standing.rows, standing.rows + standing.erased) == (len(expected), len(log))
    derived = dict(asked(folder, 'select "user", events from users'))
    assert derived == dict(asked(folder, """select "user", count(*) from events where type <> 'consent' group by "user" """))


def content(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield all bytes of a history as they are, and those of its Parquet files unpacked."""
    for one in sorted(folder.rglob("*")):
        if one.is_file():
            yield one, one.read_bytes()
            if one.suffix == ".parquet":
                yield one, pl.read_parquet(one, hive_partitioning=False).write_json().encode()


def found_in(folder: Path, name: str) -> list[Path]:
    return sorted({one for one, some in content(folder) if name.encode() in some})


def a_history(folder: Path) -> Events:
    """Days of events of three users; on one day, and in one month, there is nobody but Ann."""
    events, log = Events(folder, BERLIN), list[Record]()
    for day in range(6):
        for number, user in enumerate(("ann-4711", "bob", "cyd") if day else ("ann-4711",)):
            at = START_MS + (day * 24 + number) * HOUR_MS
            log.append(Record(user, at, "view", at, 0, len(log)))
    append(events, log, {})
    derive_all(folder)
    return events


def erased(folder: Path, user: str, at_ms: int) -> Erasures:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return Erasures.make(folder).register([(user, "erase", at, at, -1, 0)])


NOW_MS = START_MS + 1000 * HOUR_MS


def test_no_byte_of_the_id_is_in_any_file(tmp_path: Path) -> None:
    events = a_history(tmp_path)
    events.table.write("2025-10-09", rows_of_log([Record("ann-4711", START_MS, "view", START_MS, 0, 99)]))  # a killed writer left it
    assert len(found_in(tmp_path, "ann-4711")) > 6
    erased(tmp_path, "ann-4711", NOW_MS)
    removed = erase_all(tmp_path)
    assert removed.rows == {"events": 6, "traits": 0}
    delete(removed.left, 0)
    assert found_in(tmp_path, "ann-4711") == []
    assert rows_of(tmp_path, ["ann-4711"]) == {"events": 0, "traits": 0, "user_day": 0, "users": 0}
    assert rows_of(tmp_path, ["bob"]) == {"events": 5, "traits": 0, "user_day": 5, "users": 1}
    assert len(asked(tmp_path, "select * from user_day")) == 10


def test_a_day_that_only_they_had_is_theirs_no_more(tmp_path: Path) -> None:
    a_history(tmp_path)
    first = min(asked(tmp_path, "select day from user_day where \"user\" = 'ann-4711'"))[0]
    assert asked(tmp_path, f"select count(*) from user_day where day = date '{first}'") == [(1,)]
    erased(tmp_path, "ann-4711", NOW_MS)
    erase_all(tmp_path)
    assert asked(tmp_path, f"select count(*) from user_day where day = date '{first}'") == [(0,)]
    derived = pl.concat([Table.open(tmp_path, USER_DAY).read(Table.open(tmp_path, USER_DAY).files())])
    assert "ann-4711" not in derived["user"].to_list()


def test_whoever_reads_meanwhile_sees_their_snapshot_to_its_end(tmp_path: Path) -> None:
    a_history(tmp_path)
    log = open_log(tmp_path)
    erased(tmp_path, "ann-4711", NOW_MS)
    removed = erase_all(tmp_path)
    for table in ("events", "user_day", "users"):
        assert log.con.execute(f"select count(*) from {table} where \"user\" = 'ann-4711'").fetchall()[0][0] > 0
    log.con.close()
    delete(removed.left, 0)
    assert asked(tmp_path, "select count(*) from events") == [(10,)]


def test_a_file_of_another_commit_is_not_taken_away(tmp_path: Path) -> None:
    events = a_history(tmp_path)
    erased(tmp_path, "ann-4711", NOW_MS)
    erase_all(tmp_path)
    table = Table.open(tmp_path, EVENTS)
    being_written = table.write("2025-10-20", rows_of_log([Record("bob", NOW_MS, "view", NOW_MS, 0, 900)]))
    assert tmp_path / "events" / being_written.path not in unneeded(table)
    table.commit(Standing(), adds=[being_written])
    assert {tmp_path / "events" / one.path for one in table.files()}.isdisjoint(unneeded(table))
    del events


def test_the_same_file_does_not_bring_them_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "history"
    monkeypatch.setenv("CHURNWATCH_HISTORY", str(folder))
    monkeypatch.chdir(tmp_path)
    lines = [f"{user},{START_MS + n * HOUR_MS},view" for n in range(20) for user in ("ann-4711", "bob")]
    (tmp_path / "a.csv").write_text("\n".join(["user,ts,type", *lines, ""]))
    (tmp_path / "b.csv").write_text("\n".join(["user,ts,type", *lines, f"ann-4711,{START_MS},click", ""]))

    def run(*words: str) -> None:
        done = CliRunner().invoke(app, ["history", "import", *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output

    run("a.csv")
    erased(folder, "ann-4711", NOW_MS)
    erase_all(folder)
    run("a.csv")
    run("b.csv")
    assert asked(folder, 'select distinct "user" from events') == [("bob",)]
    assert status(folder)["rows_erased"] == 20 + 21
    assert (status(folder)["events"], status(folder)["users_to_erase"]) == (20, 0)


def test_a_consent_lets_back_what_comes_after_and_nothing_from_before(tmp_path: Path) -> None:
    events, log = Events(tmp_path, BERLIN), list[Record]()

    def then(hours: int, kind: str, ts_hours: int | None = None, *, granted: bool = True) -> None:
        at = START_MS + hours * HOUR_MS
        log.append(Record("ann", at if ts_hours is None else START_MS + ts_hours * HOUR_MS, kind, at, 0, len(log), granted))

    then(0, "view")
    then(1, "erase")
    then(2, "view")
    then(3, "consent", granted=False)
    then(4, "view")
    then(5, "consent", 0)  # given before, and sent again
    then(6, "view")
    then(7, "consent")
    then(8, "view")
    then(9, "view", 0)  # late, from before
    then(10, "erase", 1)  # sent again
    then(11, "view")
    append(events, log, {})
    assert asked(tmp_path, "select off from events order by off") == [(7,), (8,), (11,)] == [(off,) for _, off in left(log)]


def test_a_place_in_another_topic_is_no_place_of_the_clicks(tmp_path: Path) -> None:
    """An alert from after the consent lies near the beginning of its own topic."""
    place, later = {"part": 0, "off": 1}, datetime.fromtimestamp(START_MS / 1000, UTC) + timedelta(days=9)
    row = {"alert_id": "a1", "type": "opened", "user": "ann", "definition": "gone", "landmark": later, "event_time": later} | place
    frame = pl.DataFrame([row]).with_columns(
        pl.lit(None, kind).alias(name) for name, kind in ALERTS.columns.items() if name not in {*row, ALERTS.partition}
    )
    Events(tmp_path, BERLIN)
    table = Table.create(tmp_path, ALERTS, {})
    held = frame.select(pl.col(name).cast(kind) for name, kind in ALERTS.in_files.items())
    table.commit(Standing(rows=1), adds=[table.write(str(later.date()), held)])
    at = datetime.fromtimestamp(START_MS / 1000, UTC)
    consent = at + timedelta(days=1)
    Erasures.make(tmp_path).register([("ann", "erase", at, at, 0, 500), ("ann", "consent", consent, consent, 0, 900)])
    assert not erase_all(tmp_path).rows.get("alerts")
    assert Table.open(tmp_path, ALERTS).standing.rows == 1


def test_the_salt_is_the_tables_own_and_no_record_holds_an_id(tmp_path: Path) -> None:
    one, other = erased(tmp_path / "a", "ann-4711", NOW_MS), erased(tmp_path / "b", "ann-4711", NOW_MS)
    assert one.digest("ann-4711") != other.digest("ann-4711")
    assert one.digest("ann-4711") == Erasures.make(tmp_path / "a").digest("ann-4711")
    assert one.of(["ann-4711"]).keys() == {"ann-4711"}
    assert found_in(tmp_path, "ann-4711") == []


def test_the_same_record_is_noted_once(tmp_path: Path) -> None:
    at = datetime.fromtimestamp(NOW_MS / 1000, UTC)
    record = ("ann", "erase", at, at - timedelta(seconds=1), 3, 77)
    first = Erasures.make(tmp_path).register([record, record])
    assert first.register([record]).version == first.version
    assert Erasures.make(tmp_path).records.height == 1


def test_several_may_make_the_table_at_once(tmp_path: Path) -> None:
    begin = threading.Barrier(4)

    def make(number: int) -> str:
        begin.wait()
        return Erasures.make(tmp_path / f"{number // 4}").digest("ann")

    with ThreadPoolExecutor(4) as pool:
        digests = list(pool.map(make, range(20)))
    assert [len(set(digests[at : at + 4])) for at in range(0, 20, 4)] == [1] * 5


def test_the_writer_does_it_by_itself(tmp_path: Path) -> None:
    events, done = a_history(tmp_path), list[str]()
    erased(tmp_path, "ann-4711", NOW_MS)
    upkeep = Upkeep(tmp_path, events, lambda what, _: done.append(what), erase_every_s=0.0)
    events.renew()
    while "erase" not in done:
        upkeep._not_before = 0.0
        upkeep.piece()
    assert asked(tmp_path, 'select distinct "user" from events order by 1') == [("bob",), ("cyd",)]
