"""A segment is who an oracle finds, and an analysis of a segment is the analysis of a log in which nobody else ever came: every analysis of the catalog."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.analyses.catalog import CATALOG
from insights.analyses.conditions import conditions_of
from insights.analyses.crowd import Crowd
from insights.analyses.plain import Cell, Members
from insights.analyses.segments import know, within
from stream.faults import UsageFault
from tests.insights.analyses.logs import CHANGES, crowd_of_log, logs
from tests.oracles.analyses.log import Event, Log
from tests.oracles.analyses.segment import only, segment

NUMBERS = ("purchases", "count_total", "active_days_total", "revenue", "tenure_days", "recency_s")
Rule = list[tuple[str, str, Any]]


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    signs, equal = st.sampled_from(["=", "!=", ">=", "<=", ">", "<"]), st.sampled_from(["=", "!="])
    some_day = st.sampled_from(sorted(CHANGES.values())).flatmap(
        lambda at: st.integers(0, 8).map(lambda n: (at + timedelta(days=n)).date())
    )
    one = st.one_of(
        st.tuples(st.sampled_from(NUMBERS[:3]), signs, st.integers(0, 6)),
        st.tuples(st.sampled_from(NUMBERS[3:]), signs, st.sampled_from([0, 5, 10.5, 86_400])),
        st.tuples(st.sampled_from(["first_day", "last_day"]), signs, some_day),
        st.tuples(st.just("channel"), equal, st.sampled_from(["ads", "web", "none"])),
        st.tuples(st.just("traits.plan"), equal, st.sampled_from(["pro", "free"])),
    )
    return draw(st.lists(one, min_size=1, max_size=2))


def written(rule: Rule) -> tuple[str, ...]:
    return tuple(f"{field} {sign} {value}" for field, sign, value in rule)


def paid(log: Log) -> Log:
    """A log in which "buy" is a purchase."""
    return Log(
        [Event(e.user, e.ts, "purchase" if e.type == "buy" else e.type, e.channel, e.value, e.event_id, e.props) for e in log.events],
        log.zone, log.week_start, log.watermark, log.complete_from, log.activity,
    )  # fmt: skip


def asked_of(name: str) -> Any:
    one = CATALOG[name]
    return one.parameters(**({one.arguments: ("view", "join")} if one.arguments else {}))


def answered(crowd: Crowd, name: str) -> tuple[pl.DataFrame, Any]:
    try:
        return CATALOG[name].run(crowd, asked_of(name)).rows, None
    except UsageFault as error:
        return pl.DataFrame(), str(error)


def test_who_meets_a_rule_is_who_the_oracle_finds(full: bool) -> None:
    @settings(max_examples=300 if full else 25)
    @given(logs(), rules())
    def check(drawn: Log, rule: Rule) -> None:
        log = paid(drawn)
        crowd = crowd_of_log(log)
        know(crowd, [Members(name="some", rule=written(rule))])
        found = {user for (user,) in crowd.con.execute("SELECT user FROM segments").fetchall()}
        crowd.close()
        assert found == segment(log, rule), written(rule)

    check()


def test_an_analysis_of_a_segment_is_that_of_a_log_of_these_users_alone(full: bool) -> None:
    @settings(max_examples=60 if full else 2)
    @given(logs(), st.sets(st.sampled_from("abcd"), min_size=1, max_size=3))
    def check(drawn: Log, users: set[str]) -> None:
        log = paid(drawn)
        narrowed, alone = crowd_of_log(log), crowd_of_log(only(log, users))
        within(narrowed, {"segment": "some"}, [Members(name="some", users=(*sorted(users), "nobody"))])
        for name in CATALOG:
            found, wanted = answered(narrowed, name), answered(alone, name)
            assert found[1] == wanted[1], name
            assert found[0].equals(wanted[0]), name
        assert narrowed.left_censored() == alone.left_censored()
        narrowed.close()
        alone.close()

    check()


BY = ("active_users", "stickiness", "retention", "lifecycle", "daily_states", "visits")


@pytest.mark.parametrize("name", [*BY, "funnel"])
def test_a_segment_tells_users_apart(name: str, full: bool) -> None:
    @settings(max_examples=40 if full else 2)
    @given(logs(), st.sets(st.sampled_from("abcd"), min_size=1, max_size=3))
    def check(log: Log, users: set[str]) -> None:
        one, asked = CATALOG[name], asked_of(name)
        whole = crowd_of_log(log)
        within(whole, {"by": "segment.some"}, [Members(name="some", users=tuple(users))])
        by = type(asked)(**{**{f: getattr(asked, f) for f in asked.__struct_fields__}, "by": "segment.some"})
        rows = one.run(whole, by).rows
        told = type(asked)(**{**{f: getattr(by, f) for f in by.__struct_fields__}, "by": "traits.told"})
        marked = [Event(user, log.events[0].ts, "identify", props={"told": "some"}) for user in sorted(users)] if log.events else []
        trait = crowd_of_log(Log([*log.events, *marked], log.zone, log.week_start, log.watermark, log.complete_from, log.activity))
        if name == "visits":  # a trait is no field of a visit, but a filter of its users is
            inside = crowd_of_log(only(log, users))
            wanted = one.run(inside, asked).rows.drop("group")
            assert rows.filter(pl.col("group") == "some").drop("group").sort("metric").equals(wanted.filter(pl.col("n") > 0).sort("metric"))
            inside.close()
        else:
            assert rows.sort(rows.columns).equals(one.run(trait, told).rows.sort(rows.columns))
        whole.close()
        trait.close()

    check()


def test_the_people_behind_a_cell_are_of_the_segment() -> None:
    at = CHANGES["UTC"]
    log = Log([Event(user, at + timedelta(days=n), "view") for user in "abc" for n in range(2)], watermark=at + timedelta(days=9))
    crowd = crowd_of_log(log)
    within(crowd, {"segment": "some"}, [Members(name="some", users=("a", "c"))])
    one = CATALOG["active_users"]
    assert one.behind is not None
    people = one.behind(crowd, one.parameters(), Cell(metric="dau", cohort=date(2024, 2, 29).isoformat()))
    assert list(people["user"]) == ["a", "c"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("purchases", "is no condition"),
        ("colour = red", "no field 'colour'; there are channel, purchases"),
        ("traits. = x", "no field 'traits.'"),
        ("purchases >= many", "takes a number, got 'many'"),
        ("purchases >= nan", "takes a number"),
        ("first_day > monday", "takes a day, as in 2026-03-01"),
        ("channel > ads", "is text, so it takes = or !="),
    ],
)
def test_what_is_no_condition_is_said(text: str, says: str) -> None:
    with pytest.raises(UsageFault, match=says):
        conditions_of((text,))


@pytest.mark.parametrize("value", ["x'; DROP TABLE events; --", "a, b", '"quoted"', "渠道"])
def test_what_a_rule_says_is_never_sql(value: str) -> None:
    at = CHANGES["UTC"]
    crowd = crowd_of_log(Log([Event("a", at, "view", channel=value), Event("b", at, "view")], watermark=at))
    know(crowd, [Members(name=value, rule=(f"channel = {value}", f"traits.{'x'} != {value}"))])
    assert crowd.con.execute("SELECT user, name FROM segments").fetchall() == [("a", value)]
    within(crowd, {"segment": value}, [Members(name=value, users=("b",))])
    assert crowd.con.execute("SELECT user FROM events").fetchall() == [("b",)]


def test_a_segment_that_is_not_given_is_said() -> None:
    crowd = crowd_of_log(Log([Event("a", CHANGES["UTC"], "view")]))
    for asked in ({"segment": "nobody"}, {"by": "segment.nobody"}):
        with pytest.raises(UsageFault, match="no segment 'nobody'"):
            within(crowd, asked, [])
