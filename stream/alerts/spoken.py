"""How a number is said in a sentence, in English and in Chinese: durations, shares and counts.

Only as many digits are said as a reader takes in. Chinese has no thousands separators: large numbers are said in 万 and 亿.
"""

from __future__ import annotations

import re
from math import floor, inf, log10
from typing import Literal

Lang = Literal["en", "zh"]
LANGS: tuple[Lang, ...] = ("en", "zh")
_DAY_S = 86_400.0
_UNITS: dict[str, dict[Lang, str]] = {
    "minute": {"en": "minute", "zh": "分钟"},
    "hour": {"en": "hour", "zh": "小时"},
    "day": {"en": "day", "zh": "天"},
}
_HAN = "\u4e00-\u9fff"
_JOINT = re.compile(rf"(?<=[{_HAN}])(?=\d)|(?<=[\d%])(?=[{_HAN}])")


def _short(value: float) -> str:
    """Write a number with at most one decimal, and without a decimal that is zero."""
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")


def duration(seconds: float, lang: Lang = "en") -> str:
    """Say how long something lasted. Raises ValueError when the number of seconds is negative or NaN.

    >>> duration(20), duration(60), duration(3_600), duration(82_800), duration(172_800), duration(846_720), duration(3_000_000)
    ('less than a minute', '1 minute', '1 hour', '23 hours', '2 days', '9.8 days', '35 days')
    >>> duration(20, "zh"), duration(82_800, "zh"), duration(846_720, "zh")
    ('不到 1 分钟', '23 小时', '9.8 天')
    """
    if not seconds >= 0:
        raise ValueError(f"a duration must not be negative, got {seconds}")
    for size, unit, limit in ((60, "minute", 59.5), (3_600, "hour", 47.5), (_DAY_S, "day", inf)):
        if seconds / size < limit:
            if unit == "minute" and seconds < 55:
                return "less than a minute" if lang == "en" else "不到 1 分钟"
            text = f"{max(1, round(seconds / 60))}" if unit == "minute" else _short(max(1.0, seconds / size))
            if lang == "zh":
                return f"{text.replace(',', '')} {_UNITS[unit]['zh']}"
            return f"{text} {unit}" if text == "1" else f"{text} {unit}s"
    raise AssertionError("the last limit is infinite")


def percent(share: float, lang: Lang = "en") -> str:
    """Say a share (0 to 1) in per cent.

    >>> percent(0.256), percent(0.004), percent(0.999), percent(0.004, "zh")
    ('26%', 'less than 1%', '99%', '不到 1%')
    """
    if 0 < share < 0.01:
        return "less than 1%" if lang == "en" else "不到 1%"
    return f"{min(share, 0.99) if share < 1 else 1.0:.0%}"


def counted(value: float, lang: Lang = "en", *, exact: bool) -> str:
    """Say a whole number, or where it is not exact, "about" and its first two digits.

    >>> counted(7.1, exact=True), counted(1_234.0, exact=False), counted(3.4, exact=False), counted(0.4, exact=False)
    ('7', 'about 1,200', 'about 3', '0')
    >>> counted(7.0, "zh", exact=True), counted(1_234.0, "zh", exact=False), counted(123_456.0, "zh", exact=False)
    ('7', '约 1200', '约 12 万')
    """
    if exact or value < 1:
        return _whole(value, lang)
    digits = 1 - floor(log10(value))
    return f"{'about' if lang == 'en' else '约'} {_whole(round(value, min(digits, 0)), lang)}"


def _whole(value: float, lang: Lang) -> str:
    if lang == "en":
        return f"{value:,.0f}"
    for size, word in ((1e8, "亿"), (1e4, "万")):
        if value >= size:
            return f"{value / size:.6g} {word}"
    return f"{value:.0f}"


def spaced(chinese: str) -> str:
    """Put a blank wherever a number and a Chinese character meet.

    >>> spaced("近期操作中26%出错，平时约12次")
    '近期操作中 26% 出错，平时约 12 次'
    """
    return _JOINT.sub(" ", chinese)
