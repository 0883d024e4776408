"""Whom did a release find, and what had their risk promised? And how did it go, plainly, on equal weekdays before and after? Person by person.

Of a release that reached everybody: those with a landmark in the day before it. The risk said there is of a time when nobody knew of the release; it promises a return within the
days asked by ``1 - risk ** (days / horizon)``, as in `retention_forecast.py`. Of one with a condition `touched`: those who did such an event in the days after it, from the
first landmark within a day of the first such event. Whoever has not come yet cannot have been touched, so that counting from the release would count only who returned.

The same is asked of the weeks before, whose people had no such release: a promise may be off without one.
"""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import polars as pl

from insights.analyses.crowd import Crowd
from insights.analyses.days import active_sql, events_sql, first_known_unit
from insights.analyses.match import Bound, match_of, match_sql, wheres_sql
from insights.analyses.release import Release
from insights.analyses.risks import judged_sql

DAY = timedelta(days=1)
WEEK_DAYS = 7


def step_weeks(release: Release, days: int) -> int:
    """Return how many weeks lie between two times that are compared, so that what follows one is over when the next begins.

    >>> from datetime import datetime
    >>> step_weeks(Release("2.0", datetime(2026, 3, 1)), 7), step_weeks(Release("2.0", datetime(2026, 3, 1)), 8)
    (1, 2)
    """
    span = 2 * days + 1 if release.touched is not None else days
    return -(-span // WEEK_DAYS)


def is_over(crowd: Crowd, release: Release, days: int) -> bool:
    """Whether everybody has had the time to come again."""
    return crowd.knows(release.at + (2 * days + 1 if release.touched is not None else days) * DAY)


def held(crowd: Crowd, release: Release, days: int, definition: str, without: tuple[str, ...], back: int = 0) -> pl.DataFrame:
    """Return those whose promise is held against what they did: `user`, `promised` (the chance), `came`; ordered by user.

    Parameters
    ----------
    days : int
        Of 24 hours.
    back : int
        0: of the release; else of the same time of the week so many steps before.
    """
    known, zone = crowd.as_of.watermark, ZoneInfo(crowd.as_of.zone)
    span = DAY * days if known is None else min(DAY * days, known - release.at)
    if known is None or span <= timedelta():
        return pl.DataFrame(schema={"user": pl.String, "promised": pl.Float64, "came": pl.Boolean})
    local = release.at.astimezone(zone).replace(tzinfo=None) - timedelta(weeks=step_weeks(release, days) * back)
    begin = local.replace(tzinfo=zone)
    bound = Bound()
    events = events_sql((), without, bound)
    active = match_sql(match_of(""), crowd.as_of.activity, bound)
    others = f"AND user NOT IN ({', '.join(map(bound, without))})" if without else ""
    judged = f"(SELECT * FROM ({judged_sql(definition, bound)}) AS judged WHERE risk IS NOT NULL {others})"
    if release.touched is None:
        marks = f"""
        SELECT user, arg_max(risk, landmark) AS risk, {bound(begin)} AS since, {bound(begin + span)} AS until
        FROM {judged} AS judged WHERE landmark >= {bound(begin - DAY)} AND landmark < {bound(begin)} GROUP BY user
        """
        after = "ts >= since"
    else:
        span = DAY * days
        reached = wheres_sql((release.touched,), bound) if back == 0 else active
        marks = f"""
        SELECT judged.user AS user, arg_min(risk, landmark) AS risk, min(landmark) AS since, min(landmark) + {bound(span)} AS until
        FROM {judged} AS judged JOIN (
            SELECT user, min(ts) AS ts FROM {events} WHERE {reached} AND ts >= {bound(begin)} AND ts < {bound(begin + span)} GROUP BY user
        ) AS touched ON touched.user = judged.user AND landmark >= ts AND landmark < ts + {bound(DAY)}
        GROUP BY judged.user HAVING min(landmark) + {bound(span)} <= {bound(known)}
        """
        after = "ts > since"
    found = crowd.frame(
        f"""
    WITH marks AS ({marks})
    SELECT marks.user AS user, risk, coalesce(came, FALSE) AS came FROM marks LEFT JOIN (
        SELECT marks.user AS user, TRUE AS came FROM marks JOIN (
            SELECT user, ts FROM {events} WHERE {active} AND ts >= {bound(begin)} AND ts < {bound(begin + 3 * DAY * (days + 1))}
        ) AS acts ON acts.user = marks.user AND {after} AND ts < until
        GROUP BY marks.user
    ) AS back ON back.user = marks.user
    """,
        bound.values,
    )
    promised = 1 - pl.col("risk").clip(0, 1) ** (span / crowd.as_of.horizon)
    return found.select("user", promised=promised, came=pl.col("came")).sort("user")


def plain(crowd: Crowd, release: Release, days: int, without: tuple[str, ...]) -> tuple[pl.DataFrame, int]:
    """Return what each person did on days before and after, and how many pairs of days are known.

    Each of the first whole days after the release stands beside the same weekday before it, as many weeks ago as it takes that all its returns lie before the release.

    Returns
    -------
    people : pl.DataFrame
        `user`, `before` and `of_before`, `after` and `of_after`: days after which they came again within `days` days, and days with activity.
    pairs : int
        Of `days`.
    """
    unit = crowd.unit("day")
    begin = unit.number(release.at) + (unit.start(unit.number(release.at)) != release.at)
    back = WEEK_DAYS * -(-2 * days // WEEK_DAYS)
    first = first_known_unit(crowd, unit)
    pairs = [
        day for day in range(begin, begin + days) if first is not None and day - back >= first and crowd.knows(unit.start(day + days + 1))
    ]
    bound = Bound()
    touched = "TRUE"
    if release.touched is not None:
        touched = f"(user, unit) IN (SELECT user, {unit.number_sql()} FROM {events_sql((), without, bound)} WHERE {wheres_sql((release.touched,), bound)})"
    after, before = bound(pairs), bound([day - back for day in pairs])
    return crowd.frame(
        f"""
    WITH days AS (
        SELECT user, unit, coalesce(lead(unit) OVER (PARTITION BY user ORDER BY unit) - unit <= {bound(days)}, FALSE) AS again
        FROM ({active_sql(crowd, unit, "", bound, (), without)}) AS active
    )
    SELECT
        user, CAST(count(*) FILTER (WHERE again AND NOT is_after) AS DOUBLE) AS before, CAST(count(*) FILTER (WHERE NOT is_after) AS DOUBLE) AS of_before,
        CAST(count(*) FILTER (WHERE again AND is_after) AS DOUBLE) AS after, CAST(count(*) FILTER (WHERE is_after) AS DOUBLE) AS of_after
    FROM (
        SELECT user, unit, again, list_contains({after}::BIGINT[], unit) AS is_after FROM days
        WHERE list_contains({before}::BIGINT[], unit) OR (list_contains({after}::BIGINT[], unit) AND {touched})
    ) AS sides GROUP BY user ORDER BY user
    """,
        bound.values,
    ), len(pairs)
