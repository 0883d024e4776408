"""Why there is no answer: what is wrong with a question, and what became of one. The English is the key, and stands where the fault is found; a test holds that every fault of an analysis is here.

`{name}` stands for a value that the fault names (`stream.faults.UsageFault`).
"""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said, phrases

WORDS: dict[str, Said] = phrases(
    {
        # questions that cannot be read
        "{name} names persons, and only whoever may see persons may ask so": "{name} 指名了具体的人，只有可以查看个人的人才能这样问",
        "there is no analysis {name!r}; did you mean {near}?": "没有名为 {name!r} 的分析；是否指 {near}？",
        "there is no analysis {name!r}. There are: {names}": "没有名为 {name!r} 的分析。可用的有：{names}",
        "{analysis} does not take {name!r}; it takes: {names}": "“{analysis}”没有参数 {name!r}；可用的参数：{names}",
        "{analysis} needs {parameter}": "“{analysis}”必须给出“{parameter}”",
        "{parameter} takes a text, got {got}": "“{parameter}”应为文本，得到 {got}",
        "{parameter} is one of {choices}, got {got}": "“{parameter}”只能是以下之一：{choices}；得到 {got}",
        "{parameter} takes a whole number, got {got}": "“{parameter}”应为整数，得到 {got}",
        "{parameter} takes a number, got {got}": "“{parameter}”应为数字，得到 {got}",
        "{parameter} takes true or false, got {got}": "“{parameter}”应为 true 或 false，得到 {got}",
        "{parameter} takes a list of texts, got {got}": "“{parameter}”应为文本列表，得到 {got}",
        "{parameter} takes a list of whole numbers, got {got}": "“{parameter}”应为整数列表，得到 {got}",
        "{parameter} takes a list of numbers, got {got}": "“{parameter}”应为数字列表，得到 {got}",
        "this names no cell: {error}": "无法识别这个单元：{error}",
        "{text!r} names no cell: write it as in cohort=2026-03-02,k=7 with any of {names}": "{text!r} 不是单元：请写成 cohort=2026-03-02,k=7 的形式，可用 {names}",
        "k must be a whole number, got {k!r}": "k 必须为整数，得到 {k!r}",
        "write the analysis as {name}": "分析名称请写作 {name}",
        "{analysis} has no metric {metric!r}; there are: {metrics}": "“{analysis}”没有指标 {metric!r}；可用的有：{metrics}",
        # days and spans
        "{text!r} is no day: write it as 2026-03-01, a month as 2026-03, an hour as 2026-03-01T06:00": "{text!r} 不是日期：请写成 2026-03-01；月份写成 2026-03，小时写成 2026-03-01T06:00",
        "since ({since}) is after until ({until})": "起始日（{since}）晚于结束日（{until}）",
        "{text!r} is no span of time: write a number and one of s, m, h, d, w, as in 30m or 7d": "{text!r} 不是时间长度：请写数字加单位 s、m、h、d 或 w，如 30m 或 7d",
        # events, fields and rules
        "there is no field {field!r} of an event; there are {fields} and props.NAME": "事件没有字段 {field!r}；可用的有 {fields} 和 props.NAME",
        "{text!r} is no condition: write a field, one of = != >= <= > <, and a value, as in channel=ads or props.plan=pro": "{text!r} 不是条件：请依次写字段、= != >= <= > < 之一和值，如 channel=ads 或 props.plan=pro",
        "{field} {op} needs a number, got {value!r}": "{field} {op} 后应为数字，得到 {value!r}",
        'cannot read {text!r} as {{"type": ..., "where": [...]}}: {error}': '无法将 {text!r} 读作 {{"type": ..., "where": [...]}}：{error}',
        "node {node!r}: write type, a field, or type and a field, as in type+props.url": "节点 {node!r} 有误：请写 type、某个字段，或两者，如 type+props.url",
        "there is no segment {name!r}: `churnwatch segment ls` lists them": "没有名为 {name!r} 的分群：可用 `churnwatch segment ls` 列出",
        "{text!r} is no condition: write a field, one of >= <= = != > <, and a value, as in purchases >= 1": "{text!r} 不是条件：请依次写字段、>= <= = != > < 之一和值，如 purchases >= 1",
        "{text!r}: {field} is text, so it takes = or !=": "{text!r}：{field} 为文本，只能用 = 或 !=",
        "a rule has no field {field!r}; there are {fields} and traits.NAME": "规则没有字段 {field!r}；可用的有 {fields} 和 traits.NAME",
        "{field} takes a number, got {said!r}": "{field} 应为数字，得到 {said!r}",
        "{field} takes a day, as in 2026-03-01, got {said!r}": "{field} 应为日期，如 2026-03-01，得到 {said!r}",
        # single analyses
        "month_days must be 7 to 366, got {got}": "“每月天数”应为 7 至 366，得到 {got}",
        "max_dormant_days must be 0 or more, got {got}": "“最长沉默天数”不能小于 0，得到 {got}",
        "used_within must be 1 day or more, got {got}": "“使用期限”至少为 1 天，得到 {got}",
        "figure_days must be 1 day or more, got {got}": "“指标天数”至少为 1 天，得到 {got}",
        "min_returns must be 1 or more, got {got}": "“最少回访次数”至少为 1，得到 {got}",
        "follow must be 0 or more, got {got}": "“跟踪单位数”不能小于 0，得到 {got}",
        "follow must be 1 or more and record 0 or more, got {follow} and {record}": "“跟踪单位数”至少为 1，“回看的单位数”不能小于 0，得到 {follow} 和 {record}",
        "window {window} follows people day by day: take unit day, week or month for the cohorts": "时间窗口 {window} 按日跟踪用户：单位请选日、周或月",
        "brackets have an end of their own: take them without mode on_or_after": "区间本身有终点：请勿与回来方式 on_or_after 同用",
        "{text!r} is no bracket: write them in order, as in 1-7 8-14 15-30": "{text!r} 不是区间：请依次写，如 1-7 8-14 15-30",
        "there is no cell {cohort}, {k} in this table": "表中没有单元 {cohort}，{k}",
        "a funnel has 1 to {most} steps, got {got}": "漏斗应有 1 至 {most} 步，得到 {got} 步",
        'exclude needs order "ordered": in order "{order}" a chain has no place for what comes between': "“排除”只能与步骤顺序“ordered”同用：顺序为“{order}”时，步骤之间没有位置",
        'among says which types may not lie between steps; it needs order "strict"': "“仅限”指定步骤之间不可出现的类型，只能与步骤顺序“strict”同用",
        "by_step must be a step from 1 to {last}, got {got}": "“按第几步分组”应为 1 至 {last}，得到 {got}",
        "exclude {text!r}: write two steps from 1 to {steps}, the lower first, and which events, as in 1-2:refund": "“排除” {text!r} 有误：请写 1 至 {steps} 的两个步骤，小的在前，再写事件，如 1-2:refund",
        "stopped_at must be a step from 1 to {last}, the last but one, got {got}": "“停在第几步”应为 1 至 {last}（倒数第二步），得到 {got}",
        "a loss between steps needs two steps or more": "步骤之间的流失至少需要两步",
        "depth must be 1 to {most}, got {got}": "“深度”应为 1 至 {most}，得到 {got}",
        "last must be 1 or more, and fewer for {n} different nodes, got {got}": "“最后几步”至少为 1，且 {n} 种节点时须更少，得到 {got}",
        "{node} has {n} values, and transitions are counted among {most} at most: take out what tells them apart with strip": "{node} 有 {n} 个值，而转移最多在 {most} 个之间统计：请用“略过”去掉区分它们的部分",
        "bounds are four numbers from the worst score to the best: recency falls, as in 90 30 14 7; frequency and money rise": "边界为四个数，由最差到最好：近度递减，如 90 30 14 7；频度和金额递增",
        "return_within must be 1 to {most} and weeks_before 0 to {most}, got {within} and {before}": "“多少天内再来”应为 1 至 {most}，“回看的周数”应为 0 至 {most}，得到 {within} 和 {before}",
        "two releases have the same name; give each a name of its own": "有两次发布同名：请各用不同的名称",
        "{text!r} is no release: write its name, at=, and if need be kind= ({kinds}) and touched=, as in 2.0,at=2026-03-01 or sale,at=2026-03-01T06:00,kind=campaign": "{text!r} 不是版本发布：请写名称和 at=，需要时加 kind=（{kinds}）和 touched=，如 2.0,at=2026-03-01 或 sale,at=2026-03-01T06:00,kind=campaign",
        "{text!r} says no time: write a day or an instant, as in 2.0,at=2026-03-01 or sale,at=2026-03-01T06:00,kind=campaign": "{text!r} 没有时间：请写日期或时刻，如 2.0,at=2026-03-01 或 sale,at=2026-03-01T06:00,kind=campaign",
        "the history has no {table}: no engine has judged these people yet: run `churnwatch run`, and `churnwatch history run` beside it, which also takes in what the topics still have": "历史中没有 {table}：引擎尚未评估过这些用户。请运行 `churnwatch run`，并同时运行 `churnwatch history run`，后者也会读入主题中仍保留的内容",
        "the history has no {table} of a definition {asked!r}; there are {found}": "历史中没有流失定义 {asked!r} 的 {table}；可用的有 {found}",
        # people behind a number
        "{analysis} has no list of people behind its cells": "“{analysis}”的单元没有用户名单",
        "there are groups only where people are told apart by a field": "只有按字段分组时才有类别",
        "name a day, as in 2026-03-01": "请给出日期，如 2026-03-01",
        "name a unit, as in 2026-03-01": "请给出单位，如 2026-03-01",
        "name a cohort, as in cohort=2026-03-02": "请给出分组，如 cohort=2026-03-02",
        "name a cohort and a k, as in 2026-03-01 and 7": "请给出分组和 k，如 2026-03-01 和 7",
        "name a k, the number of units somebody was active in": "请给出 k，即活跃的单位数",
        "name a step, from 1 on": "请给出步骤，从 1 开始",
        "name a step: `--users k=N`, from 1 on": "请给出步骤：`--users k=N`，从 1 开始",
        "name a reason: `--users reason=CODE`": "请给出原因：`--users reason=CODE`",
        "name a feature: `--users feature=NAME`": "请给出功能：`--users feature=NAME`",
        "name a step or a type of event: `--users event=NAME`": "请给出步骤或事件类型：`--users event=NAME`",
        "name a release: `--users group=NAME`": "请给出版本发布：`--users group=NAME`",
        # SQL
        "take one SELECT over {views}: nothing here can be written, set or attached": "请写一条针对 {views} 的 SELECT：此处不能写入、设置或附加",
        # what became of a question
        "there is no history in {folder}: `churnwatch history import FILES` makes one of files, `churnwatch history run` one of the clicks; history.dir in churnwatch.toml (or CHURNWATCH_HISTORY) says where it is": "{folder} 中没有历史：`churnwatch history import FILES` 由文件生成，`churnwatch history run` 由实时事件生成；位置由 churnwatch.toml 的 history.dir（或 CHURNWATCH_HISTORY）指定",
        "it took longer than it may: ask of fewer days or groups, or allow more in page.analyses_time": "用时超出上限：请减少天数或分组，或在 page.analyses_time 中放宽",
        "the process that computed it ended, as one does that needs more memory than it may have: ask of fewer days or groups, or allow more in page.analyses_memory": "统计进程已结束，通常因为所需内存超出上限：请减少天数或分组，或在 page.analyses_memory 中放宽",
        "it takes more memory than it may have: ask of fewer days or groups, or allow more in page.analyses_memory": "所需内存超出上限：请减少天数或分组，或在 page.analyses_memory 中放宽",
        "the answer is too large to be shown: ask of fewer days or groups": "结果过大，无法显示：请减少天数或分组",
        "too many questions wait: try again in a minute": "等待的问题过多：请一分钟后重试",
        "it was stopped before its end": "已中途停止",
        "something of ours went wrong; the log of churnwatch web says where": "内部出错；churnwatch web 的日志中有位置",
        # boards and questions that are kept
        "there is no question {name!r}": "没有问题 {name!r}",
        "there is no question {name!r}; there are: {there}": "没有问题 {name!r}；现有：{there}",
        "there is no board {name!r}": "没有看板 {name!r}",
        "there is no board {name!r}; there are: {there}": "没有看板 {name!r}；现有：{there}",
        "there is no segment {name!r}": "没有分群 {name!r}",
        "there is no segment {name!r}; there are: {there}": "没有分群 {name!r}；现有：{there}",
        "a title is one line of 1 to {most} characters that can be printed, got {title!r}": "标题应为一行 1 至 {most} 个可显示的字符，得到 {title!r}",
        "a question that is shown as a number names the cell it is, and no other does": "以数字显示的问题须指明单元，其他问题则不可",
        "a board has at most {most} questions, got {got}: make another board": "一个看板最多 {most} 个问题，得到 {got} 个：请另建看板",
        "a board has each question once": "看板中每个问题只能出现一次",
        '{name!r} is no name: take small letters, digits, "-" and "_", at most {most}, a letter or digit first, as in weekly-look': '{name!r} 不能用作名称：请用小写字母、数字、"-" 和 "_"，最多 {most} 个，以字母或数字开头，如 weekly-look',
        "a segment has at most {most} conditions, got {got}": "一个分群最多 {most} 个条件，得到 {got} 个",
        # erasing on the page
        "no engine has run here, so there is no log to erase from; of a history without an app, `churnwatch history erase` does it": "这里没有运行过引擎，因此没有可删除的日志；没有应用的历史可用 `churnwatch history erase` 删除",
        "Redis does not answer ({error}): try again when it does": "Redis 没有响应（{error}）：请在恢复后重试",
    }
)
