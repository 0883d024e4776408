"""Habits are what a plain list of a user's events says of days and hours."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from features.definitions.calendar import offset_at, zone_table
from features.definitions.definition import DAY_MS, ChurnDefinition
from features.users.habits import COUNT_DAYS, MAP_DAYS, habits_of
from features.users.named import user_view
from features.users.spec import FeatureSpec
from features.users.state import init_state, state_dtype
from features.users.update import apply_event, apply_late

ZONE = "America/New_York"
SPEC = FeatureSpec(timezone=ZONE, definitions=(ChurnDefinition(),))
START = 1_700_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date()


def state_of(times: list[int]) -> np.void:
    rows = np.zeros(1, state_dtype(1))
    init_state(rows, 0, 0)
    for ts in times:
        apply_event(rows[0], ts, SPEC.type_word("click"), float("nan"), int(offset_at(*zone_table(ZONE), ts)), SPEC.session_gap_ms)
    return rows[0]


def local_day(ts: int) -> int:
    return (datetime.fromtimestamp(ts / 1000, ZoneInfo(ZONE)).date() - EPOCH).days


@pytest.mark.parametrize("seed", range(12))
def test_days_are_those_of_the_list_of_events(seed: int) -> None:
    rng = random.Random(seed)
    times = sorted(START + rng.randrange(100 * DAY_MS) for _ in range(rng.choice([1, 5, 40, 300])))
    at_ms = times[-1] + rng.choice([0, 1, DAY_MS // 2, 5 * DAY_MS, 40 * DAY_MS, 80 * DAY_MS])
    habits = habits_of(state_of(times), at_ms, ZONE)
    today = local_day(at_ms)
    # the map holds the 64 days up to the newest active one, of which those of the last 64 days are said
    held = {day for day in map(local_day, times) if day > local_day(times[-1]) - MAP_DAYS}
    assert habits.today == today
    assert list(habits.active_days) == sorted(day for day in held if day > today - MAP_DAYS)
    assert habits.known_from == max(today - MAP_DAYS + 1, local_day(times[0]))
    utc_today = at_ms // DAY_MS
    assert habits.events_by_day == tuple(
        sum(ts // DAY_MS == day for ts in times) for day in range(utc_today - COUNT_DAYS + 1, utc_today + 1)
    )


def test_the_usual_hour_is_where_events_gather() -> None:
    quarter_past_two = START // DAY_MS * DAY_MS + 2 * 3_600_000 + 900_000  # UTC; that is 21:15 in New York in winter
    evening = [quarter_past_two + day * DAY_MS for day in range(20)]
    habits = habits_of(state_of(evening), evening[-1], ZONE)
    assert habits.usual_hour == pytest.approx(21.5)
    assert habits.regularity == pytest.approx(1.0)


def test_around_midnight_is_not_noon() -> None:
    base = START // DAY_MS * DAY_MS
    late = [base + day * DAY_MS + hour * 3_600_000 for day in range(20) for hour in (4, 5)]  # 23:00 and 00:00 in New York
    habits = habits_of(state_of(late), late[-1], ZONE)
    assert habits.usual_hour is not None
    assert min(habits.usual_hour, 24 - habits.usual_hour) < 1
    assert habits.regularity > 0.9


def test_whoever_comes_at_any_hour_has_no_usual_one() -> None:
    base = START // DAY_MS * DAY_MS
    habits = habits_of(state_of([base + hour * 3_600_000 for hour in range(24 * 5)]), base + 5 * DAY_MS, ZONE)
    assert habits.regularity < 0.05


def test_of_whom_only_late_events_came_nothing_is_said() -> None:
    rows = np.zeros(1, state_dtype(1))
    init_state(rows, 0, 0)
    apply_late(rows[0], START, SPEC.type_word("click"))
    habits = habits_of(rows[0], START + DAY_MS, ZONE)
    assert (habits.active_days, habits.usual_hour, habits.regularity) == ((), None, 0.0)
    assert sum(habits.events_by_day) == 0
    assert habits.known_from == local_day(START)


def test_a_view_carries_them_as_of_its_own_time() -> None:
    state = state_of([START, START + DAY_MS])
    view = user_view("ann", state, ["churn14"], START, ZONE, 0)  # asked for a time before the newest event
    assert view.habits == habits_of(state, START + DAY_MS, ZONE)
