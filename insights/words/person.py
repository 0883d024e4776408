"""Words of the page Person: what is known of one person, how their risk went, and why."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said, phrases

WORDS: dict[str, Said] = {
    "person.lead": Said("One person: how their risk went, what moves it, and when they are usually here", "单个用户：风险走势、影响因素与平时出现的时间"),
    "person.find": Said("Find a person by id", "按 ID 查找用户"),
    "person.find.is": Said("Type the whole id, as your events carry it.", "请输入完整 ID，与事件中的一致。"),
    **phrases({"Find": "查找", "Risk now": "当前风险", "First seen": "首次出现", "Last seen": "最近出现", "Alert": "预警", "No open alert": "无未结预警"}),
    "person.risk_now.is": Said("chance of no activity in the next {horizon}, judged at {moment}", "未来 {horizon}内不再活动的概率，判断于 {moment}"),
    "person.by_model": Said("by model {model}, version {version}", "由模型 {model} 第 {version} 版给出"),
    "person.by_rule": Said("by their own rhythm: no model has learned enough yet", "按其自身节奏：还没有学够的模型"),
    "person.not_scored": Said("Not scored yet: the first score comes a day after the first activity.", "尚未评分：首次活动一天后给出第一个评分。"),
    "person.dormant": Said("Dormant: no alert opens before the next activity.", "已休眠：下次活动之前不会再预警。"),
    "person.silent": Said("silent for {duration}", "已沉默 {duration}"),
    "person.usually": Said("usually back within {duration}", "平时 {duration}内会回来"),
    # the risk line
    "person.line": Said("Risk over time", "风险走势"),
    "person.line.is": Said("judged once a day, at their own time; an alert opens at the line across", "每天在其固定时刻判断一次；横线为预警线"),
    **phrases({"alert opened": "开始预警", "alert ran out": "预警到期", "first activity": "首次活动", "judged at": "判断时刻"}),
    "person.line.none": Said("No score so far: the first one comes on {date}.", "暂无评分：第一个评分将在 {date} 给出。"),
    # what moves the risk
    **phrases({"What raises it": "哪些因素推高风险", "What lowers it": "哪些因素降低风险"}),
    "person.moves.is": Said("compared with everybody else; the odds are those of leaving", "与其他所有人相比；几率指流失的几率"),
    "person.odds": Said("odds × {factor}", "几率 × {factor}"),
    "person.moves.none": Said("Nothing stands out.", "没有明显的因素。"),
    # habits
    **phrases({"When they are here": "平时何时出现", "By hour of the day": "按一天中的小时", "By weekday": "按星期", "By hour and weekday": "按小时与星期"}),
    "person.habits.is": Said("share of their actions, in the time zone {zone}", "操作次数占比，时区 {zone}"),
    "person.habits.weight": Said("recent actions weigh more", "近期的操作权重更高"),
    "person.habits.none": Said("Too few actions to see a habit: {n} so far.", "操作太少，还看不出习惯：目前 {n} 次。"),
    "person.habits.most": Said("mostly around {hour}", "多在 {hour} 前后"),
    # the life of an alert
    "person.alerts": Said("Alerts so far", "历次预警"),
    "person.alerts.none": Said("Never flagged.", "从未被预警。"),
    "person.alert.opened": Said("flagged {moment}, risk {risk}", "{moment} 预警，风险 {risk}"),
    "person.alert.open": Said("open, {duration} left", "未结，剩余 {duration}"),
    "person.alert.returned": Said("came back after {duration}", "{duration}后回来"),
    "person.alert.horizon": Said("did not come back in {duration}: really left", "{duration}内没有回来：真的流失"),
    **phrases({"Opened": "开始", "Ended": "结束", "Outcome": "结果", "In this state": "持续"}),
    # all there is
    **phrases({"Everything known": "全部已知信息", "Feature": "特征", "Value now": "当前值"}),
    "person.shards": Said(
        "This person is in shards {shards}, each with a part of the history: key events by person, with the same partitioner in all producers.",
        "该用户的历史分散在分片 {shards} 中：请按用户作为事件的键，并让所有生产者使用同一种分区方式。",
    ),
}  # fmt: skip
"""Codes with a dot are sentences and closed sets; the other keys are their own English."""
