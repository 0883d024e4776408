"""Retention equals a walk over every user, cohort and event; open cells are said to be open, and averages leave them out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.analyses.analysis import Cell
from insights.analyses.catalog import CATALOG
from insights.analyses.retention import RETENTION, Retention, behind
from stream.faults import UsageFault
from tests.insights.analyses.logs import crowd_of_log, logs
from tests.oracles.analyses.calendar import after, begin, label
from tests.oracles.analyses.log import SYSTEMS, Event, Log
from tests.oracles.analyses.retention import Asked, retention

STARTS = ["", "join", "view,props.plan=pro", ",channel=ads"]


@st.composite
def questions(draw: st.DrawFn) -> Retention:
    mode = draw(st.sampled_from(["on", "on", "on_or_after"]))
    brackets = draw(st.sampled_from([(), (), ("1-2", "4-9", "20")])) if mode == "on" else ()
    unit = draw(st.sampled_from(["day", "day", "week", "month", "hour"]))
    return Retention(
        unit=unit,
        cohort=draw(st.sampled_from(["first", "recurring", "first_event_is"])),
        start=draw(st.sampled_from(STARTS)),
        returns=draw(st.sampled_from(["", "buy", ",value>=5"])),
        mode=mode,
        brackets=brackets,
        follow=draw(st.sampled_from([0, 3, 8])),
        window=draw(st.sampled_from(["calendar", "calendar", "days", "24h"])) if unit != "hour" else "calendar",
        min_returns=draw(st.sampled_from([1, 1, 2])),
        same_unit=draw(st.booleans()),
        by=draw(st.sampled_from([None, None, "channel", "props.plan", "traits.plan"])),
    )


def matches(log: Log, text: str) -> Any:
    kind, _, condition = text.partition(",")

    def of_type(event: Event) -> bool:
        return event.type == kind if kind else log.is_active(event)

    def whole(event: Event) -> bool:
        if condition == "props.plan=pro":
            return of_type(event) and event.props.get("plan") == "pro"
        if condition == "channel=ads":
            return of_type(event) and event.channel == "ads"
        return of_type(event) and (not condition or (event.value or 0) >= 5)

    return whole, of_type


def as_the_oracle_asks(log: Log, asked: Retention) -> Asked:
    starts, of_type = matches(log, asked.start)
    returns, _ = matches(log, asked.returns)
    ks = [(k, k) for k in range((asked.follow or 0) + 1)]
    brackets = [(0, 0), (1, 2), (4, 9), (20, 20)]
    plans = {event.user: event.props["plan"] for event in log.in_order() if event.type == "identify" and "plan" in event.props}
    values = {
        None: lambda event: "",
        "channel": lambda event: event.channel or "(none)",
        "props.plan": lambda event: event.props.get("plan", "(none)"),
        "traits.plan": lambda event: plans.get(event.user, "(none)"),
    }
    return Asked(
        asked.unit,
        asked.cohort,
        starts,
        of_type,
        returns,
        values[asked.by],
        asked.mode == "on_or_after",
        asked.window,
        asked.min_returns,
        asked.same_unit,
        tuple(brackets if asked.brackets else ks),
    )


@st.composite
def logs_with_questions(draw: st.DrawFn) -> tuple[Log, Retention, datetime, datetime]:
    log, asked = draw(logs()), draw(questions())
    stamps = [event.ts for event in log.events if event.type not in SYSTEMS]
    earliest = min(stamps, default=datetime.fromisoformat("2024-03-01T00:00:00+00:00"))
    latest = max(stamps, default=earliest)
    first = begin(asked.unit, earliest, log.zone, log.week_start)
    last = begin(asked.unit, min(latest, earliest + timedelta(days=12)), log.zone, log.week_start)
    if asked.unit == "hour":
        last = min(last, first + timedelta(hours=20))
    return log, asked, first, last


def test_retention_is_that_of_a_walk_over_all_events(full: bool) -> None:
    @settings(max_examples=600 if full else 40)
    @given(logs_with_questions())
    def check(drawn: tuple[Log, Retention, datetime, datetime]) -> None:
        log, plain, first, last = drawn
        asked = with_range(plain, first, last)
        crowd = crowd_of_log(log)
        expected = retention(log, as_the_oracle_asks(log, asked), first, last)
        rows = RETENTION.run(crowd, asked).rows.to_dicts()
        found = {
            (row["cohort"], row["group"] or "", row["k"]): (row["n"], row["count"], row["state"])
            for row in rows
            if row["metric"] == "retention"
        }
        if expected or asked.by:
            assert found == expected
        else:
            assert all(n == 0 for n, _, _ in found.values())
        overall = {(row["group"] or "", row["k"]): (row["n"], row["count"]) for row in rows if row["metric"] == "overall"}
        for group, k in {(group, k) for _, group, k in expected}:
            done = [one for (_, of, at), one in expected.items() if (of, at) == (group, k) and one[2] == "complete"]
            assert overall[group, k] == (sum(n for n, _, _ in done), sum(count or 0 for _, count, _ in done))
        for cohort, group, k in list(expected)[:2]:
            n, count, _ = expected[cohort, group, k]
            people = behind(crowd, asked, Cell(metric="retention", cohort=cohort, k=k, group=group if asked.by else None))
            assert people.height == n
            if count is not None:
                assert people["came_back"].sum() == count
        crowd.close()

    check()


def with_range(asked: Retention, first: datetime, last: datetime) -> Retention:
    import msgspec

    return msgspec.structs.replace(asked, since=first.isoformat(), until=last.isoformat())


def day(number: int, hour: int = 12) -> datetime:
    return datetime.fromisoformat(f"2024-03-{number:02d}T{hour:02d}:00:00+00:00")


LOG = Log(
    [Event("ann", day(1), "open"), Event("ann", day(2), "open"), Event("bob", day(1), "open"), Event("cid", day(2), "open"), Event("cid", day(3), "open")],
    watermark=day(3, 18),
)  # fmt: skip


def cells(**asked: Any) -> dict[tuple[str | None, int], tuple[Any, ...]]:
    rows = RETENTION.run(crowd_of_log(LOG), Retention(since="2024-03-01", until="2024-03-04", follow=2, **asked)).rows
    return {(row["cohort"], row["k"]): (row["n"], row["count"], row["value"], row["state"]) for row in rows.to_dicts()}


def test_a_cell_in_progress_is_open_and_one_to_come_has_no_value() -> None:
    found = cells()
    assert found["2024-03-01", 1] == (2, 1, 0.5, "complete")
    assert found["2024-03-02", 1] == (1, 1, 1.0, "open")
    assert found["2024-03-02", 2] == (1, None, None, "none")
    assert found["2024-03-04", 0] == (0, None, None, "none")


def test_the_overall_share_is_of_complete_cells_only() -> None:
    assert cells()[None, 1] == (2, 1, 0.5, "complete")
    assert cells()[None, 2] == (0, 0, None, "none")


def test_an_unbounded_cell_is_open_until_a_horizon_has_passed() -> None:
    assert cells(mode="on_or_after")["2024-03-01", 1] == (2, 1, 0.5, "open")


def test_same_cohorts_are_those_that_are_complete_at_the_last_k() -> None:
    rows = RETENTION.run(crowd_of_log(LOG), Retention(since="2024-03-01", until="2024-03-02", follow=1, same_cohorts=True)).rows
    overall = rows.filter(pl.col("metric") == "overall")
    assert overall["n"].to_list() == [2, 2]


def test_who_was_there_before_the_log_is_complete_is_counted_beside() -> None:
    log = Log(LOG.events, watermark=LOG.watermark, complete_from=day(2, 0))
    result = RETENTION.run(crowd_of_log(log), Retention(since="2024-03-01", until="2024-03-02", follow=1))
    assert result.notes[0].values == {"n": 2}
    assert result.rows.filter((pl.col("metric") == "retention") & (pl.col("k") == 0))["n"].to_list() == [0, 1]


def test_groups_beyond_the_limit_are_together_and_add_up() -> None:
    log = Log(
        [Event(name, day(1), "open", channel) for name, channel in [("a", "ads"), ("b", "ads"), ("c", "web"), ("d", None), ("e", "app")]]
    )
    rows = RETENTION.run(crowd_of_log(log), Retention(since="2024-03-01", until="2024-03-01", follow=0, by="channel", limit=1)).rows
    sizes = rows.filter(pl.col("metric") == "retention").select("group", "n").rows()
    assert sorted(sizes) == [("ads", 2), ("other", 3)]


@pytest.mark.parametrize(("analysis", "cell"), [
    ("retention", {"metric": "retention", "cohort": "2024-03-01", "k": 0}),
    ("active_users", {"metric": "dau", "cohort": "2024-03-01"}),
    ("lifecycle", {"metric": "new", "cohort": "2024-03-01"}),
    ("daily_states", {"metric": "new", "cohort": "2024-03-01"}),
    ("stickiness", {"metric": "exactly", "k": 1}),
])  # fmt: skip
def test_the_people_of_a_group_are_as_many_as_it_says_also_of_the_other(analysis: str, cell: dict[str, Any]) -> None:
    log = Log(
        [Event(name, day(1), "open", channel) for name, channel in [("a", "ads"), ("b", "ads"), ("c", "web"), ("d", None), ("e", "app")]],
        watermark=day(3),
    )
    one, crowd = CATALOG[analysis], crowd_of_log(log)
    unit = {"unit": "day"} if "unit" in one.parameters.__struct_fields__ else {}
    asked = one.parameters(since="2024-03-01", until="2024-03-01", by="channel", limit=1, **unit)
    assert one.behind is not None
    people = {group: one.behind(crowd, asked, Cell(**cell, group=group))["user"].to_list() for group in ("ads", "other")}
    assert people == {"ads": ["a", "b"], "other": ["c", "d", "e"]}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"brackets": ("3-1",)}, "no bracket"),
        ({"brackets": ("1-7", "5-9")}, "in order"),
        ({"brackets": ("1-7",), "mode": "on_or_after"}, "end of their own"),
        ({"since": "2024-03-09", "until": "2024-03-01"}, "after until"),
        ({"since": "yesterday"}, "2026-03-01"),
        ({"window": "24h", "unit": "hour"}, "24h"),
        ({"window": "days", "unit": "hour"}, "window days"),
        ({"min_returns": 0}, "1 or more"),
        ({"follow": -1}, "0 or more"),
        ({"start": "view,nonsense"}, "no condition"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageFault, match=says):
        RETENTION.run(crowd_of_log(LOG), Retention(**asked))


def test_an_empty_log_has_no_cohorts() -> None:
    assert RETENTION.run(crowd_of_log(Log([])), Retention()).rows.filter(pl.col("metric") == "retention").height == 0


def test_labels_are_those_of_the_calendar() -> None:
    rows = RETENTION.run(crowd_of_log(LOG), Retention(unit="week", since="2024-03-01", until="2024-03-12", follow=0)).rows
    assert rows.filter(pl.col("metric") == "retention")["cohort"].to_list() == ["2024-02-26", "2024-03-04", "2024-03-11"]
    assert label("week", begin("week", day(12), "UTC", "monday"), "UTC") == "2024-03-11"
    assert after("week", begin("week", day(1), "UTC", "monday"), 2, "UTC", "monday") == begin("week", day(12), "UTC", "monday")
