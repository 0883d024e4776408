"""Tables fit the window they are made for, mark what is open, and never show 0 for what is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from rich.cells import cell_len

from insights.analyses.as_plain import entry_of, found_of, rows_of
from insights.analyses.catalog import CATALOG
from insights.analyses.crowd import Crowd, crowd_of
from insights.history.reader import AsOf
from insights.words import words
from insights.written.said import lines_under
from insights.written.tables import DASH, Table, choose, people_table, tables_of

EN = words("en")
BEGIN = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def crowd() -> Crowd:
    rows = [(user, BEGIN + timedelta(days=day), "open", channel) for user, channel, days in
            [("ann", "ads", (0, 1, 7, 20)), ("bob", "ads", (0, 9)), ("cid", "web", (14, 15)), ("dan", None, (20,))] for day in days]  # fmt: skip
    events = pl.DataFrame(rows, schema=["user", "ts", "type", "channel"], orient="row")
    return crowd_of(
        events,
        AsOf(zone="UTC", watermark=BEGIN + timedelta(days=20, hours=1), late=3, rejected=2, complete_from=BEGIN + timedelta(hours=-1)),
    )


def table(crowd: Crowd, name: str, width: int | None = None, lang: Any = "en", **asked: Any) -> list[Table]:
    one = CATALOG[name]
    return tables_of(entry_of(one), found_of(one.run(crowd, one.parameters(**asked))), words(lang), width)


def test_a_triangle_marks_open_cells_and_leaves_those_to_come_empty(crowd: Crowd) -> None:
    (shown,) = table(crowd, "retention", unit="week", follow=4, since="2026-01-05")
    assert shown.head == ("week of", "people", "W1", "W2", "W3", "W4")
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in shown.rows}
    assert rows["2026-01-05"] == ["2", "100%", "50%*", "", ""]
    assert rows["2026-01-19"] == ["2*", "", "", "", ""]
    assert rows["All cohorts"] == ["2", "100%", "", "", ""]


def test_an_empty_cohort_has_no_share(crowd: Crowd) -> None:
    (shown,) = table(crowd, "retention", unit="week", follow=1, since="2026-01-05")
    empty = next(row for row in shown.rows if row[0].text == "2026-01-12")
    assert [cell.text for cell in empty] == ["2026-01-12", "0", DASH]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", ["retention", "active_users", "daily_states", "lifecycle"])
def test_a_table_fits_its_window(crowd: Crowd, name: str, lang: str, width: int) -> None:
    for shown in table(crowd, name, width, lang):
        columns = [[shown.head[at], *(row[at].text for row in shown.rows)] for at in range(len(shown.head))]
        wide = sum(max(map(cell_len, column)) for column in columns) + 2 * (len(columns) - 1)
        assert wide <= width or len(columns) <= 3  # a first column, one number and no more: narrower it cannot be


def test_what_does_not_fit_is_counted(crowd: Crowd) -> None:
    (shown,) = table(crowd, "retention", 60)
    assert shown.hidden > 0
    assert shown.head[2] == "D1"
    assert "D7" in shown.head
    assert len(shown.head) - 2 + shown.hidden == 30


def test_groups_are_compared_over_all_cohorts_with_their_intervals(crowd: Crowd) -> None:
    (shown,) = table(crowd, "retention", by="channel", unit="week", follow=1, since="2026-01-05")
    assert shown.rows[0][0].text == "ads"
    assert {row[0].text for row in shown.rows} == {"ads", "web", "(none)"}
    assert shown.rows[0][2].text == "100% 34–100%"  # noqa: RUF001 - an en dash is meant


def test_a_series_by_group_is_that_of_the_newest_day_that_is_over(crowd: Crowd) -> None:
    (shown,) = table(crowd, "active_users", by="channel")
    assert shown.title == "Active people, 2026-01-24"
    assert len(shown.rows) == 3


def test_wide_series_go_on_below(crowd: Crowd) -> None:
    whole = table(crowd, "daily_states")
    parts = table(crowd, "daily_states", 60)
    assert len(whole) == 1
    assert len(parts) > 1
    assert [name for part in parts for name in part.head[1:]] == list(whole[0].head[1:])


def test_under_a_table_stands_as_of_when_and_what_was_counted(crowd: Crowd) -> None:
    one = CATALOG["retention"]
    found = found_of(one.run(crowd, one.parameters(unit="week")))
    lines = lines_under(found, tables_of(entry_of(one), found, EN), EN)
    assert lines[0] == "As of Jan 25, 2026, 13:00 UTC. Days of UTC, weeks from Mon."
    assert lines[1] == "3 events came late and count here; 2 were rejected."
    assert lines[-1].startswith("* still moving")


def test_an_empty_history_says_so() -> None:
    crowd = crowd_of(pl.DataFrame(schema={"user": pl.String, "ts": pl.Datetime("us", "UTC"), "type": pl.String}), AsOf(zone="UTC"))
    for one in CATALOG.values():
        needs_an_engine = "definition" in one.parameters.__struct_fields__  # and says so, tests/insights/analyses/test_risks.py
        if one.arguments is None and not needs_an_engine:
            found = found_of(one.run(crowd, one.parameters()))
            assert lines_under(found, tables_of(entry_of(one), found, EN, 80), EN)[0].startswith("No event has come yet.")


def test_units_worth_a_column_are_kept() -> None:
    assert choose(range(1, 31), 3) == [1, 7, 30]
    assert choose(range(1, 13), 100) == list(range(1, 13))


def test_a_list_of_people_says_yes_and_no() -> None:
    shown = people_table(rows_of(pl.DataFrame({"user": ["ann"], "came_back": [True], "entered_at": [BEGIN]})), EN)
    assert shown.title == "1 person"
    assert [cell.text for cell in shown.rows[0]] == ["ann", "yes", "2026-01-05 12:00 UTC"]
