"""Cases of funnels; the group `other` is written `Other` there."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from insights.analyses.crowd import Crowd
from insights.analyses.funnel import FUNNEL
from insights.analyses.funnel_chains import Funnel, chains
from tests.insights.cases.vocabulary import parameters


def counts(rows: pl.DataFrame, steps: int) -> list[int]:
    """How many came to each step."""
    said = {row["k"]: int(row["value"]) for row in rows.filter(pl.col("metric") == "reached").to_dicts()}
    return [said.get(k, 0) for k in range(1, steps + 1)]


def answer(crowd: Crowd, query: dict[str, Any]) -> Any:
    funnel: Funnel = parameters(query, Funnel)
    steps = len(funnel.steps)
    rows = FUNNEL.run(crowd, funnel).rows
    found = chains(crowd, funnel)
    said = {(row["metric"], row["k"]): row["value"] for row in rows.to_dicts()}
    users = {event for (event,) in crowd.con.execute("SELECT DISTINCT user FROM events").fetchall()}
    groups = {str(group): counts(rows.filter(pl.col("group") == group), steps) for group in rows["group"].drop_nulls().unique()}
    return {
        "counts": counts(rows, steps),
        "groups": {"Other" if group == "other" else group: numbers for group, numbers in groups.items()},
        "reached": {**dict.fromkeys(users, 0), **dict(found.select("user", "reached").rows())},
        "excluded": int(said.get(("excluded", None), 0)),
        "avg_step_s": [said.get(("mean_step", k)) for k in range(2, steps + 1)],
        "median_step_s": [said.get(("median_step", k)) for k in range(2, steps + 1)],
    }


def by_entry_day(crowd: Crowd, query: dict[str, Any]) -> Any:
    funnel: Funnel = parameters(query, Funnel)
    steps = len(funnel.steps)
    days = FUNNEL.run(crowd, msgspec.structs.replace(funnel, by_day=True)).rows
    return {
        "days": {str(day): counts(days.filter(pl.col("cohort") == day), steps) for day in days["cohort"].drop_nulls().unique()},
        "overall": counts(FUNNEL.run(crowd, funnel).rows, steps),
    }


def ripeness(crowd: Crowd, query: dict[str, Any]) -> Any:
    funnel: Funnel = parameters(query, Funnel)
    said = {(row["metric"], row["k"]): row for row in FUNNEL.run(crowd, funnel).rows.to_dicts()}
    last = len(funnel.steps)

    def number(metric: str, k: int) -> int:
        return int(said[metric, k]["value"]) if (metric, k) in said else 0

    return {
        "ripe": number("ripe_reached", 1),
        "ripe_converted": number("ripe_reached", last),
        "unripe": number("unripe_reached", 1),
        "unripe_converted": number("unripe_reached", last),
        "rate": [number("ripe_reached", last), number("ripe_reached", 1)],
    }
