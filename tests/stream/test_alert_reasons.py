"""The sentences that customers' staff read: word for word, and what must never stand in one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.users.catalog import FEATURES, INDEX, NAMES, WIDTH
from features.users.spec import FeatureSpec
from features.users.state import KEYS
from features.users.vector import code_vector
from stream.alerts.reasons import ROWS, UNSAID, Reason, contributions, reasons
from stream.alerts.sentences import say
from stream.alerts.spoken import duration, percent

ROOT = Path(__file__).parents[2]
DAY_S = 86_400.0
SPEC = FeatureSpec(key_events=("purchase", "{0} %s"), funnel=("view", "cart"), channels=("ads", "email"))
USUAL = {
    "recency_s": 9.8 * DAY_S, "active_recency_s": 9.8 * DAY_S, "tenure_days": 90.0, "count_28d": 43.0, "count_total": 151.0, "gap_mean_s": 23 * 3600.0,
    "gap_max_s": 3 * DAY_S, "gaps": 31.0, "gap_z": 3.0, "gap_to_max": 3.2, "active_days_28": 12.0, "active_days_64": 40.0, "active_days_total": 50.0,
    "active_days_15_28": 9.0, "active_days_8_14": 3.0, "active_share": 0.55, "streak_days": 1.0, "day_gap_days": 2.0, "sessions": 33.0,
    "session_mean_s": 432.0, "session_last_s": 60.0, "gap_spread": 1.4, "revenue": 118.0, "purchases": 1.0, "purchase_recency_days": 12.0,
    "error_share": 0.26, "hour_regularity": 0.8, "hour_match": -0.5, "funnel_step": 2.0, "channel": 1.0,
}  # fmt: skip
"""A user of 90 days who came nearly daily and has been silent for 9.8 days; what is not named is 0."""


def vector_of(changed: Mapping[str, float] | None = None) -> npt.NDArray[np.uint8]:
    raw = np.array([{**USUAL, **(changed or {})}.get(name, 0.0) for name in NAMES])
    vector = np.zeros(WIDTH, np.uint8)
    code_vector(raw, vector)
    return vector


def said(feature: str, changed: Mapping[str, float] | None = None, spec: FeatureSpec = SPEC) -> Reason:
    terms = np.zeros(WIDTH)
    terms[INDEX[feature]] = 1.0
    return reasons(terms, vector_of(changed), spec)[0]


BUSY = {"recency_s": 600.0, "active_recency_s": 600.0}
GOLDEN: list[tuple[str, dict[str, float], str]] = [
    ("gap_z", {}, "No activity for 9.8 days; usually back within 23 hours"),
    ("recency_s", {"gap_mean_s": np.nan}, "No activity for 9.8 days"),
    ("active_recency_s", {"active_recency_s": np.nan, "recency_s": 3_600.0, "gap_mean_s": np.nan}, "No activity for 1 hour"),
    ("gap_to_max", {}, "No activity for 9.8 days; the longest break so far was 3 days"),
    ("count_7d", {}, "No activity for 9.8 days; usually back within 23 hours"),
    ("decayed_1d", {}, "No activity for 9.8 days; usually back within 23 hours"),
    ("count_1h", {**BUSY, "count_1h": 1.0}, "1 action in the last hour"),
    ("burst_24h", {**BUSY, "count_24h": 2.0, "count_28d": 110.0}, "2 actions in the last 24 hours; usually 4"),
    ("trend_7d_28d", {**BUSY, "count_7d": 3.0, "count_28d": 39.0}, "3 actions in the last 7 days; usually 12"),
    ("decayed_7d", {**BUSY, "count_7d": 3.0, "count_28d": 3.0}, "3 actions in the last 7 days"),
    ("count_7d", {**BUSY, "count_7d": 3.0, "count_28d": 39.0, "tenure_days": 10.0}, "3 actions in the last 7 days"),
    ("count_7d", {**BUSY, "count_7d": 3.0, "tenure_days": 5.0, "count_total": 3.0}, "3 actions since they joined"),
    ("active_days_28", {"tenure_days": 5.0, "active_days_total": 3.0}, "Active on 3 days since they joined"),
    ("decayed_30d", {}, "About 44 actions in the last 28 days; usually about 48"),
    ("count_total", {}, "About 150 actions since they joined"),
    ("active_days_7", {**BUSY, "active_days_7": 1.0, "active_days_28": 13.0}, "Active on 1 of the last 7 days; usually on 4"),
    ("active_days_28", {}, "Active on 12 of the last 28 days; usually on about 22"),
    ("active_days_64", {}, "Active on 40 of the last 64 days"),
    ("active_days_8_14", {}, "Active on 3 days one to two weeks ago"),
    ("active_days_8_14", {"active_days_8_14": 0.0}, "Not active one to two weeks ago"),
    ("active_days_8_14", {"active_days_8_14": 0.0, "active_recency_s": 15 * DAY_S}, "No activity for 15 days; usually back within 23 hours"),
    ("active_days_15_28", {"active_days_15_28": 1.0}, "Active on 1 day two to four weeks ago"),
    ("active_days_total", {"active_days_total": 1.0}, "Active on 1 day since they joined"),
    ("active_share", {}, "Active on 55% of the days since they joined"),
    ("streak_days", {}, "The last run of active days was 1 day long"),
    ("day_gap_days", {}, "2 days between the last two active days"),
    ("day_gap_days", {"day_gap_days": 1.0}, "The last two active days followed each other"),
    ("day_gap_days", {"day_gap_days": 64.0}, "More than two months between the last two active days"),
    ("gap_spread", {}, "Comes back at irregular intervals"),
    ("tenure_days", {"tenure_days": 1.0}, "Joined 24 hours ago"),
    ("tenure_days", {}, "Joined 90 days ago"),
    ("sessions", {}, "About 33 visits since they joined"),
    ("sessions", {"sessions": 1.0}, "1 visit since they joined"),
    ("gaps", {"gaps": 0.0}, "Has not come back yet"),
    ("gaps", {"gaps": 1.0}, "Came back 1 time since they joined"),
    ("session_mean_s", {}, "An average visit lasts 7 minutes"),
    ("session_last_s", {}, "The last full visit lasted 1 minute; usually 7 minutes"),
    ("session_last_s", {"session_last_s": 0.0}, "The last full visit lasted less than a minute"),
    ("error_share", {}, "26% of recent actions were errors"),
    ("error_share", {"error_share": 0.0}, "No errors lately"),
    ("revenue", {}, "Spent about 120 since they joined"),
    ("revenue", {"revenue": 0.0}, "Has not spent anything yet"),
    ("purchases", {}, "1 purchase since they joined"),
    ("purchase_recency_days", {}, "Last purchase 12 days ago"),
    ("hour_regularity", {}, "Comes at the same time of day"),
    ("funnel_step", {}, "Furthest step so far: “cart”"),
    ("funnel_step", {"funnel_step": 0.0}, "Has not reached “view” yet"),
    ("channel", {}, "Came through “ads”"),
    ("channel", {"channel": 15.0}, "Came through a channel that is not listed"),
    ("key_0_count", {}, "No “purchase” lately"),
    ("key_0_count", {"key_0_count": 4.4}, "“purchase” about 3 times a week, lately"),
    ("key_0_value", {"key_0_value": 173.0}, "“purchase” worth about 120 a week, lately"),
    ("key_1_count", {"key_1_count": 0.8}, "“{0} %s” about once a week or less, lately"),
]  # fmt: skip


@pytest.mark.parametrize(("feature", "changed", "text"), GOLDEN)
def test_each_feature_is_said_in_these_words(feature: str, changed: dict[str, float], text: str) -> None:
    assert said(feature, changed).text == text


def test_every_feature_has_a_sentence_or_a_reason_why_not() -> None:
    told = [feature for row in ROWS for feature in row.features]
    assert sorted(told + list(UNSAID)) == sorted(NAMES)
    spoken = {feature for feature, _, _ in GOLDEN} | {f"key_{slot}_{what}" for slot in range(1, KEYS) for what in ("count", "value")}
    assert {row.code for row in ROWS} == {row.code for row in ROWS if spoken & set(row.features)}


def test_code_now_usual_and_unit_fall_out_of_the_table() -> None:
    one = said("gap_z").code
    assert (one.code, one.unit) == ("silence", "seconds")
    assert one.now == pytest.approx(9.8 * DAY_S, rel=0.03)
    assert one.usual == pytest.approx(23 * 3600, rel=0.03)


def test_what_is_not_configured_is_not_told() -> None:
    bare = FeatureSpec()
    for feature in ("funnel_step", "channel", "key_0_count", "key_0_value"):
        assert said(feature, {"key_0_count": 3.0, "key_0_value": 3.0}, bare).code.code == "silence"


def test_what_the_model_names_comes_first_and_nothing_twice() -> None:
    terms = np.zeros(WIDTH)
    for name, size in (
        ("gap_z", 2.0),
        ("recency_s", 1.9),
        ("count_24h", 1.8),
        ("error_share", 1.0),
        ("active_days_28", 0.5),
        ("tenure_days", 0.4),
    ):
        terms[INDEX[name]] = size
    assert [one.text for one in reasons(terms, vector_of(), SPEC)] == [
        "No activity for 9.8 days; usually back within 23 hours",
        "26% of recent actions were errors",
        "Active on 12 of the last 28 days; usually on about 22",
    ]


def test_terms_of_features_that_mean_the_same_are_one_term() -> None:
    terms = np.zeros(WIDTH)
    terms[INDEX["gap_z"]], terms[INDEX["recency_s"]], terms[INDEX["error_share"]], terms[INDEX["revenue"]] = 1.0, -0.75, 0.5, -0.125
    raises, lowers = contributions(terms, vector_of(), SPEC)
    assert [(one.code, size) for one, size in raises] == [("errors", 0.5), ("silence", 0.25)]
    assert [(one.code, size) for one, size in lowers] == [("spent", -0.125)]


def test_what_raises_the_risk_does_not_lower_it_as_well() -> None:
    terms = np.zeros(WIDTH)
    terms[INDEX["gap_z"]], terms[INDEX["count_7d"]], terms[INDEX["tenure_days"]] = 1.0, -0.5, -0.25  # no action for 7 days is the silence
    raises, lowers = contributions(terms, vector_of(), SPEC)
    assert ([one.code for one, _ in raises], [one.code for one, _ in lowers]) == (["silence"], ["tenure"])


def test_nothing_is_said_of_a_window_before_the_user_came() -> None:
    assert (
        said("active_days_15_28", {"tenure_days": 9.0, "active_days_15_28": 0.0, "active_days_total": 4.0}).text
        == "Active on 4 days since they joined"
    )


def test_a_model_that_names_nothing_still_gives_three() -> None:
    texts = [
        one.text
        for one in reasons(np.zeros(WIDTH), vector_of({"active_days_28": 0.0, "count_28d": 0.0, "active_recency_s": 40 * DAY_S}), SPEC)
    ]
    assert texts == [
        "No activity for 40 days; usually back within 23 hours", "Active on about 50 days since they joined", "About 150 actions since they joined",
    ]  # fmt: skip


WRONG = re.compile(
    r"\d\.0\b|(?<![\d.,])1 (?:days|hours|minutes|actions|visits|purchases|times)\b|nan|inf\b|None|(?<![\w“])-\d|\{|\b0 (?:days|hours|minutes)|  |\.\.|Traceback"
)
CODES = st.tuples(*(st.integers(0 if feature.missing else 1, 255) for feature in FEATURES))
PLAIN = FeatureSpec(key_events=tuple("abcdefgh"), funnel=tuple(f"s{n}" for n in range(15)), channels=tuple(f"c{n}" for n in range(14)))


@settings(max_examples=300, deadline=None)  # a busy machine makes single examples slow
@given(CODES, st.randoms(use_true_random=False))
def test_no_vector_whatever_yields_a_wrong_number_or_two_alike(codes: tuple[int, ...], random: Any) -> None:
    vector = np.array(codes, np.uint8)
    terms = np.array([random.uniform(-1, 1) for _ in range(WIDTH)])
    told = reasons(terms, vector, PLAIN)
    assert len(told) == 3
    assert len({one.text for one in told}) == 3
    topics = {row.code: row.topic for row in ROWS}
    assert len({topics[one.code.code] for one in told}) == 3
    raises, lowers = contributions(terms, vector, PLAIN)
    for code in (*(one.code for one in told), *(code for code, _ in (*raises, *lowers))):
        text = say(code, PLAIN, "en")
        assert not WRONG.search(text), text
        assert text[0].isupper() or text[0] == "“" or text[0].isdigit(), text
        assert code.now >= 0


@pytest.mark.parametrize("feature", [name for name in NAMES if name not in UNSAID])
def test_no_code_of_a_feature_yields_a_wrong_number(feature: str) -> None:
    terms = np.zeros(WIDTH)
    terms[INDEX[feature]] = 1.0
    for code in range(0 if FEATURES[INDEX[feature]].missing else 1, 256):
        vector = vector_of()
        vector[INDEX[feature]] = code
        for one in reasons(terms, vector, PLAIN):
            assert not WRONG.search(one.text), one.text


@given(st.floats(0, 4e8))
def test_a_duration_reads_well_and_is_within_a_tenth(seconds: float) -> None:
    text = duration(seconds)
    assert not WRONG.search(text)
    if seconds >= 60:
        number, unit = text.split()
        size = {"m": 60, "h": 3_600, "d": DAY_S}[unit[0]]
        assert float(number.replace(",", "")) * size == pytest.approx(seconds, rel=0.5 if unit.startswith("minute") else 0.06)


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_a_negative_duration_is_a_bug_of_ours(seconds: float) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        duration(seconds)


@given(st.floats(0, 1))
def test_a_share_below_one_is_never_said_as_all_or_none(share: float) -> None:
    text = percent(share)
    assert (text == "100%") == (share == 1)
    assert (text == "0%") == (share == 0)
