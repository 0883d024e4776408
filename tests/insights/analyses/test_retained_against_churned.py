"""What retained and churned differ in is what landmarks say that are looked at one by one, and a planted cause stands first only where it was planted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from insights.analyses.analysis import Cell
from insights.analyses.crowd import AsOf, Crowd, crowd_of
from insights.analyses.retained_against_churned import FALLS_OUT, HOLDS, RETAINED_AGAINST_CHURNED, RetainedAgainstChurned, behind
from insights.scenarios.play import play
from insights.scenarios.scenario import load
from insights.scenarios.write import frame_of
from stream.faults import UsageFault
from tests.insights.analyses.logs import crowd_of_log, for_logs
from tests.oracles.analyses import features, retained
from tests.oracles.analyses.log import Event, Log

HORIZON, GAP, REVENUE = timedelta(days=14), timedelta(minutes=30), ("purchase",)


def check_log(log: Log) -> int:
    """Hold all that is said against the oracle; return how many differences there were."""
    marks = features.marks(log, 1, HORIZON)
    asked = RetainedAgainstChurned(figure_days=9, numbers=("value",), least_people=0)
    rows = RETAINED_AGAINST_CHURNED.run(crowd_of_log(log), asked).rows
    said = {(row["metric"], row["figure"]): row for row in rows.to_dicts()}
    if not marks:
        assert said == {}
        return 0
    owns = {user: features.own_events(log, user) for user in {e.user for e in log.events}}
    active = sorted(user for user, own in owns.items() if any(log.is_active(e) for e in own))
    middle = retained.middle(marks)
    halves: list[dict[str, list[tuple[str, bool, float]]]] = [{}, {}]
    for mark in marks:
        for name, value in retained.figures(log, owns, mark, 9, GAP, REVENUE).items():
            if value is not None:
                halves[mark.day > middle].setdefault(name, []).append((mark.user, mark.silent, value))
    right = {name for name, sides in halves[0].items() if retained.difference(sides) is not None}
    assert {name for metric, name in said if metric == "standardised_difference"} == right
    for name in right:
        for half, metric in enumerate(("standardised_difference", "hidden_difference")):
            sides = halves[half].get(name, [])
            row, value = said[metric, name], retained.difference(sides)
            assert row["value"] == (None if value is None else pytest.approx(value, abs=1e-6))
            ends = None if value is None else retained.interval(sides, active)
            assert (row["low"], row["high"]) == ((None, None) if ends is None else pytest.approx(ends, abs=1e-6))
            assert row["n"] == sum(retained.of_side(sides, silent=silent)[0] for silent in (False, True))
        for silent, metric in ((False, "retained_median"), (True, "churned_median")):
            assert (said[metric, name]["n"], said[metric, name]["value"]) == pytest.approx(retained.of_side(halves[0][name], silent=silent))
    return len(right)


def test_figures_are_those_of_landmarks_looked_at_one_by_one(full: bool) -> None:
    def check(log: Log) -> None:
        check_log(log)

    for_logs(full, check, most=60)
    for seed in range(100 if full else 4):
        assert check_log(many(seed)) > 8, "a log that has both sides in both halves"


def many(seed: int) -> Log:
    """A log of 45 people, who come more often the longer they stay."""
    random = np.random.default_rng(seed)
    start = datetime(2024, 3, 1, tzinfo=UTC)
    events = []
    for n in range(45):
        day = int(random.integers(0, 60))
        while day < 90:
            for _ in range(1 + random.poisson(1 + n % 3)):
                kind = ("view", "join", "purchase")[int(random.choice(3, p=(0.7, 0.2, 0.1)))]
                at = start + timedelta(days=day, minutes=int(random.integers(0, 1440)))
                events.append(Event(f"p{n:02}", at, kind, value=float(random.integers(1, 50)) if kind == "purchase" else None))
            day += int(random.choice([1, 2, 5, 16, 40], p=(0.3, 0.3, 0.2, 0.1, 0.1)))
    return Log(events, "Europe/Berlin", watermark=start + timedelta(days=110), complete_from=start + timedelta(days=2))


def test_a_figure_that_turns_round_in_the_hidden_half_falls_out() -> None:
    """Whoever looks stays in the first half, and leaves in the second; whoever buys stays in both."""
    start, events = datetime(2024, 1, 1, 12, tzinfo=UTC), []
    for n in range(400):
        late, buys, looks = n % 2, n // 2 % 2, n // 4 % 2
        stays = bool(buys) if n // 8 % 4 else bool(looks) != bool(late)
        day = start + timedelta(days=40 * late + n % 10)
        events += [Event(f"p{n}", day, kind) for kind in ["open"] + ["buy"] * buys + ["look"] * looks]
        events += [Event(f"p{n}", day + timedelta(days=3), "open")] * stays
    rows = RETAINED_AGAINST_CHURNED.run(crowd_of_log(Log(events, watermark=start + timedelta(days=90))), RetainedAgainstChurned()).rows
    verdicts = dict(rows.drop_nulls("figure").select("figure", "verdict").rows())
    assert (verdicts["days.buy"], verdicts["days.look"]) == (HOLDS, FALLS_OUT)
    assert rows["verdict"][0] == HOLDS, "what falls out stands last"
    assert rows.filter(pl.col("metric") == "order_agreement")["value"][0] < 1


def devices(*, without: bool) -> Crowd:
    scenario = load("devices")
    scenario = scenario.without("bad_firmware") if without else scenario
    end_ms = 1_767_225_600_000
    events = frame_of(scenario, play(scenario, end_ms=end_ms, days=scenario.days, users=1_200, seed=11))
    timed = events.with_columns(pl.from_epoch("ts", time_unit="ms").dt.replace_time_zone("UTC"))
    return crowd_of(timed, AsOf(watermark=datetime.fromtimestamp(end_ms / 1000, UTC), zone=scenario.timezone))


@pytest.mark.parametrize("without", [False, True])
def test_slow_answers_of_a_bad_firmware_stand_out_only_where_there_were_some(without: bool) -> None:
    crowd = devices(without=without)
    days = crowd.con.execute("SELECT min(day) + INTERVAL 100 DAY, min(day) + INTERVAL 142 DAY FROM events").fetchall()[0]
    since, until = (day.date().isoformat() for day in days)
    asked = RetainedAgainstChurned(numbers=("props.latency_ms",), figure_days=3, since=since, until=until)
    rows = RETAINED_AGAINST_CHURNED.run(crowd, asked).rows.filter(pl.col("metric") == "standardised_difference")
    crowd.close()
    slow = rows.filter(pl.col("figure") == "props.latency_ms").row(0, named=True)
    first = rows["figure"][0]
    assert (first == "props.latency_ms" and slow["verdict"] == HOLDS and slow["high"] < 0) == (not without)


def test_what_cannot_be_asked_says_why_and_cells_open_into_people() -> None:
    crowd = crowd_of_log(many(1))
    with pytest.raises(UsageFault, match="figure_days must be 1"):
        RETAINED_AGAINST_CHURNED.run(crowd, RetainedAgainstChurned(figure_days=0))
    with pytest.raises(UsageFault, match="there is no field"):
        RETAINED_AGAINST_CHURNED.run(crowd, RetainedAgainstChurned(numbers=("speed",)))
    asked = RetainedAgainstChurned(least_people=1)
    rows = {(row["metric"], row["figure"]): row for row in RETAINED_AGAINST_CHURNED.run(crowd, asked).rows.to_dicts()}
    for metric in ("retained_median", "churned_median"):
        assert behind(crowd, asked, Cell(metric=metric)).height == rows[metric, "active_days"]["n"]


def test_a_range_and_conditions_leave_others_out() -> None:
    crowd = crowd_of_log(many(1))
    asked = RetainedAgainstChurned(least_people=1, since="2024-03-10", until="2024-04-20", where=("type=view",), without=("p01",))
    rows = RETAINED_AGAINST_CHURNED.run(crowd, asked).rows
    assert set(rows["figure"].drop_nulls()) & {"days.view", "days.join", "days.purchase"} <= {"days.view"}
    people = behind(crowd, asked, Cell(metric="standardised_difference"))
    assert "p01" not in people["user"].to_list()
    assert people.height > 10
