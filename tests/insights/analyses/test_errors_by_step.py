"""Errors, latency and who left after them are those of steps walked one by one."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from insights.analyses.analysis import Cell
from insights.analyses.errors_by_step import ERRORS_BY_STEP, ErrorsByStep, behind
from stream.faults import UsageFault
from tests.insights.analyses.logs import crowd_of_log, for_logs
from tests.oracles.analyses import errors as oracle
from tests.oracles.analyses.features import Mark, difference, marks
from tests.oracles.analyses.log import Event, Log

HORIZON = timedelta(days=14)
FIRST = datetime(2024, 1, 1, 8, tzinfo=UTC)


def with_errors(log: Log) -> Log:
    """The same log, in which some events fail, some are slow, and some are errors."""
    chance = random.Random(repr(log))
    events = []
    for event in log.events:
        props = dict(event.props)
        if chance.random() < 0.3:
            props["error"] = chance.choice(["timeout", "true", "0", "false", ""])
        if chance.random() < 0.5:
            props["latency_ms"] = chance.choice(["80", "120.5", "3000", "slow"])
        kind = "error" if event.type != "identify" and chance.random() < 0.3 else event.type
        # many at one instant, and just within and beyond half an hour
        events.append(replace(event, type=kind, props=props, ts=event.ts.replace(minute=chance.choice([0, 0, 29, 30]))))
    return replace(log, events=events)


@pytest.mark.parametrize("steps", [(), ("join", "view", "buy"), ("error", "buy")])
def test_errors_are_those_of_steps_walked_one_by_one(steps: tuple[str, ...], full: bool) -> None:
    def check(plain: Log) -> None:
        log = with_errors(plain)
        crowd, asked = crowd_of_log(log), ErrorsByStep(steps=steps, least_people=1)
        rows = ERRORS_BY_STEP.run(crowd, asked).rows.to_dicts()
        said = {(row["metric"], row["event"]): row for row in rows}
        stays, silent = (
            oracle.stays(log, steps, ("error",), timedelta(minutes=30)),
            {(one.user, one.day): one for one in marks(log, 1, HORIZON)},
        )
        assert {row["event"] for row in rows} == {stay.event for stay in stays}
        for event in {stay.event for stay in stays}:
            here = [stay for stay in stays if stay.event == event]
            people, who_met = {stay.user for stay in here}, {stay.user for stay in here if stay.met}
            assert said["error_share", event]["n"] == len(people)
            assert said["error_share", event]["value"] == pytest.approx(len(who_met) / len(people))
            assert behind(crowd, asked, Cell(metric="error_share", event=event))["user"].to_list() == sorted(who_met)
            times = [stay.latency for stay in here if stay.latency is not None]
            for metric, q in (("step_latency_p50", 50), ("step_latency_p95", 95)):
                assert said[metric, event]["value"] == (pytest.approx(np.percentile(times, q)) if times else None)
                timed = {stay.user for stay in here if stay.latency is not None}
                assert behind(crowd, asked, Cell(metric=metric, event=event))["user"].to_list() == sorted(timed)
            days: dict[tuple[str, object], bool] = {}
            for stay in here:
                days[stay.user, stay.day] = days.get((stay.user, stay.day), False) or stay.met
            judged = {key: met for key, met in days.items() if key in silent}
            for metric, wanted in (("left_with_error", True), ("left_without_error", False)):
                keys = [key for key, met in judged.items() if met == wanted]
                row, left = said[metric, event], sum(silent[key].silent for key in keys)
                assert row["value"] == (pytest.approx(left / len(keys)) if keys else None)
                assert (row["n"] or 0) == len({user for user, _ in keys})
                listed = behind(crowd, asked, Cell(metric=metric, event=event))
                assert (listed["landmarks"].sum(), listed["silences"].sum()) == (len(keys), left)
            told = [
                Mark(one.user, one.day, frozenset({"met"} if met else ()), one.silent, one.activity)
                for key, met in judged.items()
                for one in [silent[key]]
            ]
            right = difference(told, "met", equal=True)
            assert said["left_difference", event]["value"] == (None if right is None else pytest.approx(-right, abs=1e-12))

    for_logs(full, check)


def test_groups_are_of_each_persons_first_event_and_add_up(full: bool) -> None:
    def check(plain: Log) -> None:
        log = with_errors(plain)
        crowd = crowd_of_log(log)
        whole = {
            row["event"]: row["n"]
            for row in ERRORS_BY_STEP.run(crowd, ErrorsByStep(least_people=1)).rows.to_dicts()
            if row["metric"] == "error_share"
        }
        rows = ERRORS_BY_STEP.run(crowd, ErrorsByStep(least_people=1, by="props.plan", limit=1)).rows.to_dicts()
        parts: dict[str, int] = {}
        for row in rows:
            if row["metric"] == "error_share":
                parts[row["event"]] = parts.get(row["event"], 0) + row["n"]
                asked = ErrorsByStep(by="props.plan", limit=1)
                assert behind(crowd, asked, Cell(metric="step_latency_p50", event=row["event"], group=row["group"])).height <= row["n"]
        assert parts == whole

    for_logs(full, check)


def test_an_error_counts_where_it_came_and_no_further() -> None:
    def log(*events: tuple[str, int]) -> Log:
        return Log([Event("ann", FIRST + timedelta(seconds=at), kind) for kind, at in events], watermark=FIRST + timedelta(days=30))

    def met(*events: tuple[str, int]) -> dict[str, float]:
        rows = ERRORS_BY_STEP.run(crowd_of_log(log(*events)), ErrorsByStep(steps=("cart", "pay"), least_people=1)).rows.to_dicts()
        return {row["event"]: row["value"] for row in rows if row["metric"] == "error_share"}

    assert met(("cart", 0), ("pay", 5), ("error", 6)) == {"cart": 0, "pay": 1}
    assert met(("cart", 0), ("view", 4), ("error", 1800), ("pay", 1900)) == {"cart": 1, "pay": 0}
    assert met(("cart", 0), ("error", 1801), ("pay", 1900)) == {"cart": 0, "pay": 0}
    assert met(("error", 0), ("cart", 0)) == {"cart": 0}  # of one instant in the order in which they came
    assert met(("cart", 0), ("error", 0)) == {"cart": 1}


def test_whoever_met_an_error_is_seen_to_leave_more_often() -> None:
    chance, events = random.Random(3), []
    for number in range(300):
        day = 0
        while day < 40:
            failed = chance.random() < 0.3
            at = FIRST + timedelta(days=day, minutes=number % 600)
            events.append(Event(f"u{number:03}", at, "pay", props={"error": "declined"} if failed else {}))
            if chance.random() < (0.5 if failed else 0.1):
                break
            day += chance.choice([1, 2, 5])
    rows = ERRORS_BY_STEP.run(crowd_of_log(Log(events, watermark=FIRST + timedelta(days=60))), ErrorsByStep()).rows.to_dicts()
    said = {row["metric"]: row for row in rows}
    assert said["left_difference"]["low"] > 0.2
    assert said["left_with_error"]["low"] > said["left_without_error"]["high"]


def test_what_cannot_be_asked_says_why() -> None:
    crowd = crowd_of_log(Log([], watermark=FIRST))
    with pytest.raises(UsageFault, match="no span of time"):
        ERRORS_BY_STEP.run(crowd, ErrorsByStep(within="soon"))
    with pytest.raises(UsageFault, match="there is no field"):
        ERRORS_BY_STEP.run(crowd, ErrorsByStep(latency="speed"))
    with pytest.raises(UsageFault, match="name a step"):
        behind(crowd, ErrorsByStep(), Cell(metric="error_share"))
    assert ERRORS_BY_STEP.run(crowd, ErrorsByStep()).rows.is_empty()
