"""Words of the analyses that need what the engine said; keys as in `insights/words/analyses.py`."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    "analysis.reasons": Said("Reasons", "流失原因"),
    "analysis.reasons.asks": Said("Why are people at risk, and is it the same in every group?", "用户为什么有流失风险，各类用户的原因相同吗？"),
    "analysis.loss_to_come": Said("Loss to come", "将要流失的人"),
    "analysis.loss_to_come.asks": Said(
        "At which step of a funnel are most people about to be lost, and what are they worth?", "漏斗的哪一步将有最多的人流失，他们价值多少？"
    ),
    "analysis.retention_forecast": Said("Forecast of retention", "留存预测"),
    "analysis.retention_forecast.asks": Said(
        "How many of each cohort will have come back when the cell that is open now closes, and how right was that before?",
        "各组当前未结束的单元到期时会有多少人回来，此前的预测准不准？",
    ),
    # what can be asked
    "parameter.record": Said("units before this one of which forecast and outcome are compared", "回看多少个已结束的单位，比较当时的预测与结果"),
    "parameter.definition": Said(
        "name of the definition of churn; by default the one of which the history tells most", "流失定义的名称；默认为历史中记录最多的一个"
    ),
    "asks.definition": Said("Definition of churn", "流失定义"),
    "asks.record": Said("Units looked back", "回看的单位数"),
    # metrics
    "metric.reason_share": Said("Had it", "涉及人数占比"),
    "metric.reason_share.is": Said(
        "share of the group's people with an alert who had one that names the reason", "该类中收到预警的人里，有预警提到此原因的比例"
    ),
    "metric.reason_left": Said("Left all the same", "仍然流失"),
    "metric.reason_left.is": Said(
        "of alerts that name the reason and whose outcome is known, share after which the person left; n is these alerts",
        "提到此原因且结果已知的预警中，之后用户流失的比例；n 为预警数",
    ),
    "metric.loss_to_come": Said("Loss to come", "预计流失人数"),
    "metric.loss_to_come.is": Said(
        "sum of the risk of people who stopped there and can still be reached: how many of them are likely to leave, with an interval as if each were decided by a throw",
        "停在该步且仍可挽回的人的风险之和：其中预计会流失的人数；区间按各人独立计算",
    ),
    "metric.revenue_at_risk": Said("Spent by them", "涉及消费额"),
    "metric.revenue_at_risk.is": Said("the same sum, with what each has spent so far as a weight", "同一求和，以各人至今的消费额加权"),
    "metric.stopped_here": Said("Stopped here", "停在此步"),
    "metric.stopped_here.is": Said("ripe entrants whose best chain ended with the step", "已成熟的进入者中，最远走到该步的人数"),
    "metric.already_left": Said("Have left", "已流失"),
    "metric.already_left.is": Said("of these, whose newest outcome says that they left", "其中最新结果为已流失的人数"),
    "metric.forecast": Said("Forecast", "预测"),
    "metric.forecast.is": Said(
        "share of the cohort that will have been back when the unit is over: who is back, and of the others the chance by their risk. The interval is by chance, times `spread`",
        "单位结束时该组会回来的比例：已回来的人，加上其余人按风险计算的概率；区间按随机误差乘以 `spread`",
    ),
    "metric.so_far": Said("So far", "目前"),
    "metric.so_far.is": Said("share of the cohort that is back already", "该组目前已回来的比例"),
    "metric.forecast_then": Said("Forecast then", "当时预测"),
    "metric.forecast_then.is": Said("of a unit that is over: the same, as of the same moment in it, with what was known then", "已结束的单位：在同样时刻、按当时所知作出的同一预测"),
    "metric.came": Said("Came", "实际"),
    "metric.came.is": Said("share of the cohort that was back in that unit", "该组在该单位实际回来的比例"),
    "metric.spread": Said("Off, times chance", "偏差倍数"),
    "metric.spread.is": Said(
        "how many times as far as by chance alone what came lay from what was forecast; never below 1, and n is the cells", "实际与预测的偏差是随机误差的几倍；不低于 1，n 为单元数"
    ),
    # columns
    "column.reason": Said("Reason", "原因"),
}  # fmt: skip
