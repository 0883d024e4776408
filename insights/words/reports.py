"""Words of the report that comes by itself: its head, and what changed since the last one."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    "report.of": Said("Report of {date}", "{date}报告"),
    "report.named": Said("{name}, {date}", "{name}，{date}"),
    "report.changed": Said("What changed since the last report, {ago} ({date})", "与{ago}（{date}）的上一份报告相比"),
    "report.unchanged": Said("Nothing that this report tells has changed.", "本报告中的数字没有变化。"),
    "report.first": Said(
        "This is the first report. From the next one on, this place says what changed.", "这是第一份报告；从下一份起，这里会说明有何变化。"
    ),
    "report.no_board": Said(
        "The board {name} is not there any more: take it out of the report.", "看板 {name} 已不存在：请从报告设置中移除。"
    ),
    "report.no_engine": Said(
        "The live engine did not answer, so who is at risk is as it was last known.", "实时引擎没有应答，流失风险以最近一次所知为准。"
    ),
    "report.no_engine.ever": Said(
        "No live engine has answered, so this says nothing of who is at risk now.", "尚无实时引擎应答，因此未列出当前的流失风险。"
    ),
    "report.ago.day": Said("a day ago", "一天前"),
    "report.ago.week": Said("a week ago", "一周前"),
    "report.ago.days": Said("{n} days ago", "{n} 天前"),
    "report.ago.weeks": Said("{n} weeks ago", "{n} 周前"),
    "report.week": Said("the week of {day}", "{day}当周"),
    # what is counted
    "report.at_risk": Said("at risk", "流失风险用户"),
    "report.leaving": Said("likely to leave", "预计流失的用户"),
    "report.at_stake": Said("value at risk", "有风险的价值"),
    "report.d1": Said("Day 1", "次日留存"),
    "report.d7": Said("Day 7", "7 日留存"),
    "report.d30": Said("Day 30", "30 日留存"),
    "report.new": Said("new people", "新增用户"),
    "report.resurrected": Said("people back", "回流用户"),
    "report.dormant": Said("people gone quiet", "沉默用户"),
    "report.active": Said("active people", "活跃用户"),
    "report.curr": Said("CURR", "CURR"),
    "report.nurr": Said("NURR", "NURR"),
    "report.rurr": Said("RURR", "RURR"),
    "report.surr": Said("SURR", "SURR"),
    # how it changed
    "report.people.more": Said("{n} more {what} than {ago}: {now}, was {was}", "{what}比{ago}多 {n} 人：{now} 人，此前 {was} 人"),
    "report.people.fewer": Said("{n} fewer {what} than {ago}: {now}, was {was}", "{what}比{ago}少 {n} 人：{now} 人，此前 {was} 人"),
    "report.money.more": Said("{n} more {what} than {ago}: {now}, was {was}", "{what}比{ago}多 {n}：{now}，此前 {was}"),
    "report.money.fewer": Said("{n} less {what} than {ago}: {now}, was {was}", "{what}比{ago}少 {n}：{now}，此前 {was}"),
    "report.week.more": Said(
        "{n} more {what} in {cohort} than in {before}: {now}, was {was}", "{cohort}的{what}比{before}多 {n} 人：{now} 人，此前 {was} 人"
    ),
    "report.week.fewer": Said(
        "{n} fewer {what} in {cohort} than in {before}: {now}, was {was}", "{cohort}的{what}比{before}少 {n} 人：{now} 人，此前 {was} 人"
    ),
    "report.share.more": Said(
        "{what} of {cohort} is {n} points above {before}: {now}, was {was}", "{cohort}的{what}比{before}高 {n} 个百分点：{now}，此前 {was}"
    ),
    "report.share.fewer": Said(
        "{what} of {cohort} is {n} points below {before}: {now}, was {was}", "{cohort}的{what}比{before}低 {n} 个百分点：{now}，此前 {was}"
    ),
    "report.restated": Said("{what} of {cohort} was restated: {now}, was {was}", "{cohort}的{what}已重述：{now}，此前 {was}"),
    "report.same": Said("No clear change: {names}", "无明显变化：{names}"),
}
