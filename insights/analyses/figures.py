"""What is there to say of somebody's last weeks, in numbers? Figures of each user and day, over the days that end with it."""

from __future__ import annotations

from dataclasses import dataclass

from insights.analyses.crowd import Crowd
from insights.analyses.match import Bound, field_sql
from insights.history.days import user_day_sql
from insights.history.events import Rules

MOST_TYPES = 24
"""Types of events that are figures of their own: those on most user days."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Some figures.

    Attributes
    ----------
    names : list of str
        What each is: `active_days`, `events`, `sessions`, `kinds` (mean number of different things done on an active day), `purchases`, `revenue`, `pause_days` (since the active day
        before), `tenure_days` (since the first; null if that is before the log is complete), ``days.TYPE`` (days with such an event), and a field's own name (mean of its numbers).
    sql : str
        Rows of `user`, `day` (its number) and `x0`, `x1`, ...: the figures in the order of their names, rounded beyond what sums in another order change.
    """

    names: list[str]
    sql: str


def figures_of(crowd: Crowd, events: str, days: int, numbers: tuple[str, ...], bound: Bound) -> Figures:
    """Return the figures of all user days.

    Parameters
    ----------
    events : str
        The events that count, to stand behind FROM (`days.events_sql`).
    days : int
        How many days a figure is of, the day itself among them.
    numbers : tuple of str
        Fields of events whose mean is a figure, too.

    Raises
    ------
    stream.faults.UsageFault
        For a field that there is not.
    """
    rules = Rules(crowd.as_of.zone, crowd.as_of.session_gap_ms, crowd.as_of.revenue)
    base = "user_day" if events == "events" else f"({user_day_sql(events.removesuffix(' AS events'), rules)})"
    types = _types(crowd, base, bound)
    day = crowd.unit("day").number_sql()
    means = [field_sql(field, bound) for field in numbers]
    of_fields = "".join(
        f", sum(TRY_CAST({field} AS DOUBLE)) AS sum{at}, count(TRY_CAST({field} AS DOUBLE)) AS count{at}" for at, field in enumerate(means)
    )
    told = (
        f"LEFT JOIN (SELECT user, {day} AS day{of_fields} FROM {events} GROUP BY ALL) AS told ON told.user = days.user AND told.day = days.day"
        if means
        else ""
    )
    since = crowd.as_of.complete_from
    tenure = f"CASE WHEN first_ts < {bound(since)} THEN NULL ELSE days.day - first_day END" if since is not None else "days.day - first_day"
    named = {
        "active_days": "count(*) OVER near",
        "events": "sum(events) OVER near",
        "sessions": "sum(sessions) OVER near",
        "kinds": "avg(len(types)) OVER near",
        "purchases": "sum(purchases) OVER near",
        "revenue": "sum(revenue) OVER near",
        "pause_days": "days.day - lag(days.day) OVER (PARTITION BY days.user ORDER BY days.day)",
        "tenure_days": tenure,
        **{f"days.{kind}": f"count(*) FILTER (WHERE list_contains(types, {bound(kind)})) OVER near" for kind in types},
        **{name: f"sum(sum{at}) OVER near / nullif(sum(count{at}) OVER near, 0)" for at, name in enumerate(numbers)},
    }
    columns = ", ".join(f"round(CAST({sql} AS DOUBLE), 9) AS x{at}" for at, sql in enumerate(named.values()))
    return Figures(
        list(named),
        f"""
    SELECT days.user AS user, days.day AS day, {columns}
    FROM (
        SELECT user, {day} AS day, events, sessions, types, purchases, revenue,
            min({day}) OVER (PARTITION BY user) AS first_day, min(first_ts) OVER (PARTITION BY user) AS first_ts
        FROM {base}
    ) AS days {told}
    WINDOW near AS (PARTITION BY days.user ORDER BY days.day RANGE BETWEEN {days - 1} PRECEDING AND CURRENT ROW)
    """,
    )


def _types(crowd: Crowd, base: str, bound: Bound) -> list[str]:
    found = crowd.frame(
        f"SELECT type FROM (SELECT unnest(types) AS type FROM {base}) GROUP BY type ORDER BY count(*) DESC, type LIMIT {MOST_TYPES}",
        bound.values,
    )
    return sorted(found["type"].to_list())
