"""The grid of tenure by frequency is that of people placed one by one; its cells add up, and who left is who was not seen again."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from insights.analyses.analysis import Cell
from insights.analyses.crowd import crowd_of
from insights.analyses.tenure_by_frequency import TENURE_BY_FREQUENCY, TenureByFrequency, behind
from stream.faults import UsageFault
from tests.insights.analyses.logs import as_of_log, crowd_of_log, events_of_log, for_logs
from tests.oracles.analyses.log import Event, Log
from tests.oracles.analyses.tenure import grid

TENURES, OFTEN = ((0, "0-2"), (3, "3-9"), (10, "10+")), ((1, "1"), (2, "2-3"), (4, "4+"))
ASKED = {"tenure_bounds": (3, 10), "often_bounds": (2, 4), "active_within": 14}
HORIZON = timedelta(days=14)
FIRST = datetime(2024, 1, 1, 8, tzinfo=UTC)


def test_the_grid_is_that_of_people_placed_one_by_one(full: bool) -> None:
    def check(log: Log) -> None:
        crowd = crowd_of_log(log)
        days = sorted({log.day(event.ts) for event in log.events})
        for until in {days[-1], days[len(days) // 2]} if days else ():
            asked = TenureByFrequency(until=until.isoformat(), **ASKED)
            rows = TENURE_BY_FREQUENCY.run(crowd, asked).rows.to_dicts()
            said = {(row["metric"], row["tenure"], row["frequency"]): row for row in rows}
            now, before = (grid(log, day, TENURES, OFTEN, 14) for day in (until, until - HORIZON))
            sizes = Counter((one.tenure, one.frequency) for one in now)
            assert {key[1:]: row["value"] for key, row in said.items() if key[0] == "cell_people"} == sizes
            assert all(row["n"] == len(now) for key, row in said.items() if key[0] == "cell_share")
            since = {e.user for _, e in log.counted() if log.is_active(e) and until - HORIZON < log.day(e.ts) <= until}
            for place in {(one.tenure, one.frequency) for one in before}:
                here = [one.user for one in before if (one.tenure, one.frequency) == place]
                left, row = sorted(set(here) - since), said["cell_left", *place]
                assert (row["n"], row["value"]) == (len(here), pytest.approx(len(left) / len(here)))
                assert row["state"] == ("complete" if log.known(log.ends_at(until)) else "open")
                cell = Cell(metric="cell_left", tenure=place[0], frequency=place[1])
                assert behind(crowd, asked, cell)["user"].to_list() == left
            for place in sizes:
                cell = Cell(metric="cell_people", tenure=place[0], frequency=place[1])
                assert behind(crowd, asked, cell)["user"].to_list() == sorted(one.user for one in now if one[1:] == place)

    for_logs(full, check)


def test_groups_add_up(full: bool) -> None:
    def check(log: Log) -> None:
        crowd = crowd_of_log(log)
        whole = TENURE_BY_FREQUENCY.run(crowd, TenureByFrequency(**ASKED)).rows
        parts = TENURE_BY_FREQUENCY.run(crowd, TenureByFrequency(by="channel", limit=1, **ASKED)).rows
        for metric, column in (("cell_people", "value"), ("cell_left", "n")):
            added = [
                dict(
                    rows.filter(pl.col("metric") == metric)
                    .group_by("tenure", "frequency")
                    .agg(pl.col(column).sum())
                    .select(pl.struct("tenure", "frequency").struct.json_encode(), column)
                    .rows()
                )
                for rows in (whole, parts)
            ]
            assert added[0] == added[1]

    for_logs(full, check)


def test_risk_is_the_mean_of_those_whose_outcome_is_not_known() -> None:
    log = Log([Event(user, FIRST + timedelta(days=day), "view") for user in "abc" for day in (0, 1)], watermark=FIRST + timedelta(days=3))
    mark = FIRST + timedelta(days=1)
    who = {"definition": "churn14", "landmark": mark, "lineage": "0", "shard": 0, "matured": mark + timedelta(days=15)}
    scores = pl.DataFrame(
        [{**who, "user": user, "risk": risk, "number": n} for n, (user, risk) in enumerate({"a": 0.2, "b": 0.6, "c": 0.9}.items())]
    )
    outcomes = pl.DataFrame([{**who, "user": "c", "label": 1, "number": 9, "source": "engine"}])
    crowd = crowd_of(events_of_log(log), as_of_log(log), {"scores": scores, "outcomes": outcomes})
    row = TENURE_BY_FREQUENCY.run(crowd, TenureByFrequency()).rows.filter(pl.col("metric") == "cell_risk").to_dicts()[0]
    assert (row["n"], row["value"], row["state"]) == (2, pytest.approx(0.4), "open")
    assert behind(crowd, TenureByFrequency(), Cell(metric="cell_risk")).select("user", "risk").rows() == [("a", 0.2), ("b", 0.6)]


def test_what_cannot_be_asked_says_why() -> None:
    crowd = crowd_of_log(Log([], watermark=FIRST))
    for asked in (TenureByFrequency(tenure_bounds=(30, 7)), TenureByFrequency(often_bounds=(1,))):
        with pytest.raises(UsageFault, match="bounds are numbers of days that rise"):
            TENURE_BY_FREQUENCY.run(crowd, asked)
    with pytest.raises(UsageFault, match="active_within must be"):
        TENURE_BY_FREQUENCY.run(crowd, TenureByFrequency(active_within=0))
    assert TENURE_BY_FREQUENCY.run(crowd, TenureByFrequency()).rows.is_empty()
