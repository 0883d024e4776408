"""How does one language say things? Its words, and its way to write numbers, money, shares, dates and durations.

Locale data come from Babel (Unicode CLDR), so another language is a column of words and a row of `LOCALES`. Times are milliseconds since
the epoch and are said in a given time zone; nothing here knows the present time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from math import isfinite
from numbers import Real
from types import MappingProxyType
from typing import Final, TypeGuard

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list
from babel.numbers import format_compact_currency, format_compact_decimal, format_currency, format_decimal, format_percent

from insights.words.said import Lang, Said

DASH: Final = "–"  # noqa: RUF001 - an en dash is meant
"""Stands between the two ends of an interval, and where a number is not known."""
LOCALES: Mapping[Lang, str] = MappingProxyType({"en": "en", "zh": "zh_Hans_CN"})
TAGS: Mapping[Lang, str] = MappingProxyType({"en": "en", "zh": "zh-Hans"})
BEYOND = 1e18
"""No count, amount or time on the page is so large: such a number is not known."""
COMPACT_FROM = 10_000
"""From here on money is said in thousands, or in ten thousands where that is the custom: $27.3K, ¥2.7万."""


def is_known(value: float | None) -> TypeGuard[float]:
    """Whether there is a number to be written: one that is finite, and that a page could mean.

    >>> is_known(0.0), is_known(None), is_known(float("nan"))
    (True, False, False)
    """
    return value is not None and isfinite(value) and abs(value) < BEYOND


class Words:
    """The words of one language. All methods are pure.

    Attributes
    ----------
    lang : {"en", "zh"}
    tag : str
        Names the language to a browser: the `lang` of HTML.

    Examples
    --------
    >>> from insights.words import words
    >>> words("en").t("people", n=1), words("en").t("people", n=1234), words("zh").t("people", n=2)
    ('1 person', '1,234 people', '2 名用户')
    """

    def __init__(self, lang: Lang, table: Mapping[str, Said]) -> None:
        self.lang = lang
        self.tag = TAGS[lang]
        self._locale = Locale.parse(LOCALES[lang])
        self._table = table

    def t(self, key: str, /, **values: object) -> str:
        """Return a text with its values in place.

        Parameters
        ----------
        key : str
            As in one of the files of words.
        **values
            Numbers are written as `number` writes them; anything else stands as it is. Of a text with a form for exactly one, `n` chooses it.

        Raises
        ------
        KeyError
            For a key that no file has, and for a value that is missing.
        """
        said = self._table[key]
        n = values.get("n")
        if self.lang != "en":
            text = said.zh
        elif said.one and isinstance(n, Real) and self._locale.plural_form(_rounded(float(n), None)) == "one":
            text = said.one
        else:
            text = said.en
        return text.format(**{name: self._written(value) for name, value in values.items()})

    def __contains__(self, key: str) -> bool:
        """Whether there is a text of a key."""
        return key in self._table

    def _written(self, value: object) -> str:
        return self.number(float(value)) if isinstance(value, Real) and not isinstance(value, bool) else str(value)

    def number(self, value: float | None, digits: int | None = None) -> str:
        """Write a number. `digits` are the decimals; None is at most one, and none that is zero.

        >>> from insights.words import words
        >>> words("en").number(1234), words("en").number(9.84), words("en").number(9.0), words("zh").number(0.5, 3), words("en").number(None)
        ('1,234', '9.8', '9', '0.500', '–')
        """
        if not is_known(value):
            return DASH
        pattern = "#,##0.#" if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(_rounded(value, digits), pattern, locale=self._locale)

    def compact(self, value: float | None) -> str:
        """Write a large number shortly, in thousands or, where that is the custom, in ten thousands.

        >>> from insights.words import words
        >>> words("en").compact(25_000), words("zh").compact(25_000), words("en").compact(950)
        ('25K', '2.5万', '950')
        """
        return format_compact_decimal(_rounded(value, 1), fraction_digits=1, locale=self._locale) if is_known(value) else DASH

    def percent(self, share: float | None, digits: int = 0) -> str:
        """Write a share, 0 to 1. What is more than nothing is never written as 0%, nor what is less than all as 100%.

        >>> from insights.words import words
        >>> [words("en").percent(share) for share in (0.256, 0.004, 0.999, 0, 1)], words("en").percent(0.0004, 1)
        (['26%', '<1%', '>99%', '0%', '100%'], '<0.1%')
        """
        if not is_known(share):
            return DASH
        least = Decimal(1).scaleb(-digits - 2)
        rounded = _rounded(share, digits + 2)
        if share > 0 and rounded == 0:
            return "<" + self._percent(least, digits)
        if share < 1 and rounded == 1:
            return ">" + self._percent(1 - least, digits)
        return self._percent(rounded, digits)

    def _percent(self, share: Decimal, digits: int) -> str:
        return format_percent(share, "#,##0" + ("." + "0" * digits if digits else "") + "%", locale=self._locale)

    def interval(self, low: float | None, high: float | None, digits: int = 0) -> str:
        """Write an interval of shares, 0 to 1.

        >>> from insights.words import words
        >>> words("en").interval(0.788, 0.919), words("en").interval(0.5, 0.5), words("en").interval(None, 1)
        ('79–92%', '50%', '–')
        """
        if not (is_known(low) and is_known(high)):
            return DASH
        first, last = _rounded(low, digits + 2), _rounded(high, digits + 2)
        if first == last:
            return self._percent(last, digits)
        return f"{self.number(float(first * 100), digits)}{DASH}{self._percent(last, digits)}"

    def change(self, share: float | None) -> str:
        """Write by how much something grew (0.09) or shrank (-0.09), with a sign that needs no colour.

        >>> from insights.words import words
        >>> words("en").change(0.09), words("zh").change(-0.5), words("en").change(0.001), words("en").change(None)
        ('▲ 9%', '▼ 50%', 'no change', '–')
        """
        if not is_known(share):
            return DASH
        if _rounded(share, 2) == 0:
            return self.t("no change")
        return f"{'▲' if share > 0 else '▼'} {self._percent(abs(_rounded(share, 2)), 0)}"

    def money(self, amount: float | None, currency: str) -> str:
        """Write an amount in a currency of ISO 4217; large ones are shortened.

        >>> from insights.words import words
        >>> [words("en").money(amount, "USD") for amount in (9.5, 57.4, 1204, 27345)], words("zh").money(27345, "CNY")
        (['$9.50', '$57', '$1,204', '$27.3K'], '¥2.7万')
        """
        if not is_known(amount):
            return DASH
        if abs(amount) >= COMPACT_FROM:
            return format_compact_currency(amount, currency, fraction_digits=1, locale=self._locale)
        if abs(amount) < 10 and amount != round(amount):
            return format_currency(amount, currency, locale=self._locale)
        whole = self._locale.currency_formats["standard"].pattern.replace(".00", "")
        return format_currency(round(amount), currency, whole, locale=self._locale, currency_digits=False)

    def date(self, at_ms: int, zone: tzinfo) -> str:
        """Write a date with its year.

        >>> from datetime import UTC
        >>> from insights.words import words
        >>> words("en").date(1795772100000, UTC), words("zh").date(1795772100000, UTC)
        ('Nov 27, 2026', '2026年11月27日')
        """
        return format_date(_at(at_ms, zone), "medium", locale=self._locale)

    def day(self, at_ms: int, zone: tzinfo) -> str:
        """Write a date shortly, for an axis.

        >>> from datetime import UTC
        >>> from insights.words import words
        >>> words("en").day(1795772100000, UTC), words("zh").day(1795772100000, UTC)
        ('Nov 27', '11月27日')
        """
        return format_skeleton("MMMd", _at(at_ms, zone), locale=self._locale)

    def month(self, at_ms: int, zone: tzinfo) -> str:
        """Write a month with its year.

        >>> from datetime import UTC
        >>> from insights.words import words
        >>> words("en").month(1795772100000, UTC), words("zh").month(1795772100000, UTC)
        ('Nov 2026', '2026年11月')
        """
        return format_skeleton("yMMM", _at(at_ms, zone), locale=self._locale)

    def time(self, at_ms: int, zone: tzinfo, seconds: bool = False) -> str:
        """Write a time of day, of 24 hours in both languages, so that columns of times align.

        >>> from datetime import UTC
        >>> from insights.words import words
        >>> words("en").time(1795772100000, UTC), words("en").time(1795772100000, UTC, seconds=True)
        ('09:35', '09:35:00')
        """
        return format_time(_at(at_ms, zone), "HH:mm:ss" if seconds else "HH:mm", locale=self._locale)

    def moment(self, at_ms: int, zone: tzinfo) -> str:
        """Write date, time and zone. The zone is said as its distance from UTC, since names such as CST have several meanings.

        >>> from datetime import UTC
        >>> from zoneinfo import ZoneInfo
        >>> from insights.words import words
        >>> words("en").moment(1795772100000, UTC), words("zh").moment(1795772100000, ZoneInfo("Asia/Kolkata"))
        ('Nov 27, 2026, 09:35 UTC', '2026年11月27日 15:05 UTC+5:30')
        """
        comma = "," if self.lang == "en" else ""
        return f"{self.date(at_ms, zone)}{comma} {self.time(at_ms, zone)} {zone_name(at_ms, zone)}"

    def weekday(self, number: int) -> str:
        """Write a day of the week, 0 is Monday.

        >>> from insights.words import words
        >>> words("en").weekday(0), words("zh").weekday(6)
        ('Mon', '周日')
        """
        return str(self._locale.days["stand-alone"]["abbreviated"][number])

    def hour(self, number: int) -> str:
        """Write an hour of the day, 0 to 23.

        >>> from insights.words import words
        >>> words("en").hour(9)
        '09:00'
        """
        return f"{number:02d}:00"

    def duration(self, seconds: float | None) -> str:
        """Say how long something lasts. Raises ValueError when it is negative.

        >>> from insights.words import words
        >>> [words("en").duration(seconds) for seconds in (20, 60, 82_800, 846_720)], words("zh").duration(846_720)
        (['less than a minute', '1 minute', '23 hours', '9.8 days'], '9.8 天')
        """
        if not is_known(seconds):
            return DASH
        if seconds < 0:
            raise ValueError(f"a duration must not be negative, got {seconds}")
        if seconds < 55:
            return self.t("less than a minute")
        if seconds / 60 < 59.5:
            return self.t("minutes", n=max(1, round(seconds / 60)))
        hours = seconds / 3600
        unit, size = ("hours", hours) if hours < 47.5 else ("days", hours / 24)
        return self.t(unit, n=float(_rounded(max(1.0, size), 0 if size >= 9.95 else 1)))

    def ago(self, at_ms: int, now_ms: int) -> str:
        """Say how long ago something was, or in how long it will be, seen from `now_ms`.

        >>> from insights.words import words
        >>> words("en").ago(0, 7_200_000), words("zh").ago(0, 7_200_000), words("en").ago(86_400_000 * 3, 0), words("en").ago(0, 1)
        ('2 hours ago', '2 小时前', 'in 3 days', 'just now')
        """
        seconds = (now_ms - at_ms) / 1000
        if abs(seconds) < 55:
            return self.t("just now")
        return self.t("ago" if seconds > 0 else "in", duration=self.duration(abs(seconds)))

    def list_of(self, items: Iterable[str]) -> str:
        """Write a list as a sentence has it.

        >>> from insights.words import words
        >>> words("en").list_of(["a", "b", "c"]), words("zh").list_of(["甲", "乙", "丙"]), words("en").list_of([])
        ('a, b, and c', '甲、乙和丙', '')
        """
        return format_list(list(items), locale=self._locale)


def zone_name(at_ms: int, zone: tzinfo) -> str:
    """Return a zone as its distance from UTC at a moment.

    >>> from zoneinfo import ZoneInfo
    >>> zone_name(0, ZoneInfo("Asia/Shanghai")), zone_name(0, ZoneInfo("America/St_Johns")), zone_name(0, ZoneInfo("UTC"))
    ('UTC+8', 'UTC-3:30', 'UTC')
    """
    minutes = round((_at(at_ms, zone).utcoffset() or timedelta()).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return "UTC" if minutes == 0 else f"UTC{'+' if minutes > 0 else '-'}{hours}" + (f":{rest:02d}" if rest else "")


def _at(at_ms: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, zone)


def _rounded(value: float, digits: int | None) -> Decimal:
    """Round as the number will be written, so that plural and sign fit what is read."""
    rounded = round(Decimal(repr(float(value))), 1 if digits is None else digits)
    return rounded.to_integral_value() if rounded == rounded.to_integral_value() else rounded
