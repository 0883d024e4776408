"""When could somebody have fallen silent, and did they? Matured landmarks in SQL: the end of each local day on which somebody was active.

The same landmarks as those of the compiled pass of `passes/silence.py`, for analyses that ask what lay before one and need no path.
"""

from __future__ import annotations

from datetime import timedelta

from insights.analyses.crowd import Crowd
from insights.analyses.days import events_sql
from insights.analyses.equal_activity import FOLDS, FROM_DAYS
from insights.analyses.match import Bound, match_of, match_sql
from insights.analyses.passes.silence import ACTIVITY_DAYS
from insights.analyses.spans import day_starts, instant, micros


def group_sql(active_days: str) -> str:
    """Return the SQL of the group of equal activity, from the number of active days of 28.

    >>> group_sql("n")
    'CASE WHEN n >= 13 THEN 3 WHEN n >= 5 THEN 2 WHEN n >= 2 THEN 1 ELSE 0 END'
    """
    cases = [f"WHEN {active_days} >= {least} THEN {group}" for group, least in reversed(list(enumerate(FROM_DAYS))) if group]
    return f"CASE {' '.join(cases)} ELSE 0 END"


def known_micros(crowd: Crowd) -> int | None:
    """Return how far all is known, microseconds since 1970; None where nothing is."""
    return None if crowd.as_of.watermark is None else micros(crowd.as_of.watermark)


def horizon_micros(crowd: Crowd) -> int:
    """Return how long a silence must last, microseconds."""
    return crowd.as_of.horizon // timedelta(microseconds=1)


def landmarks_sql(crowd: Crowd, where: tuple[str, ...], without: tuple[str, ...], bound: Bound) -> str | None:
    """Return SQL of the matured landmarks; None where there is none because nothing is known.

    Columns: `user`, `day` (number of the local day), `silent` (1 if no activity followed within the horizon), `activity` (group of equal activity), `fold` (part of
    the people, for intervals).
    """
    starts, known = day_starts(crowd, None, None), known_micros(crowd)
    if not starts or known is None:
        return None
    unit = crowd.unit("day")
    first, ends = unit.number(instant(starts[0])), bound(starts[1:])
    active = match_sql(match_of(""), crowd.as_of.activity, bound)
    return f"""
    WITH active AS (
        SELECT user, {unit.number_sql()} AS day, min(epoch_us(ts)) AS began
        FROM {events_sql(where, without, bound)} WHERE {active} GROUP BY user, day
    ),
    numbered AS (SELECT user, row_number() OVER (ORDER BY user) % {FOLDS} AS fold FROM (SELECT DISTINCT user FROM active)),
    told AS (
        SELECT
            user, day, list_extract({ends}, day - {first} + 1) - 1 AS mark,
            lead(began) OVER (PARTITION BY user ORDER BY day) AS after,
            count(*) OVER (PARTITION BY user ORDER BY day RANGE BETWEEN {ACTIVITY_DAYS - 1} PRECEDING AND CURRENT ROW) AS active_days
        FROM active
    )
    SELECT
        told.user AS user, day, fold, {group_sql("active_days")} AS activity,
        CASE WHEN after IS NULL OR after > mark + {bound(horizon_micros(crowd))} THEN 1 ELSE 0 END AS silent
    FROM told JOIN numbered ON numbered.user = told.user
    WHERE mark + {bound(horizon_micros(crowd))} < {bound(known)}
    """
