"""A calendar has a field for each day that is known, in its column and row, and says of each whether they were active."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.charts.calendar import calendar, weekday_of
from insights.charts.svg import Size
from insights.words import Words, words
from tests.insights.charts.reading import elements, parsed, points, tag, tips

TODAY = 20_784  # a Friday: 2026-11-27
SIZES = st.sampled_from([Size(340, 206), Size(240, 120), Size(820, 260)])
WORDS = st.sampled_from([words("en"), words("zh")])


@given(SIZES, WORDS, st.integers(0, 90), st.integers(-5, 95), st.sets(st.integers(0, 95)))
def test_each_known_day_has_a_field_within_the_drawing(size: Size, w: Words, days: int, known: int, active: set[int]) -> None:
    first = TODAY - days
    drawn = parsed(calendar(size, w, first, TODAY, first + known, {first + one for one in active}, title="days", desc="which"))
    fields = [one.get("fill") for one in elements(drawn) if tag(one) == "rect"]
    shown = range(max(first, first + known), TODAY + 1)
    assert len(fields) == len(shown)
    assert fields.count("var(--accent)") == sum(first + one in shown for one in active)
    for x, y, of in points(drawn):
        assert -0.1 <= x <= size.width + 0.1, of
        assert -0.1 <= y <= size.height + 0.1, of


def test_a_day_says_itself_and_whether_they_were_active() -> None:
    said = tips(calendar(Size(340, 206), words("en"), TODAY - 1, TODAY, 0, {TODAY}, title="t", desc="d"))
    assert said == ["Thu, Nov 26\nsunken\tnot active\t", "Fri, Nov 27\naccent\tactive\t"]


def test_weeks_begin_on_monday() -> None:
    assert [weekday_of(TODAY + one) for one in range(7)] == [4, 5, 6, 0, 1, 2, 3]


def test_the_last_day_is_not_before_the_first() -> None:
    with pytest.raises(ValueError, match="must not be before"):
        calendar(Size(1, 1), words("en"), 2, 1, 0, (), title="", desc="")
