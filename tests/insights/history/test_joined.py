"""Joined ids: what alias events come to, in the views at any time, whatever was derived, merged or came late; and in the answers of analyses."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from insights.history.derived import derive, snapshot
from insights.history.events import Events
from insights.history.joined import settled
from insights.history.live.verify import joins
from insights.history.maintenance import compact
from insights.history.persons import told_of
from insights.history.table import Table
from insights.history.tables import EVENTS, IDS
from stream.cli import app
from tests.insights.history.histories import BERLIN, asked
from tests.insights.history.test_derived import MIDNIGHT_MS, MINUTE_MS, frame, held, told
from tests.oracles import history as oracle
from tests.oracles.history import Row
from tests.oracles.history_ids import Told, persons

some_told = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde"), st.integers(0, 3)), max_size=10)


@settings(max_examples=100)
@given(some=some_told)
@example(some=[("a", "b", 0), ("b", "c", 1)])  # a chain
@example(some=[("a", "b", 0), ("a", "c", 1)])  # one device, two persons
@example(some=[("a", "b", 0), ("b", "a", 1)])  # a circle
@example(some=[("a", "b", 1), ("a", "c", 0)])  # the second came first
@example(some=[("a", "a", 0), ("a", "b", 0)])
def test_ids_come_to_what_a_plain_walk_finds(some: list[tuple[str, str, int]]) -> None:
    every = [Told(*one, off) for off, one in enumerate(some)]
    rows = [
        {"id": one.previous, "user": one.user, "ts": datetime.fromtimestamp(one.ts_ms, UTC), "part": 0, "off": one.off} for one in every
    ]
    schema = {name: kind for name, kind in IDS.columns.items() if name != "person"}
    found = settled(pl.DataFrame(rows, schema=schema).sample(fraction=1.0, shuffle=True, seed=3))
    assert dict(found.filter(pl.col("person").is_not_null()).select("id", "person").iter_rows()) == persons(every)
    assert found.height == len(every)


NAMES = ("anon-1", "anon-2", "ann", "bob")
alias = st.tuples(st.sampled_from(NAMES), st.sampled_from(["previous_id", "previousId"])).map(lambda one: {one[1]: one[0]})
row = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from([-24 * 60, -10, 0, 20, 50, 60 * 25, 60 * 48]).map(lambda minutes: MIDNIGHT_MS + minutes * MINUTE_MS),
    st.sampled_from(["ads", "seo", None]),
    st.sampled_from([1.5, 4.0, None]),
    st.one_of(
        st.tuples(st.sampled_from(["view", "purchase"]), st.none()),
        st.tuples(st.just("alias"), st.one_of(alias, alias, st.sampled_from([None, {}, {"previous_id": ""}, {"previous_id": ["ann"]}]))),
        st.tuples(st.just("identify"), st.sampled_from([{"plan": "pro"}, {"plan": "free"}])),
    ),
)
STEPS = ("append", "append", "derive", "compact", "compact whole")


def joined_by_hand(rows: list[Row]) -> list[Row]:
    told = [
        Told(str(named), one.user, one.ts_ms, one.place[1])
        for one in rows
        if one.kind == "alias" and isinstance(named := (one.props or {}).get("previous_id") or (one.props or {}).get("previousId"), str)
    ]
    whose = persons(told)
    return [one._replace(user=whose.get(one.user, one.user)) for one in rows]


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_views_are_those_of_a_log_with_ids_joined_by_hand(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("history")
    events = Events(folder, BERLIN)
    every: list[Row] = []
    for step in data.draw(st.lists(st.sampled_from(STEPS), min_size=3, max_size=8)):
        if step == "append":
            drawn = data.draw(st.lists(row, max_size=6))
            rows = [
                Row(user, ts, kind, channel, value, (0, len(every) + n, f"{len(every) + n}"), props)
                for n, (user, ts, channel, value, (kind, props)) in enumerate(drawn)
            ]
            events.append(frame(rows), {"s": len(every)}, {"s": len(every) + len(rows)}, events.table.standing)
            every += rows
        elif step == "derive":
            derive(folder)
        else:
            compact(events.table, over_before="9999" if step == "compact whole" else "")
    joined = joined_by_hand(every)
    days = oracle.user_days(joined, BERLIN.timezone, BERLIN.session_gap_ms, BERLIN.revenue, BERLIN.set_aside)
    assert held(folder) == (days, oracle.users(days))
    assert told(folder) == oracle.traits(joined)
    assert sorted(asked(folder, 'select off, "user" from events')) == [(one.place[1], one.user) for one in joined]
    cut = MIDNIGHT_MS + 55 * MINUTE_MS
    joined = joined_by_hand([one for one in every if one.ts_ms < cut])
    days = oracle.user_days(joined, BERLIN.timezone, BERLIN.session_gap_ms, BERLIN.revenue, BERLIN.set_aside)
    assert held(folder, cut) == (days, oracle.users(days)), "as of a time, only ids that were joined before it are"
    if every:
        assert joins(snapshot(folder), told_of(Table.open(folder, EVENTS)))[1] == 0


def row_of(user: str, minute: int, kind: str, off: int, props: dict[str, Any] | None = None) -> Row:
    return Row(user, MIDNIGHT_MS + minute * MINUTE_MS, kind, None, None, (0, off, f"{off}"), props)


def put(events: Events, *rows: Row) -> None:
    events.append(frame(list(rows)), {}, {}, events.table.standing)


def test_only_persons_who_have_moved_are_computed_again(tmp_path: Path) -> None:
    events = Events(tmp_path, BERLIN)
    put(events, row_of("anon", 0, "view", 0), row_of("bob", 5, "view", 1), row_of("far", 60 * 24 * 40, "view", 2))
    derive(tmp_path)
    before = {one.path for one in snapshot(tmp_path).user_day.files()}  # type: ignore[union-attr]  # it was made above
    put(events, row_of("ann", 60 * 24 * 5, "alias", 3, {"previous_id": "anon"}))
    assert [row[0] for row in held(tmp_path)[1]] == ["ann", "bob", "far"]
    derive(tmp_path)
    assert [row[0] for row in held(tmp_path)[1]] == ["ann", "bob", "far"]
    after = {one.path for one in snapshot(tmp_path).user_day.files()}  # type: ignore[union-attr]  # as above
    assert len(before & after) == 1, "the month in which nobody moved is as it was"
    assert not snapshot(tmp_path).unheard


def test_a_history_without_aliases_has_no_table_of_ids_and_looks_for_none(tmp_path: Path) -> None:
    events = Events(tmp_path, BERLIN)
    put(events, row_of("ann", 0, "view", 0))
    assert events.table.standing.aliased == 0
    assert snapshot(tmp_path).unheard == []
    derive(tmp_path)
    assert not (tmp_path / "ids").exists()
    sql = "select sql from duckdb_views() where view_name in ('events', 'user_day', 'users', 'traits') and sql ilike '% join %'"
    assert asked(tmp_path, sql) == []


def lines(path: Path, *events: tuple[str, int, str, dict[str, str] | None]) -> Path:
    said = (
        {"user": user, "ts": MIDNIGHT_MS + minute * MINUTE_MS, "type": kind, "props": props or {}} for user, minute, kind, props in events
    )
    path.write_text("".join(json.dumps(one) + "\n" for one in said))
    return path


def test_a_funnel_finds_the_sign_up_of_somebody_who_had_no_id_when_they_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURNWATCH_HISTORY", str(tmp_path / "history"))
    monkeypatch.chdir(tmp_path)
    file = lines(
        tmp_path / "events.jsonl",
        ("visitor-7", 0, "visit", None), ("visitor-8", 1, "visit", None),
        ("ann", 10, "alias", {"previous_id": "visitor-7"}), ("ann", 10, "sign_up", None), ("ann", 60 * 24 * 20, "visit", None),
    )  # fmt: skip
    run("history", "import", str(file))
    rows = json.loads(run("funnel", "visit", "sign_up", "--json"))["rows"]
    assert {one["k"]: one["value"] for one in rows if one["metric"] == "reached"} == {1: 2, 2: 1}


def run(*words: str) -> str:
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output
