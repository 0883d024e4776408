"""Cases of retention: triangles of counts, states of cells, the overall share, and three meanings of "the next day"."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from insights.analyses.crowd import AsOf, Crowd, crowd_of
from insights.analyses.retention import RETENTION, Retention
from insights.analyses.units import Unit
from tests.insights.cases.case import FAR
from tests.insights.cases.vocabulary import parameters


def triangle(crowd: Crowd, query: dict[str, Any]) -> Any:
    """Rows of counts; with `lookahead` as many cells in each, else a triangle that ends with the last cohort."""
    unit = Unit(query["unit"], crowd.as_of.zone, crowd.as_of.week_start)
    cohorts = int(query["cohorts"])
    first = unit.number_of_text(query["first_cell"])
    ahead = query.get("lookahead")
    follow = (cohorts if ahead is None else int(ahead)) - 1
    # the last cohort is named as people would: by a time that lies in it
    until = unit.start(first + cohorts - 1).astimezone(UTC).isoformat()
    asked = parameters(query, Retention, "cohorts", "lookahead", "by", "by_limit", until=until, follow=follow, **_groups(query))
    rows = RETENTION.run(crowd, asked).rows.filter(pl.col("metric") == "retention")
    if "by" not in query:
        return {"rows": _table(rows, unit, first, cohorts, follow, ahead is None)}
    groups = rows["group"].unique().to_list()
    return {
        "groups": {group: _table(rows.filter(pl.col("group") == group), unit, first, cohorts, follow, ahead is None) for group in groups}
    }


def _groups(query: dict[str, Any]) -> dict[str, Any]:
    return parameters_of_groups(query) if "by" in query else {}


def parameters_of_groups(query: dict[str, Any]) -> dict[str, Any]:
    by = query["by"]
    limit = {"limit": int(query["by_limit"])} if "by_limit" in query else {}
    return {"by": by if "." in by or by == "channel" else f"props.{by}", **limit}


def _table(rows: pl.DataFrame, unit: Unit, first: int, cohorts: int, follow: int, is_triangle: bool) -> list[list[int | None]]:
    counts = {(row["cohort"], row["k"]): row["count"] for row in rows.to_dicts()}
    ks = sorted({k for _, k in counts})
    return [
        [counts[unit.label(first + number), k] for k in ks if not is_triangle or k <= follow - number]
        for number in range(cohorts)
    ]  # fmt: skip


def maturity(crowd: Crowd, query: dict[str, Any]) -> Any:
    """Each cohort that has anybody: its day, its size, and count and state of each cell."""
    days = [row[0] for row in crowd.con.execute("SELECT DISTINCT day FROM events ORDER BY day").fetchall()]
    unit = query.get("unit", "day")
    asked = parameters(query, Retention, "days", "unit", unit=unit, since=str(days[0]), until=str(days[-1]), follow=int(query["days"]))
    rows = RETENTION.run(crowd, asked).rows.filter((pl.col("metric") == "retention") & (pl.col("n") > 0))
    found = []
    for (cohort,), cells in rows.group_by("cohort", maintain_order=True):
        found.append([cohort, cells["n"][0], [[row["count"], row["state"]] for row in cells.sort("k").to_dicts()]])
    return found


def overall(crowd: Crowd, query: dict[str, Any]) -> Any:
    """The overall share over cohorts given as sizes: a log that has these is made, a cohort a day, the first cell alone, and asked."""
    start = date(2024, 1, 1)
    cohorts = query["cohorts"]
    # mature cohorts first, so that one watermark parts them from the others
    order = sorted(cohorts, key=lambda one: not one["mature"])
    mature = sum(one["mature"] for one in order)
    events: list[dict[str, Any]] = []
    for number, one in enumerate(order):
        at = datetime.combine(start + timedelta(days=number), datetime.min.time(), UTC)
        for person in range(one["size"]):
            user = f"{number}-{person}"
            events.append({"user": user, "ts": at, "type": "open"})
            if person < one["retained"]:
                events.append({"user": user, "ts": at + timedelta(days=1), "type": "open"})
    known = datetime.combine(start + timedelta(days=mature + 1), datetime.min.time(), UTC)
    schema = {"user": pl.String, "ts": pl.Datetime("us", "UTC"), "type": pl.String}
    made = crowd_of(pl.DataFrame(events, schema=schema), AsOf(zone="UTC", watermark=known if mature < len(order) else FAR))
    asked = Retention(since=str(start), until=str(start + timedelta(days=len(order) - 1)), follow=1)
    rows = RETENTION.run(made, asked).rows
    return {"overall": rows.filter((pl.col("metric") == "overall") & (pl.col("k") == 1))["value"][0]}


def day_offset(crowd: Crowd, query: dict[str, Any]) -> Any:
    """Where the second event lies after the first: in calendar days, in stretches of 24 hours, and in these with hours floored (Amplitude's, which is no way of ours)."""
    stamps = [row[0] for row in crowd.con.execute("SELECT ts FROM events ORDER BY ts").fetchall()]
    day = str(stamps[0].astimezone(UTC).date())

    def offset(of: Crowd, **how: Any) -> int:
        rows = RETENTION.run(of, Retention(since=day, until=day, follow=60, same_unit=True, **how)).rows
        return int(rows.filter((pl.col("metric") == "retention") & (pl.col("count") > 0))["k"][0])

    floored = [at.replace(minute=0, second=0, microsecond=0) for at in stamps]
    hours = crowd_of(pl.DataFrame({"user": ["x"] * 2, "ts": floored, "type": ["view"] * 2}), crowd.as_of)
    zone = "utc" if crowd.as_of.zone == "UTC" else "local"
    return {
        f"calendar_{zone}": offset(crowd),
        "elapsed_24h": offset(crowd, window="24h"),
        "amplitude_24h_hours_floored": offset(hours, window="24h"),
    }
