"""Words of the analyses of features and of hours; keys as in `insights/words/analyses.py`."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    "analysis.feature_use": Said("Features", "功能使用与留存"),
    "analysis.feature_use.asks": Said(
        "Do people who use a feature stay longer than others who are as active?", "同样活跃的用户中，使用某功能的人是否留存更久？"
    ),
    "analysis.retained_against_churned": Said("Who stayed against who left", "留存与流失对比"),
    "analysis.retained_against_churned.asks": Said(
        "In what do people differ who stay from those who fall silent, and does it hold on later days?",
        "留下的人与沉默的人有何不同，在之后的日子里是否仍然成立？",
    ),
    "analysis.hours": Said("Hours of the day", "时段"),
    "analysis.hours.asks": Said(
        "After visits of which hour does silence follow, and how slow is the product then?",
        "哪个时段的访问之后用户更常沉默，当时产品响应有多慢？",
    ),
    "analysis.visits": Said("Visits", "访问"),
    "analysis.visits.asks": Said(
        "How long do visits last, where do they begin, and how many reach a goal?", "一次访问有多长，从哪里开始，多少达成目标？"
    ),
    # what can be asked
    "parameter.goal": Said(
        "event that a visit should have, as in purchase or purchase,value>=10", "访问应包含的事件，如 purchase 或 purchase,value>=10"
    ),
    "parameter.first_visit": Said("only the first visit of each person", "只看每位用户的第一次访问"),
    "parameter.feature": Said(
        "what counts as a feature: type, or a field such as props.screen", "以什么区分功能：type 或字段，如 props.screen"
    ),
    "parameter.used_within": Said("days before a landmark in which a feature counts as used", "时点之前多少天内用过即算使用"),
    "parameter.numbers": Said(
        "field of events whose mean is compared, too, as in props.latency_ms; may be given several times",
        "另行比较其均值的事件字段，如 props.latency_ms；可多次给出",
    ),
    "parameter.figure_days": Said("days that end with a landmark, over which figures are counted", "指标统计的天数，止于时点当天"),
    "parameter.common": Said("share of people from which a feature counts as common", "使用人数占比达到多少即为常用功能"),
    "parameter.least_visits": Said("fewest visits of an hour", "每个时段至少的访问次数"),
    "asks.numbers": Said("Fields compared, too", "另行比较的字段"),
    "asks.figure_days": Said("Days of figures", "指标天数"),
    # metrics
    "metric.kept_difference": Said("More came again, equally active (points)", "回访差，同等活跃（百分点）"),
    "metric.kept_difference.is": Said(
        "share of people with the feature who came again within the horizon, minus that of others with as many active days. Surely above 0 and used by many: needed, by few: promising; else habit or idle",
        "使用者在流失期限内的回访比例，减去活跃天数相当的未使用者的比例。确实大于 0 且多数人用：needed 刚需，少数人用：promising 潜力；否则 habit 习惯或 idle 鸡肋",
    ),
    "metric.plain_kept_difference": Said("More came again, plain (points)", "回访差，未校正（百分点）"),
    "metric.plain_kept_difference.is": Said(
        "the same against all others; who comes often uses more, so this flatters", "与全部未使用者相比；常来的人用得多，此数偏高"
    ),
    "metric.reach": Said("Reach", "使用面"),
    "metric.reach.is": Said("share of people who used the feature", "使用过该功能的人数占比"),
    "metric.kept_share": Said("Came again", "回访比例"),
    "metric.kept_share.is": Said(
        "share of landmarks after use of the feature that somebody came again after", "使用该功能后的时点中，之后有回访的比例"
    ),
    "metric.standardised_difference": Said("Difference (standard deviations)", "差异（标准差）"),
    "metric.standardised_difference.is": Said(
        "mean of the logarithm of the figure before returns, minus that before silences, in standard deviations; of the earlier half of the landmarks",
        "回访前指标对数的均值减去沉默前的均值，以标准差为单位；取较早一半的时点",
    ),
    "metric.hidden_difference": Said("On the hidden half", "隐藏一半上的差异"),
    "metric.hidden_difference.is": Said(
        "the same of the later half, which the order does not know; a figure that is not surely on the same side in both falls out",
        "较晚一半上的同一差异，排序时未使用；两半不能确定同向的指标出局（伪指标）",
    ),
    "metric.retained_median": Said("Median, stayed", "留存者中位数"),
    "metric.retained_median.is": Said(
        "of landmarks after which somebody came again; n is their people", "之后有回访的时点的中位数；n 为人数"
    ),
    "metric.churned_median": Said("Median, left", "流失者中位数"),
    "metric.churned_median.is": Said("of landmarks that silence followed; n is their people", "之后沉默的时点的中位数；n 为人数"),
    "metric.order_agreement": Said("Order of both halves", "两半排序的一致性"),
    "metric.order_agreement.is": Said(
        "how far the differences of all figures are in the same order in both halves (Spearman): 1 fully, 0 as by chance",
        "所有指标的差异在两半中排序的一致程度（Spearman）：1 完全一致，0 为随机",
    ),
    "column.verdict": Said("Verdict", "结论"),
    "metric.hour_ratio": Said("Silence, times as often", "沉默倍数"),
    "metric.hour_ratio.is": Said(
        "how many times as often the last visit before a silence ends in this hour as other visits do, among the equally active",
        "同等活跃的用户中，沉默前最后一次访问落在此时段的频率是其他访问的几倍",
    ),
    "metric.silence_share": Said("Silence followed", "之后沉默的比例"),
    "metric.silence_share.is": Said(
        "share of visits of this hour that no activity followed within the horizon", "此时段的访问之后在流失期限内再无活动的比例"
    ),
    "metric.latency_p50": Said("Latency, median (ms)", "响应时间中位数（毫秒）"),
    "metric.latency_p50.is": Said("median of props.latency_ms of the hour's events", "该时段事件 props.latency_ms 的中位数"),
    "metric.latency_p95": Said("Latency, 95 % (ms)", "响应时间 95 分位（毫秒）"),
    "metric.latency_p95.is": Said("19 in 20 of the hour's events answered within this time", "该时段二十分之十九的事件响应不超过此值"),
    "metric.visit_count": Said("Visits", "访问次数"),
    "metric.visit_count.is": Said("visits that are over", "已结束的访问次数"),
    "metric.visit_people": Said("People", "人数"),
    "metric.visit_people.is": Said("people with such a visit", "有此类访问的人数"),
    "metric.events_per_visit": Said("Events a visit", "每次访问事件数"),
    "metric.events_per_visit.is": Said("mean number of events of a visit", "每次访问的平均事件数"),
    "metric.dwell_median": Said("Time, median", "停留时间中位数"),
    "metric.dwell_median.is": Said(
        "time from the first to the last event of a visit, median", "一次访问从首个到最后一个事件的时间，中位数"
    ),
    "metric.dwell_p90": Said("Time of nine in ten", "停留时间 90 分位"),
    "metric.dwell_p90.is": Said("time that nine in ten visits take at most", "九成访问不超过此时间"),
    "metric.single_event": Said("Only one event", "仅一个事件"),
    "metric.single_event.is": Said("share of visits with a single event", "只有一个事件的访问比例"),
    "metric.goal_share": Said("Reached the goal", "达成目标"),
    "metric.goal_share.is": Said("share of visits that have the goal's event", "包含目标事件的访问比例"),
    # how values are written
    "span.seconds": Said("{n} s", "{n} 秒"),
    # columns
    "column.feature": Said("Feature", "功能"),
    "column.place": Said("Place", "位置"),
    "column.hour": Said("Hour", "时段"),
}
