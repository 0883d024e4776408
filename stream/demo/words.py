"""What the demo says, in English and in Chinese."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from stream.alerts.spoken import LANGS, Lang

WORDS: dict[str, tuple[str, str]] = {
    "plain": ("A made-up product", "一个虚构产品"),
    "page": ("The page: ", "页面："),
    "fills": ("  fills while the days go by", "  随日期推进逐渐填满"),
    "product": (
        "{title}, made up, with {users} people; who leaves is known to the simulator only. First {days} days fast, then {then}. Times are UTC.",
        "{title}（虚构），{users} 名用户；谁会流失只有模拟器知道。先快速播放 {days} 天，{then}。时间为 UTC。",
    ),
    "then.live": ("live until Ctrl-C", "然后实时播放，按 Ctrl-C 结束"),
    "then.end": ("the end", "然后结束"),
    "answers": ("the page answers {seconds:.1f} s after the start", "启动 {seconds:.1f} 秒后页面可用"),
    "first": ("first alert {seconds:.1f} s after the start", "启动 {seconds:.1f} 秒后出现第一条预警"),
    "day": ("day {day:>2.0f}", "第 {day:.0f} 天"),
    "status": ("{alerts} alerts, scored by {model}", "{alerts} 条预警，由{model}评分"),
    "model": ("model {version}", "模型 {version} "),
    "rule": ("the rule", "规则"),
    "caught": (
        "{caught} of {leavers} leavers caught ({share:.0%}), half of them {early:.1f} days or more before they counted as churned.",
        "{leavers} 名流失用户中预警了 {caught} 名（{share:.0%}），其中一半提前 {early:.1f} 天以上。",
    ),
    "right": (
        "{right} of {opened} alerts were on users who had indeed left; {returned} users came back and their alerts were closed at once.",
        "{opened} 条预警中有 {right} 条的用户确已流失；{returned} 名用户回来，其预警随即关闭。",
    ),
    "at_risk": (
        "The page shows {count} people at risk now, as many as the engine has. {seconds:.0f} s in all.",
        "页面显示当前有 {count} 名用户有流失风险，与引擎一致。共用 {seconds:.0f} 秒。",
    ),
    "history": (
        "The history holds all {events:,} events: Today, Retention, Journeys, Groups and Features are full.",
        "历史已收录全部 {events} 个事件：今日、留存、路径、分组和功能页面均已就绪。",
    ),
    "live": ("Live at {url}", "实时页面：{url}"),
    "pace": (": {hours:.0f} hour of the product's time a second, until it is now. Ctrl-C ends it.", "：每秒推进产品时间 {hours:.0f} 小时，直至当前时刻。按 Ctrl-C 结束。"),
    "next": (
        "Next: README.md shows how to run it on your own Kafka and Redis (`churnwatch topics create`, `churnwatch run`).",
        "下一步：README.md 说明如何在你自己的 Kafka 和 Redis 上运行（`churnwatch topics create`、`churnwatch run`）。",
    ),
}  # fmt: skip


def said(key: str, lang: Lang, **values: object) -> str:
    """Return a sentence.

    >>> said("live", "en", url="x"), said("live", "zh", url="x")
    ('Live at x', '实时页面：x')
    """
    return WORDS[key][LANGS.index(lang)].format(**values)
