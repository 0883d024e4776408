"""Numbers, dates and durations as each language writes them."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.words import DASH, words
from insights.words.language import zone_name
from stream.alerts.spoken import duration

EN, ZH = words("en"), words("zh")
SHARES = st.floats(0, 1)
ANY = st.one_of(st.none(), st.floats())


@given(st.floats(0, 4e8))
def test_durations_in_english_are_those_of_the_alerts(seconds: float) -> None:
    assert EN.duration(seconds) == duration(seconds)


def test_durations_in_chinese_have_no_plural() -> None:
    said = [ZH.duration(seconds) for seconds in (5, 60, 600, 3_600, 82_800, 172_800, 846_720, 3_000_000)]
    assert said == ["不到 1 分钟", "1 分钟", "10 分钟", "1 小时", "23 小时", "2 天", "9.8 天", "35 天"]


def test_a_negative_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        EN.duration(-1)


@given(ANY, st.integers(0, 3))
def test_whatever_the_number_something_is_written(value: float | None, digits: int) -> None:
    for lang in (EN, ZH):
        assert lang.number(value, digits)
        assert lang.percent(value, digits)
        assert lang.money(value, "EUR")
        assert lang.change(value)
        assert lang.interval(value, value, digits)


def test_what_is_not_known_is_a_dash() -> None:
    for value in (None, float("nan"), float("inf")):
        assert {
            EN.number(value),
            EN.percent(value),
            EN.money(value, "USD"),
            EN.change(value),
            EN.duration(value),
            EN.interval(value, 0.5),
        } == {DASH}


@given(SHARES, st.integers(0, 2))
def test_only_nothing_is_nothing_and_only_all_is_all(share: float, digits: int) -> None:
    written = EN.percent(share, digits)
    assert (float(written.strip("<>%")) == 0) == (share == 0)
    assert (float(written.strip("<>%")) == 100) == (share == 1)


@given(SHARES)
def test_a_share_is_written_no_further_off_than_half_of_its_last_digit(share: float) -> None:
    written = EN.percent(share, 1)
    if written[0] not in "<>":
        assert abs(float(written.rstrip("%")) - 100 * share) <= 0.05 + 1e-9


def test_plurals_follow_the_number_as_it_is_read() -> None:
    said = [EN.t("people", n=n) for n in (0, 1, 1.04, 1.5, 2, 1234, np.int64(1), np.float32(2))]
    assert said == ["0 people", "1 person", "1 person", "1.5 people", "2 people", "1,234 people", "1 person", "2 people"]
    assert ZH.t("people", n=1) == "1 名用户"


def test_a_text_without_its_number_takes_the_plural() -> None:
    assert EN.t("people", n="many") == "many people"


def test_money_is_shortened_as_the_language_does() -> None:
    assert [EN.money(amount, "USD") for amount in (0, 0.5, 9.99, 10, 9_999.4, 10_000, 1_234_567)] == [
        "$0",
        "$0.50",
        "$9.99",
        "$10",
        "$9,999",
        "$10K",
        "$1.2M",
    ]
    assert [ZH.money(amount, "CNY") for amount in (9.99, 9_999, 27_345, 123_456_789)] == ["¥9.99", "¥9,999", "¥2.7万", "¥1.2亿"]
    assert EN.money(-57, "USD") == "-$57"
    assert EN.money(500, "JPY") == "¥500"


def test_times_are_said_in_the_zone_asked_for() -> None:
    at, shanghai = 1_795_766_400_000, ZoneInfo("Asia/Shanghai")  # 2026-11-27 08:00 UTC
    assert EN.moment(at, UTC) == "Nov 27, 2026, 08:00 UTC"
    assert ZH.moment(at, shanghai) == "2026年11月27日 16:00 UTC+8"
    assert ZH.day(at + 9 * 3_600_000, shanghai) == "11月28日"
    assert EN.time(at, shanghai, seconds=True) == "16:00:00"


def test_a_zone_is_its_distance_from_utc_at_that_time() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert zone_name(1_795_766_400_000, berlin) == "UTC+1"
    assert zone_name(1_780_000_000_000, berlin) == "UTC+2"


def test_a_week_begins_on_monday() -> None:
    assert [EN.weekday(number) for number in range(7)] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert "".join(ZH.weekday(number) for number in range(7)) == "周一周二周三周四周五周六周日"


def test_lists_end_as_each_language_ends_them() -> None:
    assert EN.list_of(["ann"]) == "ann"
    assert EN.list_of(["ann", "{1}", "bob"]) == "ann, {1}, and bob"
    assert ZH.list_of(["甲", "乙"]) == "甲和乙"
