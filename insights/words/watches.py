"""Words of watched numbers: how they stand, and what is mailed of them."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    "data.watches": Said("Watched numbers", "监控的指标"),
    "data.watches.is": Said(
        "judged on whole periods of enough people; each opens once and closes once",
        "仅按完整且人数足够的周期判断；每次只触发一次、恢复一次",
    ),
    "data.watch": Said("Watch", "监控"),
    "data.watch.what": Said("What it watches", "监控内容"),
    "watch.is_open": Said("open: {value} in {cohort}", "已触发：{cohort} 为 {value}"),
    "watch.is_closed": Said("within bounds as of {cohort}", "截至 {cohort} 正常"),
    "watch.is_new": Said("not judged yet", "尚未判断"),
    "watch.about": Said("{what}: opens {rule}; from {least} people on", "{what}：触发条件为{rule}；至少 {least} 人"),
    "watch.rule.above": Said("above {bound}", "高于 {bound}"),
    "watch.rule.below": Said("below {bound}", "低于 {bound}"),
    "watch.rule.rises": Said("when it rises by {bound} or more", "较上一周期上升 {bound} 及以上"),
    "watch.rule.falls": Said("when it falls by {bound} or more", "较上一周期下降 {bound} 及以上"),
    "watch.before": Said("; {value} before", "；上一周期 {value}"),
    "watch.opened": Said(
        "{what}: {value} in {cohort} ({people} people{before}); it opens {rule}",
        "{what}：{cohort} 为 {value}（{people} 人{before}）；触发条件：{rule}",
    ),
    "watch.closed": Said(
        "{what}: {value} in {cohort} ({people} people{before}); within bounds again, open since {since}",
        "{what}：{cohort} 为 {value}（{people} 人{before}）；已恢复，自 {since} 起触发",
    ),
    "watch.changed": Said(
        "{what}: another thing is watched by this name now; what was open since {since} is closed",
        "{what}：此名称现监控其他内容；自 {since} 起的触发已关闭",
    ),
    "watch.subject.opened": Said("Out of bounds: {name}", "超出范围：{name}"),
    "watch.subject.closed": Said("Within bounds again: {name}", "恢复正常：{name}"),
}
