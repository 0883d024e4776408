"""Words of the analysis of inviters and invited; keys as in `insights/words/analyses.py`."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    "analysis.inviters": Said("Inviters and invited", "邀请与受邀"),
    "analysis.inviters.asks": Said("Do people stay who were invited by others, and do those stay who invite?", "受邀而来的人是否留下，邀请别人的人是否留下？"),
    # what can be asked
    "parameter.inviter": Said("where the id of who invited somebody is told: traits.NAME, or a field of their first event such as props.invited_by", "邀请人 ID 的所在：traits.NAME，或首个事件的字段，如 props.invited_by"),
    "parameter.on_days": Said("days since the first on which people may be back, as in 1 7 30; may be given several times", "查看自首日起第几天回来，如 1、7、30；可多次给出"),
    "asks.inviter": Said("Invited by", "邀请人字段"),
    "asks.on_days": Said("Back on day", "第几天回来"),
    # metrics
    "metric.invited_back": Said("Invited, back", "受邀者留存"),
    "metric.invited_back.is": Said("share of the invited who were active on day k after their first; n is those whose day k is over", "受邀者中首日之后第 k 天活跃的比例；n 为第 k 天已结束的人数"),
    "metric.others_back": Said("Others, back", "未受邀者留存"),
    "metric.others_back.is": Said("the same of who was invited by nobody", "无人邀请的用户，同上"),
    "metric.invited_against_others": Said("More of the invited (points)", "受邀者多留（百分点）"),
    "metric.invited_against_others.is": Said("share of the invited that was back minus that of the others; the interval is by Newcombe, n is both together", "受邀者的留存减去未受邀者的；区间为 Newcombe 法，n 为两者合计"),
    "metric.inviters_back": Said("Inviters, back", "邀请者留存"),
    "metric.inviters_back.is": Said("share of who invited somebody that was active on day k after the first of theirs came", "邀请者中，其首位受邀者到来之后第 k 天活跃的比例"),
    "metric.invited_people": Said("Invited people", "受邀人数"),
    "metric.invited_people.is": Said("people of whom it is told who invited them", "有邀请人记录的人数"),
    "metric.inviter_people": Said("Inviters", "邀请人数"),
    "metric.inviter_people.is": Said("people in the log of whom somebody says that they invited them", "日志中被记为邀请人的人数"),
    "metric.invited_each": Said("Brought by each", "人均邀请"),
    "metric.invited_each.is": Said("mean number of people that an inviter brought", "每位邀请者带来的平均人数"),
    # people
    "people.invited": Said("people invited", "邀请的人数"),
}  # fmt: skip
