"""Words of the page Data: whether what the figures stand on is fresh, complete and healthy."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said, phrases

WORDS: dict[str, Said] = {
    "data.lead": Said("Is what the figures stand on fresh and complete?", "这些数字所依据的数据，是否新鲜、完整？"),
    # freshness
    **phrases({"Freshness": "新鲜度", "Newest event": "最新事件", "Event time": "事件时间", "Events per minute": "每分钟事件数", "Partition": "分区"}),
    "data.newest.is": Said("time of the newest event taken", "已处理的最新事件的时间"),
    "data.behind": Said("{duration} behind the clock", "比时钟晚 {duration}"),
    "data.fresh": Said("up to date", "最新"),
    "data.held": Said("Time is held: intake is silent, so nobody's silence is judged.", "时间已暂停：没有事件流入，因此不判断任何人的沉默。"),
    "data.lateness": Said("events may come up to {duration} late", "事件最多可迟到 {duration}"),
    # what was taken
    **phrases({"Records taken, by outcome": "已处理的记录，按结果", "Outcome of a record": "记录的结果", "Records": "记录", "Applied": "已采用",
               "Late and rejected, by cause": "迟到与拒收，按原因", "Not yet taken": "尚未处理", "Lag": "积压"}),
    "data.lag.is": Said("records in Kafka that no worker has taken yet", "Kafka 中尚无工作进程处理的记录"),
    "data.rejected.is": Said("share of all records; each is kept on the topic of dead letters, and `churnwatch dlq ls` shows them",
                             "占全部记录的比例；均保留在死信主题中，可用 `churnwatch dlq ls` 查看"),
    "data.rejected.none": Said("Nothing was rejected.", "没有拒收任何记录。"),
    "reject.ok": Said("applied", "已采用"),
    "reject.late": Said("late: older than the watermark of its partition", "迟到：早于所在分区的水位线"),
    "reject.duplicate": Said("duplicate: its id was seen before", "重复：该事件 ID 已出现过"),
    "reject.tombstone": Said("the record has no value", "记录没有内容"),
    "reject.empty": Said("the value is empty", "内容为空"),
    "reject.too_large": Said("the value has more than 65,536 bytes", "内容超过 65,536 字节"),
    "reject.not_utf8": Said("the value is not UTF-8", "内容不是 UTF-8"),
    "reject.not_json": Said("the value is not JSON", "内容不是 JSON"),
    "reject.not_finite": Said("a number is not finite", "数值不是有限数"),
    "reject.too_deep": Said("the value is nested more than 64 deep", "内容嵌套超过 64 层"),
    "reject.missing_field": Said("person, time or type is missing", "缺少用户、时间或类型"),
    "reject.wrong_type": Said("a field is not of its type", "字段类型不符"),
    "reject.user_empty": Said("the person's id is empty", "用户 ID 为空"),
    "reject.user_too_long": Said("the person's id has more than 256 bytes", "用户 ID 超过 256 字节"),
    "reject.user_reserved": Said("the id stands for nobody, by your settings", "按设置，该 ID 不代表任何人"),
    "reject.ts_out_of_range": Said("the time is before 1970 or after 2100", "时间早于 1970 年或晚于 2100 年"),
    "reject.ts_implausible": Said("the time is before the oldest that your settings allow", "时间早于设置所允许的最早时间"),
    "reject.future": Said("the time is more than 5 minutes ahead of the broker: a clock is wrong", "时间比服务端早超过 5 分钟：有时钟不准"),
    "reject.unknown_type": Said("the type is not one that your settings name", "类型不在设置列出的范围内"),
    "reject.label_invalid": Said("an outcome that cannot be read", "无法读取的结果标签"),
    "reject.label_definition": Said("an outcome for a definition that does not take it", "结果标签对应的定义不接受外部结果"),
    # processes
    **phrases({"Processes": "进程", "Health": "健康状况", "Worker": "工作进程", "Trainer": "训练进程", "Page": "页面进程", "Redis": "Redis", "Kafka": "Kafka"}),
    "process.ok": Said("working", "正常"),
    "process.not_ready": Said("not ready", "未就绪"),
    "process.silent": Said("no sign of life for {duration}", "已 {duration}没有心跳"),
    "process.unreachable": Said("cannot be reached", "无法连接"),
    "process.none": Said("No worker runs: start one with `churnwatch run`.", "没有工作进程在运行：请用 `churnwatch run` 启动一个。"),
    "process.shards": Said("{n} shards", "{n} 个分片", one="{n} shard"),
    **phrases({"Shards": "分片", "Last sign of life": "最近心跳", "Users followed": "关注的用户", "State": "状态"}),
}  # fmt: skip
"""Codes with a dot are sentences and closed sets; the other keys are their own English."""
