"""Words of what stands out on a page: groups, steps, features, hours. Each has a sentence for where none does."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    "standing.groups": Said("Surely below the others together: {which}.", "明显低于其余各组合计：{which}。"),
    "standing.groups.none": Said("No group is surely below the others.", "没有哪一组明显低于其余各组。"),
    "standing.against": Said("{name}, {value} against {others}", "{name}（{value}，其余 {others}）"),
    "standing.steps": Said("Surely fewer go on than at the other steps to: {which}.", "明显比其他步骤更少人走到：{which}。"),
    "standing.steps.none": Said("No step surely loses more than the others.", "没有哪一步的流失明显高于其他步骤。"),
    "standing.features": Said(
        "Surely come again more often, held against others who are as active: whoever uses {which}.", "与同等活跃的用户相比，明显更常再来的是使用以下功能的人：{which}。"
    ),
    "standing.features.none": Said(
        "Whoever uses a feature comes again no more often, as far as is sure, than others who are as active.", "没有哪个功能的用户明显比同等活跃的其他人更常再来。"
    ),
    "standing.points": Said("{name} ({points} points)", "{name}（{points} 个百分点）"),
    "standing.hours": Said("Silence surely follows more often after visits that end from: {which}.", "在以下时段结束的访问之后，明显更常出现沉默：{which}。"),
    "standing.hours.none": Said("After visits of no hour does silence surely follow more often.", "没有哪个时段的访问之后明显更常沉默。"),
    "standing.hour": Said("{hour} ({times} times as often)", "{hour}（{times} 倍）"),
    # the hours of a day
    "hours.title": Said("Hours of the day", "一天中的时段"),
    "hours.is": Said(
        "how many times as often silence follows after visits that end in this hour, compared with other visits of people who are as active; the surest first",
        "在该时段结束的访问之后出现沉默的倍数，与同等活跃用户的其他访问相比；最确定者在前",
    ),
    "hours.hour": Said("Hour", "时段"),
    "hours.visits": Said("Visits", "访问次数"),
    "hours.latency": Said("Median time to answer", "响应时间中位数"),
    "hours.more": Said("All hours", "全部时段"),
}  # fmt: skip
