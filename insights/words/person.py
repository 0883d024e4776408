"""Words of the page Person: what is known of one person, how their risk went, and why."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said, phrases

WORDS: dict[str, Said] = {
    "person.lead": Said("One person: how their risk went, what moves it, and when they are usually here", "单个用户：风险走势、影响因素与平时出现的时间"),
    "person.as_of": Said("as of {moment}, event time", "截至 {moment}（事件时间）"),
    # what they did, and how they are forgotten
    "person.events": Said("What they did", "行为记录"),
    "person.events.is": Said("every event that the history has of them, the newest first", "历史中该用户的全部事件，最新的在前"),
    "person.in_history": Said("Known to the history only", "仅历史中有记录"),
    "person.in_history.is": Said(
        "The engine has taken no event with exactly this id, so there is no risk of theirs. The history has events: they stand below.",
        "引擎没有处理过带有该 ID 的事件，因此没有其风险。历史中有其事件，列在下方。",
    ),
    "person.events.zone": Said("; times of {zone}", "；时间按 {zone}"),
    "person.events.nothing": Said("The history has no event of theirs.", "历史中没有该用户的事件。"),
    "person.events.none": Said("The history has no such event of theirs.", "历史中没有该用户的此类事件。"),
    "person.events.slow": Said("Their events could not be read in time: open this page again in a moment.", "未能及时读取事件：请稍后重新打开此页。"),
    "person.events.kind": Said("Type of event", "事件类型"),
    "person.events.all": Said("All types", "全部类型"),
    "person.events.newer": Said("Newer", "较新"),
    "person.events.older": Said("Older", "较早"),
    "person.events.channel": Said("channel", "渠道"),
    "person.events.item": Said("item", "对象"),
    "person.events.value": Said("value", "数值"),
    "person.feedback": Said("What they said", "用户反馈"),
    "person.feedback.is": Said("the newest events of type feedback: surveys, reviews, tickets", "最新的 feedback 事件：问卷、评价、工单"),
    "person.erase": Said("Forget this person", "删除此用户"),
    "person.erase.is": Said("as the law may ask for; it cannot be undone", "例如依法律要求；无法撤销"),
    "person.erase.open": Said("Erase…", "删除…"),
    "person.erase.all": Said(
        "The engine deletes all it knows of them and ends their alert; their rows leave the history with its next nightly pass; what comes of them later counts for nothing until they consent again. Kafka keeps its records until its retention.",
        "引擎删除其全部数据并结束其预警；历史中的记录随下一次夜间清理移除；在其重新同意之前，之后到来的事件一概不计。Kafka 中的记录保留至其保留期结束。",
    ),
    "person.erase.again": Said("Type their id again", "再次输入其 ID"),
    "person.erase.do": Said("Erase for good", "永久删除"),
    "person.erase.other": Said("Nothing was erased: the id that was typed is not theirs.", "未删除：输入的 ID 与该用户不符。"),
    "person.erase.not": Said("Nothing was erased: {words}.", "未删除：{words}。"),
    "person.erase.done": Said("They are being forgotten", "正在删除"),
    "person.erase.done.is": Said(
        "The erasure is in the log: the engine applies it within moments, the history with its next nightly pass. churnwatch erase USER --check says what is left where.",
        "删除记录已写入日志：引擎即刻执行，历史在下一次夜间清理时执行。churnwatch erase USER --check 可查看剩余情况。",
    ),
    "person.erased": Said("This person was erased", "该用户已被删除"),
    "person.erased.is": Said(
        "Nothing is known of them, and nothing of them counts until they consent again. Rows that the history still holds leave it with the next nightly pass and are not shown.",
        "不再保留其任何信息；在其重新同意之前，任何事件都不计入。历史中尚存的记录将在下一次夜间清理时移除，且不予显示。",
    ),
    # looking for somebody
    "person.find": Said("Find a person by id", "按 ID 查找用户"),
    "person.find.is": Said("Type the whole id, as your events carry it.", "请输入完整 ID，与事件中的一致。"),
    "person.recent": Said("Flagged most recently", "最近被预警的用户"),
    "person.recent.none": Said("Nobody is flagged now.", "目前没有被预警的用户。"),
    "person.recent.row": Said("risk {risk}, flagged {ago}", "风险 {risk}，{ago}预警"),
    **phrases({"Find": "查找", "First seen": "首次出现", "Last active": "最近活动", "Alert": "预警", "No open alert": "无未结预警"}),
    # on top
    "person.stated": Said("judged {moment} {by}", "判断于 {moment}，{by}"),
    "person.by_model": Said("by model version {version}", "由模型第 {version} 版给出"),
    "person.by_rule": Said("by their own rhythm", "按其自身节奏"),
    "person.if_now": Said("{risk} if judged now", "若现在判断：{risk}"),
    "person.not_scored": Said("not judged yet: the first risk is stated within a day of the first activity", "尚未判断：首次活动后一天内给出第一个风险"),
    "person.dormant": Said(
        "Dormant: they have been away for longer than the active window, so nobody judges them and no alert opens before their next activity. "
        "The risk is the last one stated.",
        "已休眠：离开时间超过活跃窗口，下次活动之前不再判断，也不会预警。所示风险为最后一次给出的值。",
    ),
    "person.silence": Said("Silent for", "已沉默"),
    "person.silence.means": Said("time since their last event that counts as activity by this definition", "距该定义下最近一次算作活动的事件的时间"),
    "person.silence.never": Said("no event of theirs counts as activity by this definition", "按该定义，还没有事件算作活动"),
    "person.usually": Said("usually back within {duration}", "平时 {duration}内会回来"),
    "person.usually.none": Said("what is usual for them is not known yet: they have not come back once", "还不知道其平时的间隔：尚未回来过一次"),
    "person.spent": Said("Spent so far", "累计消费"),
    "person.spent.means": Said("the sum of the values of their events that bring money, since they were first seen", "首次出现以来，所有带金额事件的金额合计"),
    "person.spent.none": Said("no event type brings money by your settings", "按设置，没有带金额的事件类型"),
    "person.purchases": Said("{n} purchases", "{n} 次购买", one="{n} purchase"),
    "person.purchases.last": Said("{n} purchases, the last one {duration} ago", "{n} 次购买，最近一次在 {duration}前", one="{n} purchase, {duration} ago"),
    "person.alert.means": Said(
        "an alert opens when the risk reaches the threshold; it ends when they come back, or when its time has run out",
        "风险达到预警线时开始预警；用户回来或到期时结束",
    ),
    "person.alert.is_open": Said("Open", "未结"),
    # the risk line
    "person.line": Said("Risk over 90 days", "近 90 天的风险"),
    "person.line.is": Said("judged once a day, at a time of their own; an alert opens at the line across", "每天在其固定时刻判断一次；横线为预警线"),
    "person.line.none": Said("Nobody has judged them in the last 90 days.", "近 90 天内没有判断。"),
    "person.left": Said("left", "流失"),
    "person.stayed": Said("stayed", "留下"),
    **phrases({"alert opened": "开始预警", "alert ran out": "预警到期", "judged at": "判断时刻"}),
    # what moves the risk
    **phrases({"What raises it": "哪些因素推高风险", "What lowers it": "哪些因素降低风险"}),
    "person.moves": Said("Why", "为什么"),
    "person.moves.is": Said("compared with everybody else, as of {moment}; the odds are those of leaving", "与其他所有人相比，截至 {moment}；几率指流失的几率"),
    "person.odds": Said("odds × {factor}", "几率 × {factor}"),
    "person.odds.over": Said("odds over {n} times", "几率为 {n} 倍以上"),
    "person.odds.below": Said("odds below a {n}th", "几率不到 {n} 分之一"),
    "person.moves.none": Said("Nothing stands out.", "没有明显的因素。"),
    # habits
    "person.days": Said("Days with activity", "有活动的日子"),
    "person.days.is": Said("each field is a day of the last {n}; filled: active", "近 {n} 天，每格一天；填色表示当天有活动"),
    "person.days.about": Said("active on {n} of {of} days", "{of} 天中活跃 {n} 天", one="active on {n} of {of} days"),
    "person.days.active": Said("Days with activity", "有活动的日子"),
    "person.days.all": Said("Days in all", "总天数"),
    "person.weekdays.is": Said("share of each weekday on which they were active", "每个星期几有活动的比例"),
    "person.of": Said("{n} of {of}", "{n} / {of}"),
    **phrases({"active": "有活动", "not active": "无活动", "By weekday": "按星期", "When they are here": "平时何时出现", "Their rhythm": "平时的节奏"}),
    "person.actions": Said("Actions", "操作"),
    "person.actions.day": Said("Actions per day", "每天的操作次数"),
    "person.actions.is": Said("events of any type on each of the last {n} days of UTC", "近 {n} 天（UTC）每天的各类事件数"),
    "person.actions.all": Said("events of any type since they were first seen", "首次出现以来的各类事件数"),
    "person.hour": Said("Usual time of day", "平时的时刻"),
    "person.hour.about": Said("around {hour}", "{hour} 前后"),
    "person.hour.none": Said("no usual time", "没有固定时刻"),
    "person.hour.zone": Said("time zone {zone}", "时区 {zone}"),
    "person.pause": Said("Usual pause", "平时的间隔"),
    "person.pause.is": Said("between two visits, over {n} returns", "两次到访之间，共回来 {n} 次", one="between two visits, over {n} return"),
    "person.longest": Said("Longest pause", "最长的间隔"),
    "person.longest.is": Said("so far, between two visits", "目前为止，两次到访之间"),
    "person.visits": Said("Visits", "到访次数"),
    "person.visits.length": Said("of {duration} on average", "平均 {duration}"),
    "person.visits.first": Said("their first one is not over yet, as far as is known", "据目前所知，第一次到访尚未结束"),
    # the life of an alert
    "person.alerts": Said("Alerts of the last 90 days", "近 90 天的预警"),
    "person.alerts.none": Said("Not flagged in the last 90 days.", "近 90 天内未被预警。"),
    "person.alert.opened": Said("flagged {moment} at {risk}", "{moment} 预警，风险 {risk}"),
    "person.alert.open": Said("open, {duration} left", "未结，剩余 {duration}"),
    "person.alert.due": Said("open, its time has just run out", "未结，刚刚到期"),
    "person.alert.returned": Said("came back after {duration}", "{duration}后回来"),
    "person.alert.horizon": Said("ran out after {duration}; whether they really left is known soon", "{duration}后到期；是否真的流失稍后可知"),
    "person.alert.left": Said("did not come back in {duration}: really left", "{duration}内没有回来：真的流失"),
    "person.alert.stayed": Said("ran out after {duration}, but they stayed", "{duration}后到期，但用户留下了"),
    **phrases({"Flagged": "预警时间", "Valid until": "有效期至", "How it ended": "结果"}),
    # all there is
    "person.known": Said("What else is known", "其他已知信息"),
    "person.channel.is": Said("the channel that their first event with one named", "首个带渠道的事件所记录的渠道"),
    "person.active_days": Said("Active days", "活跃天数"),
    "person.active_days.is": Said("since they were first seen", "首次出现以来"),
    "person.errors": Said("Errors", "出错"),
    "person.errors.is": Said("share of their recent actions; half of the weight is on the last 7 days", "占近期操作的比例；近 7 天占一半权重"),
    "person.funnel": Said("Furthest step", "最远步骤"),
    "person.funnel.is": Said("of the funnel in your settings", "设置中漏斗的步骤"),
    "person.shard": Said("Shard", "分片"),
    "person.shard.is": Said("the partition that saw them last", "最近处理该用户的分区"),
    "person.shards": Said(
        "This person is in shards {shards}, each with a part of the history: key events by person, with the same partitioner in all producers.",
        "该用户的历史分散在分片 {shards} 中：请按用户作为事件的键，并让所有生产者使用同一种分区方式。",
    ),
    "person.damaged": Said(
        "What is stored of this person cannot be read. `churnwatch state check` names it, and a rebuild of the shard makes it anew.",
        "该用户的存储内容无法读取。可用 `churnwatch state check` 定位，重建该分片即可恢复。",
    ),
    "person.redis": Said(
        "What is known of them now cannot be read while the store does not answer.", "存储没有响应，暂时无法读取该用户当前的信息。"
    ),
    "person.gone": Said(
        "Nothing is stored of this person now. This is what was said of them in the last 90 days.", "目前没有存储该用户的任何内容。以下是近 90 天内的判断与预警。"
    ),
    "person.definitions": Said("By definition", "按流失定义"),
    # what a risk is the chance of
    "definition.inactivity": Said(
        "{name}: the chance of no activity in the {horizon} after a judgement, of people who were active in the {window} before it",
        "{name}：判断之后 {horizon}内没有活动的概率，针对此前 {window}内活跃过的用户",
    ),
    "definition.events": Said(
        "{name}: the chance of none of these events in the {horizon} after a judgement: {events}; of people who had one in the {window} before it",
        "{name}：判断之后 {horizon}内没有发生这些事件的概率：{events}；针对此前 {window}内发生过的用户",
    ),
    "definition.did_event": Said(
        "{name}: the chance of one of these events in the {horizon} after a judgement: {events}; of people who were active in the {window} before it",
        "{name}：判断之后 {horizon}内发生这些事件之一的概率：{events}；针对此前 {window}内活跃过的用户",
    ),
    "definition.external": Said(
        "{name}: the chance that you will report, within {horizon} of a judgement, that they left; of people who were active in the {window} before it",
        "{name}：判断之后 {horizon}内，由你上报其流失的概率；针对此前 {window}内活跃过的用户",
    ),
}  # fmt: skip
"""Codes with a dot are sentences and closed sets; the other keys are their own English."""
