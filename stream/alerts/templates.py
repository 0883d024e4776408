"""The sentences of reasons: one table, a row for each thing that can be said of a user, in English and in Chinese.

A sentence is made from the numbers of a reason alone (`stream.alerts.sentences`). In it stand::

    {now}    the value, with its noun: "3 actions", "9.8 days", "about 44 actions"
    {n}      the value without its noun
    {usual}, {usual_n}    the same of what is usual for this user
    {name}   a name from the configuration: a key event, a step of the funnel, a channel

Which reasons an alert gives, and how their numbers follow from a vector, is in `stream.alerts.reasons`.
"""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from features.users.spec import OTHER_CHANNEL, FeatureSpec
from features.users.state import KEYS
from stream.alerts.spoken import Lang

Unit = Literal[
    "seconds", "actions", "days", "visits", "times", "times per week", "purchases", "money", "money per week",
    "share", "spread", "regularity", "step", "channel",
]  # fmt: skip
UNITS: dict[Unit, str] = {
    "seconds": "seconds",
    "actions": "events of the user, of any type",
    "days": "calendar days",
    "visits": "visits: runs of events without a long pause",
    "times": "how many times",
    "times per week": "how many times a week, of the recent weeks",
    "purchases": "events that bring money",
    "money": "the sum of the values of such events, in whatever currency they carry",
    "money per week": "the sum of values a week, of the recent weeks",
    "share": "a share, 0 to 1",
    "spread": "standard deviation of the natural logarithm of the user's pauses: below 0.5 they are even, from 1 on they are uneven",
    "regularity": "how much the user keeps to one time of day, 0 (not at all) to 1 (always the same)",
    "step": "the furthest step reached: its place in `features.funnel`, from 1; 0 when none is reached",
    "channel": f"the channel they came through: its place in `features.channels`, from 1; 0 when unknown, {OTHER_CHANNEL} when it is not listed",
}
"""Units of a reason's numbers, and what each means."""

Named = Callable[[FeatureSpec, int], str]
"""Looks up the name that a number stands for; IndexError where nothing is configured under it."""


def _nothing(_names: FeatureSpec, _number: int) -> str:
    raise IndexError


class Sentence(NamedTuple):
    """How one thing is said in one language.

    Attributes
    ----------
    words : tuple of str
        The sentence; several where the template has bounds, one for each range between them.
    usual : str
        Added where the usual value is known and reads otherwise than the present one.
    none : str
        The sentence for a value of nothing; empty where that is never said.
    """

    words: tuple[str, ...]
    usual: str = ""
    none: str = ""


class Template(NamedTuple):
    """One thing that can be said.

    Attributes
    ----------
    counts : str
        The feature that `now` is, where that is a count: small counts are known exactly, large ones are said with "about".
    bounds : tuple of float
        For a value that nobody counts: where the next of several sentences begins.
    named : callable
        Looks up {name}.
    """

    unit: Unit
    en: Sentence
    zh: Sentence
    counts: str = ""
    bounds: tuple[float, ...] = ()
    named: Named = _nothing

    def sentence(self, lang: Lang) -> Sentence:
        """Return how it is said in a language."""
        return self.zh if lang == "zh" else self.en


def _row(
    unit: Unit,
    en: tuple[str, ...],
    zh: tuple[str, ...],
    *,
    usual: tuple[str, str] = ("", ""),
    none: tuple[str, str] = ("", ""),
    counts: str = "",
    bounds: tuple[float, ...] = (),
    named: Named = _nothing,
) -> Template:
    return Template(unit, Sentence(en, usual[0], none[0]), Sentence(zh, usual[1], none[1]), counts, bounds, named)


def _key_event(slot: int) -> Template:
    return _row(
        "times per week",
        ("No “{name}” lately", "“{name}” about once a week or less, lately", "“{name}” {now} a week, lately"),
        ("近期没有“{name}”", "近期“{name}”大约每周一次或更少", "近期“{name}”每周{now}"),
        bounds=(0.05, 1.5),
        named=lambda spec, _: spec.key_events[slot],
    )


def _key_value(slot: int) -> Template:
    return _row(
        "money per week",
        ("No “{name}” of any value lately", "“{name}” worth {now} a week, lately"),
        ("近期“{name}”没有产生价值", "近期“{name}”每周价值{now}"),
        bounds=(0.5,),
        named=lambda spec, _: spec.key_events[slot],
    )


_NEVER_ACTIVE = ("Not active on any day so far", "至今还没有活跃过")
TEMPLATES: dict[str, Template] = {
    "silence": _row(
        "seconds", ("No activity for {now}",), ("已{now}没有活动",),
        usual=("; usually back within {usual}", "，平时{usual}内会回来"), none=("Active within the last minute", "最近 1 分钟内有活动"),
    ),
    "longest_break": _row(
        "seconds", ("No activity for {now}",), ("已{now}没有活动",),
        usual=("; the longest break so far was {usual}", "，此前最长一次隔了{usual}"), none=("Active within the last minute", "最近 1 分钟内有活动"),
    ),
    "actions_1h": _row("actions", ("{now} in the last hour",), ("最近 1 小时操作{now}",), counts="count_1h"),
    "actions_24h": _row(
        "actions", ("{now} in the last 24 hours",), ("最近 24 小时操作{now}",), usual=("; usually {usual_n}", "，平时{usual}"), counts="count_24h",
    ),
    "actions_7d": _row(
        "actions", ("{now} in the last 7 days",), ("最近 7 天操作{now}",), usual=("; usually {usual_n}", "，平时{usual}"), counts="count_7d",
    ),
    "actions_28d": _row(
        "actions", ("{now} in the last 28 days",), ("最近 28 天操作{now}",), usual=("; usually {usual_n}", "，平时{usual}"), counts="count_28d",
    ),
    "actions": _row(
        "actions", ("{now} since they joined",), ("加入以来操作{now}",), none=("No action on record", "还没有操作记录"), counts="count_total",
    ),
    "active_days_7": _row(
        "days", ("Active on {n} of the last 7 days",), ("最近 7 天中有{now}活跃",),
        usual=("; usually on {usual_n}", "，平时{usual}"), counts="active_days_7",
    ),
    "active_days_28": _row(
        "days", ("Active on {n} of the last 28 days",), ("最近 28 天中有{now}活跃",),
        usual=("; usually on {usual_n}", "，平时{usual}"), counts="active_days_28",
    ),
    "active_days_64": _row("days", ("Active on {n} of the last 64 days",), ("最近 64 天中有{now}活跃",), counts="active_days_64"),
    "active_days_8_14": _row(
        "days", ("Active on {now} one to two weeks ago",), ("一到两周前有{now}活跃",),
        none=("Not active one to two weeks ago", "一到两周前没有活动"), counts="active_days_8_14",
    ),
    "active_days_15_28": _row(
        "days", ("Active on {now} two to four weeks ago",), ("两到四周前有{now}活跃",),
        none=("Not active two to four weeks ago", "两到四周前没有活动"), counts="active_days_15_28",
    ),
    "active_days": _row("days", ("Active on {now} since they joined",), ("加入以来共有{now}活跃",), none=_NEVER_ACTIVE, counts="active_days_total"),
    "active_share": _row("share", ("Active on {now} of the days since they joined",), ("加入以来{now}的日子有活动",), none=_NEVER_ACTIVE),
    "streak": _row("days", ("The last run of active days was {now} long",), ("最近一次连续活跃了{now}",), none=_NEVER_ACTIVE, counts="streak_days"),
    "day_gap": _row(
        "days",
        ("The last two active days followed each other", "{now} between the last two active days", "More than two months between the last two active days"),
        ("最近两个活跃日是连着的", "最近两个活跃日相隔{now}", "最近两个活跃日相隔两个多月"),
        counts="day_gap_days", bounds=(1.5, 63.5),
    ),
    "steadiness": _row(
        "spread",
        ("Comes back at steady intervals", "Comes back at fairly steady intervals", "Comes back at irregular intervals"),
        ("回访间隔很稳定", "回访间隔比较稳定", "回访间隔不规律"),
        bounds=(0.5, 1.0),
    ),
    "tenure": _row("seconds", ("Joined {now} ago",), ("{now}前加入",), none=("Joined just now", "刚刚加入")),
    "visits": _row("visits", ("{now} since they joined",), ("加入以来访问{now}",), none=("No visit on record", "还没有访问记录"), counts="sessions"),
    "returns": _row("times", ("Came back {now} since they joined",), ("加入以来回访{now}",), none=("Has not come back yet", "还没有回来过"), counts="gaps"),
    "visit_length": _row(
        "seconds", ("An average visit lasts {now}",), ("平均每次访问{now}",), none=("An average visit lasts less than a minute", "平均每次访问不到 1 分钟"),
    ),
    "last_visit": _row(
        "seconds", ("The last full visit lasted {now}",), ("最近一次完整访问用时{now}",),
        usual=("; usually {usual}", "，平时{usual}"), none=("The last full visit lasted less than a minute", "最近一次完整访问用时不到 1 分钟"),
    ),
    "errors": _row("share", ("{now} of recent actions were errors",), ("近期操作中有{now}出错",), none=("No errors lately", "近期没有出错")),
    "spent": _row("money", ("Spent {now} since they joined",), ("加入以来消费金额{now}",), none=("Has not spent anything yet", "还没有消费过")),
    "purchases": _row("purchases", ("{now} since they joined",), ("加入以来购买{now}",), none=("No purchase yet", "还没有购买过"), counts="purchases"),
    "last_purchase": _row("seconds", ("Last purchase {now} ago",), ("上次购买是{now}前",), none=("Last purchase just now", "刚刚购买过")),
    "time_of_day": _row(
        "regularity",
        ("Comes at any time of the day", "Comes at roughly the same time of day", "Comes at the same time of day"),
        ("来访时间不固定", "来访时间大致固定", "来访时间固定"),
        bounds=(0.4, 0.75),
    ),
    "funnel": _row(
        "step", ("Has not reached “{name}” yet", "Furthest step so far: “{name}”"), ("还没有走到“{name}”", "目前最远走到“{name}”"),
        bounds=(0.5,), named=lambda spec, step: spec.funnel[max(step - 1, 0)],
    ),
    "channel": _row(
        "channel",
        ("How they came to us is not known", "Came through “{name}”", "Came through a channel that is not listed"),
        ("来源渠道未知", "来自渠道“{name}”", "来自未列出的渠道"),
        bounds=(0.5, OTHER_CHANNEL - 0.5), named=lambda spec, channel: spec.channels[channel - 1],
    ),
    **{f"key_event_{slot}": _key_event(slot) for slot in range(KEYS)},
    **{f"key_value_{slot}": _key_value(slot) for slot in range(KEYS)},
}  # fmt: skip
"""By code, which names a reason for programs and never changes."""

NOUNS: dict[Unit, dict[Lang, tuple[str, str]]] = {
    "actions": {"en": ("action", "actions"), "zh": ("次", "次")},
    "days": {"en": ("day", "days"), "zh": ("天", "天")},
    "visits": {"en": ("visit", "visits"), "zh": ("次", "次")},
    "times": {"en": ("time", "times"), "zh": ("次", "次")},
    "times per week": {"en": ("time", "times"), "zh": ("次", "次")},
    "purchases": {"en": ("purchase", "purchases"), "zh": ("次", "次")},
}
"""Singular and plural of each unit that is said with its number."""
