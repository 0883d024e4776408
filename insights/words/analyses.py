"""Words of the analyses: what each answers, what can be asked of it, what its metrics and columns are.

Keys: ``analysis.<name>`` and ``analysis.<name>.asks``, ``parameter.<name>``, ``metric.<name>`` with ``metric.<name>.is``, ``column.<name>``.
"""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    "analysis.active_users": Said("Active people", "活跃用户"),
    "analysis.active_users.asks": Said("How many people are active each day, each week, each month, and how often do they come?", "每天、每周、每月有多少人活跃，来得有多勤？"),
    # what can be asked
    "parameter.since": Said("first day, as in 2026-03-01; by default 28 days before the last", "起始日期，如 2026-03-01；默认为最后一天之前 28 天"),
    "parameter.until": Said("last day; by default the newest of the log", "结束日期；默认为日志中最新的一天"),
    "parameter.activity": Said("which events count as activity, as in view or view,props.plan=pro; by default the definition's", "哪些事件算活跃，如 view 或 view,props.plan=pro；默认按流失定义"),
    "parameter.where": Said("condition that every event must meet, as in props.plan=pro; may be given several times", "所有事件须满足的条件，如 props.plan=pro；可多次给出"),
    "parameter.without": Said("id that is not counted, such as a test account; may be given several times", "不计入的用户 ID，如测试账号；可多次给出"),
    "parameter.by": Said("field by which people are told apart: channel, type, item, props.NAME", "分组字段：channel、type、item 或 props 的属性（props.NAME）"),
    "parameter.limit": Said("most groups that keep their names; the others are together", "最多列出的分组数，其余合并"),
    "parameter.month_days": Said("days of a month: 28, so that every weekday weighs alike, or 30", "一个月的天数：28（各星期几权重相同）或 30"),
    # metrics
    "metric.dau": Said("DAU", "日活"),
    "metric.dau.is": Said("people active on the day", "当天活跃的人数"),
    "metric.wau": Said("WAU", "周活"),
    "metric.wau.is": Said("people active in the 7 days that end with the day", "截至当天 7 天内活跃的人数"),
    "metric.mau": Said("MAU", "月活"),
    "metric.mau.is": Said("people active in the month that ends with the day", "截至当天一个月内活跃的人数"),
    "metric.dau_of_mau": Said("DAU / MAU", "日活/月活"),
    "metric.dau_of_mau.is": Said("share of the month's people who were active on the day", "当月活跃用户中当天活跃的比例"),
    "metric.stickiness": Said("Stickiness", "黏性"),
    "metric.stickiness.is": Said("mean DAU of the month / MAU: the share of days on which somebody of the month is active", "当月平均日活/月活：平均每人活跃天数的占比"),
}  # fmt: skip
"""Codes with a dot are sentences and closed sets; the other keys are their own English."""
