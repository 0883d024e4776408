"""Where people went after a drop-off is what a walk of their events from their last step on says."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.analyses.after_drop_off import AFTER_DROP_OFF, AfterDropOff, behind
from insights.analyses.analysis import Cell
from insights.analyses.funnel_chains import Funnel, chains
from insights.analyses.passes.visits import ENDS
from insights.analyses.spans import instant
from stream.faults import UsageFault
from tests.insights.analyses.logs import crowd_of_log, logs
from tests.oracles.analyses import paths as oracle
from tests.oracles.analyses.log import SYSTEMS, Log

STEPS = ("view", "join", "buy")


def test_ways_after_a_drop_off_are_those_walked_one_by_one(full: bool) -> None:
    @settings(max_examples=300 if full else 20, deadline=None)
    @given(log=logs(8, 30), stopped_at=st.integers(1, 2), depth=st.integers(1, 3))
    def holds(log: Log, stopped_at: int, depth: int) -> None:
        crowd = crowd_of_log(log)
        asked = AfterDropOff(steps=STEPS, stopped_at=stopped_at, window="24h", depth=depth, gap="5h")
        right: dict[tuple[int, str, str], set[str]] = {}
        for row in chains(crowd, Funnel(steps=STEPS, window="24h")).to_dicts():
            if row["ripe"] and row["reached"] == stopped_at:
                nodes, end = after(log, row["user"], row[f"t{stopped_at}"], depth)
                way = [f"{stopped_at} {STEPS[stopped_at - 1]}", *nodes, end]
                for k, (source, target) in enumerate(pairwise(way)):
                    right.setdefault((k + 1, source, target), set()).add(row["user"])
        rows = AFTER_DROP_OFF.run(crowd, asked).rows.to_dicts()
        said = {(row["k"], row["source"], row["target"]): row["value"] for row in rows if row["metric"] == "people"}
        assert said == {link: len(users) for link, users in right.items()}
        for (k, source, target), users in list(right.items())[:2]:
            cell = Cell(metric="people", k=k, source=source, target=target)
            assert behind(crowd, asked, cell)["user"].to_list() == sorted(users)

    holds()


def after(log: Log, user: str, since: int, depth: int) -> tuple[list[str], str]:
    """Nodes of the visit after an instant, and how it ended."""
    own = [e for e in log.in_order() if e.user == user and e.type not in SYSTEMS and e.ts >= instant(since)]
    visit = own[:1]
    for event in own[1:]:
        if event.ts - visit[-1].ts >= timedelta(hours=5):
            break
        visit.append(event)
    nodes: list[str] = []
    for event in sorted((e for e in visit if e.ts > instant(since)), key=lambda e: (e.ts, e.type)):
        if not nodes or nodes[-1] != event.type:
            nodes.append(event.type)
    end = oracle.end_of(log, user, visit[-1].ts, timedelta(days=14))
    return nodes[:depth], f"({end})" if len(nodes) <= depth else ENDS[3]


def test_the_last_step_is_no_drop_off() -> None:
    with pytest.raises(UsageFault, match="a step from 1 to 2"):
        AFTER_DROP_OFF.run(crowd_of_log(Log([])), AfterDropOff(steps=STEPS, stopped_at=3))
