"""What a user did on a day, and what there is of a user at all: SQL over events, the same for the derived tables and for what is not derived yet.

A row of `user_day` depends on the events of its own day only, so a late event makes one day dirty and no other.
"""

from __future__ import annotations

from collections.abc import Mapping

from insights.history.events import Rules
from insights.history.tables import RESERVED

MOST_BITS = 63
"""Event types that have a bit of their own in `types`; all others share the last one."""


def user_day_sql(events: str, rules: Rules, bits: Mapping[str, int] | None = None) -> str:
    """Return SQL with a row for each user and day of `events`.

    Events of one time stand in the order of their places in the topic, and of their ids where they came from files.

    Parameters
    ----------
    events : str
        A relation with the columns of the table of events.
    bits : dict of str to int, optional
        The bit of each event type in `types`.
    """
    money = ", ".join(map(quoted, rules.revenue)) or "null"
    cases = " ".join(f"when {quoted(name)} then {1 << bit}" for name, bit in (bits or {}).items())
    bit = f"case type {cases} else {1 << (MOST_BITS - 1)} end" if cases else "0"
    return f"""select "user", day, arg_min_null(channel, place) as channel, count(*)::integer as events, sum(begins)::integer as sessions,
  bit_or(({bit})::bigint) as types, count(*) filter (where type in ({money}))::integer as purchases,
  coalesce(sum(value) filter (where type in ({money})), 0)::double as revenue, min(ts) as first_ts, max(ts) as last_ts, strftime(day, '%Y-%m') as month
from (select *, row(ts, part, off, event_id) as place,
  (lag(ts) over (partition by "user", day order by ts) is null or date_diff('millisecond', lag(ts) over (partition by "user", day order by ts), ts) >= {rules.session_gap_ms})::integer as begins
  from {events} where type not in ({", ".join(map(quoted, RESERVED))})) as each group by "user", day"""


def users_sql(user_day: str) -> str:
    """Return SQL with a row for each user of `user_day`; the channel is that of their first event."""
    return f"""select "user", min(day) as first_day, min(first_ts) as first_ts, arg_min_null(channel, day) as channel, max(day) as last_day,
  sum(events)::bigint as events, sum(purchases)::bigint as purchases, sum(revenue)::double as revenue from {user_day} group by "user\""""


def quoted(text: str) -> str:
    """Write a text as SQL has it.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"
