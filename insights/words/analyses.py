"""Words of the analyses: what each answers, what can be asked of it, what its metrics and columns are.

Keys: ``analysis.<name>`` and ``analysis.<name>.asks``, ``parameter.<name>``, ``metric.<name>`` with ``metric.<name>.is``, ``column.<name>``.
"""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    "analysis.active_users": Said("Active people", "活跃用户"),
    "analysis.active_users.asks": Said("How many people are active each day, each week, each month, and how often do they come?", "每天、每周、每月有多少人活跃，来得有多勤？"),
    "analysis.retention": Said("Retention", "留存"),
    "analysis.retention.asks": Said("Do people come back, and for how long?", "用户会回来吗，能留多久？"),
    # what can be asked
    "parameter.since": Said("first day, as in 2026-03-01; by default so that the newest fit a table", "起始日期，如 2026-03-01；默认取最近的若干个"),
    "parameter.until": Said("last day; by default the newest of the log", "结束日期；默认为日志中最新的一天"),
    "parameter.activity": Said("which events count as activity, as in view or view,props.plan=pro; by default the definition's", "哪些事件算活跃，如 view 或 view,props.plan=pro；默认按流失定义"),
    "parameter.where": Said("condition that every event must meet, as in props.plan=pro; may be given several times", "所有事件须满足的条件，如 props.plan=pro；可多次给出"),
    "parameter.without": Said("id that is not counted, such as a test account; may be given several times", "不计入的用户 ID，如测试账号；可多次给出"),
    "parameter.by": Said("field by which people are told apart: channel, type, item, props.NAME", "分组字段：channel、type、item 或 props 的属性（props.NAME）"),
    "parameter.limit": Said("most groups that keep their names; the others are together", "最多列出的分组数，其余合并"),
    "parameter.unit": Said("hour, day, week or month of the calendar", "日历单位：hour、day、week 或 month"),
    "parameter.cohort": Said(
        "who enters when: first (their first such event ever), recurring (every unit in which they have one), first_event_is (their very first event of the type must meet the conditions)",
        "如何分组：first（有史以来首次）、recurring（每个发生过的单位）、first_event_is（该类型的首个事件须满足条件）",
    ),
    "parameter.start": Said("event by which people enter; by default any activity", "进入分组的事件；默认为任意活跃事件"),
    "parameter.returns": Said("event that counts as coming back; by default any activity", "算作回来的事件；默认为任意活跃事件"),
    "parameter.mode": Said("on: back in that unit; on_or_after: in that unit or any later one", "on：在该单位内回来；on_or_after：在该单位或之后回来"),
    "parameter.brackets": Said("stretches of units instead of single ones, as in 1-7 8-14 15-30; may be given several times", "用区间代替单个单位，如 1-7 8-14 15-30；可多次给出"),
    "parameter.follow": Said("units that each cohort is followed; by default 24 hours, 30 days, 12 weeks or 12 months", "每组跟踪的单位数；默认 24 小时、30 天、12 周或 12 个月"),
    "parameter.window": Said("calendar, or 24h: stretches of 24 hours since each person's entry", "calendar（日历），或 24h：从每人进入起每 24 小时一段"),
    "parameter.min_returns": Said("events that it takes to be back in a unit", "一个单位内至少多少次才算回来"),
    "parameter.same_unit": Said("count returns after the entry in the same unit, as k = 0", "同一单位内进入之后的回来也计入（k = 0）"),
    "parameter.same_cohorts": Said("overall over the same cohorts at every k: those that are complete at the last", "总体在每个 k 都用同一批已完整的分组"),
    "parameter.week_start": Said("first day of weeks; by default that of the log", "每周起始日；默认按日志设置"),
    "parameter.month_days": Said("days of a month: 28, so that every weekday weighs alike, or 30", "一个月的天数：28（各星期几权重相同）或 30"),
    # columns besides the long form
    "column.count": Said("people", "人数"),
    "column.to": Said("last unit", "末单位"),
    # notes
    "note.left_censored": Said(
        "{n} people who were there before the log is complete are in no cohort: nobody knows when they came.",
        "{n} 名用户在日志完整之前就已存在，不属于任何分组：无法得知他们何时到来。",
        one="{n} person who was there before the log is complete is in no cohort: nobody knows when they came.",
    ),
    # metrics
    "metric.retention": Said("Retention", "留存率"),
    "metric.retention.is": Said("share of the cohort that was back", "该组中回来的比例"),
    "metric.overall": Said("All cohorts", "总体"),
    "metric.overall.is": Said("share of all people of cohorts whose cell is complete", "单元已完整的各组合计的比例"),
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
