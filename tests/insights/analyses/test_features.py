"""Use of features and hours of the day are those of landmarks and visits counted one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from insights.analyses.analysis import Cell
from insights.analyses.crowd import AsOf, crowd_of
from insights.analyses.equal_activity import FOLDS, difference_with_interval
from insights.analyses.feature_use import FEATURE_USE, FeatureUse, behind
from insights.analyses.hours import HOURS_OF_DAY, Hours
from stream.faults import UsageFault
from tests.insights.analyses.logs import crowd_of_log, for_logs
from tests.oracles.analyses import features as oracle
from tests.oracles.analyses.log import Event, Log
from tests.oracles.analyses.silence import GROUPS

HORIZON = timedelta(days=14)


def test_differences_are_those_of_landmarks_counted_one_by_one(full: bool) -> None:
    def check(log: Log) -> None:
        for within in (1, 9):
            found = oracle.marks(log, within, HORIZON)
            crowd, asked = crowd_of_log(log), FeatureUse(used_within=within, least_people=1)
            rows = FEATURE_USE.run(crowd, asked).rows.to_dicts()
            said = {(row["metric"], row["feature"]): row for row in rows}
            used = {kind for mark in found for kind in mark.used}
            assert {row["feature"] for row in rows} == used
            everybody = {mark.user for mark in found}
            for kind in used:
                here = [mark for mark in found if kind in mark.used]
                people = {mark.user for mark in here}
                assert said["reach", kind]["value"] == pytest.approx(len(people) / len(everybody))
                assert said["reach", kind]["n"] == len(people)
                assert said["kept_share", kind]["value"] == pytest.approx(sum(not mark.silent for mark in here) / len(here))
                for metric, equal in (("kept_difference", True), ("plain_kept_difference", False)):
                    right = oracle.difference(found, kind, equal=equal)
                    assert said[metric, kind]["value"] == (None if right is None else pytest.approx(right, abs=1e-12))
                assert behind(crowd, asked, Cell(metric="reach", feature=kind))["user"].to_list() == sorted(people)

    for_logs(full, check)


def test_hours_are_those_of_visits_counted_one_by_one(full: bool) -> None:
    def check(log: Log) -> None:
        found = oracle.visits(log, timedelta(minutes=30), HORIZON)
        rows = HOURS_OF_DAY.run(crowd_of_log(log), Hours(least_visits=1)).rows.to_dicts()
        said = {(row["metric"], int(row["hour"])): row for row in rows}
        assert {int(row["hour"]) for row in rows} == {visit.hour for visit in found}
        silences, returns = [one for one in found if one.silent], [one for one in found if not one.silent]
        for hour in {visit.hour for visit in found}:
            here = [one for one in found if one.hour == hour]
            assert said["silence_share", hour]["n"] == len(here)
            assert said["silence_share", hour]["value"] == pytest.approx(sum(one.silent for one in here) / len(here))
            above = below = 0.0  # Mantel and Haenszel, half a case more on each side, as tests/oracles/analyses/silence.py has it
            for group in range(len(GROUPS)):
                ones, noughts = [one for one in silences if one.activity == group], [one for one in returns if one.activity == group]
                if ones or noughts:
                    a = sum(one.hour == hour for one in ones) + (0.5 * len(ones) / len(silences) if silences else 0)
                    c = sum(one.hour == hour for one in noughts) + (0.5 * len(noughts) / len(returns) if returns else 0)
                    above += a * len(noughts) / (len(ones) + len(noughts))
                    below += c * len(ones) / (len(ones) + len(noughts))
            assert said["hour_ratio", hour]["value"] == (pytest.approx(above / below) if below else None)

    for_logs(full, check)


def test_latency_is_that_of_the_hour() -> None:
    start = datetime(2024, 1, 1, 8, tzinfo=UTC)
    events = pl.DataFrame(
        {
            "user": [f"u{n % 7}" for n in range(101)],
            "ts": [start + timedelta(minutes=n % 50) for n in range(101)],
            "type": ["open"] * 101,
            "props": [f'{{"latency_ms":{n}}}' for n in range(100)] + ['{"latency_ms":"slow"}'],
        }
    ).cast({"ts": pl.Datetime("us", "UTC")})
    crowd = crowd_of(events, AsOf(watermark=datetime(2024, 3, 1, tzinfo=UTC), zone="Asia/Shanghai"))
    rows = HOURS_OF_DAY.run(crowd, Hours(gap="1s", least_visits=1)).rows.filter(pl.col("metric").str.starts_with("latency"))
    assert rows.select("metric", "hour", "value").rows() == [("latency_p50", "16", 49.5), ("latency_p95", "16", pytest.approx(94.05))]


def test_a_difference_of_a_thing_with_no_effect_has_nought_in_its_interval() -> None:
    random = np.random.default_rng(1)
    inside = 0
    for _ in range(200):
        of = random.poisson(30, (FOLDS, 4, 2)).astype(float)
        used = random.binomial(of.astype(int), 0.3)[None].astype(float)
        _, low, high = difference_with_interval(used, of)
        inside += bool(low[0] <= 0 <= high[0])
    assert 180 <= inside <= 198


def test_a_feature_of_which_nothing_can_be_said_is_a_habit_if_it_is_common() -> None:
    first = datetime(2024, 1, 1, 8, tzinfo=UTC)
    log = Log([Event(user, first, "view") for user in "abc"], watermark=first + timedelta(days=30))
    rows = FEATURE_USE.run(crowd_of_log(log), FeatureUse(least_people=1)).rows
    assert set(rows.filter(pl.col("metric") == "kept_difference").select("value", "state", "place").rows()) == {(None, "none", "habit")}


def test_what_cannot_be_asked_says_why() -> None:
    crowd = crowd_of_log(Log([], watermark=datetime(2024, 3, 1, tzinfo=UTC)))
    with pytest.raises(UsageFault, match="used_within must be 1"):
        FEATURE_USE.run(crowd, FeatureUse(used_within=0))
    with pytest.raises(UsageFault, match="no span of time"):
        HOURS_OF_DAY.run(crowd, Hours(gap="soon"))
    with pytest.raises(UsageFault, match="name a feature"):
        behind(crowd, FeatureUse(), Cell(metric="reach"))
    assert FEATURE_USE.run(crowd, FeatureUse()).rows.is_empty()


@pytest.mark.parametrize(("late_us", "silent"), [(0, 0), (1, 1)])
def test_silence_begins_one_instant_after_the_horizon(late_us: int, silent: int) -> None:
    first = datetime(2024, 1, 1, 23, 59, 59, 999_999, tzinfo=UTC)  # the last instant of its day: landmark and end of visit alike
    times = [first, first + HORIZON + timedelta(microseconds=late_us)]
    log = Log([Event("ann", ts, "view") for ts in times], watermark=first + HORIZON + timedelta(days=1))
    kept = FEATURE_USE.run(crowd_of_log(log), FeatureUse(least_people=1)).rows.filter(pl.col("metric") == "kept_share")
    assert kept["value"].to_list() == [1 - silent]
    share = HOURS_OF_DAY.run(crowd_of_log(log), Hours(least_visits=1)).rows.filter(pl.col("metric") == "silence_share")
    assert share["value"].to_list() == [silent]


@pytest.mark.parametrize(("pause", "visits"), [(timedelta(minutes=30), 2), (timedelta(minutes=30, microseconds=-1), 1)])
def test_a_pause_as_long_as_the_gap_ends_a_visit(pause: timedelta, visits: int) -> None:
    first = datetime(2024, 1, 1, 8, tzinfo=UTC)
    log = Log([Event("ann", first, "view"), Event("ann", first + pause, "view")], watermark=first + timedelta(days=30))
    rows = HOURS_OF_DAY.run(crowd_of_log(log), Hours(least_visits=1)).rows.filter(pl.col("metric") == "silence_share")
    assert rows["n"].sum() == visits
