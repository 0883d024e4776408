"""Who entered when, and who came back? The SQL of retention, in three steps that read from top to bottom.

::

    entries   user, cohort (number of the unit), entered_at, entered_day (local), grp
    returns   user, unit, times            or, by hours since the entry, made in one with the hits
    hits      cohort, grp, user, k         a row for each unit k after the entry in which they came back

From the table of user days where it can say all that is asked; else from the events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from insights.analyses.analysis import NONE
from insights.analyses.crowd import PLACE, Crowd
from insights.analyses.days import events_sql
from insights.analyses.groups import of_user, told_sql, value_sql
from insights.analyses.match import Bound, Match, match_of, match_sql, types_sql
from insights.analyses.units import Unit

DAY_S = 86_400


@dataclass(frozen=True)
class Followed:
    """Whom to follow, and what counts as coming back.

    Attributes
    ----------
    unit : Unit
    kind : {"first", "recurring", "first_event_is"}
    start, back : str
        Matches; "" is any activity.
    by : str or None
    where, without : tuple of str
        See `insights.analyses.days.events_sql`.
    least : int
        Return events that a unit needs.
    same_unit : bool
        Whether events after the entry count in its own unit, k = 0.
    window : {"calendar", "days", "24h"}
        Whether k counts units like those of the cohorts, days of the calendar since that of the entry, or stretches of 24 hours since the entry.
    """

    unit: Unit
    kind: str
    start: str
    back: str
    by: str | None
    where: tuple[str, ...]
    without: tuple[str, ...]
    least: int
    same_unit: bool
    window: str


def steps(crowd: Crowd, asked: Followed, first: int, last: int, bound: Bound) -> str:
    """Return the common table expressions `entries` (of cohorts `first` to `last`) and `hits`, without WITH."""
    return f"entries AS ({_entries(crowd, asked, first, last, bound)}),\n{_hits(crowd, asked, bound)}"


def _plain(crowd: Crowd, match: Match, asked: Followed) -> bool:
    """Whether a match is any activity at all, so that user days have it."""
    return match == Match() and not asked.where and not crowd.as_of.activity and asked.unit.name != "hour"


def _entries(crowd: Crowd, asked: Followed, first: int, last: int, bound: Bound) -> str:
    match = match_of(asked.start)
    is_told = of_user(asked.by)
    if _plain(crowd, match, asked) and (asked.by in {None, "channel"} or is_told):
        # the first event of a day, and its channel, are all that an entry needs
        ts, order, events, condition = "first_ts", "day", "user_day", "TRUE"
        value = f"coalesce(nullif(channel, ''), '{NONE}')" if asked.by == "channel" else "''"
        if asked.without:
            condition = f"user NOT IN ({', '.join(map(bound, asked.without))})"
    else:
        ts, order, events = "ts", PLACE, events_sql(asked.where, asked.without, bound)
        condition = (types_sql if asked.kind == "first_event_is" else match_sql)(match, crowd.as_of.activity, bound)
        value = "''" if asked.by is None or is_told else value_sql(asked.by, bound)
    number = asked.unit.number_sql(ts=ts)
    since = crowd.as_of.complete_from
    if asked.kind == "recurring":
        found = f"SELECT user, {number} AS cohort, min({ts}) AS entered_at, min(day) AS entered_day, arg_min({value}, {order}) AS grp FROM {events} WHERE {condition} GROUP BY user, {number}"
        censored = "TRUE"
    else:
        holds = match_sql(match, crowd.as_of.activity, bound) if asked.kind == "first_event_is" and events != "user_day" else "TRUE"
        found = (
            f"SELECT user, arg_min({number}, {order}) AS cohort, min({ts}) AS entered_at, min(day) AS entered_day, arg_min({value}, {order}) AS grp, arg_min(coalesce({holds}, FALSE), {order}) AS holds "
            f"FROM {events} WHERE {condition} GROUP BY user"
        )
        censored = "holds" if since is None else f"holds AND user IN (SELECT user FROM users WHERE first_ts >= {bound(since)})"
    entered = f"SELECT user, cohort, entered_at, entered_day, grp FROM ({found}) AS found WHERE cohort BETWEEN {bound(first)} AND {bound(last)} AND {censored}"
    if is_told:
        told = told_sql(asked.by or "", bound)
        return f"SELECT entered.user AS user, cohort, entered_at, entered_day, coalesce(told.grp, '{NONE}') AS grp FROM ({entered}) AS entered LEFT JOIN ({told}) AS told ON told.user = entered.user"
    return entered


def _hits(crowd: Crowd, asked: Followed, bound: Bound) -> str:
    match = match_of(asked.back)
    in_days = asked.window == "days"
    unit = Unit("day", asked.unit.zone) if in_days else asked.unit
    entered = unit.number_sql("entered_day") if in_days else "cohort"
    if asked.window == "24h" or asked.same_unit:
        k = (
            f"CAST(floor((epoch_us(ts) - epoch_us(entered_at)) / {DAY_S * 1_000_000}.0) AS BIGINT)"
            if asked.window == "24h"
            else f"{unit.number_sql()} - {entered}"
        )
        events = events_sql(asked.where, asked.without, bound)
        return f"""hits AS (
    SELECT cohort, grp, entries.user AS user, {k} AS k
    FROM entries JOIN (SELECT * FROM {events} WHERE {match_sql(match, crowd.as_of.activity, bound)}) AS back ON back.user = entries.user
    WHERE ts > entered_at AND {k} >= {0 if asked.same_unit else 1}
    GROUP BY cohort, grp, entries.user, {k} HAVING count(*) >= {bound(asked.least)}
)"""
    number = unit.number_sql()
    if _plain(crowd, match, asked):
        returns = f"SELECT user, {number} AS unit FROM user_day GROUP BY user, {number} HAVING sum(events) >= {bound(asked.least)}"
    else:
        events = events_sql(asked.where, asked.without, bound)
        condition = match_sql(match, crowd.as_of.activity, bound)
        returns = (
            f"SELECT user, {number} AS unit FROM {events} WHERE {condition} GROUP BY user, {number} HAVING count(*) >= {bound(asked.least)}"
        )
    return f"""returns AS ({returns}),
hits AS (
    SELECT cohort, grp, entries.user AS user, unit - {entered} AS k
    FROM entries JOIN returns ON returns.user = entries.user
    WHERE unit > {entered}
)"""


SIZES = "WITH {steps} SELECT cohort, grp, count(*) AS n FROM entries GROUP BY cohort, grp"
COUNTS: Mapping[str, str] = {
    "on": "WITH {steps} SELECT cohort, grp, k, count(*) AS count FROM hits WHERE k <= {last} GROUP BY cohort, grp, k",
    # who came back last in unit k counts in every unit up to it
    "on_or_after": """WITH {steps},
last_hits AS (SELECT cohort, grp, user, max(k) AS k FROM hits GROUP BY cohort, grp, user)
SELECT cohort, grp, least(k, {last}) AS k, count(*) AS count FROM last_hits GROUP BY cohort, grp, least(k, {last})""",
}
