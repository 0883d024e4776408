"""Every analysis of a log with aliases is that of the log whose ids were replaced by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.analyses.catalog import CATALOG
from insights.analyses.crowd import Crowd
from insights.analyses.timeline import events_of
from tests.insights.analyses.logs import crowd_of_log, logs
from tests.oracles.analyses.log import Event, Log
from tests.oracles.history_ids import Told, persons

ASKED: tuple[tuple[str, dict[str, object]], ...] = (
    ("active_users", {}),
    ("active_users", {"by": "channel"}),
    ("retention", {"follow": 3}),
    ("retention", {"follow": 2, "cohort": "recurring", "window": "24h", "by": "props.plan"}),
    ("lifecycle", {}),
    ("funnel", {"steps": ["view", "join"], "window": "3d", "by": "channel"}),
    ("funnel", {"steps": ["view", "join", "buy"], "order": "any"}),
)


def by_hand(log: Log) -> Log:
    """Return a log with each person's events under one id; what counts once is settled before, since it is so by the ids that came."""
    kept = [event for _, event in log.counted()]
    ms = [round(event.ts.timestamp() * 1000) for event in kept]
    told = [
        Told(event.props["previous_id"], event.user, at, n)
        for n, (event, at) in enumerate(zip(kept, ms, strict=True))
        if event.type == "alias" and "previous_id" in event.props
    ]
    whose = persons(told)
    return replace(log, events=[replace(event, user=whose.get(event.user, event.user), event_id=None) for event in kept])


@st.composite
def joined_logs(draw: st.DrawFn) -> Log:
    """A random log in which some of the events are aliases: of ties, circles and chains, sent twice, late, and of ids that nobody else has."""
    log = draw(logs(days=12, most=30))
    names = st.sampled_from("abcde")
    events = [
        replace(event, type="alias", props={"previous_id": draw(names)}) if draw(st.integers(0, 4)) == 0 else event for event in log.events
    ]
    return replace(log, events=events)


def answers(crowd: Crowd) -> list[list[dict[str, object]]]:
    found = []
    for name, asked in ASKED:
        result = CATALOG[name].run(crowd, msgspec.convert(asked, CATALOG[name].parameters))
        found.append(result.rows.sort(result.rows.columns[:4], nulls_last=True).to_dicts())
    return found


def test_answers_are_those_of_a_log_whose_ids_were_replaced_by_hand(full: bool) -> None:
    def equal(log: Log) -> None:
        assert answers(crowd_of_log(log)) == answers(crowd_of_log(by_hand(log)))

    settings(max_examples=200 if full else 8)(given(joined_logs())(equal))()


def test_somebody_is_found_by_any_of_their_ids() -> None:
    at = datetime(2024, 3, 1, tzinfo=UTC)
    log = Log(
        [
            Event("visitor-7", at, "view"),
            Event("ann", at + timedelta(hours=1), "alias", props={"previous_id": "visitor-7"}),
            Event("ann", at + timedelta(hours=1), "join"),
            Event("bob", at, "view"),
        ],
        watermark=at + timedelta(days=1),
    )
    crowd = crowd_of_log(log)
    assert events_of(crowd, "ann")["type"].to_list() == events_of(crowd, "visitor-7")["type"].to_list() == ["join", "alias", "view"]
    assert events_of(crowd, "bob").height == 1
