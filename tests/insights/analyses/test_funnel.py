"""A funnel's numbers are those of every user's best chain, found by trying all; groups and days hold what they say they hold."""

from __future__ import annotations

import statistics
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.analyses.analysis import Cell
from insights.analyses.crowd import AsOf, Crowd, crowd_of
from insights.analyses.funnel import FUNNEL, behind
from insights.analyses.funnel_chains import Funnel
from insights.analyses.passes.timelines import people, timelines
from stream.faults import UsageFault
from tests.insights.analyses.logs import crowd_of_log, logs
from tests.oracles.analyses import funnel as oracle
from tests.oracles.analyses.log import Event, Log

STEPS = {"view": lambda e: e.type == "view", "join": lambda e: e.type == "join", "buy,props.plan=pro": lambda e: (e.type, e.props.get("plan")) == ("buy", "pro"),
         ",channel=ads": lambda e: e.channel == "ads"}  # fmt: skip
HOUR = 3_600_000_000


def micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


class Answers:
    """What the oracle says of each user and cohort: their answer and group."""

    def __init__(self, log: Log, asked: Funnel) -> None:
        fits = [lambda e, f=STEPS[step], s=step: f(e) and (s[0] != "," or log.is_active(e)) for step in asked.steps]
        known = log.in_order()
        days = sorted({log.day(e.ts) for e in known})
        spans = {None: (days[0], days[-1])} if not asked.by_day else {str(d): (d, d) for d in days}
        self.found: dict[tuple[str | None, str], tuple[oracle.Answer, str | None]] = {}
        for user in {e.user for e in known if e.type != "identify"}:  # by systems alone nobody is a user
            own = [e for e in known if e.user == user]
            for cohort, (first, last) in spans.items():
                begin, end = micros(log.ends_at(first - timedelta(days=1))), micros(log.ends_at(last))
                plain = oracle.Asked(
                    len(fits), int(asked.window[:-1]) * HOUR, begin, end, asked.order, ((0, 1),) if asked.exclude else (), asked.first_entry
                )
                between = [e for e in own if asked.order != "strict" or e.type != "identify" or any(f(e) for f in fits)]
                seen = [self.seen(e, fits, asked) for e in between]
                seen = [one for one in seen if one.steps or one.spoils or asked.order == "strict"]
                best = oracle.best(seen, plain)
                if best is not None:
                    self.found[cohort, user] = best, self.group(log, own, seen, best, plain, asked)

    def seen(self, e: Event, fits: list[Any], asked: Funnel) -> oracle.Seen:
        spoils = frozenset({0} if asked.exclude and e.type == "identify" else ())
        value = e.props.get("plan") if asked.by == "props.plan" else None
        return oracle.Seen(micros(e.ts), frozenset(k for k, f in enumerate(fits) if f(e)), spoils, value)

    def group(
        self, log: Log, own: list[Event], seen: list[oracle.Seen], best: oracle.Answer, plain: oracle.Asked, asked: Funnel
    ) -> str | None:
        if asked.by is None:
            return None
        if asked.by == "channel":
            counted = [e for e in own if e.type != "identify"]
            day = [e for e in counted if log.day(e.ts) == log.day(counted[0].ts)]
            return next((e.channel for e in day), None) or "(none)"
        if asked.by_step > max(best.reached, 1):
            return "(not reached)"
        return oracle.value_at(seen, best.times, asked.by_step - 1, plain) or "(none)"


ASKED = st.builds(
    Funnel,
    steps=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=3).map(tuple),
    window=st.sampled_from(["0h", "1h", "24h", "200h"]),
    order=st.sampled_from(["ordered", "ordered", "strict", "any"]),
    first_entry=st.booleans(),
    by=st.sampled_from([None, "channel", "props.plan"]),
    by_day=st.booleans(),
)


def test_a_funnel_counts_the_best_chain_of_each_user(full: bool) -> None:
    @settings(max_examples=400 if full else 20, deadline=None)
    @given(log=logs(8, 14), asked=ASKED, exclude=st.booleans(), by_step=st.integers(1, 3))
    def holds(log: Log, asked: Funnel, exclude: bool, by_step: int) -> None:
        changed: dict[str, Any] = {"by_step": min(by_step, len(asked.steps))}
        if exclude and asked.order == "ordered" and len(asked.steps) > 1:
            changed["exclude"] = ("1-2:identify",)
        equals_the_oracle(log, Funnel(**{**{name: getattr(asked, name) for name in asked.__struct_fields__}, **changed}))

    holds()


def equals_the_oracle(log: Log, asked: Funnel) -> None:
    with_users = any(e.type != "identify" for e in log.events)
    crowd = crowd_of_log(log)
    rows = FUNNEL.run(crowd, asked).rows.to_dicts()
    if not with_users:
        assert not rows
        return
    right = Answers(log, asked).found
    cells: dict[tuple[str | None, str | None], list[oracle.Answer]] = defaultdict(list)
    for (cohort, _), (answer, group) in right.items():
        cells[cohort, group].append(answer)
    known = -1 if log.watermark is None else micros(log.watermark)
    said = {(row["metric"], row["cohort"], row["group"], row["k"]): row for row in rows}
    for (cohort, group), answers in cells.items():
        entered = [a for a in answers if a.reached]
        ripe = [a for a in entered if a.deadline < known]
        if asked.exclude:
            assert said["excluded", cohort, group, None]["value"] == len(answers) - len(entered)
        for k in range(1, len(asked.steps) + 1) if entered else ():
            came = [a for a in ripe if a.reached >= k]
            row = said["rate", cohort, group, k]
            assert said["reached", cohort, group, k]["value"] == sum(a.reached >= k for a in entered)
            assert said["ripe_reached", cohort, group, k]["value"] == len(came)
            assert row["value"] == (len(came) / len(ripe) if ripe else None)
            assert row["state"] == ("none" if not ripe else "open" if len(ripe) < len(entered) else "complete")
            if k > 1:
                took = [(a.times[k - 1] - a.times[k - 2]) / 1e6 for a in came]
                assert said["median_step", cohort, group, k]["value"] == (statistics.median(took) if took else None)
                assert said["mean_step", cohort, group, k]["value"] == (pytest.approx(statistics.fmean(took)) if took else None)
            for metric in ("reached", "stopped") if k < len(asked.steps) else ("reached",):
                people = behind(crowd, asked, Cell(metric=metric, cohort=cohort, k=k, group=group))
                assert people.height == said[metric, cohort, group, k]["value"]
    assert {(row["cohort"], row["group"]) for row in rows} == {
        cell for cell, answers in cells.items() if asked.exclude or any(a.reached for a in answers)
    }


def crowd(*events: tuple[str, str, str], **more: Any) -> Crowd:
    columns = {"user": pl.String, "ts": pl.String, "type": pl.String}
    frame = pl.DataFrame(events, schema=columns, orient="row").with_columns(pl.col("ts").str.to_datetime("%Y-%m-%d %H:%M", time_zone="UTC"))
    return crowd_of(frame, AsOf(**{"zone": "UTC", "watermark": datetime(2100, 1, 1, tzinfo=UTC), **more}))


def numbers(found: pl.DataFrame, metric: str) -> list[float]:
    return found.filter(pl.col("metric") == metric)["value"].to_list()


def test_the_same_day_is_that_of_the_zone() -> None:
    log = crowd(("ann", "2024-03-01 22:30", "in"), ("ann", "2024-03-01 23:30", "buy"), zone="Europe/Berlin")
    asked = Funnel(steps=("in", "buy"), window="same_day")
    assert numbers(FUNNEL.run(log, asked).rows, "reached") == [1, 0]
    log = crowd(
        ("ann", "2024-03-01 21:30", "in"), ("ann", "2024-03-01 22:30", "in"), ("ann", "2024-03-02 22:30", "buy"), zone="Europe/Berlin"
    )
    assert numbers(FUNNEL.run(log, asked).rows, "reached") == [1, 0]
    log = crowd(("ann", "2024-03-01 23:30", "in"), ("ann", "2024-03-02 22:30", "buy"), zone="Europe/Berlin")
    assert numbers(FUNNEL.run(log, asked).rows, "reached") == [1, 1]


def test_later_steps_may_lie_after_the_range_of_entries() -> None:
    log = crowd(("ann", "2024-03-01 12:00", "in"), ("ann", "2024-03-05 12:00", "buy"), ("bob", "2024-03-02 12:00", "in"))
    asked = Funnel(steps=("in", "buy"), since="2024-03-01", until="2024-03-01")
    assert numbers(FUNNEL.run(log, asked).rows, "reached") == [1, 1]


def test_strict_looks_at_the_types_it_is_told() -> None:
    log = crowd(("ann", "2024-03-01 12:00", "in"), ("ann", "2024-03-01 12:01", "look"), ("ann", "2024-03-01 12:02", "buy"))
    assert numbers(FUNNEL.run(log, Funnel(steps=("in", "buy"), order="strict")).rows, "reached") == [1, 0]
    assert numbers(FUNNEL.run(log, Funnel(steps=("in", "buy"), order="strict", among=("help",))).rows, "reached") == [1, 1]


def test_users_are_taken_in_parts_and_none_twice() -> None:
    events = [(f"u{n}", f"2024-03-01 12:{n % 60:02d}", kind) for n in range(90) for kind in (["in", "buy"] if n % 3 else ["in"])]
    picked = "SELECT user, epoch_us(ts) AS us, CAST(type = 'buy' AS INTEGER) AS code, off FROM events"
    log = crowd(*events)
    (whole,) = timelines(log, picked, {})
    parts = list(timelines(log, picked, {}, part_events=20))
    assert len(parts) == 8
    assert sorted(user for part in parts for user in part.who) == whole.who.tolist() == list(range(90))
    assert sum(part.at.size for part in parts) == whole.at.size == whole.starts[-1] == len(events)
    assert sorted(off for part in parts for off in part.more["off"]) == list(range(len(events)))
    names = people(log).gather(whole.who).to_list()
    for name, first, last in zip(names, whole.starts, whole.starts[1:], strict=False):
        assert {events[off][0] for off in whole.more["off"][first:last]} == {name}
        assert whole.code[first:last].tolist() == ([0, 1] if int(name[1:]) % 3 else [0])


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Funnel(steps=()), "1 to 20 steps"),
        (Funnel(steps=("a",), window="soon"), "no span of time"),
        (Funnel(steps=("a", "b"), exclude=("2-1:x",)), "the lower first"),
        (Funnel(steps=("a", "b"), exclude=("x",), order="any"), 'needs order "ordered"'),
        (Funnel(steps=("a", "b"), among=("x",)), 'needs order "strict"'),
        (Funnel(steps=("a", "b"), by_step=3), "from 1 to 2"),
        (Funnel(steps=("a",), since="2024-03-02", until="2024-03-01"), "after until"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_way_out(asked: Funnel, says: str) -> None:
    with pytest.raises(UsageFault, match=says):
        FUNNEL.run(crowd(("ann", "2024-03-01 12:00", "a")), asked)


@pytest.mark.parametrize(("last_entry", "ripe"), [(timedelta(0), 1), (timedelta(days=20), 0)])
@pytest.mark.parametrize("converted", [False, True])
def test_an_entrant_is_ripe_when_their_last_entry_can_lead_no_further(last_entry: timedelta, ripe: int, converted: bool) -> None:
    first = datetime(2024, 1, 1, 8, tzinfo=UTC)
    events = [Event("ann", first, "view"), Event("ann", first + last_entry, "view")]
    events += [Event("ann", first + timedelta(hours=1), "join")] if converted else []
    log = Log(events, watermark=first + timedelta(days=27))  # the window of the first entry is over, that of a later one is not
    rows = FUNNEL.run(crowd_of_log(log), Funnel(steps=("view", "join"), window="7d")).rows
    said = {(row["metric"], row["k"]): row for row in rows.to_dicts()}
    assert said["ripe_reached", 1]["value"] == ripe
    assert said["reached", 2]["value"] == converted
    assert said["rate", 2]["value"] == (float(converted) if ripe else None)
