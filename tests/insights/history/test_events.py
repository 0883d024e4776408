"""The table of events: each event once, positions with the rows, one of two writers wins, nothing of a user in the log."""

from __future__ import annotations

from pathlib import Path

import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights.history.disk import LOG, drop_torn_entry
from insights.history.events import Events, Rules
from insights.history.faults import HistoryRefused, HistoryStale
from insights.history.standing import Standing
from insights.history.table import CHECKPOINT_EVERY, standing_of
from tests.insights.history.histories import BERLIN, asked, in_order, read_back, rows_of
from tests.oracles.history import Event, day_of, kept

MIDNIGHT_MS = 1_711_839_600_000  # 2024-03-31 in Berlin, a day of 23 hours
HOUR_MS = 3_600_000
some_events = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob"]),
        st.integers(-30, 60).map(lambda hours: MIDNIGHT_MS + hours * HOUR_MS),
        st.sampled_from(["view", "purchase"]),
        st.sampled_from(["1", "2", "3", None]),
    ),
    max_size=12,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(some_events, min_size=1, max_size=3), anew=st.booleans())
def test_a_history_holds_what_a_plain_list_says(tmp_path_factory: pytest.TempPathFactory, batches: list[list[Event]], anew: bool) -> None:
    folder = tmp_path_factory.mktemp("history")
    events, at = Events(folder, BERLIN), 0
    for batch in batches:
        if anew:
            events = Events(folder, BERLIN)
        events.append(rows_of(batch, first=at), {"clicks/t/0": at}, {"clicks/t/0": at + len(batch)}, events.table.standing)
        at += len(batch)
    wanted = kept([one for batch in batches for one in batch], BERLIN.timezone)
    assert read_back(folder) == in_order(wanted)
    days = {(one[0], one[1]) for one in asked(folder, "select ts, day from events")}
    assert days == {(ts, day_of(round(ts.timestamp() * 1000), BERLIN.timezone)) for ts, _ in days}
    assert events.table.position("clicks/t/0") == at
    assert events.table.standing.rows == len(wanted)
    assert events.table.standing.repeats == at - len(wanted)


def one(user: str = "ann", event_id: str = "1") -> list[Event]:
    return [(user, MIDNIGHT_MS, "view", event_id)]


def test_of_two_writers_one_wins_and_the_other_begins_again(tmp_path: Path) -> None:
    first, second = Events(tmp_path, BERLIN), Events(tmp_path, BERLIN)
    first.append(rows_of(one()), {"s": 0}, {"s": 1}, Standing())
    with pytest.raises(HistoryStale):
        second.append(rows_of(one()), {"s": 0}, {"s": 1}, Standing())
    second.renew()
    with pytest.raises(HistoryStale):  # the rows begin where the source is not any more
        second.append(rows_of(one()), {"s": 0}, {"s": 1}, second.table.standing)
    second.append(rows_of(one(event_id="2"), first=1), {"s": 1}, {"s": 2}, second.table.standing)
    assert read_back(tmp_path) == in_order(one() + one(event_id="2"))


def test_a_repeat_is_seen_though_another_writer_wrote_the_first(tmp_path: Path) -> None:
    first, second = Events(tmp_path, BERLIN), Events(tmp_path, BERLIN)
    first.append(rows_of(one()), {"s": 0}, {"s": 1}, Standing())
    second.renew()
    second.append(rows_of(one("bob")), {"other": 0}, {"other": 1}, second.table.standing)
    first.renew()
    first.append(rows_of(one("bob")), {"s": 1}, {"s": 2}, first.table.standing)
    assert read_back(tmp_path) == in_order(one() + one("bob"))


def test_the_log_holds_no_id_of_a_user(tmp_path: Path) -> None:
    events = Events(tmp_path, BERLIN)
    for n in range(CHECKPOINT_EVERY + 2):
        events.append(rows_of(one("somebody", str(n))), {"s": n}, {"s": n + 1}, events.table.standing)
    log = sorted((tmp_path / "events" / LOG).iterdir())
    assert any(name.name.endswith(".checkpoint.parquet") for name in log)
    assert not [name for name in log if b"somebody" in name.read_bytes()]
    assert [name for name in (tmp_path / "events").rglob("day=*/*.parquet") if b"somebody" in name.read_bytes()]


def test_another_time_zone_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    Events(tmp_path, BERLIN)
    with pytest.raises(HistoryRefused, match=r"Europe/Berlin.*history\.dir"):
        Events(tmp_path, Rules("UTC", 1_800_000, ("purchase",)))


def test_what_is_money_may_change(tmp_path: Path) -> None:
    Events(tmp_path, BERLIN)
    other = Rules("Europe/Berlin", 60_000, ("order", "refund"))
    assert Events(tmp_path, other).rules == Rules.of(Events(tmp_path, other).table.properties) == other


@pytest.mark.parametrize("cut", [0, 1, 200, -1])
def test_an_entry_torn_by_a_power_cut_is_dropped_and_its_rows_are_read_again(tmp_path: Path, cut: int) -> None:
    events = Events(tmp_path, BERLIN)
    events.append(rows_of(one()), {"s": 0}, {"s": 1}, Standing())
    events.append(rows_of(one("bob"), first=1), {"s": 1}, {"s": 2}, events.table.standing)
    last = tmp_path / "events" / LOG / f"{events.table.version:020d}.json"
    last.write_bytes(last.read_bytes()[:cut])
    again = Events(tmp_path, BERLIN)
    assert again.table.position("s") == 1
    assert again.table.standing.rows == 1
    again.append(rows_of(one("bob"), first=1), {"s": 1}, {"s": 2}, again.table.standing)
    assert read_back(tmp_path) == in_order(one() + one("bob"))
    assert not drop_torn_entry(tmp_path / "events")


def test_a_snapshot_says_what_it_holds_and_not_what_came_after(tmp_path: Path) -> None:
    events = Events(tmp_path, BERLIN)
    events.append(rows_of(one()), {"s": 0}, {"s": 1}, Standing())
    old = DeltaTable(tmp_path / "events")
    events.append(rows_of(one("bob"), first=1), {"s": 1}, {"s": 2}, events.table.standing)
    assert standing_of(old).rows == 1
    assert standing_of(DeltaTable(tmp_path / "events")).rows == 2
