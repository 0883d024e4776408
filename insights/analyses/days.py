"""When was who active, and which units is a query about? From the derived table of user days where it can say so, else from the events."""

from __future__ import annotations

from datetime import datetime

from insights.analyses.crowd import Crowd
from insights.analyses.match import Bound, match_of, match_sql, where_of, wheres_sql
from insights.analyses.units import Unit
from stream.faults import UsageFault


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


def active_sql(crowd: Crowd, unit: Unit, activity: str, bound: Bound, where: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> str:
    """Return SQL with a row for each user and unit they were active in: `user`, and as `unit` its number.

    Parameters
    ----------
    activity : str
        A match (`insights.analyses.match`); "" means the activity of the log's own definition.
    where, without : tuple of str
        See `events_sql`.
    """
    match = match_of(activity)
    if match.type is None and not (match.where or where or crowd.as_of.activity) and unit.name != "hour":
        others = f"WHERE user NOT IN ({', '.join(map(bound, without))})" if without else ""
        rows = f"user_day {others}"
    else:
        rows = f"{events_sql(where, without, bound)} WHERE {match_sql(match, crowd.as_of.activity, bound)}"
    distinct = "" if unit.name == "day" and rows.startswith("user_day") else "DISTINCT "  # a user day is one row already
    return f"SELECT {distinct}user, {unit.number_sql()} AS unit FROM {rows}"


def units_asked(crowd: Crowd, unit: Unit, since: str | None, until: str | None, usual: int) -> tuple[int, int]:
    """Return the first and last unit that a query is about: whole units, even where a bound lies within one.

    Parameters
    ----------
    since, until : str or None
        As somebody writes them; by default `usual` units that end with the newest of the log.

    Raises
    ------
    stream.faults.UsageFault
        If they are no days, or the wrong way round.
    """
    newest = _newest(crowd)
    if until is not None:
        last = unit.number_of_text(until)
    elif newest is not None:
        last = unit.number(newest)
    elif since is not None:
        last = unit.number_of_text(since)
    else:
        return 0, -1  # nothing has ever happened
    first = last - usual + 1 if since is None else unit.number_of_text(since)
    if first > last:
        raise UsageFault("since ({since}) is after until ({until})", since=unit.label(first), until=unit.label(last))
    return first, last


def _newest(crowd: Crowd) -> datetime | None:
    """Return the time of the newest event that is known for sure; None for an empty log."""
    newest: datetime | None = crowd.con.execute("SELECT max(last_ts) FROM user_day").fetchall()[0][0]
    mark = crowd.as_of.watermark
    return newest if newest is None or mark is None else min(newest, mark)


def first_known_unit(crowd: Crowd, unit: Unit) -> int | None:
    """Return the number of the first unit that the log has: that of its first event, or the first that begins once it is complete; None without events."""
    first = crowd.con.execute("SELECT min(first_ts) FROM user_day").fetchall()[0][0]
    if first is None:
        return None
    return max(unit.number(first), complete_unit(crowd, unit))


def complete_unit(crowd: Crowd, unit: Unit) -> int:
    """Return the number of the first unit of which the log misses nothing: the first that begins once it is complete. Before the first event of all there was nobody."""
    since = crowd.as_of.complete_from
    if since is None:
        return -(2**31)
    number = unit.number(since)
    return number if unit.start(number) == since else number + 1
