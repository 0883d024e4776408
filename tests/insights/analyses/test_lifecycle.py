"""Lifecycle, daily states and stickiness equal a walk over every user and unit; counts add up, and who is new was never there before."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.analyses.analysis import Cell
from insights.analyses.daily_states import DAILY_STATES, RATES, DailyStates
from insights.analyses.daily_states import behind as behind_state
from insights.analyses.lifecycle import LIFECYCLE, METRICS, Lifecycle, behind
from insights.analyses.stickiness import STICKINESS, Stickiness
from insights.analyses.stickiness import behind as behind_times
from stream.faults import UsageFault
from tests.insights.analyses.logs import crowd_of_log, for_logs, logs
from tests.oracles.analyses.calendar import after, begin, label
from tests.oracles.analyses.lifecycle import daily_states, lifecycle, rate, state_of, stickiness
from tests.oracles.analyses.log import Event, Log

UNITS = st.sampled_from(["hour", "day", "week", "month"])


def units_of(log: Log, unit: str, most: int = 12) -> list[datetime]:
    """The unit before the first event, and some after it."""
    earliest = min((event.ts for event in log.events), default=datetime(2024, 3, 1, tzinfo=UTC))
    first = begin(unit, begin(unit, earliest, log.zone, log.week_start) - timedelta(minutes=1), log.zone, log.week_start)
    return [after(unit, first, number, log.zone, log.week_start) for number in range(most)]


def test_lifecycle_is_that_of_a_walk_over_all_units(full: bool) -> None:
    @settings(max_examples=400 if full else 25)
    @given(logs(), UNITS, st.booleans())
    def check(log: Log, unit: str, by: bool) -> None:
        crowd, units = crowd_of_log(log), units_of(log, unit)
        asked = Lifecycle(unit=unit, since=units[0].isoformat(), until=units[-1].isoformat(), by="channel" if by else None)  # type: ignore[arg-type]  # one of the four
        rows = LIFECYCLE.run(crowd, asked).rows
        found = {
            (row["cohort"], row["metric"]): row["value"] for row in rows.group_by("cohort", "metric").agg(pl.col("value").sum()).to_dicts()
        }
        states = {(row["cohort"], row["metric"]): row["state"] for row in rows.to_dicts()}
        for at in units:
            counts, state = lifecycle(log, unit, at)
            name = label(unit, at, log.zone)
            for metric in METRICS:
                if (name, metric) in found or not by:
                    assert found[name, metric] == (counts[metric] or 0)
                    assert states[name, metric] == ("none" if counts[metric] is None else state)
                if (name, metric) in states and counts[metric] is not None:
                    assert behind(crowd, asked, Cell(metric=metric, cohort=name)).height == counts[metric]
        crowd.close()

    check()


def test_active_people_are_those_of_before_and_who_came_less_who_fell_silent(full: bool) -> None:
    def adds_up(log: Log) -> None:
        units = units_of(log, "day", 40)
        rows = LIFECYCLE.run(crowd_of_log(log), Lifecycle(unit="day", since=units[0].isoformat(), until=units[-1].isoformat())).rows
        by_day = rows.pivot(on="metric", index="cohort", values="value")
        for before, now in zip(by_day.to_dicts(), by_day.to_dicts()[1:], strict=False):
            if before["active"] is not None and now["dormant"] is not None:
                assert now["active"] == before["active"] + now["new"] + now["resurrected"] - now["dormant"]
                assert now["active"] == now["new"] + now["returning"] + now["resurrected"]

    for_logs(full, adds_up)


def test_daily_states_are_those_of_a_walk_over_all_days(full: bool) -> None:
    @settings(max_examples=400 if full else 25)
    @given(logs(days=60), st.sampled_from([None, 3, 20, 35]), st.booleans())
    def check(log: Log, most: int | None, by: bool) -> None:
        crowd, days = crowd_of_log(log), units_of(log, "day", 45)
        asked = DailyStates(since=days[0].isoformat(), until=days[-1].isoformat(), max_dormant_days=most, by="props.plan" if by else None)
        rows = DAILY_STATES.run(crowd, asked).rows
        found = {
            (row["cohort"], row["metric"]): (row["count"], row["n"])
            for row in rows.group_by("cohort", "metric").agg(pl.col("count", "n").sum()).to_dicts()
        }
        states = {(row["cohort"], row["metric"]): row["state"] for row in rows.to_dicts()}
        for at in days:
            name = label("day", at, log.zone)
            today = date.fromisoformat(name)
            expected = daily_states(log, today, most)
            next_day = after("day", at, 1, log.zone, log.week_start)
            end = after("day", next_day, 1, log.zone, log.week_start)
            known = state_of(log, at, next_day)
            for metric in (one.name for one in DAILY_STATES.metrics if one.kind == "people"):
                if (name, metric) in states:
                    assert states[name, metric] == known
                    assert found[name, metric][0] == (0 if known == "none" else expected.get(metric, 0))
            for metric, state in RATES.items():
                if (name, metric) in states:
                    again, people = rate(log, today, state)
                    of_next = "none" if known == "none" else state_of(log, next_day, end)
                    assert states[name, metric] == of_next
                    if of_next != "none":
                        assert found[name, metric] == (again, people)
        crowd.close()

    check()


def test_stickiness_is_that_of_a_count_of_units(full: bool) -> None:
    @settings(max_examples=400 if full else 25)
    @given(logs(), UNITS, st.booleans())
    def check(log: Log, unit: str, at_least: bool) -> None:
        crowd, units = crowd_of_log(log), units_of(log, unit, 8)
        asked = Stickiness(unit=unit, since=units[0].isoformat(), until=units[-1].isoformat(), at_least=at_least)  # type: ignore[arg-type]  # one of the four
        rows = STICKINESS.run(crowd, asked).rows
        expected = stickiness(log, unit, units[0], units[-1])
        state = state_of(log, units[0], after(unit, units[-1], 1, log.zone, log.week_start))
        assert set(rows["state"]) == {state}
        for row in rows.to_dicts():
            count = sum(people for k, people in expected.items() if k == row["k"] or (at_least and k > row["k"]))
            assert row["count"] == (None if state == "none" else count)
            assert row["n"] == sum(expected.values())
            assert behind_times(crowd, asked, Cell(metric="at_least" if at_least else "exactly", k=row["k"])).height == count
        crowd.close()

    check()


def moment(day: int) -> datetime:
    return datetime(2024, 3, 1, 12, tzinfo=UTC) + timedelta(days=day - 1)


LOG = Log([Event("ann", moment(1), "open", "ads"), Event("ann", moment(2), "open"), Event("bob", moment(2), "open")], watermark=moment(3))


def test_the_unit_in_progress_has_nobody_dormant_yet() -> None:
    rows = LIFECYCLE.run(crowd_of_log(LOG), Lifecycle(unit="day", since="2024-03-02", until="2024-03-03")).rows
    found = {(row["cohort"], row["metric"]): (row["value"], row["state"]) for row in rows.to_dicts()}
    assert found["2024-03-02", "new"] == (1, "complete")
    assert found["2024-03-03", "active"] == (0, "open")
    assert found["2024-03-03", "dormant"] == (None, "none")


def test_who_was_in_a_state_can_be_listed() -> None:
    crowd = crowd_of_log(LOG)
    assert behind_state(crowd, DailyStates(), Cell(metric="new", cohort="2024-03-02"))["user"].to_list() == ["bob"]
    again = behind_state(crowd, DailyStates(until="2024-03-02"), Cell(metric="nurr", cohort="2024-03-01"))
    assert again.rows() == [("ann", True)]


@pytest.mark.parametrize("ask", [lambda: behind(crowd_of_log(LOG), Lifecycle(), Cell(metric="new")),
                                 lambda: behind_state(crowd_of_log(LOG), DailyStates(), Cell(metric="new")),
                                 lambda: behind_times(crowd_of_log(LOG), Stickiness(), Cell(metric="exactly")),
                                 lambda: DAILY_STATES.run(crowd_of_log(LOG), DailyStates(max_dormant_days=-1))])  # fmt: skip
def test_a_question_that_names_no_cell_is_refused(ask) -> None:  # type: ignore[no-untyped-def]  # four functions of no argument
    with pytest.raises(UsageFault):
        ask()
