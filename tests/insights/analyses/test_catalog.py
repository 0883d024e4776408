"""Every analysis of the catalog is whole: words in both languages, parameters of plain values, columns as declared; and no user's text becomes SQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import polars as pl
import pytest

from insights.analyses.analysis import LONG, Analysis
from insights.analyses.as_plain import entry_of
from insights.analyses.catalog import CATALOG, analysis_of
from insights.analyses.crowd import AsOf, Crowd, crowd_of
from insights.asked.questions import read
from insights.words import words
from stream.faults import UsageFault

ALL = list(CATALOG.values())


@pytest.fixture
def crowd() -> Crowd:
    events = pl.DataFrame(
        {
            "user": ["ann", "ann", "bob"],
            "ts": [datetime(2024, 3, day, 12, tzinfo=UTC) for day in (1, 2, 2)],
            "type": ["view"] * 3,
            "channel": ["ads", None, "web"],
        }
    )
    at = datetime(2024, 3, 2, 15, tzinfo=UTC)
    who = {
        "user": ["ann"],
        "definition": ["churn14"],
        "landmark": [at],
        "matured": [at + timedelta(days=15)],
        "lineage": ["0"],
        "number": [1],
    }
    alert = {"alert_id": ["1"], "type": ["opened"], "event_time": [at], "reason_codes": [["silence"]]}
    said = {
        "scores": pl.DataFrame({**who, "risk": [0.5]}),
        "alerts": pl.DataFrame({**alert, **{name: who[name] for name in ("user", "definition", "landmark")}}),
    }
    return crowd_of(events, AsOf(zone="UTC", watermark=datetime(2024, 3, 3, tzinfo=UTC)), said)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_an_analysis_has_all_its_words(one: Analysis[Any]) -> None:
    fields = msgspec.structs.fields(one.parameters)
    keys = [f"analysis.{one.name}", f"analysis.{one.name}.asks", *(f"parameter.{field.name}" for field in fields)]
    keys += [f"column.{column.name}" for column in one.columns]
    for metric in one.metrics:
        keys += [f"metric.{metric.name}", f"metric.{metric.name}.is"]
    for key in keys:
        assert words("en").t(key), key
        assert words("zh").t(key), key


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_only_what_a_command_takes_as_words_has_no_default(one: Analysis[Any]) -> None:
    assert one.parameters.__struct_config__.frozen
    assert {field.name for field in msgspec.structs.fields(one.parameters) if field.required} <= {one.arguments}


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_the_page_and_the_api_ask_with_the_same_defaults(one: Analysis[Any]) -> None:
    needed: dict[str, object] = {field.name: ["view"] for field in msgspec.structs.fields(one.parameters) if field.required}
    asked = read(entry_of(one), needed)
    asked.pop("segment")
    known = {field.name for field in msgspec.structs.fields(one.parameters)}
    whole = msgspec.to_builtins(msgspec.convert(needed, one.parameters))
    default = {name: value for name, value in asked.items() if name in known}
    assert {name: list(value) if isinstance(value, tuple) else value for name, value in default.items()} == {
        name: list(value) if isinstance(value, tuple) else value for name, value in whole.items() if name in default
    }


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_rows_are_in_the_long_form(one: Analysis[Any], crowd: Crowd) -> None:
    if one.arguments is not None:
        return  # its own tests give it what it needs
    rows = one.run(crowd, one.parameters()).rows
    assert rows.columns == [*LONG, *(column.name for column in one.columns)]
    assert set(rows["state"].unique()) <= {"complete", "open", "none", None}
    assert rows.filter(pl.col("state") == "none")["value"].null_count() == rows.filter(pl.col("state") == "none").height


@pytest.mark.parametrize("one", [one for one in ALL if one.arguments is None and not one.followed], ids=lambda one: one.name)
def test_an_analysis_that_says_so_does_not_rest_on_what_the_engine_said(one: Analysis[Any], crowd: Crowd) -> None:
    before = one.run(crowd, one.parameters()).rows
    for table in ("scores", "outcomes", "alerts"):
        crowd.con.execute(f"DROP VIEW {table}")
    assert one.run(crowd, one.parameters()).rows.equals(before)


@pytest.mark.parametrize("one", [one for one in ALL if "by" in one.parameters.__struct_fields__], ids=lambda one: one.name)
@pytest.mark.parametrize("field", ["channel'; DROP TABLE events; --", "nothing", "props.", 'props.x"'])
def test_a_field_that_there_is_not_is_refused_or_has_no_value(one: Analysis[Any], field: str, crowd: Crowd) -> None:
    steps = {one.arguments: ("view",)} if one.arguments else {}
    if field.startswith("props.") and field != "props.":
        groups = set(one.run(crowd, one.parameters(by=field, **steps)).rows["group"].drop_nulls())
        assert groups <= {"(none)"}
    else:
        with pytest.raises(UsageFault, match="there is no field"):
            one.run(crowd, one.parameters(by=field, **steps))
    assert crowd.con.execute("SELECT count(*) FROM events").fetchall() == [(3,)]


def test_what_an_analysis_does_not_declare_is_our_own_bug(crowd: Crowd) -> None:
    one = analysis_of("active-users")
    with pytest.raises(ValueError, match="does not declare"):
        one.result(crowd, one.parameters(), pl.DataFrame({"metric": ["dau"], "fortune": [1]}))
    with pytest.raises(ValueError, match="fortune"):
        one.result(crowd, one.parameters(), pl.DataFrame({"metric": ["fortune"]}))


def test_a_misspelt_name_gets_the_nearest() -> None:
    with pytest.raises(UsageFault, match="did you mean active_users"):
        analysis_of("active-user")


def test_a_value_of_a_stranger_is_bound(crowd: Crowd) -> None:
    one = CATALOG["active_users"]
    asked = one.parameters(activity="view' OR '1'='1", since="2024-03-01")
    assert set(one.run(crowd, asked).rows.filter(pl.col("metric") == "dau")["value"]) == {0.0}
