"""What was stated against what came true, by day and by tenths, equals a count by hand; and goes on over a restart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.definitions.definition import DAY_MS
from online_models.example import LABEL, ExampleBlock
from online_models.judged import DAYS, SPANS, ByDay, Judged, over
from online_models.learner import Learner, LearnerSettings
from online_models.learner_state import LearnerState
from online_models.quality import Tally
from online_models.trainer import Trainer
from tests.online_models.test_learning import SETTINGS, make_blocks

LANDMARKS = st.lists(st.tuples(st.integers(-40, 40), st.integers(0, 100), st.integers(0, 1)), max_size=60)


def by_hand(rows: Sequence[tuple[object, int, int]], which: object) -> tuple[int, float, int]:
    """Count landmarks (day, risk in per cent, label) of one group."""
    mine = [(risk, label) for key, risk, label in rows if key == which]
    return len(mine), round(sum(risk for risk, _ in mine) / 100, 6), sum(label for _, label in mine)


def rounded(one: Judged) -> tuple[int, float, int]:
    return one.n, round(one.stated, 6), one.churned


@given(st.lists(LANDMARKS, max_size=4))
def test_days_are_counted_as_by_hand_however_they_come(batches: list[list[tuple[int, int, int]]]) -> None:
    days = ByDay()
    for batch in batches:
        at, risk, label = np.array(batch, np.int64).reshape(-1, 3).T
        days.add(at * DAY_MS + risk, risk / 100, label)
    rows = [row for batch in batches for row in batch]
    known = {day for day, _, _ in rows}
    assert max(known, default=0) == max(days.days, default=0)
    if len(known) <= DAYS:  # beyond that, a day that was dropped and comes again is counted from then on
        assert {day: rounded(one) for day, one in days.days.items()} == {day: by_hand(rows, day) for day in known}
        for span in SPANS:
            newest = [("in", risk, label) if day > max(known) - span else ("out", risk, label) for day, risk, label in rows]
            assert rounded(over(days.days, span)) == by_hand(newest, "in")
    assert len(days.days) <= DAYS


@given(LANDMARKS)
def test_tenths_are_counted_as_by_hand(rows: list[tuple[int, int, int]]) -> None:
    _, risk, label = np.array(rows, np.int64).reshape(-1, 3).T
    tally = Tally()
    tally.add(label, risk / 100)
    by_tenth = [(min(int(percent / 100 * 10), 9), percent, gone) for _, percent, gone in rows]
    assert [rounded(one) for one in tally.tenths()] == [by_hand(by_tenth, tenth) for tenth in range(10)]


def matured(blocks: list[ExampleBlock]) -> list[tuple[int, int]]:
    """Landmark and label of all labels, in the order in which they matured."""
    labels = [
        (int(items.matured_ms[row]), int(items.landmark_ms[row]), int(items.label[row]))
        for items in (block.items for block in blocks)
        for row in np.flatnonzero(items.kind == LABEL)
    ]
    return [(at, label) for _, at, label in sorted(labels)]


def newest_of(graded: list[tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """Count labels and churners of the newest days, by hand."""
    days = sorted({day for day, _ in graded})[-DAYS:]
    return {day: (sum(one == day for one, _ in graded), sum(label for one, label in graded if one == day)) for day in days}


def counted(days: Mapping[int, Judged]) -> dict[int, tuple[int, int]]:
    return {day: (one.n, one.churned) for day, one in days.items()}


def test_a_version_tells_of_every_label_that_was_graded() -> None:
    trainer = Trainer(SETTINGS)
    blocks = [block for _, block in make_blocks(per_partition=600)]
    newest = [version for block in blocks for version in trainer.feed(block, 0)][-1]
    learner = trainer.learners["gone"]
    assert sum(one.n for one in newest.tenths) == newest.segments["all"]["n"]
    assert sum(one.churned for one in newest.tenths) == round(newest.segments["all"]["n"] * newest.segments["all"]["base_rate"])
    graded = [(int(at) // DAY_MS, label) for at, label in matured(blocks)]
    assert 0 < newest.labels < len(graded)
    assert counted(newest.days) == newest_of(graded[: newest.labels])
    assert counted(learner.by_day.days) == newest_of(graded[: learner.learned])


def test_days_go_on_over_a_restart_and_a_state_without_them_is_read() -> None:
    settings = LearnerSettings(horizon_ms=DAY_MS, models=("cadence",))
    one, other = Learner("gone", settings), Learner("gone", settings)
    one.by_day.add(np.array([DAY_MS]), np.array([0.25]), np.array([1]))
    packed = msgspec.msgpack.encode(one.state())
    other.restore(msgspec.msgpack.decode(packed, type=LearnerState))
    assert other.by_day.days == {1: Judged(1, 0.25, 1)}
    older = msgspec.msgpack.decode(packed)
    del older["days"]
    other.restore(msgspec.Raw(msgspec.msgpack.encode(older)))
    assert other.by_day.days == {}
