"""Words of the analysis of feedback; keys as in `insights/words/analyses.py`."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    "analysis.feedback": Said("Feedback", "用户反馈与行为"),
    "analysis.feedback.asks": Said("What do people say, and who leaves of those who gave a low or a high score?", "用户怎么说，打低分和打高分的人各有多少流失？"),
    # what can be asked
    "parameter.feedback": Said("which events are feedback, as in feedback or feedback,props.kind=survey", "哪些事件是反馈，如 feedback 或 feedback,props.kind=survey"),
    "parameter.score": Said("field of the score: value, or as in props.rating", "评分字段：value，或如 props.rating"),
    "parameter.low": Said("highest score that is low", "低分的最高值"),
    "parameter.high": Said("lowest score that is high", "高分的最低值"),
    "asks.feedback": Said("What is feedback", "反馈事件"),
    "asks.score": Said("Score is", "评分字段"),
    "asks.low": Said("Low up to", "低分上限"),
    "asks.high": Said("High from", "高分下限"),
    # metrics
    "metric.feedback_people": Said("Gave feedback", "反馈人数"),
    "metric.feedback_people.is": Said("people who gave feedback in the range", "所选时间内给出反馈的人数"),
    "metric.mean_score": Said("Mean score", "平均分"),
    "metric.mean_score.is": Said("mean of the first score of each person; its interval is that of a mean (normal)", "每人首个评分的平均值；区间按正态近似"),
    "metric.low_score": Said("Low score", "低分占比"),
    "metric.low_score.is": Said("share of people with a score whose first one is low", "有评分的人中首个评分为低分的比例"),
    "metric.high_score": Said("High score", "高分占比"),
    "metric.high_score.is": Said("share of people with a score whose first one is high", "有评分的人中首个评分为高分的比例"),
    "metric.gone_before": Said("Gone before", "反馈前已流失"),
    "metric.gone_before.is": Said(
        "share of people with a score who had not been active in the horizon before it; they are in none of the shares that left", "有评分的人中，评分前的流失期限内未活跃的比例；他们不计入流失比例"
    ),
    "metric.left_low": Said("Left after a low one", "低分后流失"),
    "metric.left_low.is": Said("of people who gave a low score, the share without activity in the horizon after it; n is those whose horizon is over", "打低分的人中，之后的流失期限内再无活动的比例；n 为期限已满的人数"),
    "metric.left_middle": Said("Left after a middling one", "中等分后流失"),
    "metric.left_middle.is": Said("the same of people whose score was neither low nor high", "评分不高不低的人，同上"),
    "metric.left_high": Said("Left after a high one", "高分后流失"),
    "metric.left_high.is": Said("the same of people who gave a high score", "打高分的人，同上"),
    "metric.left_low_against_high": Said("More left after a low one (points)", "低分与高分的流失差（百分点）"),
    "metric.left_low_against_high.is": Said(
        "share that left after a low score minus that after a high one; the interval is by Newcombe, n is both together", "低分后的流失比例减去高分后的流失比例；区间为 Newcombe 法，n 为两者合计"
    ),
    # people
    "people.score": Said("score", "评分"),
    "people.said_at": Said("given at", "反馈时间"),
}  # fmt: skip
