"""On which days was who active? From the derived table of user days where it can say so, else from the events."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from insights.analyses.crowd import Crowd
from insights.analyses.match import Bound, match_of, match_sql, where_of, wheres_sql


def events_sql(where: tuple[str, ...], without: tuple[str, ...], bound: Bound) -> str:
    """Return the SQL of the events that a query is about, to stand behind FROM.

    Parameters
    ----------
    where : tuple of str
        Conditions that every event must meet, as in ``props.plan=pro``.
    without : tuple of str
        Users who are not counted, such as test accounts.
    """
    if not where and not without:
        return "events"
    others = f" AND user NOT IN ({', '.join(map(bound, without))})" if without else ""
    return f"(SELECT * FROM events WHERE {wheres_sql(tuple(map(where_of, where)), bound)}{others}) AS events"


def active_days_sql(crowd: Crowd, activity: str, bound: Bound, where: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> str:
    """Return SQL with a row for each user and day they were active: `user`, `day`, and `events`, how many events said so.

    Parameters
    ----------
    activity : str
        A match (`insights.analyses.match`); "" means the activity of the log's own definition.
    where, without : tuple of str
        See `events_sql`.
    """
    match = match_of(activity)
    if match.type is None and not (match.where or where or crowd.as_of.activity):
        others = f" WHERE user NOT IN ({', '.join(map(bound, without))})" if without else ""
        return f"SELECT user, day, events FROM user_day{others}"
    events = events_sql(where, without, bound)
    return f"SELECT user, day, count(*) AS events FROM {events} WHERE {match_sql(match, crowd.as_of.activity, bound)} GROUP BY user, day"


def first_known_day(crowd: Crowd) -> date | None:
    """Return the first local day that the log has whole: that of its first event, or the one from which it is complete; None for an empty log."""
    first: date | None = crowd.con.execute("SELECT min(day) FROM user_day").fetchall()[0][0]
    since = crowd.as_of.complete_from
    if first is None or since is None:
        return first
    unit = crowd.unit("day")
    number = unit.number(since)
    whole = unit.first_day(number if unit.start(number) == since else number + 1)
    return max(first, whole)


def local_day(crowd: Crowd) -> date | None:
    """Return the local day the watermark lies in: the one in progress."""
    mark = crowd.as_of.watermark
    return None if mark is None else mark.astimezone(ZoneInfo(crowd.as_of.zone)).date()
