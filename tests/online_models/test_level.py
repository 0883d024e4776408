"""The level follows what matured, by days and not by labels; and a correction that was wrong is taken less and less."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.definitions.definition import DAY_MS
from online_models import level as level_room
from online_models import worth as worth_room
from online_models.correction import Correction
from online_models.level import Level
from online_models.scorer import log_odds, platt
from online_models.worth import Worth
from tests.oracles.level import Batch, level_after, worth_after

HORIZON_MS = 14 * DAY_MS
SOME = st.floats(-2, 2)
ROW = st.tuples(st.integers(0, 60), SOME, st.integers(0, 1), st.tuples(SOME, SOME))
BATCHES = st.lists(st.lists(ROW, min_size=1, max_size=12), min_size=1, max_size=4)


def batch_of(rows: list[tuple[int, float, int, tuple[float, float]]]) -> Batch:
    days, odds, labels, corrections = zip(*rows, strict=True)
    return Batch(days, odds, labels, corrections)


def arrays(batch: Batch) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
    return np.array(batch.days) * DAY_MS, np.array(batch.odds), np.array(batch.labels, np.uint8)


# -- against the oracles -----------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(BATCHES, st.integers(0, 40))
def test_a_level_is_that_of_all_labels_at_once(rows: list[list[tuple[int, float, int, tuple[float, float]]]], later: int) -> None:
    batches, level = [batch_of(one) for one in rows], Level(HORIZON_MS)
    newest = 0
    for batch in batches:
        newest = max(newest, *batch.days)
        level.learn(*arrays(batch))
        level.look(newest * DAY_MS)
    level.look(now_ms := (newest + later) * DAY_MS)
    expected = level_after(batches, now_ms, 14, level_room.MEMORY, level_room.SPREAD, level_room.PRIOR)
    assert level.shift == pytest.approx(expected, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(BATCHES)
def test_worth_is_that_of_all_labels_at_once(rows: list[list[tuple[int, float, int, tuple[float, float]]]]) -> None:
    batches, record = [batch_of(one) for one in rows], Worth(HORIZON_MS)
    for batch in batches:
        at, odds, labels = arrays(batch)
        record.learn(at, odds, np.array(batch.corrections), labels)
    expected = worth_after(batches, level_room.MEMORY * 14, worth_room.SPREAD, worth_room.PRIOR)
    assert record.worth.tolist() == pytest.approx(expected, abs=1e-9)


# -- what they are for -------------------------------------------------------------------------------------------


def told(days: range, n: int, shift: float, seed: int = 1) -> Level:
    """A level that was told of n labels a day, whose log-odds are `shift` above what was stated."""
    rng, level = np.random.default_rng(seed), Level(HORIZON_MS)
    for day in days:
        odds = rng.normal(-1, 1, n)
        level.learn(np.full(n, day * DAY_MS), odds, (rng.random(n) < 1 / (1 + np.exp(-odds - shift))).astype(np.uint8))
        level.look((day + 14) * DAY_MS)
    return level


def test_a_level_that_is_off_day_after_day_is_found() -> None:
    assert abs(told(range(60), 400, 0.6).shift - 0.6) < 0.1
    assert abs(told(range(60), 400, 0.0).shift) < 0.05


def test_one_day_says_little_however_many_labels_it_has() -> None:
    assert 0.1 < told(range(1), 100_000, 1.0).shift < 0.8 < told(range(60), 100, 1.0).shift


def test_after_long_silence_nothing_is_corrected() -> None:
    level = told(range(60), 400, 0.8)
    level.look(400 * DAY_MS)
    assert abs(level.shift) < 0.02


def test_a_shift_moves_no_user_past_another() -> None:
    raw = np.sort(np.random.default_rng(3).random(500)).astype(np.float32)
    correction = Correction(HORIZON_MS, watched=False)
    feed(correction, 0.7, 30, DAY_MS)
    assert correction.calibration[1] > 0.3
    assert (np.diff(platt(raw, *correction.calibration)) >= 0).all()


def feed(correction: Correction, shift: float, days: int, at_ms: int = 0, seed: int = 2) -> None:
    """Tell a correction of days whose log-odds are `shift` above the raw ones; each is stated before its label is known, a horizon earlier."""
    rng, said = np.random.default_rng(seed), []
    for day in range(days + 14):
        raw = rng.beta(2, 3, 300).astype(np.float32)
        said.append((np.full(300, at_ms + day * DAY_MS), raw, correction.whole(raw)))
        if day >= 14:
            landmark_ms, old, whole = said[day - 14]
            labels = (rng.random(300) < 1 / (1 + np.exp(-log_odds(old) - shift))).astype(np.uint8)
            correction.matured(landmark_ms, old, whole, np.full(300, np.nan, np.float32), labels, at_ms + day * DAY_MS)


def test_a_level_that_holds_is_taken_whole() -> None:
    correction = Correction(HORIZON_MS, watched=False)
    feed(correction, 0.7, 120)
    assert correction.worth[0] > 0.9
    assert abs(correction.calibration[1] - 0.7) < 0.15


def test_a_level_that_swings_faster_than_labels_come_is_worth_less() -> None:
    correction, swinging = Correction(HORIZON_MS, watched=False), Correction(HORIZON_MS, watched=False)
    for turn in range(6):
        feed(correction, 0.7, 14, turn * 28 * DAY_MS, seed=turn)
        feed(swinging, 0.7 if turn % 2 else -0.7, 14, turn * 28 * DAY_MS, seed=turn)
    assert swinging.worth[0] < 0.6 < correction.worth[0]


def test_it_goes_on_from_its_state() -> None:
    one, again = Correction(HORIZON_MS, watched=True), Correction(HORIZON_MS, watched=True)
    feed(one, 0.5, 40)
    again.restore(one.state())
    for correction in (one, again):
        feed(correction, 0.2, 20, 60 * DAY_MS)
    assert (one.calibration, one.worth) == (again.calibration, again.worth)
    with pytest.raises(ValueError, match="early outcomes"):
        Correction(HORIZON_MS, watched=False).restore(one.state())
