"""Visits are those that one finds by walking each user's events; groups add up; only what is over counts."""

from __future__ import annotations

import statistics
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from insights.analyses.visits import VISITS, Visits
from stream.faults import UsageFault
from tests.insights.analyses.logs import crowd_of_log, for_logs
from tests.oracles.analyses.log import Event, Log
from tests.oracles.analyses.visits import Visit, visits

GAP = timedelta(minutes=30)
KEYS = {
    None: lambda one: None,
    "entry": lambda one: one.events[0].type,
    "exit": lambda one: one.events[-1].type,
    "channel": lambda one: one.events[0].channel or "(none)",
}


@pytest.mark.parametrize("by", KEYS)
def test_visits_are_those_walked_one_by_one(by: str | None, full: bool) -> None:
    def check(log: Log) -> None:
        known = [e for e in log.events if e.type != "identify"]
        days = sorted({log.day(e.ts) for e in log.events})
        if not known:
            return
        found = visits(log, GAP, days[0], days[-1])
        for first_visit in (False, True):
            asked = Visits(by=by, goal="buy", first_visit=first_visit, limit=20)
            rows = VISITS.run(crowd_of_log(log), asked).rows.to_dicts()
            said = {(row["metric"], row["group"]): row["value"] for row in rows}
            groups: dict[str | None, list[Visit]] = defaultdict(list)
            for one in found:
                young = log.complete_from is None or one.events[0].ts >= log.complete_from
                if not first_visit or (one.number == 1 and young):
                    groups[KEYS[by](one)].append(one)
            assert {row["group"] for row in rows} == set(groups)
            for group, here in groups.items():
                assert said["visit_count", group] == len(here)
                assert said["visit_people", group] == len({one.user for one in here})
                assert said["events_per_visit", group] == pytest.approx(statistics.mean(len(one.events) for one in here))
                assert said["dwell_median", group] == pytest.approx(statistics.median(one.seconds for one in here))
                assert said["single_event", group] == pytest.approx(sum(len(one.events) == 1 for one in here) / len(here))
                reached = sum(any(e.type == "buy" for e in one.events) for one in here)
                assert said["goal_share", group] == pytest.approx(reached / len(here))

    for_logs(full, check)


@pytest.mark.parametrize(("known", "counted"), [(GAP, 2), (GAP - timedelta(microseconds=1), 1)])
def test_a_visit_is_over_when_its_pause_is(known: timedelta, counted: int) -> None:
    first = datetime(2024, 1, 1, 8, tzinfo=UTC)
    log = Log([Event("ann", first, "view"), Event("ann", first + GAP, "view")], watermark=first + GAP + known)
    rows = VISITS.run(crowd_of_log(log), Visits()).rows.to_dicts()
    assert {row["metric"]: row["value"] for row in rows}["visit_count"] == counted


def test_days_asked_for_are_those_on_which_visits_began() -> None:
    midnight = datetime(2024, 1, 2, tzinfo=UTC)
    log = Log([Event("ann", midnight - timedelta(minutes=1), "view"), Event("ann", midnight, "view"), Event("bob", midnight, "view")],
              watermark=midnight + timedelta(days=9))  # fmt: skip
    for day, people in (("2024-01-01", 1), ("2024-01-02", 1)):
        rows = VISITS.run(crowd_of_log(log), Visits(since=day, until=day)).rows.to_dicts()
        assert {row["metric"]: row["value"] for row in rows}["visit_people"] == people


def test_what_cannot_be_asked_says_why() -> None:
    crowd = crowd_of_log(Log([Event("ann", datetime(2024, 1, 1, tzinfo=UTC), "view")], watermark=datetime(2024, 3, 1, tzinfo=UTC)))
    with pytest.raises(UsageFault, match="no field 'colour'"):
        VISITS.run(crowd, Visits(by="colour"))
    with pytest.raises(UsageFault, match="no span of time"):
        VISITS.run(crowd, Visits(gap="long"))
