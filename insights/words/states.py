"""Words for when a page has little or nothing to show: what happens next, and when.

Each state has a title, a body, and where there is one a command or a link that helps.
"""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    # day one
    "state.empty": Said("Nothing has happened yet", "还没有数据"),
    "state.empty.body": Said(
        "churnwatch waits for its first events. Send clicks and people appear here within seconds; the first alert comes when somebody is silent "
        "for longer than usual for them.",
        "churnwatch 正在等第一批事件。事件到来后，几秒内这里就会出现用户；第一条预警要等到有人沉默得比平时久。",
    ),
    "state.empty.first_alert": Said("The first alert can come on {date}.", "最早在 {date} 会有第一条预警。"),
    "state.empty.command": Said("churnwatch ingest events.parquet", "churnwatch ingest events.parquet"),
    "state.empty.demo": Said("Or look at a made-up product first: `make demo`", "也可以先看看模拟产品：`make demo`"),
    # the model is still learning
    "state.warming": Said("The model is still learning", "模型还在学习"),
    "state.warming.body": Said(
        "People are scored by their own rhythm for now. {have} outcomes are known, {need} are needed. The list can be used; its probabilities "
        "are more cautious.",
        "现在按每个人自己的节奏打分。已知 {have} 个结果，需要 {need} 个。名单可以使用，但概率更保守。",
    ),
    "state.warming.when": Said("At this pace the model takes over around {date}.", "按现在的速度，模型大约在 {date} 接手。"),
    "state.warming.first": Said("The first outcomes are known on {date}.", "第一批结果将在 {date} 知晓。"),
    "state.warming.meter": Said("{have} of {need} outcomes", "{have} / {need} 个结果"),
    # no events come in
    "state.silent": Said("No events for {duration}", "已 {duration}没有事件"),
    "state.silent.body": Said(
        "Scores are held: while nothing comes in, nobody is taken to be silent. Everything goes on by itself with the next event.",
        "评分已暂停：没有事件流入时，不会把任何人当作沉默。下一个事件到来后会自动继续。",
    ),
    "state.silent.help": Said("Look at what sends events, then at Data.", "请先检查事件的发送端，再看“数据”页。"),
    "state.behind": Said("The engine is catching up: {n} events wait", "引擎正在追赶：还有 {n} 个事件待处理", one="The engine is catching up: {n} event waits"),
    "state.behind.body": Said("Figures are as of {moment}. At this pace they are up to date in {duration}.", "数字截至 {moment}。按现在的速度，{duration}后追平。"),
    # the page's own lines
    "state.offline": Said("No live updates", "实时更新已中断"),
    "state.offline.body": Said("What you see is as of {moment}. The page tries again by itself.", "所见内容截至 {moment}。页面会自动重试。"),
    "state.redis": Said("The store does not answer", "存储没有响应"),
    "state.redis.body": Said(
        "Redis cannot be reached, so nothing about people can be shown. Alerts still go out as soon as it is back; nothing is lost. "
        "This page tries again every {seconds} seconds.",
        "无法连接 Redis，因此暂时无法显示用户信息。恢复后预警会立即继续发出，不会丢失任何内容。页面每 {seconds} 秒重试一次。",
    ),
    "state.redis.help": Said("`churnwatch state check` says what is wrong.", "可用 `churnwatch state check` 查看问题所在。"),
    "state.kafka": Said("Alerts cannot be read", "无法读取预警"),
    "state.kafka.body": Said("Kafka cannot be reached. The list is as of {moment}; it goes on by itself.", "无法连接 Kafka。名单截至 {moment}；恢复后会自动继续。"),
    # nothing fits
    "state.no_match": Said("Nobody fits these filters", "没有符合筛选条件的用户"),
    "state.no_match.body": Said("{n} people are at risk in all. The filter that leaves nobody: {filters}.", "当前共有 {n} 名用户有风险。筛掉所有人的条件：{filters}。",
                                one="{n} person is at risk in all. The filter that leaves nobody: {filters}."),
    "state.nobody": Said("Nobody is at risk now", "目前没有人有流失风险"),
    "state.nobody.body": Said("{n} people are followed. The next judgement is within a day.", "正在关注 {n} 名用户。一天之内会有下一次判断。",
                              one="{n} person is followed. The next judgement is within a day."),
    # not for everybody
    "state.forbidden": Said("This page is not for your role", "你的角色无权查看此页"),
    "state.forbidden.body": Said("It shows persons; you are signed in as {role}. An administrator can change that.", "此页显示个人信息；你当前的角色是{role}。管理员可以更改。"),
    # no such thing
    "state.unknown_person": Said("Nobody with the id “{person}” is known", "没有 ID 为“{person}”的用户"),
    "state.unknown_person.body": Said(
        "No event with this id has arrived so far. Ids are case-sensitive; a person appears here within seconds of their first event.",
        "尚未收到该 ID 的任何事件。ID 区分大小写；首个事件到来几秒后，该用户就会出现。",
    ),
    "state.no_page": Said("There is no such page", "没有这个页面"),
    "state.no_page.body": Said("The address may be old or mistyped.", "地址可能已失效或输入有误。"),
    "state.wrong_filter": Said("This address asks for something that there is not", "地址中的条件无法识别"),
    "state.wrong_filter.body": Said("“{value}” is no value of the filter {filter}; there are: {known}.", "“{value}”不是筛选项 {filter} 的取值；可选：{known}。"),
    "state.error": Said("Something went wrong on our side", "我们这边出了问题"),
    "state.error.body": Said("It is in the log under {number}. Nothing was lost; try again.", "已记录在日志中，编号 {number}。没有丢失任何内容，请重试。"),
    "state.to_start": Said("To the list of people at risk", "前往风险名单"),
    "state.try_again": Said("Try again", "重试"),
}  # fmt: skip
"""Every key is a code: these are whole sentences."""
