"""What is derived from events equals a plain count, whatever was appended, derived, merged and left undone, and by whatever rules."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights.history.derived import derive, snapshot
from insights.history.events import Events, Rules
from insights.history.faults import HistoryStale
from insights.history.maintenance import compact, crowded, tidy, vacuum
from insights.history.table import DataFile
from insights.history.tables import EVENTS
from tests.insights.history.histories import BERLIN, asked, ms_of
from tests.oracles import history as oracle
from tests.oracles.history import Row

MIDNIGHT_MS = 1_711_839_600_000  # 2024-03-31 in Berlin, a day of 23 hours, at the end of a month
MINUTE_MS = 60_000
KINDS = ("view", "purchase", "identify", "a 'quoted' one")
some_rows = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "it's"]),
        st.sampled_from([-24 * 60, -10, 0, 20, 50, 60 * 25, 60 * 48]).map(lambda minutes: MIDNIGHT_MS + minutes * MINUTE_MS),
        st.sampled_from(KINDS),
        st.sampled_from(["ads", "seo", None]),
        st.sampled_from([1.5, 4.0, None]),
        st.sampled_from([None, {}, {"plan": "pro"}, {"plan": "free", 'a "quoted" \\ one': 7}, {"plan": None, "team": ""}]),
    ),
    max_size=6,
)
STEPS = ("append", "derive", "compact", "compact whole", "rules")


def frame(rows: list[Row]) -> pl.DataFrame:
    times = pl.Series([row.ts_ms * 1000 for row in rows], dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    held = pl.DataFrame(
        {
            "user": pl.Series([row.user for row in rows], dtype=pl.String),
            "ts": times,
            "type": pl.Series([row.kind for row in rows], dtype=pl.String),
            "channel": pl.Series([row.channel for row in rows], dtype=pl.String),
            "value": pl.Series([row.value for row in rows], dtype=pl.Float64),
            "arrived": times,
            "part": pl.Series([row.place[0] for row in rows], dtype=pl.Int32),
            "off": pl.Series([row.place[1] for row in rows], dtype=pl.Int64),
            "event_id": pl.Series([row.place[2] for row in rows], dtype=pl.String),
            "props": pl.Series([json.dumps(row.props) if row.props else None for row in rows], dtype=pl.String),
        }
    )
    return held.with_columns(
        pl.lit(None, kind).alias(name) for name, kind in EVENTS.columns.items() if name not in held.columns and name != "day"
    )


def held(folder: Path, before_ms: int | None = None) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return the two derived views, times in ms."""
    days = asked(
        folder,
        'select "user", day, channel, events, sessions, types, purchases, revenue, first_ts, last_ts, month from user_day order by "user", day',
        before_ms,
    )
    assert all(str(row[1]).startswith(row[10]) for row in days)
    users = asked(
        folder, 'select "user", first_day, first_ts, channel, last_day, events, purchases, revenue from users order by "user"', before_ms
    )
    return [(*row[:8], *map(ms_of, row[8:10])) for row in days], [(*row[:2], ms_of(row[2]), *row[3:]) for row in users]


def told(folder: Path, before_ms: int | None = None) -> list[tuple[Any, ...]]:
    """Return the view of traits, times in ms."""
    return [(*row[:3], ms_of(row[3])) for row in sorted(asked(folder, 'select "user", name, value, ts from traits', before_ms))]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_views_are_exact_at_any_time(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder, rules = tmp_path_factory.mktemp("history"), BERLIN
    events = Events(folder, rules)
    every: list[Row] = []
    for step in data.draw(st.lists(st.sampled_from(STEPS), min_size=3, max_size=7)):
        if step == "append":
            drawn = data.draw(some_rows)
            places = ((0, len(every) + n, f"{len(every) + n}") for n in range(len(drawn)))
            rows = [Row(*one, place, props) for (*one, props), place in zip(drawn, places, strict=True)]
            events.append(frame(rows), {"s": len(every)}, {"s": len(every) + len(rows)}, events.table.standing)
            every += rows
        elif step == "derive":
            derive(folder)
        elif step == "rules":
            revenue, aside = data.draw(st.sampled_from([((), ()), (("view", "a 'quoted' one"), ("a 'quoted' one",))]))
            rules = replace(rules, revenue=revenue, set_aside=aside, session_gap_ms=20 * MINUTE_MS)
            events = Events(folder, rules)
        else:
            compact(events.table, over_before="9999" if step == "compact whole" else "")
    days = oracle.user_days(every, rules.timezone, rules.session_gap_ms, rules.revenue, rules.set_aside)
    assert held(folder) == (days, oracle.users(days))
    assert told(folder) == oracle.traits(every)
    cut_ms = data.draw(st.sampled_from([row.ts_ms for row in every] or [0])) + data.draw(st.sampled_from([-1, 0, 1, 60_000]))
    before = [row for row in every if row.ts_ms < cut_ms]
    days = oracle.user_days(before, rules.timezone, rules.session_gap_ms, rules.revenue, rules.set_aside)
    assert held(folder, cut_ms) == (days, oracle.users(days))
    assert told(folder, cut_ms) == oracle.traits(before)
    assert asked(folder, "select count(*) from events", cut_ms) == [(len(before),)]


def filled(folder: Path, times: int, events: Events | None = None) -> Events:
    events = events or Events(folder, BERLIN)
    for _ in range(times):
        at = events.table.position("s")
        events.append(
            frame([Row(f"u{at}", MIDNIGHT_MS, "view", None, None, (0, at, f"{at}"))]), {"s": at}, {"s": at + 1}, events.table.standing
        )
    return events


def test_what_is_clean_is_not_computed_again(tmp_path: Path) -> None:
    events = filled(tmp_path, 2)
    assert derive(tmp_path) == 1
    assert derive(tmp_path) == 0
    before = {one.path for one in snapshot(tmp_path).user_day.files()}  # type: ignore[union-attr]  # it was made above
    later = [Row("late", MIDNIGHT_MS + 40 * 24 * 60 * MINUTE_MS, "view", None, None, (0, 9, "9"))]
    events.append(frame(later), {}, {}, events.table.standing)
    assert snapshot(tmp_path).dirty == {"2024-05-10"}
    assert derive(tmp_path) == 1
    assert before < {one.path for one in snapshot(tmp_path).user_day.files()}  # type: ignore[union-attr]


def test_traits_are_added_to_those_that_were_known(tmp_path: Path) -> None:
    events = Events(tmp_path, BERLIN)
    plans = [("pro", 9), ("free", 5), ("team", 12)]  # the second comes late

    def tell(n: int) -> None:
        plan, minute = plans[n]
        row = Row("ann", MIDNIGHT_MS + minute * MINUTE_MS, "identify", None, None, (0, n, f"{n}"), {"plan": plan})
        events.append(frame([row]), {}, {}, events.table.standing)

    for n, newest in enumerate(("pro", "pro", "team")):
        tell(n)
        assert [row[2] for row in told(tmp_path)] == [newest]
        derive(tmp_path)
        assert [row[2] for row in told(tmp_path)] == [newest]
    version = snapshot(tmp_path).traits.version  # type: ignore[union-attr]  # it was made above
    derive(tmp_path)
    assert snapshot(tmp_path).traits.version == version  # type: ignore[union-attr]
    filled(tmp_path, 1, events)
    derive(tmp_path)
    at = snapshot(tmp_path)
    assert at.untold == []
    assert len(at.traits.files()) == 1  # type: ignore[union-attr]
    assert asked(tmp_path, "select count(*) from users where \"user\" = 'ann'") == [(0,)]


def test_merging_files_makes_no_day_dirty_and_keeps_all_rows(tmp_path: Path) -> None:
    events = filled(tmp_path, 9)
    derive(tmp_path)
    assert compact(events.table) == 9
    assert compact(events.table) == 0
    assert len(events.table.files()) == 1
    assert snapshot(tmp_path).dirty == frozenset()
    assert asked(tmp_path, "select count(*), count(distinct off) from events") == [(9, 9)]
    assert events.table.position("s") == 9


def test_of_two_that_merge_one_wins_and_no_row_is_doubled(tmp_path: Path) -> None:
    first = filled(tmp_path, 9)
    second = Events(tmp_path, BERLIN)
    compact(first.table)
    with pytest.raises(HistoryStale):
        compact(second.table)
    assert asked(tmp_path, "select count(*) from events") == [(9,)]


def test_a_merge_older_than_an_append_is_refused(tmp_path: Path) -> None:
    old = filled(tmp_path, 9)
    filled(tmp_path, 1, Events(tmp_path, BERLIN))
    with pytest.raises(HistoryStale):
        compact(old.table)
    assert asked(tmp_path, "select count(*) from events") == [(10,)]


def test_files_are_merged_only_with_files_of_about_their_size() -> None:
    def file(name: str, size: int) -> DataFile:
        return DataFile(name, "2024-01-01", size, 1)

    small = [file(f"s{n}", 5_000) for n in range(8)]
    large = [file("l", 400_000)]
    assert crowded([*large, *small]) == small
    assert crowded([*large, *small[:7]]) == []


def test_vacuum_takes_what_nobody_can_need_and_the_history_goes_on(tmp_path: Path) -> None:
    events = filled(tmp_path, 9)
    compact(events.table)
    before = events.table.standing
    assert vacuum(events.table, after_hours=0) == 9
    assert events.table.standing == before
    assert Events(tmp_path, BERLIN).table.standing == before
    filled(tmp_path, 1, events)
    assert asked(tmp_path, "select count(*) from events") == [(10,)]
    assert len(list((tmp_path / "events").rglob("*.parquet"))) - len(list((tmp_path / "events" / "_delta_log").glob("*.parquet"))) == 2


def test_what_was_derived_before_is_tidied_away_too(tmp_path: Path) -> None:
    events = filled(tmp_path, 1)
    derive(tmp_path)
    filled(tmp_path, 1, events)
    derive(tmp_path)
    assert tidy(tmp_path, events.table, after_hours=0) == 2  # a file of days, and one of users; nobody told a trait
    assert asked(tmp_path, "select count(*), (select count(*) from user_day) from users") == [(2, 2)]


def test_a_reader_keeps_its_snapshot(tmp_path: Path) -> None:
    from insights.history.reader import open_log

    events = filled(tmp_path, 9)
    log = open_log(tmp_path)
    compact(events.table)
    filled(tmp_path, 1, events)
    assert log.con.execute("select count(*) from events").fetchall() == [(9,)]
    assert log.as_of.events == 9


def test_what_other_rules_made_is_not_used(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    derive(tmp_path)
    Events(tmp_path, Rules("Europe/Berlin", 1, ()))
    assert snapshot(tmp_path).user_day is None
    derive(tmp_path)
    assert snapshot(tmp_path).dirty == frozenset()
    assert snapshot(tmp_path).users is not None
