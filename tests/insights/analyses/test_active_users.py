"""Active users equal a count over every user and day; windows that begin before the log have no value."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from insights.analyses.active_users import ACTIVE_USERS, ActiveUsers, behind
from insights.analyses.analysis import Cell
from stream.faults import UsageFault
from tests.insights.analyses.logs import crowd_of_log, for_logs
from tests.oracles.analyses.active_users import active_users
from tests.oracles.analyses.log import Event, Log

WIDTHS = {"dau": 1, "wau": 7, "mau": 28}


def said(rows: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[float | None, str]]:
    return {(row["metric"], row["cohort"]): (row["value"], row["state"]) for row in rows}


def test_active_users_are_those_that_a_plain_count_finds(full: bool) -> None:
    for_logs(full, equals_a_plain_count)


def equals_a_plain_count(log: Log) -> None:
    first = log.first_day()
    since = (first or date(2024, 3, 1)) - timedelta(days=2)
    days = [since + timedelta(days=number) for number in range(45)]
    crowd = crowd_of_log(log)
    found = said(ACTIVE_USERS.run(crowd, ActiveUsers(since=str(days[0]), until=str(days[-1]))).rows.to_dicts())
    if first is None:
        assert not found
        return
    for day in days:
        for metric, width in WIDTHS.items():
            assert found[metric, str(day)] == active_users(log, day, width)
        assert found["stickiness", str(day)][1] == found["mau", str(day)][1]


@pytest.mark.parametrize("apart", [6, 7, 8, 27, 28, 29])
def test_a_window_ends_with_its_last_day(apart: int) -> None:
    first = datetime(2024, 3, 1, 12, tzinfo=UTC)
    days = [first, first + timedelta(days=1), first + timedelta(days=1 + apart)]
    equals_a_plain_count(Log([Event("ann", at, "view") for at in days], watermark=first + timedelta(days=60)))


def test_groups_add_up_to_the_total_and_the_people_behind_a_cell_to_its_number(full: bool) -> None:
    for_logs(full, adds_up)


def adds_up(log: Log) -> None:
    crowd = crowd_of_log(log)
    day = log.first_day()
    if day is None:
        return
    whole = ActiveUsers(since=str(day), until=str(day + timedelta(days=30)))
    total = said(ACTIVE_USERS.run(crowd, whole).rows.to_dicts())
    for by in ("channel", "props.plan"):
        asked = ActiveUsers(since=whole.since, until=whole.until, by=by, limit=1)
        rows = ACTIVE_USERS.run(crowd, asked).rows
        assert set(rows["group"]) <= {"(none)", "ads", "web", "pro", "free", "other"}
        for metric in WIDTHS:
            for cohort in (str(day), str(day + timedelta(days=30))):
                values = [row["value"] for row in rows.to_dicts() if (row["metric"], row["cohort"]) == (metric, cohort)]
                if total[metric, cohort][0] is not None and values:
                    assert sum(values) == total[metric, cohort][0]
    for metric in WIDTHS:
        value = total[metric, str(day + timedelta(days=30))][0]
        if value is not None:
            people = behind(crowd, whole, Cell(metric=metric, cohort=str(day + timedelta(days=30))))
            assert people.height == value == people["user"].n_unique()


def test_days_the_wrong_way_round_are_refused() -> None:
    crowd = crowd_of_log(Log([]))
    with pytest.raises(UsageFault, match="after"):
        ACTIVE_USERS.run(crowd, ActiveUsers(since="2024-01-02", until="2024-01-01"))


def test_an_activity_that_nobody_has_makes_zeros_and_no_groups() -> None:
    crowd = crowd_of_log(Log([Event("ann", datetime(2024, 3, 1, tzinfo=UTC), "view")]))
    dau = ACTIVE_USERS.run(crowd, ActiveUsers(activity="buy", since="2024-03-01")).rows.filter(pl.col("metric") == "dau")
    assert dau["value"].to_list() == [0]
    assert ACTIVE_USERS.run(crowd, ActiveUsers(activity="buy", by="channel")).rows.is_empty()
