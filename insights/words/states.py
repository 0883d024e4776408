"""Words for the state of the whole page, and for when a page has nothing to show: what happens next, and when.

A state of `insights.live.state` has, under `state.<kind>`: a title, a `.body`, what happens `.next` (or `.next.unknown` where the time cannot be said),
where there is one a `.command` that helps, and a few words for the foot of the rail, `.dot`. `insights.web.strip` puts them together.
"""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    # the page's own lines
    "state.redis": Said("The store does not answer", "存储没有响应"),
    "state.redis.body": Said(
        "Redis cannot be reached: figures about now are of {answered}. What has been, the alerts so far and how right they were, comes from the page's "
        "own database and goes on.",
        "无法连接 Redis：关于“现在”的数字截至 {answered}。过往的预警和准确度来自页面自己的数据库，不受影响。",
    ),
    "state.redis.body.never": Said(
        "Redis cannot be reached, and has not answered since this page was started: nothing about people can be shown yet.",
        "无法连接 Redis，页面启动以来它也没有响应过：暂时无法显示用户信息。",
    ),
    "state.redis.next": Said(
        "The page asks again every second. Nothing is lost: the workers go on where they were.", "页面每秒重试一次。不会丢失任何内容：工作进程会从中断处继续。"
    ),
    "state.redis.dot": Said("Store away", "存储中断"),
    "state.kafka": Said("Kafka does not answer", "Kafka 没有响应"),
    "state.kafka.body": Said(
        "New events and new alerts cannot be seen. What is shown is as of {as_of}.", "暂时看不到新的事件和预警。所示内容截至 {as_of}。"
    ),
    "state.kafka.next": Said("The page asks again every 5 seconds. Nothing is lost.", "页面每 5 秒重试一次。不会丢失任何内容。"),
    "state.kafka.dot": Said("Kafka away", "Kafka 中断"),
    "state.offline": Said("No live updates", "实时更新已中断"),
    "state.offline.body": Said("What you see is what was there when the line was lost. The page tries again by itself.", "所见内容停留在连接中断之时。页面会自动重试。"),
    # day one
    "state.no_worker": Said("Nothing has happened yet", "还没有数据"),
    "state.no_worker.body": Said("No worker has started yet, or it still waits for the first events.", "还没有工作进程启动，或者它还在等第一批事件。"),
    "state.no_worker.next": Said("Start one, then send events: it begins with the first of them.", "请先启动一个，再发送事件：它会从第一个事件开始。"),
    "state.no_worker.command": Said("churnwatch run", "churnwatch run"),
    "state.no_worker.dot": Said("Waiting for a worker", "等待工作进程"),
    "state.no_events": Said("Nothing has happened yet", "还没有数据"),
    "state.no_events.body": Said("Everything is ready and waits for the first event.", "一切就绪，正在等第一个事件。"),
    "state.no_events.next": Said("Send events from your product, or load a file of them:", "请从你的产品发送事件，或载入一个事件文件："),
    "state.no_events.command": Said("churnwatch ingest events.csv", "churnwatch ingest events.csv"),
    "state.no_events.dot": Said("Waiting for events", "等待事件"),
    "state.rejected": Said("Everything so far was rejected", "目前为止的记录全部被拒收"),
    "state.rejected.body": Said(
        "{n} records came, and none of them can be used. The page Data says why, and what such records usually are.",
        "共收到 {n} 条记录，没有一条可用。“数据”页说明了原因，以及这类记录通常是什么。",
        one="{n} record came, and it cannot be used. The page Data says why, and what such records usually are.",
    ),
    "state.rejected.next": Said("People appear within seconds of the first event that can be used.", "第一条可用的事件到来后，几秒内就会出现用户。"),
    "state.rejected.command": Said("churnwatch dlq ls", "churnwatch dlq ls"),
    "state.rejected.dot": Said("All rejected", "全部拒收"),
    # what comes when
    "day_one.title": Said("What appears when", "什么时候会出现什么"),
    "day_one.seconds": Said("within seconds", "几秒内"),
    "day_one.seconds.is": Said("people, as soon as their first event is taken", "用户：首个事件一经处理就会出现"),
    "day_one.day": Said("within a day", "一天内"),
    "day_one.day.is": Said("the first risks: everybody is judged once a day, at a time of their own", "首批风险：每人每天判断一次，各有固定时刻"),
    "day_one.silence": Said("with the first long silence", "出现第一次长时间沉默时"),
    "day_one.silence.is": Said("the first alert, when somebody stays away for longer than usual for them", "首条预警：有人离开得比平时更久"),
    "day_one.horizon": Said("after {horizon}", "{horizon}后"),
    "day_one.horizon.is": Said("the first outcomes: who really left, and how right the page was", "首批结果：谁真的流失了，页面判断得有多准"),
    "day_one.enough": Said("after {n} outcomes of each kind", "两种结果各满 {n} 个后"),
    "day_one.enough.is": Said("a model that has learned from them takes over; until then people are scored by their own rhythm", "学过这些结果的模型接手；在此之前按每个人自己的节奏打分"),
    # shards
    "state.unreadable": Said("What a shard stored of itself cannot be read: partition {shards}", "有分片自身的记录无法读取：分区 {shards}"),
    "state.unreadable.body": Said(
        "It is damaged, or a newer build wrote it. Figures are without this partition; everything else is shown.",
        "记录已损坏，或由更新的版本写入。数字不含该分区，其余内容照常显示。",
    ),
    "state.unreadable.next": Said(
        "Run the page with the build of the workers. If it is the same, this names the keys, and says how the shard is made again from the log:",
        "请让页面与工作进程使用同一版本。如果已经一致，以下命令会列出这些键，并说明如何从日志重建该分片：",
    ),
    "state.unreadable.command": Said("churnwatch state check", "churnwatch state check"),
    "state.unreadable.dot": Said("A shard is damaged", "有分片损坏"),
    # workers and intake
    "state.stopped": Said("No worker takes the events", "没有工作进程在处理事件"),
    "state.stopped.body": Said("{n} events wait. Figures are as of {as_of}, and no alert leaves meanwhile.", "{n} 个事件在等待。数字截至 {as_of}，其间不会发出预警。",
                               one="{n} event waits. Figures are as of {as_of}, and no alert leaves meanwhile."),
    "state.stopped.next": Said("Nothing is lost: everything goes on where it was as soon as a worker runs.", "不会丢失任何内容：工作进程一启动，就会从中断处继续。"),
    "state.stopped.command": Said("churnwatch run", "churnwatch run"),
    "state.stopped.dot": Said("No worker", "无工作进程"),
    "state.behind": Said("Catching up: {n} events wait", "正在追赶：{n} 个事件在等待", one="Catching up: {n} event waits"),
    "state.behind.body": Said("Figures are as of {as_of}, and move on as the events are taken.", "数字截至 {as_of}，随事件的处理向前推进。"),
    "state.behind.next": Said("At this pace it is up to date in {duration}.", "按现在的速度，{duration}后追平。"),
    "state.behind.next.unknown": Said("How long that takes cannot be said yet.", "还无法判断需要多久。"),
    "state.behind.dot": Said("Catching up", "正在追赶"),
    "state.ended": Said("The events end on {as_of}", "事件止于 {as_of}"),
    "state.ended.body": Said(
        "Nothing has come in for {duration}, and time does not go on by itself: everything is shown as of then.",
        "已 {duration}没有事件，时间也不会自行前进：所有内容都截至那时。",
    ),
    "state.ended.next": Said("It goes on with the next event.", "下一个事件到来后会继续。"),
    "state.ended.dot": Said("Events have ended", "事件已结束"),
    "state.silent": Said("No events for {duration}", "已 {duration}没有事件"),
    "state.silent.body": Said("Scores are held: while nothing comes in, nobody is taken to be silent.", "评分已暂停：没有事件流入时，不会把任何人当作沉默。"),
    "state.silent.next": Said(
        "Look at what sends your events. If none comes by {until}, time goes on and silence counts again.",
        "请检查发送事件的一端。如果到 {until} 仍没有事件，时间会继续前进，沉默重新计入。",
    ),
    "state.silent.dot": Said("No events: held", "无事件：已暂停"),
    "state.going_on": Said("No events for {duration}", "已 {duration}没有事件"),
    "state.going_on.body": Said(
        "Time goes on again since {until}, so silence counts. If it is your tracking that is silent and not your people, new alerts are wrong.",
        "自 {until} 起时间继续前进，沉默会计入。如果沉默的是埋点而不是用户，新的预警就不可信。",
    ),
    "state.going_on.next": Said("It goes on as usual with the next event.", "下一个事件到来后恢复正常。"),
    "state.going_on.dot": Said("No events", "无事件"),
    # the model
    "state.warming": Said("The model is still learning", "模型还在学习"),
    "state.warming.body": Said(
        "People are scored by their own rhythm for now. Of {left} it is known that they left and of {stayed} that they stayed; {needed} of each are "
        "needed. The list can be used; its probabilities are rougher.",
        "现在按每个人自己的节奏打分。已知流失 {left} 人、留下 {stayed} 人，两种结果各需要 {needed} 个。名单可以使用，只是概率较粗略。",
    ),
    "state.warming.body.none": Said(
        "People are scored by their own rhythm for now. Of nobody it is known yet whether they left: an outcome is known once its time is up. {needed} who "
        "left and {needed} who stayed are needed. The list can be used; its probabilities are rougher.",
        "现在按每个人自己的节奏打分。还不知道谁真的流失：到期后才有结果。流失和留下各需要 {needed} 人。名单可以使用，只是概率较粗略。",
    ),
    "state.warming.next": Said("At this pace a model takes over about {date}.", "按现在的速度，模型大约在 {date} 接手。"),
    "state.warming.next.first": Said("The first outcomes are known on {date}.", "首批结果将在 {date} 知晓。"),
    "state.warming.next.unknown": Said("When a model takes over cannot be said yet.", "还无法判断模型何时接手。"),
    "state.warming.meter": Said("{have} of {need} outcomes of the scarcer kind", "较少的一种结果：{have} / {need}"),
    "state.warming.dot": Said("Learning · rhythm rule", "学习中 · 节奏规则"),
    "state.no_trainer": Said("No model has been learned yet", "还没有学出模型"),
    "state.no_trainer.body": Said(
        "{n} outcomes are known, which is enough, but there is no model: people are scored by their own rhythm.",
        "已知 {n} 个结果，已经足够，但还没有模型：现在按每个人自己的节奏打分。",
    ),
    "state.no_trainer.next": Said("Is the trainer running?", "训练进程在运行吗？"),
    "state.no_trainer.command": Said("churnwatch train", "churnwatch train"),
    "state.no_trainer.dot": Said("No model yet", "还没有模型"),
    "state.well.dot": Said("Model v{version} · serving", "模型 v{version} · 运行中"),
    "state.well.dot.pinned": Said("Model v{version} · pinned", "模型 v{version} · 已固定"),
    "state.well.dot.rule": Said("Rhythm rule · serving", "节奏规则 · 运行中"),
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
    "state.unknown_person": Said("Nobody with this id is known", "没有这个 ID 的用户"),
    "state.unknown_person.body": Said("No event with exactly this id has been taken so far. What it may be:", "目前没有处理过带有该 ID 的事件。可能的原因："),
    "state.unknown_person.typo": Said("Another spelling: ids are compared letter by letter, and capitals count.", "写法不同：ID 逐字比较，区分大小写。"),
    "state.unknown_person.app": Said("Another app: this page shows “{app}” only.", "属于另一个应用：此页只显示“{app}”。"),
    "state.unknown_person.later": Said("Somebody new: a person appears within seconds of their first event.", "新用户：首个事件到来后，几秒内就会出现。"),
    "state.unknown_person.gone": Said("Somebody who was erased, or whose events were all rejected: see Data.", "已被删除，或其事件全部被拒收：请看“数据”页。"),
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
