"""Words of the page At risk: who is going quiet, while there is still time to act."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said, phrases

WORDS: dict[str, Said] = {
    "at_risk.lead": Said("People going quiet, while there is still time to act", "正在沉默的用户，趁还来得及挽回"),
    # figures on top
    **phrases({"At risk now": "当前有风险", "Came back after an alert": "预警后回来", "Value at risk": "有风险的价值"}),
    "at_risk.now.is": Said("people with an open alert", "有未结预警的用户"),
    "at_risk.likely": Said("Likely to leave in {horizon}", "预计 {horizon}内流失"),
    "at_risk.likely.is": Said("the sum of their risks, if nothing is done", "各人风险之和，若不采取行动"),
    "at_risk.plus_minus": Said("± {n}", "± {n}"),
    "at_risk.back.is": Said("of {n} alerts of the last {days} days whose time is up", "近 {days} 天内已到期的 {n} 条预警中",
                            one="of {n} alert of the last {days} days whose time is up"),
    "at_risk.value.is": Said("risk × usual spend in {horizon}, summed over the list", "风险 × {horizon}内的常规消费，名单合计"),
    # the list
    **phrases({
        "Who to reach, now": "现在该联系谁",
        "Value": "价值",
        "Time left": "剩余时间",
        "Silent for": "已沉默",
        "just flagged": "刚预警",
        "back": "已回来",
    }),
    "at_risk.value.row": Said("risk × usual spend", "风险 × 常规消费"),
    "at_risk.left.is": Said("until their alert runs out, in event time", "距预警到期，按事件时间"),
    "at_risk.left.none": Said("time is up", "已到期"),
    "at_risk.new": Said("{n} new, show", "新增 {n} 人，点击显示"),
    "at_risk.new.spoken": Said("{n} people were flagged since this list was drawn", "名单显示后又有 {n} 人被预警", one="{n} person was flagged since this list was drawn"),
    "at_risk.list": Said("People at risk, sorted by {sort}", "有风险的用户，按{sort}排序"),
    "at_risk.search": Said("Find a person", "查找用户"),
    # sorting
    "sort.risk": Said("Risk", "风险"),
    "sort.value": Said("Risk × value", "风险 × 价值"),
    "sort.newest": Said("Newest alert", "最新预警"),
    "sort.left": Said("Least time left", "剩余时间最少"),
    # a selection as a list
    **phrases({"Select": "选择", "Select all": "全选", "Clear selection": "取消选择"}),
    "at_risk.select": Said("Select {person}", "选择 {person}"),
    "at_risk.selected": Said("{n} selected", "已选 {n} 人"),
    "at_risk.selection.csv": Said("Download the selection", "下载所选名单"),
    "at_risk.selection.copy": Said("Copy the ids", "复制用户 ID"),
    # beside the list
    "at_risk.bands.is": Said("open alerts by risk; choose one to filter the list", "未结预警按风险分级；点选即可筛选名单"),
    "band.from": Said("{low} and more", "{low} 及以上"),
    "band.between": Said("{low} to {high}", "{low} 至 {high}"),
    **phrases({"Why they are at risk": "为什么有风险", "People at risk, over time": "有风险人数走势", "How right it was": "预测有多准"}),
    "at_risk.why.is": Said("share of the list; one person can have several reasons", "占名单比例；一人可有多个原因"),
    "at_risk.over_time.is": Said("open alerts at the end of each day", "每天结束时的未结预警数"),
    **phrases({"Flagged and came back, per day": "每天：新预警与回来", "open alerts": "未结预警"}),
    "at_risk.right.is": Said(
        "alerts of the last {days} days whose time is up: the risk we said, and how many really left", "近 {days} 天内已到期的预警：当时的预测，与真正流失的比例"
    ),
    "at_risk.right.chart": Said("The risk we said against the share that really left", "预测的风险与真正流失的比例"),
    "at_risk.right.none": Said("Nobody's time is up yet: the first answer comes on {date}.", "还没有人到期：{date} 会有第一个答案。"),
    # reasons, by what they are about
    "reason.silence": Said("Gone silent", "陷入沉默"),
    "reason.active days": Said("Fewer active days", "活跃天数减少"),
    "reason.actions": Said("Doing less", "操作变少"),
    "reason.rhythm": Said("Out of their rhythm", "打破原有节奏"),
    "reason.visits": Said("Visits", "访问变化"),
    "reason.errors": Said("Ran into errors", "遇到报错"),
    "reason.money": Said("Spending", "消费变化"),
    "reason.funnel": Said("Stopped at a step", "停在某一步"),
    "reason.channel": Said("How they came to us", "来源渠道"),
    "reason.age": Said("How long they have been here", "加入时间"),
    "reason.time of day": Said("Time of day", "活跃时段"),
    "reason.key": Said("“{event}” stopped", "不再“{event}”"),
}  # fmt: skip
"""Codes with a dot are sentences and closed sets; the other keys are their own English."""
