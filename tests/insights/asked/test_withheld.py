"""Who may see no persons is told of no group of fewer people than asked, by name or by number, and cannot take it off what is shown."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import polars as pl
import pytest

from insights.analyses.analysis import Cell
from insights.analyses.as_plain import entry_of, found_of
from insights.analyses.catalog import CATALOG
from insights.analyses.crowd import AsOf, Crowd, crowd_of
from insights.analyses.plain import Found, Note, Rows
from insights.asked.asked import Asked
from insights.asked.withheld import ADD_UP, NAME_PERSONS, PLACE, withheld
from tests.insights.example import BEGIN, DAYS, events, said_of, told
from tests.oracles.withheld import missing_people, people_of_groups

LEAST = 5
STEPS = {"steps": ("open", "view", "purchase")}
ASKS: dict[str, dict[str, object]] = {
    "funnel": STEPS,
    "after_drop_off": STEPS,
    "loss_to_come": STEPS,
    "releases": {"releases": ("2,at=2026-02-16",)},
}
LOOSE: dict[str, dict[str, object]] = {
    "paths_into_silence": {"least_people": 1}, "feature_use": {"least_people": 1}, "retained_against_churned": {"least_people": 1},
    "hours": {"least_visits": 1}, "errors_by_step": {"least_people": 1}, "reasons": {"least_people": 1}, "releases": {"least_people": 1},
}  # fmt: skip
FIELDS = {"by": "props.code", "node": "props.code", "feature": "props.code"}
"""Parameters that name a field, and one that is somebody's own."""


def log_of(seed: int, people: int = 90) -> list[dict[str, Any]]:
    """A small shop in which some values are of few people, and each person has a code of their own."""
    chance = random.Random(seed)
    rows = [row for row in events(people) if chance.random() < 0.9 or row["type"] == "identify"]
    rows += told(rows)
    teams = {user: chance.choice(["a"] * 8 + ["b"] * 4 + ["c", "d", "e"]) for user in sorted({row["user"] for row in rows})}
    return [{**row, "props": {**row["props"], "code": f"secret-{row['user']}", "team": teams[row["user"]]}} for row in rows]


def open_log(rows: list[dict[str, Any]]) -> Crowd:
    frame = pl.DataFrame([{**row, "props": msgspec.json.encode(row["props"]).decode()} for row in rows], infer_schema_length=None)
    frame = frame.with_columns(pl.col("ts").str.to_datetime("%+", time_unit="us", time_zone="UTC"))
    as_of = AsOf(zone="UTC", watermark=BEGIN + timedelta(days=DAYS))
    return crowd_of(frame, as_of, {spec.name: some for spec, some in said_of(rows)})


@pytest.fixture(scope="module", params=[1])
def log(request: pytest.FixtureRequest) -> tuple[list[dict[str, Any]], Crowd]:
    rows = log_of(request.param)
    return rows, open_log(rows)


def both(crowd: Crowd, name: str, **asked: object) -> tuple[Found, Found]:
    """An answer as it is kept, and as it goes out."""
    one = CATALOG[name]
    parameters = msgspec.convert({**ASKS.get(name, {}), **LOOSE.get(name, {}), **asked}, one.parameters)
    whole = found_of(one.run(crowd, parameters))
    return whole, withheld(whole, entry_of(one), LEAST)


def questions() -> list[tuple[str, str]]:
    fields = {one.name: {field.name for field in msgspec.structs.fields(one.parameters)} for one in CATALOG.values()}
    return [(name, way) for name, there in fields.items() for way in ["", *sorted(there & FIELDS.keys())]]


def test_the_table_has_the_whole_catalog() -> None:
    assert ADD_UP.keys() == CATALOG.keys()
    for name, axes in ADD_UP.items():
        assert set(axes) <= set(PLACE), name


@pytest.mark.parametrize(("name", "way"), questions())
def test_nobody_is_named_by_a_value_of_their_own(log: tuple[list[dict[str, Any]], Crowd], name: str, way: str) -> None:
    if not way:
        return
    whole, shown = both(log[1], name, **{way: FIELDS[way]})
    assert name in {"after_drop_off", "transitions"} or "secret-" in repr(whole.rows)  # in these two nobody comes from one code to another
    assert "secret-" not in repr((shown.rows, shown.notes, shown.people))


def behind(crowd: Crowd, name: str, row: dict[str, Any], **asked: object) -> set[str]:
    one = CATALOG[name]
    assert one.behind is not None
    cell = Cell(**{field: row[field] for field in Cell.__struct_fields__ if row.get(field) is not None})
    return set(one.behind(crowd, msgspec.convert({**ASKS.get(name, {}), **LOOSE.get(name, {}), **asked}, one.parameters), cell)["user"])


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("retention", {"unit": "week", "by": "props.team"}), ("paths", {"depth": 2}), ("after_drop_off", {}), ("paths_into_silence", {"last": 2}),
        ("feature_use", {"feature": "props.team"}), ("rfm", {}),
    ],
)  # fmt: skip
def test_a_number_that_is_shown_has_enough_people_behind_it(
    log: tuple[list[dict[str, Any]], Crowd], name: str, asked: dict[str, object]
) -> None:
    whole, shown = both(log[1], name, **asked)
    asked_of = {"retention": "retention", "rfm": "segment_people"}
    seen: set[tuple[Any, ...]] = set()
    for row in shown.rows.dicts():
        place = tuple(row.get(field) for field in PLACE[1:])
        if row["metric"] != asked_of.get(name, row["metric"]) or place in seen or not row["value"]:
            continue
        seen.add(place)
        assert len(behind(log[1], name, row, **asked)) >= LEAST, row
    assert seen
    assert shown.rows.height < whole.rows.height


@pytest.mark.parametrize("name", ["active_users", "stickiness", "retention", "lifecycle", "daily_states", "funnel", "visits", "reasons"])
@pytest.mark.parametrize("field", ["props.team", "channel"])
def test_a_group_that_is_named_has_enough_people(log: tuple[list[dict[str, Any]], Crowd], name: str, field: str) -> None:
    rows, crowd = log
    asked = {"unit": "week"} if name == "retention" else {}
    named = {row["group"] for row in both(crowd, name, by=field, **asked)[1].rows.dicts()} - {"other", "(not reached)"}
    people = people_of_groups(rows, field)
    assert all(len(people[group]) >= LEAST for group in named)
    assert named


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 10])
@pytest.mark.parametrize(("name", "axis"), [("retention", "group"), ("retention", "cohort"), ("stickiness", "group"), ("funnel", "group")])
def test_what_is_not_shown_is_of_enough_people_together(log: tuple[list[dict[str, Any]], Crowd], name: str, axis: str, limit: int) -> None:
    asked = {"unit": "week"} if name == "retention" else {}
    whole, shown = both(log[1], name, by="props.team", limit=limit, **asked)
    cells = [[row for row in found.rows.dicts() if row["metric"] != "overall" or axis == "group"] for found in (whole, shown)]
    missing = missing_people(*cells, axis, (*PLACE, "state") if axis == "cohort" else PLACE)
    assert all(people == 0 or people >= LEAST for people in missing)
    assert any(missing) or limit < 4


def test_no_two_limits_give_a_small_group_between_them(log: tuple[list[dict[str, Any]], Crowd]) -> None:
    people = people_of_groups(log[0], "props.team")
    for name in ("stickiness", "active_users", "lifecycle"):
        named = [{row["group"] for row in both(log[1], name, by="props.team", limit=limit)[1].rows.dicts()} for limit in range(1, 7)]
        others = [frozenset(people) - groups for groups in named if "other" in groups]
        for one in others:
            for other in others:
                between = {user for group in one ^ other for user in people[group]}
                assert not between or len(between) >= LEAST


@pytest.mark.parametrize(
    ("sizes", "left"),
    [
        ({"a": 20, "b": 8, "c": 3, "d": 2}, {"a", "b"}),  # c and d are five together
        ({"a": 20, "b": 8, "c": 3}, {"a"}),  # c alone is the whole less the others
        ({"a": 20, "b": 8, "c": 3, "other": 9}, {"a", "b"}),  # another limit would give c as a part of the others
        ({"a": 20, "b": 8, "other": 9}, {"a", "b", "other"}),
    ],
)
def test_of_groups_as_large_as_this_these_are_left(log: tuple[list[dict[str, Any]], Crowd], sizes: dict[str, int], left: set[str]) -> None:
    whole, _ = both(log[1], "lifecycle", by="props.team")
    rows = [{**whole.rows.dicts()[0], "metric": "active", "group": group, "value": float(size)} for group, size in sizes.items()]
    found = msgspec.structs.replace(whole, rows=Rows({name: [row[name] for row in rows] for name in rows[0]}))
    shown = withheld(found, entry_of(CATALOG["lifecycle"]), LEAST)
    assert set(shown.rows.columns["group"]) == left
    assert bool(shown.notes) == (left != sizes.keys())


def test_hours_are_of_enough_people(log: tuple[list[dict[str, Any]], Crowd]) -> None:
    rows, crowd = log
    whole, shown = both(crowd, "hours")
    people: dict[str, set[str]] = {}
    for row in rows:
        people.setdefault(row["ts"][11:13], set()).add(row["user"])
    assert {row["hour"] for row in shown.rows.dicts()}
    assert all(len(people[row["hour"]]) >= LEAST for row in shown.rows.dicts())
    assert all(given <= len(people[row["hour"]]) for row, given in zip(whole.rows.dicts(), whole.people, strict=True) if given is not None)


@pytest.mark.parametrize("name", ["visits", "transitions", "retained_against_churned", "releases", "retention_forecast", "value"])
def test_no_row_says_it_is_of_more_people_than_there_are(log: tuple[list[dict[str, Any]], Crowd], name: str) -> None:
    rows, crowd = log
    whole, _ = both(crowd, name)
    assert whole.rows.height
    everybody = len({row["user"] for row in rows})
    said = whole.people or (None,) * whole.rows.height
    for row, given in zip(whole.rows.dicts(), said, strict=True):
        assert (row["n"] if given is None else given) <= everybody, row


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_of_a_log_of_few_people_nothing_is_shown_but_that(name: str) -> None:
    few = log_of(3, LEAST - 1)
    asked = {"unit": "week"} if name == "retention" else {}
    _, shown = both(open_log(few), name, **asked)
    assert (shown.rows.height, shown.as_of.left_censored) == (0, 0)
    assert shown.notes == (Note("note.small_groups", {"n": LEAST}),)


def test_of_a_segment_of_few_people_nothing_is_shown(log: tuple[list[dict[str, Any]], Crowd]) -> None:
    whole, _ = both(log[1], "stickiness")
    entry = entry_of(CATALOG["stickiness"])
    for people, kept in ((LEAST - 1, 0), (LEAST, whole.rows.height)):
        found = msgspec.structs.replace(whole, notes=(Note("note.segment", {"name": "x", "n": people}),))
        assert withheld(found, entry, LEAST).rows.height == kept


def test_one_shows_all(log: tuple[list[dict[str, Any]], Crowd]) -> None:
    whole, _ = both(log[1], "stickiness", by="props.code")
    assert withheld(whole, entry_of(CATALOG["stickiness"]), 1) is whole


def test_a_campaign_is_still_a_mark(log: tuple[list[dict[str, Any]], Crowd]) -> None:
    _, shown = both(log[1], "releases", releases=("sale,at=2026-02-16,kind=campaign",))
    assert [row["group"] for row in shown.rows.dicts()] == ["sale"]


async def test_what_is_kept_is_whole_and_nobody_is_asked_about_by_name(opened: Callable[..., Asked]) -> None:
    asked = opened(least_group=200)
    by = {"by": "channel"}
    whole = await asked.ask("stickiness", by, persons=True, wait_s=120)
    shown = await asked.ask("stickiness", by, persons=False)
    assert (whole.state, shown.state) == ("ready", "ready")
    assert whole.result is not None
    assert shown.result is not None
    assert (whole.result.rows.height > 0, shown.result.rows.height) == (True, 0)
    assert (await asked.ask("stickiness", by, persons=True)).result == whole.result
    for name in NAME_PERSONS:
        refused = await asked.ask("stickiness", {name: ["p001"]}, persons=False)
        assert (refused.state, refused.reason) == ("refused", "usage")
        assert name in refused.words
