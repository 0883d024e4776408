"""Words of the page At risk: who is going quiet, while there is still time to act."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said, phrases

WORDS: dict[str, Said] = {
    "at_risk.lead": Said("People going quiet, while there is still time to act", "正在沉默的用户，趁还来得及挽回"),
    # filters
    "at_risk.horizon": Said("{duration} ahead", "未来 {duration}"),
    "at_risk.all_reasons": Said("All reasons", "全部原因"),
    "at_risk.sort": Said("Sort: {by}", "排序：{by}"),
    "at_risk.search": Said("Find a person", "查找用户"),
    "at_risk.without": Said("Without {filter}", "去掉{filter}"),
    "sort.risk": Said("Risk", "风险"),
    "sort.value": Said("Value at risk", "有风险的价值"),
    "sort.newest": Said("Newest alert", "最新预警"),
    "sort.left": Said("Least time left", "剩余时间最少"),
    # figures on top: what each is of, and what it means
    **phrases({"At risk now": "当前有风险", "Came back after an alert": "预警后回来", "Value at risk": "有风险的价值"}),
    "at_risk.now.is": Said("people with an open alert", "有未结预警的用户"),
    "at_risk.now.week": Said("{n} a week ago", "一周前 {n}"),
    "at_risk.now.means": Said(
        "People who have been silent for longer than is usual for them, so that their risk reached the threshold, and who have not come back yet. "
        "An alert ends when they do, or when its time is up.",
        "沉默时间超过平时、风险达到预警线且尚未回来的用户。用户回来或预警到期时，预警结束。",
    ),
    "at_risk.likely": Said("Likely to leave in {horizon}", "预计 {horizon}内流失"),
    "at_risk.likely.about": Said("of {n} people, if nothing is done", "共 {n} 名用户，若不采取行动", one="of {n} person, if nothing is done"),
    "at_risk.likely.means": Said(
        "The sum of their risks: of ten people with a risk of 80%, eight leave. The interval of 95% holds if the risks are right and people decide for "
        "themselves. Risk by {risk}.",
        "各人风险之和：10 名风险为 80% 的用户中会有 8 名流失。若风险准确且用户各自独立，95% 区间成立。风险的含义：{risk}。",
    ),
    "at_risk.plus_minus": Said("± {n}", "± {n}"),
    "at_risk.back.is": Said(
        "of {n} alerts whose time was up in the last {days} days",
        "近 {days} 天到期的 {n} 条预警中",
        one="of {n} alert whose time was up in the last {days} days",
    ),
    "at_risk.back.means": Said(
        "Of all alerts whose time was up in the last {days} days, the share of people who came back before it was. Some would have come back by themselves: "
        "this is no measure of what your messages did.",
        "近 {days} 天内到期的预警中，用户在到期前回来的比例。有些人本来就会回来，因此它不能衡量你的触达效果。",
    ),
    "at_risk.value.about": Said("{n} of {of} people have spent anything", "{of} 名用户中 {n} 名有过消费", one="{n} of {of} people has spent anything"),
    "at_risk.sure": Said("95% interval {interval}", "95% 区间 {interval}"),
    "at_risk.value.none": Said("no event brings money: see features.revenue_events", "没有带金额的事件：请查看 features.revenue_events"),
    "at_risk.value.means": Said(
        "For each person, risk × what they would spend in {days} days at the pace they have had since they joined (over 28 days at least), summed over the "
        "list. It is what may be lost, not what they have spent.",
        "每名用户的风险 × 按加入以来的消费速度（至少按 28 天计）在 {days} 天内的预计消费，名单合计。它是可能失去的金额，不是已消费的金额。",
    ),
    # the list
    **phrases({
        "Who to reach, now": "现在该联系谁",
        "Value": "价值",
        "Time left": "剩余时间",
    }),
    "at_risk.list": Said("sorted by: {sort}", "排序：{sort}"),
    "at_risk.part": Said("{first} to {last} of {n}", "共 {n} 人，第 {first} 至 {last} 人"),
    "at_risk.pages": Said("Pages of the list", "名单分页"),
    "at_risk.value.row": Said("risk × what they would spend in 90 days", "风险 × 90 天的预计消费"),
    "at_risk.left.is": Said("until their alert ends, in event time", "距预警到期，按事件时间"),
    "at_risk.left.none": Said("time is up", "已到期"),
    "at_risk.flagged": Said("flagged on {moment}", "{moment} 预警"),
    "at_risk.active": Said("last active {ago}", "{ago}活跃"),
    "at_risk.new": Said("{n} new, show", "新增 {n} 人，点击显示"),
    "at_risk.new.again": Said("This list is old, show it anew", "名单已过时，点击刷新"),
    "at_risk.nobody.body": Said(
        "Everybody is as active as usual for them. Whoever falls silent is judged once a day and appears here by themselves.",
        "所有人都与平时一样活跃。有人沉默时，每天会判断一次，并自动出现在这里。",
    ),
    "at_risk.not_for_viewers": Said(
        "Your role sees figures of everybody together, and no persons. An administrator can make you an analyst.",
        "你的角色只能查看汇总数字，看不到个人。管理员可以将你设为分析员。",
    ),
    # a selection as a list
    **phrases({"Select all": "全选"}),
    "at_risk.select": Said("Select {person}", "选择 {person}"),
    "at_risk.selected": Said("{n} selected", "已选 {n} 人"),
    "at_risk.selection.csv": Said("Selection as CSV", "所选导出 CSV"),
    "at_risk.selection.ids": Said("Selection as ids", "所选仅 ID"),
    "at_risk.csv": Said("All {n} as CSV", "全部 {n} 人导出 CSV"),
    # beside the list
    "at_risk.bands.is": Said("of these people; choose one to see only them", "这些用户的分级；点选即可只看该级"),
    "band.from": Said("{low} and more", "{low} 及以上"),
    "band.between": Said("{low} to {high}", "{low} 至 {high}"),
    "band.below": Said("below {high}", "低于 {high}"),
    **phrases({"Why they are at risk": "为什么有风险", "People at risk, over time": "有风险人数走势", "How right it was": "预测有多准"}),
    "at_risk.why.is": Said("share of these people; one person can have several reasons", "占这些用户的比例；一人可有多个原因"),
    "at_risk.why.of": Said("{n} of {of} people", "{of} 人中 {n} 人"),
    "at_risk.over_time.is": Said("open alerts at the end of each day; the last day is now", "每天结束时的未结预警数；最后一天为现在"),
    "at_risk.all": Said("of everybody, whatever the filters", "全部用户，不受筛选影响"),
    **phrases({"Flagged and came back, per day": "每天：新预警与回来", "open alerts": "未结预警"}),
    "at_risk.right.is": Said(
        "alerts whose time was up in the last {days} days: the risk we said, and how many really left", "近 {days} 天内到期的预警：当时的预测，与真正流失的比例"
    ),
    "at_risk.right.n": Said("alerts", "预警数"),
    "at_risk.right.chart": Said("The risk we said against the share that really left", "预测的风险与真正流失的比例"),
    "at_risk.right.none": Said("Nobody's time is up yet: the first answer comes on {date}.", "还没有人到期：{date} 会有第一个答案。"),
    "at_risk.right.nobody": Said("Nobody has been flagged yet.", "还没有人被预警。"),
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
    "reason.key": Said("How often “{event}”", "“{event}”的次数"),
}  # fmt: skip
"""Codes with a dot are sentences and closed sets; the other keys are their own English."""
