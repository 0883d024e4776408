"""Links, ends and transitions are those of visits walked one by one; what comes to a node goes on from it."""

from __future__ import annotations

import statistics
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.analyses.analysis import Cell
from insights.analyses.crowd import AsOf, Crowd, crowd_of
from insights.analyses.passes.visits import ENDS
from insights.analyses.paths import PATHS, Paths, behind
from insights.analyses.transitions import TRANSITIONS, Transitions
from stream.faults import UsageFault
from tests.insights.analyses.logs import crowd_of_log, logs
from tests.oracles.analyses import paths as oracle
from tests.oracles.analyses.log import Event, Log

NODES: dict[str, oracle.Node] = {
    "type": lambda e: e.type,
    "channel": lambda e: e.channel or None,
    "type+props.plan": lambda e: e.type + (f" {e.props['plan']}" if "plan" in e.props else ""),
}
HORIZON = timedelta(days=14)


def said(rows: list[dict[str, Any]], metric: str) -> dict[tuple[int, str, str], float]:
    return {(row["k"], row["source"], row["target"]): row["value"] for row in rows if row["metric"] == metric}


def test_links_and_ends_are_those_of_visits_walked_one_by_one(full: bool) -> None:
    @settings(max_examples=400 if full else 20, deadline=None)
    @given(
        log=logs(8, 25),
        node=st.sampled_from(sorted(NODES)),
        depth=st.integers(1, 4),
        whole=st.sampled_from(["visit", "person"]),
        gap=st.sampled_from([1, 24]),
        start=st.sampled_from([None, "view", "buy"]),
        end=st.sampled_from([None, "view", "join"]),
    )
    def holds(log: Log, node: str, depth: int, whole: Any, gap: int, start: str | None, end: str | None) -> None:
        start, end = (start, end) if node == "type" else (None, None)
        asked = Paths(
            node=node,
            depth=depth,
            whole=whole,
            gap=f"{gap}h",
            start_at=start,
            end_at=end,
            where=("channel!=web",) if node == "type" else (),
        )

        def shown(event: Event) -> str | None:
            return None if asked.where and event.channel == "web" else NODES[node](event)

        found = oracle.paths(
            log, shown, timedelta(hours=gap) if whole == "visit" else None, HORIZON, lambda e: e.type == start, lambda e: e.type == end
        )
        right = oracle.links(found, start is not None, end is not None, depth)
        crowd = crowd_of_log(log)
        rows = PATHS.run(crowd, asked).rows.to_dicts()
        assert said(rows, "visits") == {link: len(took) for link, took in right.items()}
        assert said(rows, "people") == {link: len({user for user, _ in took}) for link, took in right.items()}
        inner = {link: [s for _, s in took] for link, took in right.items() if link[2] not in ENDS}
        assert said(rows, "median_link") == {link: statistics.median(took) for link, took in inner.items()}
        assert said(rows, "mean_link") == {link: pytest.approx(statistics.fmean(took)) for link, took in inner.items()}
        flows(rows)
        for k, source, target in list(right)[:2]:
            people = behind(crowd, asked, Cell(metric="people", k=k, source=source, target=target))
            assert people["user"].to_list() == sorted({user for user, _ in right[k, source, target]})

    holds()


def flows(rows: list[dict[str, Any]]) -> None:
    """What comes to a node at a step goes on from it."""
    came: Counter[tuple[int, str]] = Counter()
    went: Counter[tuple[int, str]] = Counter()
    for (k, source, target), visits in said(rows, "visits").items():
        went[k, source] += int(visits)
        if target not in ENDS:
            came[k + 1, target] += int(visits)
    assert came == Counter({node: n for node, n in went.items() if node[0] > 1})


def test_transitions_are_pairs_of_visits_walked_one_by_one(full: bool) -> None:
    @settings(max_examples=200 if full else 10, deadline=None)
    @given(log=logs(8, 25), node=st.sampled_from(sorted(NODES)))
    def holds(log: Log, node: str) -> None:
        times: Counter[tuple[str, str]] = Counter()
        people: dict[tuple[str, str], set[str]] = {}
        for path in oracle.paths(log, NODES[node], timedelta(hours=1), HORIZON, lambda e: False, lambda e: False):
            for (source, _), (target, _) in pairwise(path.nodes):
                times[source, target] += 1
                people.setdefault((source, target), set()).add(path.user)
        rows = TRANSITIONS.run(crowd_of_log(log), Transitions(node=node, gap="1h")).rows.to_dicts()
        assert {link[1:]: n for link, n in said(rows, "transitions").items()} == times
        assert {link[1:]: n for link, n in said(rows, "people").items()} == {link: len(who) for link, who in people.items()}

    holds()


def crowd(*events: tuple[str, str, str, str]) -> Crowd:
    names = ["user", "ts", "type", "url"]
    frame = pl.DataFrame(events, schema=names, orient="row").with_columns(
        pl.col("ts").str.to_datetime("%Y-%m-%d %H:%M", time_zone="UTC"),
        props=pl.col("url").map_elements(lambda url: msgspec.json.encode({"url": url}).decode(), pl.String),
    )
    return crowd_of(frame.drop("url"), AsOf(watermark=datetime(2024, 3, 10, tzinfo=UTC)))


def test_a_pause_as_long_as_the_gap_begins_another_visit() -> None:
    log = crowd(("ann", "2024-03-01 12:00", "a", "/"), ("ann", "2024-03-01 12:29", "b", "/"), ("ann", "2024-03-01 12:59", "c", "/"))
    rows = PATHS.run(log, Paths()).rows.to_dicts()
    assert said(rows, "visits") == {(1, "a", "b"): 1, (2, "b", "(end of visit)"): 1, (1, "c", "(not yet known)"): 1}


def test_ids_are_taken_out_of_a_page_and_what_is_rare_is_together() -> None:
    log = crowd(
        ("ann", "2024-03-01 12:00", "v", "/item/12/"), ("ann", "2024-03-01 12:01", "v", "/cart"), ("bob", "2024-03-01 12:00", "v", "/item/7"),
        ("bob", "2024-03-01 12:01", "v", "/help"), ("cid", "2024-03-01 12:00", "v", "/item/7"), ("cid", "2024-03-01 12:01", "v", "/team"),
    )  # fmt: skip
    rows = PATHS.run(log, Paths(node="props.url", strip=("/[0-9]+",), limit=2)).rows.to_dicts()
    inner = {link: n for link, n in said(rows, "visits").items() if link[2] not in ENDS}
    assert inner == {(1, "/item", "/cart"): 1, (1, "/item", "other"): 2}


def test_a_filter_on_the_start_touches_only_the_start() -> None:
    log = crowd(
        ("ann", "2024-03-01 12:00", "a", "/x"),
        ("ann", "2024-03-01 12:01", "a", "/y"),
        ("ann", "2024-03-01 12:02", "b", "/x"),
        ("bob", "2024-03-01 12:00", "a", "/x"),
    )
    rows = PATHS.run(log, Paths(node="type+props.url", start_where=("props.url=/y",))).rows.to_dicts()
    assert {link for link in said(rows, "visits") if link[2] not in ENDS} == {(1, "a /y", "b /x")}


def test_what_cannot_be_asked_is_refused_with_the_way_out() -> None:
    log = crowd(("ann", "2024-03-01 12:00", "a", "/"))
    with pytest.raises(UsageFault, match="1 to 50"):
        PATHS.run(log, Paths(depth=0))
    with pytest.raises(UsageFault, match=r"type\+props.url"):
        PATHS.run(log, Paths(node="item+type"))
