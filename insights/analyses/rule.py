"""Who meets a rule, as of the newest event? SQL of its conditions (`conditions.py`) over what there is of each user; all must hold."""

from __future__ import annotations

from collections.abc import Mapping

from insights.analyses.conditions import Condition, conditions_of
from insights.analyses.match import Bound

_SQL: Mapping[str, str] = {
    "channel": "coalesce(nullif(channel, ''), 'none')",
    "purchases": "purchases",
    "revenue": "revenue",
    "count_total": "events",
    "active_days_total": "active_days",
    "tenure_days": "(epoch_us({now}) - epoch_us(first_ts)) / 86400000000.0",
    "recency_s": "(epoch_us({now}) - epoch_us(last_ts)) / 1000000.0",
    "first_day": "first_day",
    "last_day": "last_day",
}
_USERS = """(SELECT users.user AS user, users.first_day AS first_day, users.first_ts AS first_ts, users.channel AS channel, users.last_day AS last_day,
    users.events AS events, users.purchases AS purchases, users.revenue AS revenue, days.active_days AS active_days, days.last_ts AS last_ts
    FROM users JOIN (SELECT user, count(*) AS active_days, max(last_ts) AS last_ts FROM user_day GROUP BY user) AS days ON days.user = users.user)"""


def rule_sql(texts: tuple[str, ...], now: object, bound: Bound) -> str:
    """Return SQL with a row for each user who meets a rule: `user`.

    Parameters
    ----------
    now : datetime or None
        Up to when all is known.
    """
    return f"SELECT user FROM {_USERS} WHERE {' AND '.join(_sql(one, now, bound) for one in conditions_of(texts))}"


def _sql(one: Condition, now: object, bound: Bound) -> str:
    value = bound(one.value)
    if one.field.startswith("traits."):  # who has no value has another one
        told = f"(SELECT user FROM traits WHERE name = {bound(one.field[7:])} AND value = {value})"
        return f"user {'IN' if one.sign == '=' else 'NOT IN'} {told}"
    field = _SQL[one.field]
    if "{now}" in field:
        field = field.format(now=f"{bound(now)}::TIMESTAMPTZ")
    return f"{field} {'<>' if one.sign == '!=' else one.sign} {value}"
