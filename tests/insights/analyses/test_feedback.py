"""Scores and who left after them are those of people asked one by one; feedback is never activity."""

from __future__ import annotations

import random
import statistics
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from insights.analyses.analysis import Cell
from insights.analyses.feedback import FEEDBACK, LEVELS, Feedback, behind
from stream.faults import UsageFault
from tests.insights.analyses.logs import crowd_of_log, for_logs
from tests.oracles.analyses.feedback import Voice, voices
from tests.oracles.analyses.log import Event, Log

HORIZON = timedelta(days=14)
FIRST = datetime(2024, 1, 1, 8, tzinfo=UTC)


def with_feedback(log: Log) -> Log:
    """The same log, in which many events are feedback, some of it without a score."""
    chance = random.Random(repr(log))
    scores = [None, 1.0, 2.0, 3.0, 4.0, 5.0]
    events = [replace(event, type="feedback", value=chance.choice(scores)) if chance.random() < 0.4 else event for event in log.events]
    return replace(log, events=events)


def level(voice: Voice) -> str | None:
    return None if voice.score is None else "low" if voice.score <= 2 else "high" if voice.score >= 4 else "middle"


@pytest.mark.parametrize("by", [None, "props.plan"])
def test_scores_are_those_of_people_asked_one_by_one(by: str | None, full: bool) -> None:
    def check(plain: Log) -> None:
        log = with_feedback(plain)
        crowd, asked = crowd_of_log(log), Feedback(by=by)
        said = {(row["metric"], row["group"]): row for row in FEEDBACK.run(crowd, asked).rows.to_dicts()}
        every = voices(log, HORIZON)
        groups = {voice.group for voice in every} if by else {None} if every else set()
        assert {group for _, group in said} == groups
        for group in groups:
            here = [voice for voice in every if by is None or voice.group == group]
            scored = [voice for voice in here if voice.score is not None]
            assert said["feedback_people", group]["value"] == len(here)
            mean = said["mean_score", group]
            assert mean["value"] == (pytest.approx(statistics.mean(voice.score for voice in scored)) if scored else None)
            if len(scored) > 1:
                half = 1.959964 * statistics.stdev(voice.score for voice in scored) / len(scored) ** 0.5
                assert mean["high"] - mean["value"] == pytest.approx(half, abs=1e-5)
            gone = said["gone_before", group]
            assert gone["value"] == (pytest.approx(sum(not voice.was_there for voice in scored) / len(scored)) if scored else None)
            for one in LEVELS:
                there = [voice for voice in scored if level(voice) == one and voice.was_there]
                judged = [voice for voice in there if voice.over]
                left, row = [voice.user for voice in judged if not voice.came], said[f"left_{one}", group]
                assert row["n"] == len(judged)
                assert row["value"] == (pytest.approx(len(left) / len(judged)) if judged else None)
                assert row["state"] == ("none" if not judged else "complete" if len(judged) == len(there) else "open")
                assert behind(crowd, asked, Cell(metric=f"left_{one}", group=group))["user"].to_list() == left
                if one != "middle" and scored:
                    assert said[f"{one}_score", group]["value"] == pytest.approx(sum(level(voice) == one for voice in scored) / len(scored))

    for_logs(full, check)


def test_feedback_is_never_activity() -> None:
    def log(*more: Event) -> Log:
        return Log([Event("ann", FIRST, "view"), Event("ann", FIRST, "feedback", value=1.0), *more], watermark=FIRST + timedelta(days=30))

    def left(*more: Event) -> float:
        rows = FEEDBACK.run(crowd_of_log(log(*more)), Feedback()).rows.to_dicts()
        return next(row["value"] for row in rows if row["metric"] == "left_low")

    assert left() == 1
    assert left(Event("ann", FIRST + timedelta(days=1), "feedback", value=5.0)) == 1
    assert left(Event("ann", FIRST + timedelta(days=14), "view")) == 0
    assert left(Event("ann", FIRST + timedelta(days=14, microseconds=1), "view")) == 1


def test_who_was_gone_before_is_not_said_to_have_left() -> None:
    events = [
        Event("ann", FIRST, "view"),
        Event("ann", FIRST + timedelta(days=14), "feedback", value=1.0),
        Event("bob", FIRST, "feedback", value=1.0),
    ]
    rows = FEEDBACK.run(crowd_of_log(Log(events, watermark=FIRST + timedelta(days=60))), Feedback()).rows.to_dicts()
    said = {row["metric"]: row for row in rows}
    assert (said["gone_before"]["value"], said["left_low"]["n"], said["left_low"]["state"]) == (1, 0, "none")


def test_a_group_is_that_of_the_feedback_or_of_its_user() -> None:
    events = [
        Event("ann", FIRST, "view", channel="ads"),
        Event("ann", FIRST, "feedback", channel="mail", value=5.0, props={"kind": "survey"}),
        Event("ann", FIRST, "feedback", channel="mail", value=1.0, props={"kind": "ticket"}),
    ]
    crowd = crowd_of_log(Log(events, watermark=FIRST + timedelta(days=60)))
    assert set(FEEDBACK.run(crowd, Feedback(by="channel")).rows["group"]) == {"ads"}
    assert set(FEEDBACK.run(crowd, Feedback(by="props.kind")).rows["group"]) == {"survey"}
    assert set(FEEDBACK.run(crowd, Feedback(by="props.kind", feedback="feedback,props.kind=ticket")).rows["group"]) == {"ticket"}


def test_what_cannot_be_asked_says_why() -> None:
    crowd = crowd_of_log(Log([], watermark=FIRST))
    with pytest.raises(UsageFault, match="low must be below high"):
        FEEDBACK.run(crowd, Feedback(low=4.0))
    with pytest.raises(UsageFault, match="there is no field"):
        FEEDBACK.run(crowd, Feedback(score="stars"))
    assert FEEDBACK.run(crowd, Feedback()).rows.is_empty()
