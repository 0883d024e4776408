"""Words of the analysis of releases, and of the page Changes; keys as in `insights/words/analyses.py`."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said, phrases

WORDS: dict[str, Said] = {
    "analysis.releases": Said("Releases", "版本发布"),
    "analysis.releases.asks": Said("What did a release do: do people come again more often than their risk had promised?", "版本发布带来了什么：用户回来得比其风险所预示的更多吗？"),
    # the page
    **phrases({"Changes": "变更"}),
    "changes.lead": Said("What was released when, and what became of it", "何时发布了什么，结果如何"),
    "changes.within": Said("Come again within", "再来期限"),
    "changes.within.days": Said("again within {n} days", "{n} 天内再来", one="again within {n} day"),
    "changes.is": Said(
        "points more of people who came again within {n} days than their risk had promised, beyond what such promises were off by in the weeks before; grey: zero is within the interval",
        "{n} 天内再来的用户比其风险所预示的多多少个百分点，已扣除此前数周预期本身的偏差；灰色：区间含零",
        one="points more of people who came again within {n} day than their risk had promised, beyond what such promises were off by in the weeks before; grey: zero is within the interval",
    ),
    "changes.effects": Said("What releases did", "版本发布的效果"),
    "changes.chart.effect": Said("Effect of each release, points", "各版本的效果（百分点）"),
    "changes.chart.plain_change": Said("After each release against before, points", "各版本发布前后对比（百分点）"),
    "changes.table": Said("Releases and campaigns", "版本与活动"),
    "changes.table.is": Said(
        "plainly: of days with activity, how many were followed by another, before and after, on equal weekdays; holidays and campaigns move it too",
        "前后对比：活跃日之后在期限内再次活跃的比例，发布之前与之后，星期几相同；节假日与活动也会影响它",
    ),
    "changes.name": Said("What", "变更"),
    "changes.when": Said("When", "时间"),
    "changes.plainly": Said("Plainly, before → after", "前后对比"),
    "changes.campaign": Said("campaign", "活动"),
    "changes.early": Said("early", "尚早"),
    "changes.unmeasured": Said("effect not measured", "效果未测量"),
    "changes.none": Said("No release is named yet", "尚未记录任何版本"),
    "changes.none.is": Said(
        'Name what changed in churnwatch.toml, and start the page again; kind = "campaign" makes a mark, touched = "props.version=2.0" tells whom a release reached',
        '在 churnwatch.toml 中写明变更并重启页面；kind = "campaign" 表示活动，touched = "props.version=2.0" 说明版本触达了谁',
    ),
    "changes.restated": Said("What was said, and what came", "当时的预测与实际"),
    "changes.restated.is": Said("share of a week's new people back in a later week: as it was forecast while that week went on, and as it was when it was over", "每周新用户在之后某一周回来的比例：该周进行时的预测，与该周结束后的实际"),
    "changes.record": Said("Of the last {of} forecasts, what came lay within the interval that was said {n} times; the newest stand here.", "最近 {of} 次预测中，实际落在当时区间内的有 {n} 次；此处列出最新的几次。"),
    "changes.cell": Said("Week after", "之后第几周"),
    "changes.outside": Said("outside", "区间之外"),
    "changes.no_record": Said(
        "There is no record yet: nobody's risk was known when these weeks went on. `churnwatch run`, with `churnwatch history run` beside it, makes one.",
        "尚无记录：这些周进行时没有风险数据。运行 `churnwatch run` 与 `churnwatch history run` 即会产生。",
    ),
    # what can be asked
    "parameter.releases": Said(
        "what changed and when, as in 2.0,at=2026-03-01 or 2.0,at=2026-03-01T06:00,touched=props.version=2.0 or sale,at=2026-03-05,kind=campaign; may be given several times; by default the [[releases]] of the settings",
        "变更及其时间，如 2.0,at=2026-03-01、2.0,at=2026-03-01T06:00,touched=props.version=2.0 或 sale,at=2026-03-05,kind=campaign；可多次给出；默认为设置中的 [[releases]]",
    ),
    "parameter.return_within": Said("days within which somebody must come again, 1 to 60", "须在多少天内再来，1 至 60"),
    "parameter.weeks_before": Said(
        "how many times before the release the same is asked, at the same time of the week, to see by how much a promise is off without one; 0 to 60",
        "在发布之前的同一星期时刻作多少次同样的比较，以得知没有发布时预期的偏差；0 至 60",
    ),
    "asks.releases": Said("Releases", "版本发布"),
    "asks.return_within": Said("Again within, days", "多少天内再来"),
    "asks.weeks_before": Said("Weeks looked back", "回看的周数"),
    # metrics
    "metric.effect": Said("Effect", "效果"),
    "metric.effect.is": Said(
        "excess less the excess before: by how many points more people came again than their risk had promised, beyond what such a promise is off by without a release; interval over people",
        "超出预期减去此前的超出：再来的人比其风险所预示的多多少个百分点，并扣除没有发布时预期本身的偏差；区间按人重抽样",
    ),
    "metric.excess": Said("Above the promise", "超出预期"),
    "metric.excess.is": Said("share who came again less the mean chance that their risk had promised before the release", "再来的比例减去发布前其风险所预示的平均概率"),
    "metric.excess_before": Said("Above the promise, before", "此前的超出"),
    "metric.excess_before.is": Said("the same at the same time of the week before the release: what a promise is off by without one", "发布之前同一星期时刻的同一差值：没有发布时预期的偏差"),
    "metric.observed": Said("Came again", "再来"),
    "metric.observed.is": Said("share of the people judged just before the release who came again within the days", "发布前刚被评估的用户中，在期限内再来的比例"),
    "metric.promised": Said("Promised", "预期"),
    "metric.promised.is": Said("mean chance to come again within the days, by the risk that was said before the release", "按发布前的风险，在期限内再来的平均概率"),
    "metric.plain_change": Said("Plainly", "前后对比"),
    "metric.plain_change.is": Said(
        "share after less share before, on equal weekdays: moved by all that changed in between, holidays too", "之后的比例减去之前的比例，星期几相同：期间的一切变化都会影响它，包括节假日"
    ),
    "metric.plain_after": Said("After", "之后"),
    "metric.plain_after.is": Said("of days with activity after the release, share that was followed by another within the days", "发布之后的活跃日中，期限内再次活跃的比例"),
    "metric.plain_before": Said("Before", "之前"),
    "metric.plain_before.is": Said("the same on the same weekdays before it", "发布之前相同星期几的同一比例"),
    "column.kind": Said("kind", "类型"),
    # notes
    "note.only_plain": Said(
        "Nobody's risk was known, so only before and after are compared, which holidays and campaigns move as well. `churnwatch run`, with `churnwatch history run` beside it, makes risks.",
        "没有风险记录，因此只做前后对比，而节假日和活动也会影响它。运行 `churnwatch run` 与 `churnwatch history run` 即可得到风险。",
    ),
    "note.campaign": Said(
        "Effect of a campaign: not measured. It chose whom it went to, so that only a group held out by chance could say what it did.",
        "活动的效果：未测量。活动选择了触达对象，只有随机保留的对照组才能说明其作用。",
    ),
}  # fmt: skip
