"""Words of the grid of tenure by frequency; keys as in `insights/words/analyses.py`."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    "analysis.tenure_by_frequency": Said("Tenure by frequency", "来了多久与来得多勤"),
    "analysis.tenure_by_frequency.asks": Said(
        "How many are newcomers, old hands and people who come all the time, and who of them leaves?", "新手、老手、核心用户各有多少，其中谁在流失？"
    ),
    # what can be asked
    "parameter.tenure_bounds": Said(
        "days since the first at which another bracket begins; rising, given several times", "首次至今天数的分档起点，递增；多次给出"
    ),
    "parameter.often_bounds": Said("active days at which another bracket begins; rising, given several times", "活跃天数的分档起点，递增；多次给出"),
    "parameter.active_within": Said("days that end with the last one, in which active days are counted", "统计活跃天数的时段长度（天），止于最后一天"),
    "asks.tenure_bounds": Said("Bounds of tenure", "来了多久的分档"),
    "asks.often_bounds": Said("Bounds of frequency", "活跃天数的分档"),
    "asks.active_within": Said("Active within, days", "活跃时段（天）"),
    # metrics
    "metric.cell_people": Said("People", "人数"),
    "metric.cell_people.is": Said("people of this tenure who came this often in the days that end with the last one", "截至最后一天的时段内，属于该来龄与频次的人数"),
    "metric.cell_share": Said("Share of all", "占比"),
    "metric.cell_share.is": Said("these as a share of everybody active in those days, or of their group", "占该时段全部活跃用户（或所在类别）的比例"),
    "metric.cell_left": Said("Left since", "其后流失"),
    "metric.cell_left.is": Said(
        "of the people who were in this cell a horizon ago, the share that was not active since; n is how many they were", "一个流失期限之前属于该格的人中，其后未再活跃的比例；n 为当时人数"
    ),
    "metric.cell_risk": Said("Risk now", "当前风险"),
    "metric.cell_risk.is": Said("mean risk of those whose newest outcome is not known yet; n is how many they are", "最新结果尚不可知的人的平均风险；n 为其人数"),
    # columns
    "column.tenure": Said("Days since the first", "首次至今天数"),
    "column.frequency": Said("Active days", "活跃天数"),
}  # fmt: skip
