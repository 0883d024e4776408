"""Words of the analysis of errors and latency; keys as in `insights/words/analyses.py`."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    "analysis.errors_by_step": Said("Errors and latency", "错误与响应时间"),
    "analysis.errors_by_step.asks": Said(
        "At which step do people meet errors, how slow is it there, and do they leave more often?", "用户在哪一步遇到错误，那里响应有多慢，他们是否更容易流失？"
    ),
    # what can be asked
    "parameter.errors": Said(
        "events that are a failure for somebody, as in error or response,props.status>=500; may be given several times. Any event is one, too, that says so in props.error",
        "对用户而言是失败的事件，如 error 或 response,props.status>=500；可多次给出。在 props.error 中写明错误的事件也算",
    ),
    "parameter.latency": Said("field of an event that says how long it took, as in props.latency_ms", "表示响应时间的事件字段，如 props.latency_ms"),
    "parameter.within": Said(
        "how long after a step an error event counts as met there, as in 30m; never beyond the next step of that person", "步骤之后多久内的错误事件算在该步骤上，如 30m；不超过该用户的下一步"
    ),
    "asks.errors": Said("What is an error", "错误事件"),
    "asks.latency": Said("Latency is", "响应时间字段"),
    "asks.within": Said("Error within", "错误的时限"),
    # metrics
    "metric.error_share": Said("Met an error", "遇到错误"),
    "metric.error_share.is": Said(
        "share of the step's people who met an error there: its event has props.error, or an error event of theirs followed before their next step",
        "做过该步骤的人中在此遇到错误的比例：该事件带有 props.error，或其下一步之前出现了错误事件",
    ),
    "metric.step_latency_p50": Said("Latency, median", "响应时间中位数"),
    "metric.step_latency_p50.is": Said("median latency of the step's events, in the unit of the field; n is the people of whom it is known", "该步骤事件的响应时间中位数，单位同字段；n 为已知的人数"),
    "metric.step_latency_p95": Said("Latency, 95 %", "响应时间 95 分位"),
    "metric.step_latency_p95.is": Said("19 in 20 of the step's events took no longer; in the unit of the field", "该步骤二十分之十九的事件不超过此值，单位同字段"),
    "metric.left_with_error": Said("Left after an error", "遇错后流失"),
    "metric.left_with_error.is": Said(
        "share of days with an error at the step that silence followed; n is their people, and the interval is as if each had been seen once",
        "在该步骤遇到错误的日子中，之后沉默的比例；n 为人数，区间按每人只计一次",
    ),
    "metric.left_without_error": Said("Left without one", "无错而流失"),
    "metric.left_without_error.is": Said("the same of days on which the step was done without an error", "未遇错误而完成该步骤的日子，同上"),
    "metric.left_difference": Said("More left, equally active (points)", "流失差，同等活跃（百分点）"),
    "metric.left_difference.is": Said(
        "share that left after days with an error minus that after days without, among people with as many active days; its interval is by jackknife over people",
        "遇到错误的日子之后的流失比例减去未遇错误的，限活跃天数相当的人；区间为按人的刀切法",
    ),
    # columns
    "column.event": Said("Step", "步骤"),
}  # fmt: skip
