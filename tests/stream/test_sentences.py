"""Sentences follow from the numbers of a reason alone, in both languages; and what this build cannot say stays as the message says it."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.users.catalog import FEATURES, INDEX, NAMES, WIDTH, value_table
from features.users.spec import FeatureSpec
from features.users.vector import code_vector
from stream.alerts.message import Alert, ReasonCode
from stream.alerts.reasons import ROWS, UNSAID, contributions, reasons
from stream.alerts.sentences import Unsayable, reasons_markdown, said, say
from stream.alerts.spoken import LANGS, counted, duration, percent, spaced
from stream.alerts.templates import TEMPLATES, UNITS, Sentence
from stream.alerts.values import COUNTED, EXACT_UP_TO, Values, kept
from tests.stream.test_alert_reasons import PLAIN, ROOT, SPEC, vector_of
from tests.stream.test_alerts import ALERT, SCHEMA

HAN = re.compile(r"[\u4e00-\u9fff]")
NO_CHINESE = re.compile(
    r"[A-Za-z,;:!?]|\.(?!\d)|(?<!\d)\.|  | $|^ |[\u4e00-\u9fff]\d|[\d%][\u4e00-\u9fff]|[，。；：！？“”] | [，。；：！？“”]|\{|-"
)
"""What no Chinese sentence holds: Latin letters, half-width punctuation, a number without its blank, a blank beside full-width punctuation."""
LEAST = [0 if feature.missing else 1 for feature in FEATURES]
NO_NOUN = re.compile(r"\d(?! ?[次天万亿]| 小时| 分钟|%|\d|\.\d)")


def by_json(code: ReasonCode) -> ReasonCode:
    return msgspec.json.decode(msgspec.json.encode(code), type=ReasonCode)


def without_names(text: str) -> str:
    return re.sub("“[^”]*”", "“”", text)


def test_the_sentence_of_the_code_that_was_sent_is_the_sentence_of_the_alert() -> None:
    random = np.random.default_rng(11)
    for _ in range(3_000):
        vector = random.integers(LEAST, 256).astype(np.uint8)
        terms = random.uniform(-1, 1, WIDTH)
        told = reasons(terms, vector, PLAIN)
        assert [say(by_json(one.code), PLAIN, "en") for one in told] == [one.text for one in told]
        raises, lowers = contributions(terms, vector, PLAIN)
        for code in (*(one.code for one in told), *(code for code, _ in (*raises, *lowers))):
            chinese = without_names(say(by_json(code), PLAIN, "zh"))
            assert HAN.search(chinese), chinese
            assert not NO_CHINESE.search(chinese), chinese
            if TEMPLATES[code.code].unit not in {"money", "money per week"}:  # a sum in no certain currency
                assert not NO_NOUN.search(chinese), chinese


@cache
def sweep() -> tuple[ReasonCode, ...]:
    """Every reason that the lowest and a third of the other codes of each feature lead to, for a user whose other values are usual, and for one who is here this minute."""
    found: dict[ReasonCode, None] = {}
    for busy in ({}, {"recency_s": 0.0, "active_recency_s": 0.0}):
        for feature in (name for name in NAMES if name not in UNSAID):
            terms = np.zeros(WIDTH)
            terms[INDEX[feature]] = 1.0
            vector = vector_of(busy)
            for code in (*range(LEAST[INDEX[feature]], 4), *range(4, 255, 3), 255):
                vector[INDEX[feature]] = code
                found |= dict.fromkeys(one.code for one in reasons(terms, vector, PLAIN))
    return tuple(found)


def shapes(lang: Any) -> set[str]:
    """Every sentence of the table, with whatever is filled in left out."""
    sentences: list[Sentence] = [template.sentence(lang) for template in TEMPLATES.values()]
    whole = [*(words for one in sentences for words in one.words), *(one.words[0] + one.usual for one in sentences if one.usual), *(one.none for one in sentences if one.none)]  # fmt: skip
    return {shape_of(text) for text in whole}


def shape_of(text: str) -> str:
    text = re.sub(r"\{\w+\}|“[^”]*”", "", text)
    text = re.sub(r"(about |约 )?[\d,.]+( ?%| ?万| ?亿)?|less than a minute|less than 1%|不到 1 分钟", "", text)
    text = re.sub(r"\b(action|day|hour|minute|visit|time|purchase)s?\b|次|天|小时|分钟|约", "", text)
    return text.replace(" ", "").lower()


@pytest.mark.parametrize("lang", LANGS)
def test_every_sentence_of_the_table_is_said_of_somebody(lang: Any) -> None:
    told = {shape_of(say(code, PLAIN, lang)) for code in sweep()}
    assert shapes(lang) - told == set()


CHINESE: list[tuple[str, dict[str, float], str]] = [
    ("gap_z", {}, "已 9.8 天没有活动，平时 23 小时内会回来"),
    ("gap_to_max", {}, "已 9.8 天没有活动，此前最长一次隔了 3 天"),
    ("count_1h", {"recency_s": 600.0, "active_recency_s": 600.0, "count_1h": 1.0}, "最近 1 小时操作 1 次"),
    ("count_7d", {"recency_s": 600.0, "active_recency_s": 600.0, "count_7d": 3.0, "count_28d": 39.0}, "最近 7 天操作 3 次，平时 12 次"),
    ("decayed_30d", {}, "最近 28 天操作约 44 次，平时约 48 次"),
    ("count_total", {"count_total": 123_456.0}, "加入以来操作约 13 万次"),
    ("active_days_28", {}, "最近 28 天中有 12 天活跃，平时约 22 天"),
    ("active_days_8_14", {}, "一到两周前有 3 天活跃"),
    ("active_days_8_14", {"active_days_8_14": 0.0}, "一到两周前没有活动"),
    ("active_days_total", {}, "加入以来共有约 50 天活跃"),
    ("active_share", {}, "加入以来 55% 的日子有活动"),
    ("active_share", {"active_share": 0.004}, "加入以来不到 1% 的日子有活动"),
    ("streak_days", {}, "最近一次连续活跃了 1 天"),
    ("day_gap_days", {}, "最近两个活跃日相隔 2 天"),
    ("gap_spread", {}, "回访间隔不规律"),
    ("tenure_days", {}, "90 天前加入"),
    ("sessions", {}, "加入以来访问约 33 次"),
    ("gaps", {"gaps": 0.0}, "还没有回来过"),
    ("session_last_s", {}, "最近一次完整访问用时 1 分钟，平时 7 分钟"),
    ("error_share", {}, "近期操作中有 26% 出错"),
    ("revenue", {}, "加入以来消费金额约 120"),
    ("purchases", {}, "加入以来购买 1 次"),
    ("purchase_recency_days", {}, "上次购买是 12 天前"),
    ("hour_regularity", {}, "来访时间固定"),
    ("funnel_step", {}, "目前最远走到“cart”"),
    ("channel", {}, "来自渠道“ads”"),
    ("key_0_count", {"key_0_count": 4.4}, "近期“purchase”每周约 3 次"),
    ("key_1_count", {}, "近期没有“{0} %s”"),
    ("key_0_value", {"key_0_value": 173.0}, "近期“purchase”每周价值约 120"),
]  # fmt: skip


@pytest.mark.parametrize(("feature", "changed", "text"), CHINESE)
def test_the_same_is_said_in_chinese(feature: str, changed: dict[str, float], text: str) -> None:
    terms = np.zeros(WIDTH)
    terms[INDEX[feature]] = 1.0
    assert say(reasons(terms, vector_of(changed), SPEC)[0].code, SPEC, "zh") == text


def test_rows_and_sentences_are_of_the_same_codes_and_every_unit_is_used_and_documented() -> None:
    assert sorted(row.code for row in ROWS) == sorted(TEMPLATES)
    assert {template.unit for template in TEMPLATES.values()} == set(UNITS)
    documented = {one["const"]: one["description"] for one in SCHEMA["$defs"]["unit"]["anyOf"] if "const" in one}
    assert documented == UNITS
    assert all(re.fullmatch(SCHEMA["properties"]["reason_codes"]["items"]["properties"]["code"]["pattern"], code) for code in TEMPLATES)


def test_the_docs_show_every_sentence() -> None:
    assert reasons_markdown() in (ROOT / "docs" / "reasons.md").read_text()


def coded(name: str, value: float) -> npt.NDArray[np.uint8]:
    raw, vector = np.zeros(WIDTH), np.zeros(WIDTH, np.uint8)
    raw[INDEX[name]] = value
    code_vector(raw, vector)
    return vector


@pytest.mark.parametrize("name", COUNTED)
def test_a_small_count_is_exact_and_the_next_one_is_not(name: str) -> None:
    limit, least = EXACT_UP_TO[name], round(FEATURES[INDEX[name]].low)
    assert [Values(coded(name, n))[name] for n in range(least, limit + 1)] == list(range(least, limit + 1))
    if limit < FEATURES[INDEX[name]].high:
        twins = {Values(coded(name, n))[name] for n in range(limit, 4 * limit)}
        assert len(twins) < 3 * limit, "further up, several counts share a code"
        assert Values(coded(name, limit + 1.6))[name] > limit


def test_numbers_are_the_same_on_a_machine_whose_logarithm_ends_in_another_digit() -> None:
    table = value_table()[value_table() > 0]
    ours, higher, lower = ([kept(value) for value in (table * factor).tolist()] for factor in (1, 1 + 4e-16, 1 - 4e-16))
    assert ours == higher == lower


def code(**changed: Any) -> ReasonCode:
    return msgspec.structs.replace(ReasonCode("silence", 846_700.0, 82_800.0, "seconds"), **changed)


def alert(*codes: ReasonCode) -> Alert:
    return msgspec.structs.replace(ALERT, reasons=[f"english {n}" for n in range(3)], reason_codes=list(codes))


@pytest.mark.parametrize(
    "unsayable",
    [
        code(code="of_a_newer_build"),
        code(unit="hours"),
        code(now=-1.0),
        code(now=float("inf")),
        code(now=float("nan")),
        code(now=1e300),
        code(usual=-5.0),
        code(code="actions_1h", now=0.0, unit="actions"),
        ReasonCode("key_event_7", 3.0, None, "times per week"),
        ReasonCode("channel", 9.0, None, "channel"),
        ReasonCode("funnel", 15.0, None, "step"),
    ],
)
def test_what_this_build_cannot_say_stays_english(unsayable: ReasonCode) -> None:
    with pytest.raises(Unsayable):
        say(unsayable, SPEC, "zh")
    assert said(alert(code(), unsayable, code()), SPEC, "zh") == [
        "已 9.8 天没有活动，平时 23 小时内会回来",
        "english 1",
        "已 9.8 天没有活动，平时 23 小时内会回来",
    ]


def test_an_alert_without_codes_or_with_another_number_of_them_stays_english() -> None:
    for one in (alert(), alert(code())):
        assert said(one, SPEC, "zh") == ["english 0", "english 1", "english 2"]


def test_in_english_the_message_is_repeated_word_for_word() -> None:
    assert said(alert(code(), code(), code()), FeatureSpec(), "en") == ["english 0", "english 1", "english 2"]


@pytest.mark.parametrize("name", ["{now}", "{name}", "{0} %s", "<b>", "purchase，", "2024年1"])
def test_a_name_is_shown_as_it_is(name: str) -> None:
    names = FeatureSpec(key_events=(name,), funnel=(name,), channels=(name,))
    for one in (
        ReasonCode("key_event_0", 3.0, None, "times per week"),
        ReasonCode("funnel", 1.0, None, "step"),
        ReasonCode("channel", 1.0, None, "channel"),
    ):
        for lang in LANGS:
            assert f"“{name}”" in say(one, names, lang)


@given(st.floats(0, 4e8), st.floats(0, 1), st.floats(0, 1e12))
def test_numbers_in_chinese_have_no_half_width_comma_and_mean_the_same(seconds: float, share: float, count: float) -> None:
    for text in (duration(seconds, "zh"), percent(share, "zh"), counted(count, "zh", exact=False), spaced(duration(seconds, "zh"))):
        assert "," not in text
        assert not re.search("[A-Za-z]", text)
    number = counted(count, "zh", exact=False).removeprefix("约 ")
    size = 1e8 if number.endswith(" 亿") else 1e4 if number.endswith(" 万") else 1.0
    assert float(number.removesuffix(" 亿").removesuffix(" 万")) * size == pytest.approx(count, rel=0.06, abs=0.51)
