"""A watch opens once and closes once, whenever somebody looks and however often; against a count over the whole series."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.store import watching
from insights.store.store import Store
from insights.watches.core import Event, Reading, State, judge
from insights.watches.readings import readings_of
from stream.faults import UsageFault
from stream.settings.watches import RULES, Rule, Watch
from tests.oracles.watches import told

SCHEMA = json.loads(files("insights.watches").joinpath("metric_alert.schema.json").read_text())
VALUES = st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0])  # powers of two, so that no sum is rounded


def a_watch(rule: Rule = "below", bound: float = 0.5, **more: object) -> Watch:
    return Watch(name="a", analysis="retention", metric="retention", rule=rule, bound=bound, least=10, **more)  # type: ignore[arg-type]  # a test names the fields


def series_of(values: list[tuple[float, int]]) -> list[Reading]:
    return [Reading(f"2026-03-{day:02d}", value, n) for day, (value, n) in enumerate(values, 1)]


SERIES = st.lists(st.tuples(VALUES, st.sampled_from([5, 10, 50])), min_size=1, max_size=20).map(series_of)


@given(st.sampled_from(RULES), st.sampled_from([0.5, 1.0]), SERIES, st.lists(st.integers(1, 20), max_size=8))
def test_what_is_told_depends_on_the_series_and_not_on_when_somebody_looks(
    rule: Rule, bound: float, series: list[Reading], looks: list[int]
) -> None:
    watch, state, events = a_watch(rule, bound), State(), list[Event]()
    ends = sorted({min(one, len(series)) for one in looks} | {len(series)})
    for end in ends:
        for _ in range(2):  # whoever looks again is told nothing
            state, new = judge(watch, msgspec.json.decode(msgspec.json.encode(state), type=State), series[:end])
            events += new
    judged = [one for one in ends if told_anything(watch, series, one)]
    first = (judged[0] if judged else len(series)) - 1
    assert [(one.type, one.cohort) for one in events] == told(watch, series, first)
    ids = [one.alert_id for one in events if one.type == "opened"]
    assert len(ids) == len(set(ids))
    assert [one.alert_id for one in events if one.type == "closed"] == ids[: sum(one.type == "closed" for one in events)]
    assert (state.opened is not None) == (len(ids) > sum(one.type == "closed" for one in events))
    for one in events:
        jsonschema.validate(json.loads(msgspec.json.encode(one)), SCHEMA)


def told_anything(watch: Watch, series: list[Reading], end: int) -> bool:
    """Whether the newest of the first readings can be judged: with it a new watch begins."""
    now, before = series[end - 1], series[end - 2] if end > 1 else None
    if now.n < watch.least:
        return False
    return watch.rule in {"above", "below"} or (before is not None and before.n >= watch.least and before.value > 0)


def test_a_restated_period_closes_what_it_had_opened() -> None:
    watch = a_watch()
    state, opened = judge(watch, State(), series_of([(1.0, 50), (0.25, 50)]))
    state, closed = judge(watch, state, series_of([(1.0, 50), (0.75, 50)]))
    assert [(one.type, one.cause, one.value) for one in (*opened, *closed)] == [("opened", "below", 0.25), ("closed", "back", 0.75)]
    assert closed[0].alert_id == opened[0].alert_id
    assert closed[0].opened_cohort == "2026-03-02"


def test_another_bound_closes_what_is_open_and_begins_anew() -> None:
    series = series_of([(1.0, 50), (0.25, 50)])
    state, _ = judge(a_watch(), State(), series)
    state, events = judge(a_watch(bound=0.1), state, series)
    assert [(one.type, one.cause) for one in events] == [("closed", "changed")]
    state, events = judge(a_watch(), state, series)
    assert [one.type for one in events] == ["opened"]
    jsonschema.validate(json.loads(msgspec.json.encode(events[0])), SCHEMA)


def test_a_history_that_lost_its_newest_period_tells_nothing() -> None:
    series = series_of([(1.0, 50), (0.25, 50)])
    state, _ = judge(a_watch(), State(), series)
    assert judge(a_watch(), state, series[:1]) == (state, [])
    assert judge(a_watch(), state, []) == (state, [])


def test_readings_are_the_rows_that_are_meant() -> None:
    def row(**changed: object) -> dict[str, object]:
        return {"metric": "retention", "cohort": "2026-03-02", "k": 7, "group": None, "n": 50, "value": 0.5, "state": "complete"} | changed

    rows = [row(cohort="2026-03-09"), row(), row(k=1), row(group="ads"), row(metric="other"), row(cohort="2026-03-16", state="open"),
            row(cohort="2026-03-23", value=None)]  # fmt: skip
    assert readings_of(a_watch(cell={"k": 7}), rows, "2026-03-30") == [Reading("2026-03-02", 0.5, 50), Reading("2026-03-09", 0.5, 50)]
    assert readings_of(a_watch(cell={"k": 7, "group": "ads"}), rows, "") == [Reading("2026-03-02", 0.5, 50)]
    assert readings_of(a_watch(cell={"k": 7}, on="forecast"), [row(state="forecast")], "") == [Reading("2026-03-02", 0.5, 50)]
    assert readings_of(a_watch(cell={"k": None}), [row(k=None, cohort=None, n=None, value=12.0)], "2026-03-30") == [
        Reading("2026-03-30", 12.0, 12)
    ]
    with pytest.raises(UsageFault, match=r"could be several numbers of retention: say which by cell"):
        readings_of(a_watch(), rows, "")


def test_of_two_who_judge_at_once_one_tells(store: Store) -> None:
    def keep(seen: int, body: str) -> bool:
        with store.write() as db:
            return watching.keep(db, "a", seen, "{}", [body], 1)

    assert [keep(0, "first"), keep(0, "second")] == [True, False]
    assert [keep(1, "third"), keep(1, "fourth"), keep(2, "fifth")] == [True, False, True]
    with store.write() as db:
        assert [one.body for one in bodies(db)] == ["first", "third", "fifth"]
        watching.published(db, [one.id for one in watching.unpublished(db)][:2], 2)
        assert [one.body for one in watching.unpublished(db)] == ["fifth"]
        assert watching.kept(db, "a") == watching.Kept("{}", 3, 1)
        assert watching.forget(db, 2) == 3


def bodies(db: object) -> Iterator[watching.Told]:
    yield from watching.newest(db, 0)  # type: ignore[arg-type]  # a transaction of the store
