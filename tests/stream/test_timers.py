"""How far time may move within one step: held against counting every timer one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.definitions.definition import DAY_MS
from features.users.landmarks import BUCKETS, PHASE_STEP_MS
from stream.shard.timers import Timers

HOUR_MS = 3_600_000
T0 = 20_000 * DAY_MS


@pytest.mark.parametrize("since_instant_ms", [1, 17, PHASE_STEP_MS - 1])
def test_a_bucket_whose_landmarks_have_fired_does_not_stop_time(since_instant_ms: int) -> None:
    timers = Timers(dict.fromkeys(range(BUCKETS), 5), [DAY_MS])
    assert timers.stop_ms(T0 + since_instant_ms, budget=4) == T0 + PHASE_STEP_MS
    assert timers.stop_ms(T0, budget=4) == T0, "the five are due at this very instant"


def test_labels_inside_a_cell_do_not_stop_time_before_they_are_due() -> None:
    lateness_ms = 17
    timers = Timers({}, [DAY_MS + lateness_ms])
    timers.add_pending(0, T0, 5)
    due_ms = T0 + DAY_MS + lateness_ms
    for from_ms in (due_ms - 17, due_ms - 1, due_ms):
        assert timers.stop_ms(from_ms, budget=4) == due_ms
    assert timers.stop_ms(due_ms + 1, budget=4) == due_ms + 1 + timers.span_ms


def test_time_goes_on_after_a_take_when_more_than_the_budget_is_assumed_everywhere() -> None:
    lateness_ms = HOUR_MS + 17
    timers = Timers(dict.fromkeys(range(BUCKETS), 5), [DAY_MS + lateness_ms])
    timers.assume_pending(T0 + 20, T0 + 20 + lateness_ms)
    assert timers.stop_ms(T0 + 20, budget=4) == T0 + PHASE_STEP_MS
    assert timers.stop_ms(T0 + PHASE_STEP_MS + 1, budget=4) == T0 + PHASE_STEP_MS + 17


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[int, int], list[int], list[tuple[int, int, int]], int, int]:
    """Wheel, waits, pending snapshots (definition, landmark, how many), where time stands, and a budget."""
    waits = draw(st.lists(st.integers(DAY_MS, DAY_MS + 2 * PHASE_STEP_MS), min_size=1, max_size=3))
    wheel = draw(st.dictionaries(st.integers(0, BUCKETS - 1), st.integers(1, 9), max_size=20))
    cell = st.integers(-300, 20).map(lambda number: T0 + number * PHASE_STEP_MS)
    pending = draw(st.lists(st.tuples(st.integers(0, len(waits) - 1), cell, st.integers(1, 9)), max_size=12))
    from_ms = T0 + draw(st.one_of(st.integers(0, 3 * PHASE_STEP_MS), st.integers(0, DAY_MS)))
    return wheel, waits, [one for one in pending if one[1] + waits[one[0]] >= from_ms], from_ms, draw(st.integers(1, 12))


@given(cases())
def test_time_stops_at_the_first_instant_that_would_pass_the_budget(
    case: tuple[dict[int, int], list[int], list[tuple[int, int, int]], int, int],
) -> None:
    wheel, waits, pending, from_ms, budget = case
    timers = Timers(wheel, waits)
    due = [(landmark + waits[k], count) for k, landmark, count in pending]
    for k, landmark, count in pending:
        timers.add_pending(k, landmark, count)
    for day in range(-1, 4):
        due += [(T0 + day * DAY_MS + bucket * PHASE_STEP_MS, count) for bucket, count in wheel.items()]
    left = budget
    expected = from_ms + min(waits)
    for at, count in sorted(one for one in due if one[0] >= from_ms):
        left -= count
        if left < 0:
            expected = min(at, expected)
            break
    assert timers.stop_ms(from_ms, budget) == expected
