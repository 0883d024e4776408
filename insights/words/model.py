"""Words of the page Model: who scores now, how right it is, and whether the world has changed."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said, phrases

WORDS: dict[str, Said] = {
    "model.lead": Said("Who scores people now, and how right it has been", "现在由谁给用户打分，它有多准"),
    "model.in_words": Said(
        "Of {n} judgements that gave {least} risk or more ({said} on average), {left} really left (95% interval {interval}).",
        "在风险不低于 {least} 的 {n} 次判断中（平均 {said}），{left} 真的流失（95% 区间 {interval}）。",
        one="Of {n} judgement that gave {least} risk or more ({said}), {left} really left (95% interval {interval}).",
    ),
    # who serves
    **phrases({
        "Serves now": "当前使用",
        "Version": "版本",
        "Learned until": "学习截至",
        "Outcomes known": "已知结果",
        "Outcomes learned": "已学习的结果",
        "Outcome": "结果",
        "Versions": "各版本",
        "Candidates": "候选模型",
        "Notes": "说明",
    }),
    "model.serves.means": Said(
        "the candidate that states everybody's risk: the best on recent outcomes, once enough are known; until then the rhythm rule",
        "给所有人打分的候选模型：已知结果足够后，取近期表现最好的；在此之前用节奏规则",
    ),
    "model.version": Said("version {version}", "第 {version} 版"),
    "model.since": Said("since version {version} at least, which learned until {moment}", "至少自第 {version} 版起，该版学习截至 {moment}"),
    "model.cadence": Said("rhythm rule", "节奏规则"),
    "model.cadence.is": Said("scores each person by how long they are usually away; it needs no learning", "按每个人平时离开多久来打分，无需学习"),
    "model.logistic": Said("logistic regression", "逻辑回归"),
    "model.boosting": Said("boosted trees", "提升树"),
    "model.network": Said("neural network", "神经网络"),
    "model.tree": Said("growing tree", "自适应决策树"),
    "model.mix": Said("mix of all", "综合模型"),
    "model.serves": Said("serves now", "当前使用"),
    "model.pinned": Said("pinned by a person: newer versions wait", "由人工固定：新版本暂不启用"),
    "model.why.asked for": Said("asked for by a person", "由人工指定"),
    "model.why.enough labels": Said("enough outcomes are known", "已知结果足够多"),
    "model.why.worse than the rule": Said("the model before it was worse than the rhythm rule", "之前的模型不如节奏规则"),
    "model.why.better over the window": Said("better than the one before it on recent outcomes", "在近期结果上优于之前的模型"),
    "model.learned": Said("{n} outcomes learned, {left} of them left", "学习了 {n} 个结果，其中 {left} 人流失", one="{n} outcome learned, {left} of them left"),
    "model.learned.of": Said("{n}, {left} of them left", "{n}，其中 {left} 人流失"),
    "model.until.means": Said(
        "event time of the newest outcome that the newest version has learned from; outcomes take their horizon to become known",
        "最新版本学到的最新结果的事件时间；结果要等期限过后才能知道",
    ),
    "model.until.none": Said("no version yet", "还没有版本"),
    "model.known.about": Said("{left} left, {stayed} stayed, of the last 90 days", "近 90 天：流失 {left} 人，留下 {stayed} 人"),
    "model.needed": Said("{n} of each are needed before a model may serve", "两种结果各需 {n} 个，模型才能启用"),
    "model.versions.is": Said("the newest ones that are kept", "保留的最近若干版本"),
    "model.versions.none": Said("No version yet: people are scored by their own rhythm until enough outcomes are known.", "还没有版本：已知结果足够之前，按每个人自己的节奏打分。"),
    # calibration
    "model.right": Said("Said and really left", "预测与实际"),
    "model.right.is": Said(
        "judgements of the last 90 days whose time is up; points on the line are exactly right, whiskers are 95% intervals",
        "近 90 天内已到期的判断；点在线上即为完全准确，竖线为 95% 区间",
    ),
    "model.right.axis_said": Said("risk said", "预测的风险"),
    "model.right.axis_left": Said("share that really left", "真正流失的比例"),
    "model.by_day": Said("Day by day", "逐日对比"),
    "model.by_day.is": Said(
        "mean risk said of everybody judged on a day, and the share of them that really left; the tint is the 95% interval",
        "每天所有被判断者的平均预测风险，与其中真正流失的比例；色带为 95% 区间",
    ),
    "model.level": Said("Average risk said", "平均预测风险"),
    "model.level.beside": Said("really left {left} ({interval})", "真正流失 {left}（{interval}）"),
    "model.level.about": Said("{n} judgements of the last 90 days whose time is up", "近 90 天内已到期的 {n} 次判断",
                              one="{n} judgement of the last 90 days whose time is up"),
    "model.level.none": Said("nobody's time is up yet", "还没有人到期"),
    "model.level.means": Said(
        "the mean risk said of everybody, not only of those flagged, against the share that really left: the nearer, the better",
        "对所有人（不只是被预警者）的平均预测风险，与真正流失的比例；越接近越好",
    ),
    **phrases({"judged on": "判断日期"}),
    "model.none_known": Said("No outcome is known yet: the first ones come on {date}.", "还没有已知结果：第一批将在 {date} 到来。"),
    "model.none_known.soon": Said("No outcome is known yet: a judgement's outcome is known once its time is up.", "还没有已知结果：判断到期后才知道结果。"),
    # figures
    **phrases({"Segment": "分群", "By group of people": "按人群"}),
    "model.candidates.is": Said(
        "over the newest outcomes, by version {version}; each was graded before it learned them", "在最近的结果上，按第 {version} 版；均在学习之前评分"
    ),
    "model.segments.is": Said("the one that serves, over the same outcomes, by groups of people", "当前使用的模型，在同样的结果上，按人群"),
    "figure.n": Said("Outcomes", "结果数"),
    "figure.n.is": Said("outcomes known in the window", "窗口内已知的结果数"),
    "figure.base_rate": Said("Really left", "真的流失"),
    "figure.base_rate.is": Said("share of them that left", "其中流失的比例"),
    "figure.auc": Said("AUC", "AUC"),
    "figure.auc.is": Said(
        "how often someone who left had a higher risk than someone who stayed; 0.5 is chance, 1 is perfect", "流失者的风险高于留下者的概率；0.5 为随机，1 为完美"
    ),
    "figure.pr_auc": Said("PR-AUC", "PR-AUC"),
    "figure.pr_auc.is": Said("how pure the top of the list is, over all lengths of it", "名单前段的纯度，对各种长度取平均"),
    "figure.log_loss": Said("Log-loss", "对数损失"),
    "figure.log_loss.is": Said("how surprised the model was by what happened; lower is better", "模型对实际结果的意外程度；越低越好"),
    "figure.brier": Said("Brier", "Brier 分数"),
    "figure.brier.is": Said("mean squared distance of risk and outcome; lower is better", "风险与结果之差的平方均值；越低越好"),
    "figure.ece": Said("Calibration error", "校准误差"),
    "figure.ece.is": Said("how far risks and shares that left are apart; lower is better", "预测风险与流失比例的平均差距；越低越好"),
    "figure.lift_10": Said("Lift of the top 10%", "前 10% 提升度"),
    "figure.lift_10.is": Said("how many times as many leave among the riskiest tenth as among all", "风险最高的十分之一中，流失比例是总体的多少倍"),
    "segment.all": Said("everybody", "全部"),
    "segment.repeat days": Said("active on more than one day", "活跃超过一天"),
    "segment.tenure first day": Said("here since one day", "加入第一天"),
    "segment.tenure 2-7 days": Said("here for 2 to 7 days", "加入 2 至 7 天"),
    "segment.tenure 8-28 days": Said("here for 8 to 28 days", "加入 8 至 28 天"),
    "segment.tenure 1-3 months": Said("here for 1 to 3 months", "加入 1 至 3 个月"),
    "segment.tenure over 3 months": Said("here for over 3 months", "加入超过 3 个月"),
    "segment.score": Said("risk {interval}", "风险 {interval}"),
    "segment.channel": Said("channel “{name}”", "渠道“{name}”"),
    # drift
    **phrases({"Has the world changed?": "世界变了吗？"}),
    "model.drift.is": Said("a change in the model's errors or in its scores that chance does not explain", "模型误差或评分中无法用偶然解释的变化"),
    "model.drift.not_yet": Said("Nothing is watched yet: that begins with the first version.", "尚未开始监测：从第一个版本开始。"),
    "model.drift.none": Said("No change was found since {moment}, as far back as versions are kept.", "自 {moment}（保留的最早版本）以来未发现变化。"),
    "model.drift.found": Said(
        "{n} changes were found, the newest before {moment}: since then the candidates learn faster and are compared on newer outcomes only.",
        "发现 {n} 次变化，最近一次在 {moment} 之前：此后候选模型学得更快，并只在更新的结果上比较。",
        one="{n} change was found, before {moment}: since then the candidates learn faster and are compared on newer outcomes only.",
    ),
    "model.drifts": Said("{n} changes found", "发现 {n} 次变化", one="{n} change found"),
    # outcomes
    "model.outcome.is": Said("an outcome is known once {horizon} have passed since a judgement", "判断之后满 {horizon}，结果才算已知"),
    # since when a definition is followed
    "definition.always": Said("followed since the beginning of the log", "自日志起始便开始跟踪"),
    "definition.since": Said("followed since {moment}; it knows everybody who was active from {known} on", "自 {moment} 起跟踪；自 {known} 起认识每个活跃用户"),
    "definition.not_yet": Said("not taken up yet by shard {shards}: restart the workers", "分片 {shards} 尚未采用：请重启工作进程"),
}  # fmt: skip
"""Codes with a dot are sentences and closed sets; the other keys are their own English."""
