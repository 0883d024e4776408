"""Segments: conditions judged on coded vectors as on the values they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from features.users.catalog import FEATURES, INDEX, WIDTH
from features.users.segment import _code, as_judged, inside, segment_of
from features.users.vector import code_vector


def coded(**values: float) -> np.ndarray:
    raw, out = np.full(WIDTH, np.nan), np.zeros((1, WIDTH), np.uint8)
    for name, value in values.items():
        raw[INDEX[name]] = value
    code_vector(raw, out[0])
    return out


@pytest.mark.parametrize("feature", range(WIDTH), ids=lambda place: FEATURES[place].name)
def test_a_threshold_is_coded_as_the_vector_is(feature: int) -> None:
    row = FEATURES[feature]
    for value in np.linspace(row.low, row.high, 101).tolist():
        raw, out = np.full(WIDTH, np.nan), np.zeros(WIDTH, np.uint8)
        raw[feature] = value
        code_vector(raw, out)
        assert _code(feature, value) == out[feature]


@pytest.mark.parametrize("days", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("least", [1, 2, 3, 7, 20])
def test_small_counts_are_told_apart(days: int, least: int) -> None:
    vector = coded(active_days_total=days)
    for sign, holds in ((">=", days >= least), ("<=", days <= least), ("=", days == least)):
        assert inside(segment_of((f"active_days_total {sign} {least}",), ()), vector)[0] == holds


@pytest.mark.parametrize("name", ["revenue", "count_7d", "gap_z", "active_share", "recency_s"])
def test_the_border_that_is_said_is_the_one_that_is_used(name: str) -> None:
    row = FEATURES[INDEX[name]]
    for value in np.linspace(row.low, row.high, 23)[1:-1].tolist():
        for sign, side in ((">=", 1), ("<=", -1)):
            text = f"{name} {sign} {value!r}"
            (said,) = as_judged([text], ())
            border = float(said.split(" lets in ")[1].removeprefix("less than ").removesuffix(" and more"))
            step = 10 ** (np.floor(np.log10(max(abs(border), 1e-9))) - 3)  # of the four digits that are said
            condition = segment_of((text,), ())
            assert inside(condition, coded(**{name: border + side * step}))[0]
            assert not inside(condition, coded(**{name: border - side * step}))[0]


def test_a_condition_that_everybody_with_the_feature_meets_says_so() -> None:
    assert as_judged(["revenue >= 0", "revenue  <=  100", "channel = ads"], ("ads",)) == [
        "revenue >= 0 lets in everybody",
        "revenue <= 100 lets in less than 105.1",
    ]


def test_all_conditions_must_hold_and_missing_meets_none() -> None:
    both = segment_of(("channel = ads", "purchases >= 1"), ("seo", "ads"))
    assert inside(both, coded(channel=2, purchases=3)).tolist() == [True]
    assert inside(both, coded(channel=1, purchases=3)).tolist() == [False]
    assert inside(both, coded(channel=2)).tolist() == [False]
    assert inside(segment_of(("purchases <= 5",), ()), coded(channel=1)).tolist() == [False]
    assert inside((), coded()).tolist() == [True]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("purchases", "must be like"),
        ("purchases > 1", "must be like"),
        ("spending >= 1", "no feature 'spending'"),
        ("purchases >= many", "is no number"),
        ("channel = tv", "there are ads, none, other"),
        ("purchases >= -1", "lies between"),
    ],
)
def test_what_is_no_condition_is_said(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        segment_of((text,), ("ads",))
