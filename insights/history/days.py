"""What a user did on a day, what there is of a user at all, and what was told of them: SQL over events, the same for the derived tables and for what is not derived yet."""

from __future__ import annotations

from insights.history.duck import quoted
from insights.history.events import Rules


def user_day_sql(events: str, rules: Rules) -> str:
    """Return SQL with a row for each user and day of `events`.

    Events of one time stand in the order of their places in the topic, and of their ids where they came from files.

    Parameters
    ----------
    events : str
        A relation with the columns of the table of events.
    """
    money = ", ".join(map(quoted, rules.revenue)) or "null"
    aside = ", ".join(map(quoted, rules.set_aside)) or "''"
    return f"""select "user", day, arg_min_null(channel, place) as channel, count(*)::integer as events, sum(begins)::integer as sessions,
  list_sort(list(distinct type)) as types, count(*) filter (where type in ({money}))::integer as purchases,
  coalesce(sum(value) filter (where type in ({money})), 0)::double as revenue, min(ts) as first_ts, max(ts) as last_ts, strftime(day, '%Y-%m') as month
from (select *, row(ts, part, off, event_id) as place, coalesce(ts - lag(ts) over visits >= to_milliseconds({rules.session_gap_ms}), true)::integer as begins
  from {events} where type not in ({aside}) window visits as (partition by "user", day order by ts)) as each group by "user", day"""


def users_sql(user_day: str) -> str:
    """Return SQL with a row for each user of `user_day`; the channel is that of their first event."""
    return f"""select "user", min(day) as first_day, min(first_ts) as first_ts, arg_min_null(channel, day) as channel, max(day) as last_day,
  sum(events)::bigint as events, sum(purchases)::bigint as purchases, sum(revenue)::double as revenue from {user_day} group by "user\""""


def told_sql(events: str) -> str:
    """Return SQL with a row for each trait that an `identify` event told: user, name, value, and the event's time, place and id. What is empty or null is not told."""
    return f"""select "user", each.key as name, each.value ->> '$' as value, ts, part, off, event_id
from (select * from {events} where type = 'identify' and props is not null) as told, json_each(told.props) as each where each.value ->> '$' <> ''"""


def traits_sql(told: str) -> str:
    """Return SQL with a row for each user and trait: the newest of what `told_sql` gave, or of what this gave before, so that either may be added to the other."""
    return f"""select "user", name, newest.value as value, newest.ts as ts, newest.part as part, newest.off as off, newest.event_id as event_id
from (select "user", name, max(struct_pack(ts := ts, part := part, off := off, event_id := event_id, value := value)) as newest from ({told}) group by "user", name)"""
