"""Rows in order of time, rows of one time as they came, whatever was pending, in memory or on the disk; ids from what an event is."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.events.event import decode_event
from features.files.event_json import EventIds, payloads
from features.files.faults import FileRefused
from features.files.options import ReadOptions
from features.files.order import Order
from features.files.reader import EventFile
from features.files.summary import Summary
from features.files.whole import refuse_without_room

frames = st.lists(st.lists(st.integers(0, 6), max_size=8), max_size=8)


def filled(order: Order, times: list[list[int]]) -> pl.DataFrame:
    """Hand frames over; return all rows, numbered as they came."""
    number = 0
    every = []
    for some in times:
        frame = pl.DataFrame({"ts": some, "n": range(number, number + len(some))}, schema={"ts": pl.Int64, "n": pl.Int64})
        number += len(some)
        every.append(frame)
        order.add(frame)
    return pl.concat(every) if every else pl.DataFrame(schema={"ts": pl.Int64, "n": pl.Int64})


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=frames, run=st.integers(1, 9), part=st.integers(1, 4), memory=st.sampled_from([0, 200, 1 << 30]))
def test_batches_are_a_stable_sort(tmp_path: Path, times: list[list[int]], run: int, part: int, memory: int) -> None:
    folder = tmp_path / "spill"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    order = Order(folder, memory_bytes=memory, run_rows=run, part_rows=part)
    every = filled(order, times)
    batches = list(order.batches())
    found = pl.concat(batches) if batches else every.clear()
    assert found.equals(every.sort("ts", maintain_order=True))
    assert order.rows == every.height


def test_what_is_known_only_at_the_end_is_applied_to_what_was_spilled_before(tmp_path: Path) -> None:
    order = Order(tmp_path, memory_bytes=0, run_rows=2, part_rows=1)
    most = [10]

    def settle(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.filter(pl.col("ts") < most[0])

    for ts in ([1, 9], [5, 3]):
        order.add(pl.DataFrame({"ts": ts}), settle)
    assert order.spilled == 4
    most[0] = 5
    assert pl.concat(order.batches())["ts"].to_list() == [1, 3]


def test_a_folder_without_room_is_refused_before_a_run_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    order = Order(tmp_path, memory_bytes=0, run_rows=1)
    with pytest.raises(FileRefused, match="say --spill"):
        order.add(pl.DataFrame({"ts": [1]}))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_filled_by_another_meanwhile_is_refused(tmp_path: Path) -> None:
    """What is free was looked at before; others write there, too."""
    (tmp_path / "0.arrow").symlink_to("/dev/full")
    order = Order(tmp_path, memory_bytes=0, run_rows=1)
    with pytest.raises(FileRefused, match=r"No space left on device .* --spill"):
        order.add(pl.DataFrame({"ts": [1]}))


def test_a_file_that_cannot_fit_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "events.csv").write_bytes(b"x" * 10_000)
    file = EventFile(tmp_path / "events.csv", ReadOptions(now_ms=0), Summary("events.csv"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10_000, 7_000, 3_000))
    refuse_without_room([file], Order(tmp_path, memory_bytes=5_000))
    with pytest.raises(FileRefused, match="say --spill"):
        refuse_without_room([file], Order(tmp_path, memory_bytes=1_000))


def events(**columns: object) -> pl.DataFrame:
    n = len(next(iter(columns.values())))  # type: ignore[arg-type]
    base: dict[str, object] = {"user": ["ann"] * n, "ts": [1] * n, "type": ["x"] * n, "file": [0] * n}
    return pl.DataFrame(base | columns)


def ids_of(frame: pl.DataFrame, batch: int) -> list[str]:
    ids = EventIds()
    return [one for part in frame.iter_slices(batch) for one in ids.of(part)]


@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.integers(0, 1)), min_size=1, max_size=30), batch=st.integers(1, 7)
)
@settings(deadline=None)
def test_ids_do_not_depend_on_how_batches_are_cut_and_differ_within_a_file(rows: list[tuple[int, str, int]], batch: int) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    frame = events(ts=[row[0] for row in rows], user=[row[1] for row in rows], file=[row[2] for row in rows])
    found = ids_of(frame, batch)
    assert found == ids_of(frame, len(rows))
    for number in (0, 1):
        mine = [one for one, row in zip(found, rows, strict=True) if row[2] == number]
        assert len(set(mine)) == len(mine)


def test_an_event_in_two_files_has_one_id_and_any_other_content_another() -> None:
    same = ids_of(events(file=[0, 1]), 2)
    assert same[0] == same[1]
    for column, values in {"user": ["ann", "bob"], "ts": [1, 2], "type": ["x", "y"], "value": [1.0, 2.0], "item": ["a", None]}.items():
        assert len(set(ids_of(events(**{column: values}), 2))) == 2, column


def test_ids_stay_the_same_from_version_to_version() -> None:
    """A file sent before an upgrade and once more behind it must not be counted twice."""
    frame = events(value=[9.5], item=["i"], ts=[1_700_000_000_000])
    assert ids_of(frame, 1) == [GOLDEN]


GOLDEN = "6b2e51d373d64b49"


@given(st.text(max_size=8), st.text(max_size=8), st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)))
@settings(deadline=None)
def test_what_is_written_is_what_a_worker_reads(user: str, item: str, value: float | None) -> None:
    frame = events(user=[user], item=pl.Series([item]), value=pl.Series([value], dtype=pl.Float64), props=['{"a":1}'])
    keys, values = payloads(frame, EventIds())
    event = decode_event(values[0])
    assert (event.user, event.item, event.value, event.ts, bytes(event.props)) == (user, item, value, 1, b'{"a":1}')
    assert keys == [user.encode()]
