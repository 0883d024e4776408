"""Words of the page Metrics: what columns mean (``column.<name>.is``), in which unit a number is (``unit_of.<kind>``), and the page's own."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said, phrases

WORDS: dict[str, Said] = {
    **phrases({"Metrics": "指标"}),
    "dictionary.lead": Said("What every number means, in which unit it is, and where it is shown", "每个数字的含义、单位以及显示位置"),
    "dictionary.index": Said("Questions", "问题"),
    "dictionary.look": Said("Look for a word", "查找词语"),
    "dictionary.nothing": Said("No number is called or described by “{q}”.", "没有名称或说明包含“{q}”的指标。"),
    "dictionary.all": Said("Show all", "显示全部"),
    "dictionary.none": Said("The catalog could not be read just now: the process that knows it did not start. Try again in a minute.", "目前无法读取指标目录：相应进程未能启动。请一分钟后重试。"),
    "dictionary.ground": Said("What holds for all of them", "通用约定"),
    "dictionary.ground.is": Said("of the history; what the live engine counts leaves out late events, which the history counts", "针对事件历史；实时引擎不计迟到事件，历史则计入"),
    "dictionary.zone": Said("Days, weeks and months of", "日、周、月所属时区"),
    "dictionary.week": Said("Weeks begin on", "每周起始日"),
    "dictionary.activity": Said("Activity is", "活跃是指"),
    "dictionary.activity.all": Said("every event but what systems tell", "除系统事件外的所有事件"),
    "dictionary.horizon": Said("A silence is churn from", "沉默多久算流失"),
    "dictionary.gap": Said("Another visit begins after a pause of", "停顿多久算另一次访问"),
    "dictionary.revenue": Said("Money comes by", "收入事件"),
    "dictionary.revenue.none": Said("no event", "无"),
    "dictionary.name": Said("Name", "名称"),
    "dictionary.means": Said("What it means", "含义"),
    "dictionary.unit": Said("Unit", "单位"),
    "dictionary.columns": Said("Columns of its own", "专有列"),
    "dictionary.shared": Said("Columns of every answer", "所有结果共有的列"),
    "dictionary.shared.is": Said("in files, in the API and on the command line", "见于文件、API 与命令行"),
    # units
    "unit_of.share": Said("share, 0 to 1; shown in percent", "比例，0 至 1；以百分比显示"),
    "unit_of.points": Said("difference of two shares; shown in percentage points", "两个比例之差；以百分点显示"),
    "unit_of.number": Said("number", "数"),
    "unit_of.people": Said("people", "人"),
    "unit_of.seconds": Said("seconds; shown as a duration", "秒；以时长显示"),
    "unit_of.days": Said("days", "天"),
    "unit_of.money": Said("money, in the currency of the page", "金额，按页面货币"),
    "unit_of.text": Said("text", "文本"),
    # columns of every answer
    "column.metric.is": Said("which number the row says: one of the names above", "该行是哪个指标：即上文的名称之一"),
    "column.cohort.is": Said("the people who entered together, or the day, week or month; of a release its day", "一同进入的用户，或所属的日、周、月；版本则为发布日"),
    "column.k.is": Said("units after the entry, or the number of a step or tenth, from 0 or 1 on", "进入之后的单位数，或步骤、十分位的编号，从 0 或 1 起"),
    "column.group.is": Said("which people, where they are told apart by a field; segments and releases have their name here", "按字段分组时的类别；分群与版本的名称也在此列"),
    "column.n.is": Said("how many the value is of: people, unless the number says otherwise", "数值的基数：除非另有说明，均为人数"),
    "column.value.is": Said("the number itself; empty where it cannot be known yet", "数值本身；尚不可知时为空"),
    "column.low": Said("low", "下限"),
    "column.low.is": Said("lower end of the interval of 95%, where there is one", "95% 区间的下限（如有）"),
    "column.high": Said("high", "上限"),
    "column.high.is": Said("upper end of the interval of 95%, where there is one", "95% 区间的上限（如有）"),
    "column.state": Said("state", "状态"),
    "column.state.is": Said(
        "`complete`: only late events can change it; `open`: its time is not over; `none`: not known", "`complete`：只有迟到事件能改变；`open`：时间尚未结束；`none`：不可知"
    ),
    # columns of some
    "column.count.is": Said("how many people the share is of the base", "比例的分子：符合的人数"),
    "column.to.is": Said("last unit of a stretch that begins with `k`", "以 `k` 开始的区间的末单位"),
    "column.step.is": Said("the step of a funnel, as it was asked; * is any activity", "漏斗步骤，与所问一致；* 表示任意活跃事件"),
    "column.source.is": Said("where a link begins: a node of a path, or the segment somebody was in before", "连线的起点：路径节点，或此前所属的分群"),
    "column.target.is": Said("where a link leads: a node, or how the path ends", "连线的去向：节点，或路径的结局"),
    "column.path.is": Said("the last nodes in order, with > between", "依次的最后几个节点，以 > 分隔"),
    "column.feature.is": Said("what was used: a value of the field that counts as a feature", "所使用的功能：功能字段的取值"),
    "column.place.is": Said(
        "`needed`: used by many, who surely stay longer; `promising`: by few, who do; `habit`: by many, `idle`: by few, of whom it cannot be said",
        "`needed`：使用者多且确实更易留下；`promising`：使用者少但更易留下；`habit`：使用者多、`idle`：使用者少，均无法断定",
    ),
    "column.figure.is": Said("which figure of people's last weeks: active days, purchases, days with an event of a type", "用户近几周的哪项数值：活跃天数、购买次数、某类事件的天数等"),
    "column.verdict.is": Said("whether the difference holds on the half of the range that was hidden", "差异在隐藏的另一半时间段上是否成立"),
    "column.hour.is": Said("hour of the day in the zone, 00 to 23", "所属时区的小时，00 至 23"),
    "column.reason.is": Said("code of a reason that alerts name", "预警所列原因的代码"),
    "column.event.is": Said("the step as it was asked, or the type of the events", "所问的步骤，或事件类型"),
    "column.tenure.is": Said("bracket of the days since somebody was first active", "首次活跃至今天数的分档"),
    "column.frequency.is": Said("bracket of the days on which somebody was active", "活跃天数的分档"),
    "column.kind.is": Said("`release`, or `campaign`: a mark, whose effect is not measured", "`release`（版本）或 `campaign`（活动：仅作标记，不测量效果）"),
}  # fmt: skip
