"""Why are people at risk, and is it the same in every group? The reasons of alerts, added up.

Of people with an alert in the days asked: which share of a group's people had one that names a reason; and, of the alerts that name it and whose outcome is known, after how many
the person left all the same. An alert names up to three reasons, so shares add up to more than the whole.
"""

from __future__ import annotations

import msgspec
import polars as pl

from insights.analyses.analysis import OF_PEOPLE, Analysis, Cell, Column, Metric, Result, said
from insights.analyses.crowd import Crowd
from insights.analyses.groups import LIMIT, first_value_sql, kept, named, of_group
from insights.analyses.interval import wilson
from insights.analyses.match import Bound
from insights.analyses.risks import definition_of, judged_sql
from stream.faults import UsageFault


class Reasons(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/risks.py`."""

    by: str | None = None
    definition: str = ""
    since: str | None = None
    until: str | None = None
    without: tuple[str, ...] = ()
    least_people: int = 20
    limit: int = LIMIT


def alerts(crowd: Crowd, asked: Reasons) -> pl.DataFrame:
    """Return a row for each alert that was opened and each of its reasons: `alert_id`, `user`, `group`, `reason`, and `label`, null while the outcome is not known."""
    bound = Bound()
    definition = definition_of(crowd, asked.definition, "alerts")
    unit = crowd.unit("day")
    limits = [
        f"{unit.number_sql(ts='event_time')} {sign} {bound(unit.number_of_text(text))}"
        for sign, text in ((">=", asked.since), ("<=", asked.until))
        if text is not None
    ]
    if asked.without:
        limits.append(f"alerts.user NOT IN ({', '.join(map(bound, asked.without))})")
    group = "NULL" if asked.by is None else "grp"
    groups = "" if asked.by is None else f"LEFT JOIN ({first_value_sql(asked.by, bound)}) AS of_user ON of_user.user = opened.user"
    found = crowd.frame(
        f"""
    WITH opened AS (
        SELECT alert_id, user, landmark, reason_codes FROM alerts
        WHERE type = 'opened' AND definition = {bound(definition)} AND {" AND ".join(limits) or "TRUE"}
        QUALIFY row_number() OVER (PARTITION BY alert_id ORDER BY part, off) = 1
    )
    SELECT alert_id, opened.user AS user, CAST({group} AS VARCHAR) AS group, unnest(list_distinct(reason_codes)) AS reason, label
    FROM opened {groups} LEFT JOIN ({judged_sql(definition, bound)}) AS judged ON judged.user = opened.user AND judged.landmark = opened.landmark
    """.replace(" AS group", ' AS "group"'),
        bound.values,
    )
    if asked.by is None:
        return found
    known = found.with_columns(pl.col("group").fill_null("(none)"))
    sizes = known.group_by("group").agg(pl.col("user").n_unique()).rows()
    return known.with_columns(named("group", kept(sizes, asked.limit)).alias("group"))


def run(crowd: Crowd, asked: Reasons) -> Result:
    """Return for each group and reason: which share of its people had it, and after how many of the alerts that name it the person left; the most frequent first."""
    every = alerts(crowd, asked)
    people = every.group_by("group").agg(pl.col("user").n_unique().alias("people"))
    each = every.group_by("group", "reason").agg(
        pl.col("user").n_unique().alias("count"),
        pl.col("label").count().alias("known"),
        pl.col("label").sum().alias("left"),
        pl.col("user").filter(pl.col("label").is_not_null()).n_unique().alias("judged"),
    )
    shown = each.join(people, on="group", nulls_equal=True).filter(pl.col("people") >= asked.least_people)
    table = shown.sort("group", -pl.col("count").cast(pl.Int64), "reason", nulls_last=True)
    left = pl.when(pl.col("known") > 0).then(pl.col("left") / pl.col("known"))
    keys = ("group", "reason", "count")
    parts = [
        said(table, "reason_share", pl.col("count") / pl.col("people"), keys=(*keys, OF_PEOPLE), n="people", interval=wilson(pl.col("count"), pl.col("people"))),
        said(table.with_columns(pl.col("judged").alias(OF_PEOPLE)), "reason_left", left, keys=(*keys, OF_PEOPLE), n="known", interval=wilson(pl.col("left"), pl.col("known"))),
    ]  # fmt: skip
    return REASONS.result(crowd, asked, pl.concat(parts))


def behind(crowd: Crowd, asked: Reasons, cell: Cell) -> pl.DataFrame:
    """Return the people whose alerts name a reason, with how many of these there were and how many of them ended in silence."""
    if cell.reason is None:
        raise UsageFault("name a reason: `--users reason=CODE`")
    every = alerts(crowd, asked)
    found = of_group(every, cell.group, lambda: every).filter(pl.col("reason") == cell.reason)
    counted = found.group_by("user").agg(pl.len().alias("alerts"), pl.col("label").sum().alias("silences"))
    return counted.select("user", pl.col("alerts").cast(pl.Int64), pl.col("silences").cast(pl.Int64)).sort("user")


REASONS = Analysis(
    name="reasons",
    parameters=Reasons,
    run=run,
    metrics=(Metric("reason_share", "share"), Metric("reason_left", "share")),
    columns=(Column("reason", "text", pl.String), Column("count", "people", pl.Int64)),
    behind=behind,
    followed=True,
    example=("reasons", "--by", "channel"),
)
