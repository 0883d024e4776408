"""What is guessed of a log, against a count by hand, and of made-up products whose truth is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.analyses.crowd import crowd_of
from insights.explore.grounds import grounds_of
from insights.explore.guess import FEW_RETURN, FOLLOWED, LEAST_SILENCES, SILENCES, SPANS, Guess, guess
from insights.explore.settings_of import toml_of
from insights.history.reader import AsOf
from insights.scenarios.play import play
from insights.scenarios.scenario import load
from insights.scenarios.write import frame_of
from insights.words import words
from stream.settings import load_settings

PEOPLE = st.lists(st.sets(st.integers(0, 40), min_size=1, max_size=8), min_size=10, max_size=40)


def log_of(people: list[set[int]]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"user": f"u{number}", "ts": datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=day), "type": "visit"}
            for number, days in enumerate(people)
            for day in days
        ]
    )


def by_hand(people: list[set[int]]) -> tuple[int, int, int, int]:
    """Each silence of each person, one by one."""
    first, last = min(map(min, people)), max(map(max, people))
    found = (SILENCES[0], 0, 0, 0)
    followed = min(FOLLOWED, (last - first) // SPANS)
    for length in SILENCES:
        silences = returned = 0
        if last - first < SPANS * length:
            continue
        for days in people:
            for day in days:
                later = sorted(other for other in days if other > day)
                if day + length + followed > last or (later and later[0] <= day + length):
                    continue
                silences += 1
                returned += bool(later) and later[0] <= day + length + followed
        if silences < LEAST_SILENCES:
            continue
        found = (length, returned, silences, followed)
        if returned <= FEW_RETURN * silences:
            break
    return found


@settings(max_examples=60, deadline=None)
@given(PEOPLE)
def test_silences_equal_a_count_by_hand(people: list[set[int]]) -> None:
    found = guess(crowd_of(log_of(people), AsOf()))
    assert (found.horizon_days, found.returned, found.silences, found.followed_days) == by_hand(people)


def test_a_silence_that_nobody_comes_back_from_is_gone() -> None:
    """Everybody comes every fifth day until they leave: five days are a pause, a week is not."""
    people = [set(range(start, start + 5 * (3 + start % 4), 5)) for start in range(12)] * 20
    assert guess(crowd_of(log_of([*people, {80}]), AsOf())).horizon_days == 7


def test_of_an_empty_or_tiny_log_nothing_is_made_up() -> None:
    found = guess(crowd_of(log_of([{0}]), AsOf()))
    assert (found.silences, found.funnel, found.key_events) == (0, (), ("visit",))
    assert grounds_of(found, "UTC", (), words("en"))[0].because == "the log is too short to tell"


@pytest.mark.parametrize(
    ("name", "horizon", "revenue", "funnel"),
    [
        ("education", 14, (), ("sign_up", "open_course", "lesson", "quiz")),
        ("ecommerce", 30, ("purchase",), ("open_app", "view_item", "add_to_cart", "purchase")),
        ("hospital", 60, ("prescription",), ("register", "check_in", "consultation", "prescription")),
        ("transport", 14, ("ride",), ("open_app", "quote", "request_ride", "ride")),
        ("devices", 14, (), ("pair", "connect", "command", "scene")),
        ("community", 14, (), ("sign_up", "read", "open_app")),
    ],
)
def test_of_made_up_products(name: str, horizon: int, revenue: tuple[str, ...], funnel: tuple[str, ...]) -> None:
    made = load(name)
    events = frame_of(made, play(made, end_ms=1_780_000_000_000, days=280, users=600, seed=1))
    found = guess(crowd_of(events.with_columns(pl.from_epoch("ts", "ms").cast(pl.Datetime("us", "UTC"))), AsOf(zone=made.timezone)))
    assert found.horizon_days == horizon
    assert found.revenue == revenue
    assert found.funnel[: len(funnel)] == funnel
    assert found.leads_to_money == bool(revenue)
    assert set(found.key_events) <= set(made.steps)


VISITS = st.lists(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from((60, 1_799, 1_800, 90_000))), min_size=1, max_size=8),
    min_size=1,
    max_size=8,
)


def way_by_hand(people: list[list[tuple[str, int]]], goal: str) -> tuple[str, ...]:
    """Walk back from the goal, counting people one by one."""
    did = {kind: {number for number, events in enumerate(people) if kind in dict(events)} for kind in "abcd"}
    steps = [goal]
    while len(steps) < 4:
        before: dict[str, set[int]] = {}
        for number, events in enumerate(people):
            for (earlier, _), (kind, pause_s) in pairwise(events):
                if kind == steps[0] and earlier not in steps and pause_s < 1_800:
                    before.setdefault(earlier, set()).add(number)
        most = min(before, key=lambda kind: (-len(before[kind]), kind), default=None)
        if most is None or len(before[most]) < 0.5 * len(did[steps[0]]):
            break
        steps.insert(0, most)
    return tuple(steps) if len(steps) > 1 else ()


@settings(max_examples=60, deadline=None)
@given(VISITS)
def test_the_way_to_money_equals_one_walked_back_by_hand(people: list[list[tuple[str, int]]]) -> None:
    rows, begin = [], datetime(2026, 1, 1, tzinfo=UTC)
    for number, events in enumerate(people):
        for at, (kind, _) in enumerate(events):
            passed_s = sum(pause_s for _, pause_s in events[1 : at + 1])
            rows.append(
                {"user": f"u{number}", "ts": begin + timedelta(seconds=passed_s), "type": kind, "value": 5.0 if kind == "d" else None}
            )
    found = guess(crowd_of(pl.DataFrame(rows, schema_overrides={"value": pl.Float64}), AsOf()))
    by_hand = way_by_hand(people, "d") if any(kind == "d" for events in people for kind, _ in events) else ()
    assert (found.funnel if found.leads_to_money else ()) == by_hand


def test_it_is_a_settings_file(tmp_path: Path) -> None:
    found = Guess(21, 1, 40, 60, ('say "a"', "b\n"), (1.0, 0.5), ("b\n",), ('say "a"', "b\n"))
    file = tmp_path / "churnwatch.toml"
    file.write_text(toml_of(found, "Asia/Shanghai"))
    read = load_settings(file, {})
    assert read["features.key_events"] == found.key_events
    assert read["features.timezone"] == "Asia/Shanghai"
    assert read.definitions[0].horizon_ms == 21 * 86_400_000
    assert grounds_of(found, "UTC", {"funnel"}, words("zh"))[3].because == "由你指定"
