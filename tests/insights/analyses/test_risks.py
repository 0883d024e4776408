"""Analyses that need what the engine said are what its words come to one by one; without any they say what makes some."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from insights.analyses.analysis import Cell
from insights.analyses.crowd import AsOf, Crowd, crowd_of
from insights.analyses.funnel_chains import Funnel, chains
from insights.analyses.loss_to_come import LOSS_TO_COME, LossToCome
from insights.analyses.loss_to_come import behind as stopped_there
from insights.analyses.match import Bound
from insights.analyses.reasons import REASONS, Reasons
from insights.analyses.reasons import behind as who_had_it
from insights.analyses.risks import judged_sql
from stream.faults import UsageFault
from tests.insights.analyses.judged import START, Judged

USERS = [f"u{n:02}" for n in range(30)]
STEPS = ("view", "join", "buy")


def crowd_with(judged: Judged | None) -> Crowd:
    rows = []
    for n, user in enumerate(USERS):
        for step, kind in enumerate(STEPS[: n % 4]):
            value = 10.0 * n if kind == "buy" else None
            rows.append((user, START + timedelta(hours=n + step), kind, ("ads", "web", None)[n % 3], value))
        rows.append((user, START, "purchase", ("ads", "web", None)[n % 3], float(n)))
    events = pl.DataFrame(
        rows,
        schema={"user": pl.String, "ts": pl.Datetime("us", "UTC"), "type": pl.String, "channel": pl.String, "value": pl.Float64},
        orient="row",
    )
    return crowd_of(events, AsOf(watermark=datetime(2024, 5, 1, tzinfo=UTC)), judged.frames if judged else None)  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_what_was_said_first_and_known_last_is_what_counts(seed: int) -> None:
    judged, bound = Judged(seed, USERS), Bound()
    rows = crowd_with(judged).frame(judged_sql("churn14", bound), bound.values).to_dicts()
    marks = {(row["user"], row["landmark"]): row for row in rows}
    assert len(rows) == len(marks) == len(judged.risk)
    assert {mark: row["risk"] for mark, row in marks.items()} == judged.risk
    assert {mark: row["label"] for mark, row in marks.items() if row["label"] is not None} == judged.label


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("by", [None, "channel"])
def test_reasons_are_those_of_the_alerts_one_by_one(seed: int, by: str | None) -> None:
    judged = Judged(seed, USERS)
    crowd, asked = (
        crowd_with(judged),
        Reasons(by=by, least_people=1, since="2024-03-05", until="2024-03-20", without=("u07",), definition="churn14"),
    )
    people: dict[Any, set[str]] = defaultdict(set)
    had: dict[Any, set[str]] = defaultdict(set)
    labels: dict[Any, list[int]] = defaultdict(list)
    for alert in judged.alerts:
        user, day = alert["user"], alert["event_time"].day
        if (
            alert["type"] == "opened"
            and alert["definition"] == "churn14"
            and 5 <= day <= 20
            and alert["event_time"].month == 3
            and user != "u07"
        ):
            group = None if by is None else ("ads", "web", "(none)")[USERS.index(user) % 3]
            people[group].add(user)
            for reason in alert["reason_codes"]:
                had[group, reason].add(user)
                label = judged.label.get((user, alert["landmark"]))
                labels[group, reason] += [] if label is None else [label]
    rows = REASONS.run(crowd, asked).rows.to_dicts()
    shares = {(row["group"], row["reason"]): (row["n"], row["count"], row["value"]) for row in rows if row["metric"] == "reason_share"}
    assert shares == {key: (len(people[key[0]]), len(who), pytest.approx(len(who) / len(people[key[0]]))) for key, who in had.items()}
    left = {(row["group"], row["reason"]): (row["n"], row["value"]) for row in rows if row["metric"] == "reason_left"}
    assert left == {key: (len(labels[key]), pytest.approx(sum(labels[key]) / len(labels[key])) if labels[key] else None) for key in had}
    for (group, reason), who in had.items():
        assert who_had_it(crowd, asked, Cell(metric="reason_share", group=group, reason=reason))["user"].to_list() == sorted(who)


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_to_come_is_the_risk_of_who_stopped_added_up(seed: int) -> None:
    judged = Judged(seed, USERS[5:])
    crowd, asked = crowd_with(judged), LossToCome(steps=STEPS, definition="churn14")
    newest = {user: max(mark for one, mark in judged.risk if one == user) for user, _ in judged.risk}
    found: dict[int, dict[str, float]] = {}
    for row in chains(crowd, Funnel(steps=STEPS)).to_dicts():
        if row["ripe"] and 0 < row["reached"] < 3:
            one = found.setdefault(
                row["reached"], dict.fromkeys(("loss_to_come", "revenue_at_risk", "stopped_here", "already_left", "n"), 0.0)
            )
            user, one["stopped_here"] = row["user"], one["stopped_here"] + 1
            mark = (user, newest[user]) if user in newest else None
            if mark in judged.label:
                one["already_left"] += judged.label[mark]
            elif mark is not None:
                one["loss_to_come"] += judged.risk[mark]
                one["revenue_at_risk"] += judged.risk[mark] * USERS.index(user)
                one["n"] += 1
    rows = LOSS_TO_COME.run(crowd, asked).rows
    said = {(row["metric"], row["k"]): row for row in rows.to_dicts()}
    for k, one in found.items():
        for metric in ("loss_to_come", "revenue_at_risk", "stopped_here", "already_left"):
            assert said[metric, k]["value"] == pytest.approx(one[metric])
        assert said["loss_to_come", k]["n"] == one["n"]
        assert said["loss_to_come", k]["low"] <= one["loss_to_come"] <= said["loss_to_come", k]["high"]
        for metric, count in (("loss_to_come", one["n"]), ("stopped_here", one["stopped_here"])):
            assert stopped_there(crowd, asked, Cell(metric=metric, k=k)).height == count
    assert {k for _, k in said} == set(found)
    losses = rows.filter(pl.col("metric") == "loss_to_come")["value"].to_list()
    assert losses == sorted(losses, reverse=True)


def test_a_history_without_an_engine_says_what_makes_one() -> None:
    crowd = crowd_with(None)
    for ask in (lambda: REASONS.run(crowd, Reasons()), lambda: LOSS_TO_COME.run(crowd, LossToCome(steps=STEPS))):
        with pytest.raises(UsageFault, match=r"no engine has judged these people yet: run `churnwatch run`, and `churnwatch history run`"):
            ask()
    judged = crowd_with(Judged(1, USERS))
    with pytest.raises(UsageFault, match="there are churn14, other"):
        REASONS.run(judged, Reasons(definition="churn7"))
    with pytest.raises(UsageFault, match="two steps"):
        LOSS_TO_COME.run(judged, LossToCome(steps=("view",)))
    with pytest.raises(UsageFault, match="name a reason"):
        who_had_it(judged, Reasons(), Cell(metric="reason_share"))
    with pytest.raises(UsageFault, match="name a step"):
        stopped_there(judged, LossToCome(steps=STEPS), Cell(metric="loss_to_come"))
