"""Words of an exploration: what was taken for granted, and from what."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said, phrases

WORDS: dict[str, Said] = {
    **phrases({"Taken for granted": "默认假设", "because": "依据", "otherwise say": "更改方式"}),
    "suggested.gone": Said("gone", "流失"),
    "suggested.gone.is": Said("{n} days without activity", "{n} 天没有活动"),
    "suggested.gone.why": Said(
        "of {silences} such silences {returned} ({share}) ended within {n} days more",
        "{silences} 次这样的沉默中，{returned} 次（{share}）在之后 {n} 天内结束",
    ),
    "suggested.gone.short": Said("the log is too short to tell", "日志太短，无法判断"),
    "suggested.types": Said("event types", "关键事件"),
    "suggested.types.why": Said("those of most people: {shares}", "做过的人最多：{shares}"),
    "suggested.money": Said("money", "收入事件"),
    "suggested.money.why": Said("{share} or more of the events have a value", "至少 {share} 的事件带有金额"),
    "suggested.funnel": Said("funnel", "漏斗"),
    "suggested.funnel.why": Said("as people first come to them, each done by no more", "按用户首次到达的顺序，人数不增"),
    "suggested.funnel.money": Said(
        "the way to money: what most people did right before each step", "通向收入的路径：每一步之前多数人所做的事"
    ),
    "suggested.zone": Said("time zone", "时区"),
    "suggested.zone.why": Said("nobody said another", "没有另行指定"),
    "suggested.told": Said("you said so", "由你指定"),
    "suggested.none": Said("none", "无"),
    "suggested.title": Said("What a log of events tells", "一份事件日志说明了什么"),
}
