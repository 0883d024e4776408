"""Cases of lifecycle, of daily states and their rates, and of stickiness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from insights.analyses.crowd import Crowd
from insights.analyses.daily_states import DAILY_STATES, DailyStates, user_states
from insights.analyses.lifecycle import LIFECYCLE, Lifecycle
from insights.analyses.stickiness import STICKINESS, Stickiness
from tests.insights.cases.vocabulary import parameters

NAMES = {"resurrected": "resurrecting", "at_risk_week": "at_risk_wau", "at_risk_month": "at_risk_mau"}
"""What the analyses call a state, and what the cases do."""


def lifecycle(crowd: Crowd, query: dict[str, Any]) -> Any:
    unit = crowd.unit(query["unit"])
    last = unit.number_of_text(query["first_cell"]) + int(query["cells"]) - 1
    asked = parameters(query, Lifecycle, "cells", until=unit.start(last).astimezone(UTC).isoformat())
    rows = LIFECYCLE.run(crowd, asked).rows
    # without a word on what is known, the cases take the cells as over
    return {
        NAMES.get(metric, metric): rows.filter(pl.col("metric") == metric)["value"].to_list()
        for metric in ("new", "returning", "resurrected", "dormant", "active")
    }


def daily_states(crowd: Crowd, query: dict[str, Any]) -> Any:
    days = [row[0] for row in crowd.con.execute("SELECT DISTINCT day FROM user_day ORDER BY day").fetchall()]
    unit = crowd.unit("day")
    numbers = [unit.number_of_day(day) for day in days]
    spans = user_states(crowd, parameters(query, DailyStates), numbers[0], numbers[-1])
    states: dict[str, list[list[str]]] = {}
    for row in spans.to_dicts():
        name = row["state"] if row["state"] == "resurrected" else NAMES.get(row["state"], row["state"])
        states.setdefault(row["user"], []).extend([unit.label(day), name] for day in range(row["begins"], row["ends"] + 1))
    return {"states": states}


def state_rates(crowd: Crowd, query: dict[str, Any]) -> Any:
    rows = DAILY_STATES.run(crowd, DailyStates(since=query["day"], until=query["day"])).rows
    return {row["metric"].upper(): [row["count"], row["n"]] for row in rows.filter(pl.col("metric").str.ends_with("urr")).to_dicts()}


def stickiness(crowd: Crowd, query: dict[str, Any]) -> Any:
    until = datetime.fromisoformat(query["to"]) - timedelta(microseconds=1)  # the end is not of the range
    asked = parameters(query, Stickiness, "from", "to", since=datetime.fromisoformat(query["from"]).isoformat(), until=until.isoformat())
    rows = STICKINESS.run(crowd, asked).rows
    counts = {str(row["k"]): row["count"] for row in rows.to_dicts() if row["count"]}
    return {"by_periods": counts, "users": rows["n"][0] if rows.height else 0}
