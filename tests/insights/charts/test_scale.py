"""Axes begin at zero, hold every value, and name each of their lines otherwise."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.charts.scale import Axis, Kind, Scale, ticks
from insights.words import words

NUMBERS = st.floats(-1e15, 1e15)


@given(NUMBERS, NUMBERS, st.integers(1, 8), st.booleans())
def test_round_steps_hold_both_ends(one: float, other: float, about: int, whole: bool) -> None:
    low, high = sorted((one, other))
    found = ticks(low, high, about, whole)
    slack = 1e-6 * max(found.step, abs(low), abs(high))
    assert found.low <= low + slack
    assert found.high >= high - slack
    assert 2 <= len(found.values) <= about + 3
    assert all(after > before for before, after in pairwise(found.values))
    if whole:
        assert found.step >= 1


@given(st.lists(st.one_of(st.none(), st.floats(), st.floats(0, 1e6)), max_size=8), st.sampled_from(["count", "share", "number"]))
def test_an_axis_begins_at_zero_or_below(values: list[float | None], kind: Kind) -> None:
    found = Axis(words("en"), kind).ticks(values)
    assert found.low <= 0 < found.high


@pytest.mark.parametrize("kind", ["count", "share", "number"])
@given(high=st.floats(1e-4, 9e6))
def test_no_two_lines_of_an_axis_read_alike(kind: Kind, high: float) -> None:
    for lang in (words("en"), words("zh")):
        axis = Axis(lang, kind)
        found = axis.ticks([high])
        said = [axis.say(value, found.step) for value in found.values]
        assert len(set(said)) == len(said), said


def test_a_scale_goes_from_end_to_end_and_no_further() -> None:
    scale = Scale(0, 10, 200, 20)
    assert [scale(value) for value in (-1, 0, 5, 10, 11)] == [200, 200, 110, 20, 20]
