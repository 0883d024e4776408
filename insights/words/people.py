"""Words of lists of people behind a number: the columns that analyses give of each person, and what the page says around them."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    "people.cohort": Said("cohort", "批次"),
    "people.reached": Said("steps reached", "到达步骤"),
    "people.ripe": Said("time is up", "时限已过"),
    "people.entered": Said("entered", "进入时间"),
    "people.last_step": Said("last step", "最后一步"),
    "people.recency_days": Said("days since the last", "距上次天数"),
    "people.purchase_days": Said("days with a purchase", "购买天数"),
    "people.revenue": Said("revenue", "消费额"),
    "people.r": Said("score of recency", "最近购买得分"),
    "people.f": Said("score of frequency", "频次得分"),
    "people.m": Said("score of money", "金额得分"),
    "people.segment": Said("segment", "分群"),
    "people.source": Said("segment before", "原分群"),
    "people.events_a_day": Said("events a day", "日均事件"),
    "people.tenure_days": Said("days since the first", "首次至今天数"),
    "people.purchases": Said("purchases", "购买次数"),
    "people.x": Said("purchase days after the first", "首购之后的购买天数"),
    "people.expected_purchases": Said("expected purchases", "预期购买次数"),
    "people.purchase_value": Said("value of a purchase", "单次购买金额"),
    "people.value_ahead": Said("expected to spend", "预期消费额"),
    "people.p_alive": Said("still a customer", "仍为客户的概率"),
    "people.landmarks": Said("such days", "此类天数"),
    "people.silences": Said("silences after them", "其后沉默次数"),
    "people.visits": Said("visits", "访问次数"),
    "people.alerts": Said("alerts", "预警数"),
    "people.risk": Said("risk", "风险"),
    "people.chance": Said("chance to come", "回来的概率"),
    # the page
    "people.title": Said("The people behind a number", "数字背后的用户"),
    "people.of": Said("{analysis}: {metric}", "{analysis}：{metric}"),
    "people.first": Said("The first {n} people", "前 {n} 名用户"),
    "people.more": Said("There are more: the file has up to {most} of them.", "还有更多：文件最多包含 {most} 名。"),
    "people.refused": Said("There is no such list: {words}.", "没有这样的名单：{words}。"),
}  # fmt: skip
"""Codes with a dot are sentences and closed sets."""
