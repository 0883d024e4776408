"""How long do visits last, where do they begin, and how many reach a goal? A visit ends with a pause, as in the engine's sessions.

Only visits that are over are counted: no event of theirs may still come. The time of a visit is from its first to its last event, so that of a single event is 0.
"""

from __future__ import annotations

import msgspec
import polars as pl

from insights.analyses.analysis import NONE, OF_PEOPLE, Analysis, Metric, Result, said
from insights.analyses.crowd import PLACE, Crowd
from insights.analyses.days import events_sql
from insights.analyses.groups import LIMIT, kept, named, of_user, told_sql, value_sql
from insights.analyses.interval import wilson
from insights.analyses.landmarks import known_micros
from insights.analyses.match import Bound, match_of, match_sql
from insights.analyses.spans import SECOND, day_starts, micros, micros_of

ENDS = {"entry": "first", "exit": "last"}
"""What `by` may name besides a field of the first event: the type of the first and of the last event."""


class Visits(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/features.py`."""

    gap: str = "30m"
    by: str | None = None
    goal: str = ""
    first_visit: bool = False
    since: str | None = None
    until: str | None = None
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    limit: int = LIMIT


def run(crowd: Crowd, asked: Visits) -> Result:
    """Return, by group: how many visits of how many people, events a visit, how long, the share of a single event, and the share with the goal."""
    days, known = day_starts(crowd, asked.since, asked.until), known_micros(crowd)
    if not days or known is None:
        return VISITS.result(crowd, asked, pl.DataFrame(schema={"metric": pl.String}))
    bound = Bound()
    found = crowd.frame(_visits_sql(crowd, asked, bound, days, known), bound.values)
    keep = kept(found.group_by("group").len().rows(), asked.limit)
    seconds = (pl.col("ended") - pl.col("began")) / SECOND
    sums = (
        found.with_columns(named("group", keep) if asked.by else pl.lit(None, pl.String).alias("group"))
        .group_by("group")
        .agg(
            pl.len().alias("visits"),
            pl.col("user").n_unique().alias("people"),
            pl.col("events").mean().alias("mean_events"),
            seconds.median().alias("median"),
            seconds.quantile(0.9, "linear").alias("p90"),
            (pl.col("events") == 1).sum().alias("single"),
            pl.col("reached").sum().alias("reached"),
        )
        .sort("visits", "group", descending=[True, False])
    )
    shares = {"single_event": "single"} | ({"goal_share": "reached"} if asked.goal else {})
    values = {
        "visit_count": "visits",
        "visit_people": "people",
        "events_per_visit": "mean_events",
        "dwell_median": "median",
        "dwell_p90": "p90",
    }
    keys = ("group", OF_PEOPLE)
    parts = [said(sums, metric, pl.col(name), keys=keys, n="visits") for metric, name in values.items()]
    for metric, name in shares.items():
        share, interval = pl.col(name) / pl.col("visits"), wilson(pl.col(name), pl.col("visits"))
        parts.append(said(sums, metric, share, keys=keys, n="visits", interval=interval))
    return VISITS.result(crowd, asked, pl.concat(parts))


def _visits_sql(crowd: Crowd, asked: Visits, bound: Bound, days: list[int], known: int) -> str:
    """Return SQL with a row a visit that is over: `user`, `began`, `ended` (microseconds), `events`, `reached` (whether it has the goal), `group`."""
    by = asked.by or "entry"
    told = f"LEFT JOIN ({told_sql(by, bound)}) AS told ON told.user = numbered.user" if of_user(by) else ""
    group = f"'{NONE}'" if asked.by is None or told else "type" if by in ENDS else value_sql(by, bound)
    goal = match_sql(match_of(asked.goal), crowd.as_of.activity, bound) if asked.goal else "FALSE"
    gap = bound(micros_of(asked.gap))
    pick = "arg_max" if ENDS.get(by) == "last" else "arg_min"
    complete = crowd.as_of.complete_from
    firsts = f"AND visit = 1 AND began >= {bound(micros(complete) if complete else days[0])}" if asked.first_visit else ""
    return f"""
    WITH deeds AS (
        SELECT user, ts, part, off, event_id, epoch_us(ts) AS us, {group} AS grp, {goal} AS is_goal,
            lag(epoch_us(ts)) OVER (PARTITION BY user ORDER BY {PLACE[1:-1]}) AS before
        FROM {events_sql(asked.where, asked.without, bound)} WHERE {match_sql(match_of(""), (), bound)}
    ),
    numbered AS (
        SELECT *, sum(CASE WHEN before IS NULL OR us - before >= {gap} THEN 1 ELSE 0 END)
            OVER (PARTITION BY user ORDER BY {PLACE[1:-1]} ROWS UNBOUNDED PRECEDING) AS visit
        FROM deeds
    )
    SELECT
        numbered.user AS user, min(us) AS began, max(us) AS ended, count(*) AS events, bool_or(coalesce(is_goal, FALSE)) AS reached,
        {f"coalesce(any_value(told.grp), '{NONE}')" if told else f"{pick}(numbered.grp, {PLACE})"} AS "group"
    FROM numbered {told} GROUP BY numbered.user, visit
    HAVING began >= {bound(days[0])} AND began < {bound(days[-1])} AND ended + {gap} <= {bound(known)} {firsts}
    """


VISITS = Analysis(
    name="visits",
    parameters=Visits,
    run=run,
    metrics=(
        Metric("visit_count", "number"),
        Metric("visit_people", "people"),
        Metric("events_per_visit", "number"),
        Metric("dwell_median", "seconds"),
        Metric("dwell_p90", "seconds"),
        Metric("single_event", "share"),
        Metric("goal_share", "share"),
    ),
    example=("visits", "--by", "entry", "--goal", "purchase"),
)
