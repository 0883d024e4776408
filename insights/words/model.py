"""Words of the page Model: who scores now, how right it is, and whether the world has changed."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said, phrases

WORDS: dict[str, Said] = {
    "model.lead": Said("Who scores now, and how right it has been", "现在由谁打分，它有多准"),
    # in the rail
    "model.state.ok": Said("Model v{version} · serving", "模型 v{version} · 运行中"),
    "model.state.learning": Said("Learning · rhythm rule", "学习中 · 节奏规则"),
    "model.state.waiting": Said("Waiting for events", "等待事件"),
    "model.state.pinned": Said("Model v{version} · pinned", "模型 v{version} · 已固定"),
    "model.state.unknown": Said("Model not known", "模型未知"),
    # who serves
    **phrases({
        "Serves now": "当前使用",
        "Since": "自",
        "Version": "版本",
        "Learned until": "学习截至",
        "Outcomes learned": "已学习的结果",
        "Why it serves": "为何使用",
        "Versions": "各版本",
        "Candidates": "候选模型",
    }),
    "model.cadence": Said("rhythm rule", "节奏规则"),
    "model.cadence.is": Said("scores each person by how long they are usually away", "按每个人平时离开多久来打分"),
    "model.logistic": Said("logistic regression", "逻辑回归"),
    "model.boosting": Said("boosted trees", "提升树"),
    "model.network": Said("neural network", "神经网络"),
    "model.tree": Said("growing tree", "自适应决策树"),
    "model.mix": Said("mix of all", "综合模型"),
    "model.since": Said("since {moment}, {ago}", "自 {moment} 起，{ago}"),
    "model.pinned": Said("pinned by a person: newer versions wait", "由人工固定：新版本暂不启用"),
    "model.why.asked for": Said("asked for by a person", "由人工指定"),
    "model.why.enough labels": Said("enough outcomes are known", "已知结果足够多"),
    "model.why.worse than the rule": Said("the model before it was worse than the rhythm rule", "之前的模型不如节奏规则"),
    "model.why.better over the window": Said("better than the one before it on recent outcomes", "在近期结果上优于之前的模型"),
    "model.learned": Said("{n} outcomes, {left} of them left", "{n} 个结果，其中 {left} 人流失", one="{n} outcome, {left} of them left"),
    "model.takes_over": Said("{have} of {need} outcomes known", "已知 {have} 个结果，需要 {need} 个"),
    # calibration
    "model.right": Said("Said and really left", "预测与实际"),
    "model.right.is": Said("points on the line are exactly right; whiskers are 95% intervals", "点在线上即为完全准确；竖线为 95% 区间"),
    "model.right.axis_said": Said("risk said", "预测的风险"),
    "model.right.axis_left": Said("share that really left", "真正流失的比例"),
    "model.by_day": Said("Level by day", "每天的水平"),
    "model.by_day.is": Said(
        "mean risk said, and the share that really left; hollow: not everybody's time is up", "预测的平均风险与真正流失的比例；空心点：还有人未到期"
    ),
    "model.none_known": Said("No outcome is known yet: the first ones come on {date}.", "还没有已知结果：第一批将在 {date} 到来。"),
    # figures
    **phrases({"Figure": "指标", "Segment": "分群", "Meaning": "含义"}),
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
    "segment.score": Said("risk {low} to {high}", "风险 {low} 至 {high}"),
    # drift
    **phrases({"Drift": "漂移", "Has the world changed?": "世界变了吗？"}),
    "model.drift.is": Said("a change in the model's errors or in its scores that chance does not explain", "模型误差或评分中无法用偶然解释的变化"),
    "model.drift.none": Said("No change found in the last {days} days.", "近 {days} 天未发现变化。"),
    "model.drift.found": Said("A change was found on {date}: the model learns faster since.", "{date} 发现变化：此后模型学习得更快。"),
    "model.drifts": Said("{n} changes found", "发现 {n} 次变化", one="{n} change found"),
    # labels
    **phrases({"Outcomes": "结果", "known": "已知", "Outcomes known, per day": "每天已知的结果"}),
    "model.pending": Said("{n} judgements wait for their outcome; the oldest of {date}", "{n} 次判断在等待结果；最早的是 {date}",
                          one="{n} judgement waits for its outcome, of {date}"),
    "model.outcome.is": Said("an outcome is known once {horizon} have passed since a judgement", "判断之后满 {horizon}，结果才算已知"),
}  # fmt: skip
"""Codes with a dot are sentences and closed sets; the other keys are their own English."""
