"""Words of the analyses of journeys and of value; keys as in `insights/words/analyses.py`."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    "analysis.funnel": Said("Funnel", "漏斗"),
    "analysis.funnel.asks": Said("How far do people come along some steps, how long does each take, and where do they stop?", "用户在各步骤走到了哪里，每步用时多久，在哪一步停下？"),
    # what can be asked
    "parameter.steps": Said("the steps in order, each a type or a type with conditions: signup profile purchase,value>=10", "依次的步骤，每步为事件类型或带条件的类型：signup profile purchase,value>=10"),
    "parameter.order": Said("ordered: other events may lie between; strict: none may; any: how many of the steps, in whichever order", "ordered：步骤之间可有其他事件；strict：不可有；any：不分先后，完成了几步"),
    "parameter.among": Said("with strict: types that may not lie between; by default all", "strict 时：步骤之间不允许出现的事件类型；默认全部"),
    "parameter.exclude": Said("events that spoil a chain, with the steps between which: 1-2:refund; may be given several times", "出现即作废的事件及其所在的步骤区间：1-2:refund；可多次给出"),
    "parameter.first_entry": Said("try only the first entry of each person", "每位用户只看第一次进入"),
    "parameter.by_step": Said("step whose event says the group", "按第几步的事件取分组值"),
    "parameter.by_day": Said("by day of entry; a person is once in each day, so the days add up to more than the whole", "按进入日期；同一用户每天各计一次，各天之和大于总数"),
    # metrics
    "metric.reached": Said("Came so far", "到达人数"),
    "metric.reached.is": Said("people who did this step, of all who entered", "进入者中完成此步的人数"),
    "metric.ripe_reached": Said("Ripe, came so far", "已成熟的到达人数"),
    "metric.ripe_reached.is": Said("people who did this step, of those whose last try can go no further", "最后一次尝试的时限已过的用户中，完成此步的人数"),
    "metric.unripe_reached": Said("Unripe, so far", "未成熟的到达人数"),
    "metric.unripe_reached.is": Said("people who did this step and may still go on", "已完成此步、时限未过、仍可能继续的人数"),
    "metric.rate": Said("Conversion", "转化率"),
    "metric.rate.is": Said("share of ripe entrants who did this step", "已成熟的进入者中完成此步的比例"),
    "metric.step_rate": Said("Conversion from the step before", "上一步转化率"),
    "metric.step_rate.is": Said("share of ripe people of the step before who did this one", "已成熟且完成上一步的用户中完成此步的比例"),
    "metric.median_step": Said("Median time", "用时中位数"),
    "metric.median_step.is": Said("time from the step before, median of the ripe who did this one", "距上一步的时间，已成熟完成者的中位数"),
    "metric.p90_step": Said("Time of nine in ten", "用时 90 分位"),
    "metric.p90_step.is": Said("time from the step before that nine in ten of the ripe needed at most", "距上一步的时间，九成已成熟完成者不超过此值"),
    "metric.mean_step": Said("Mean time", "平均用时"),
    "metric.mean_step.is": Said("time from the step before, mean of the ripe who did this one", "距上一步的时间，已成熟完成者的平均值"),
    "metric.stopped": Said("Stopped here", "止步于此"),
    "metric.stopped.is": Said("ripe people whose best try ended with this step", "已成熟且最好的一次尝试止于此步的人数"),
    "metric.excluded": Said("Excluded", "被排除"),
    "metric.excluded.is": Said("people all of whose tries were spoiled; they are in no step", "所有尝试均被排除事件作废的人数，不计入任何步骤"),
    "column.step": Said("Step", "步骤"),
    "note.days_overlap": Said("A person is once in each day of entry, so the days add up to more than the whole.", "同一用户在每个进入日各计一次，因此各天之和大于总数。"),
}  # fmt: skip
"""Codes with a dot are sentences and closed sets; the other keys are their own English."""
