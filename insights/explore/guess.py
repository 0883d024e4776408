"""Guesses what a log is about: how long a silence means gone, which events matter, which are money, and in which order people come through.

Each guess has its ground in numbers, so that whoever knows the product better can say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from features.definitions.rules import RESERVED
from insights.analyses.crowd import PLACE, Crowd

SILENCES = (3, 7, 14, 21, 30, 45, 60)
"""Silences that are tried, days. The engine holds horizons of up to 60."""
FEW_RETURN = 0.25
"""A silence from which no more than this share come back is a silence that means gone."""
FOLLOWED = 60
"""So many days after it somebody may still come back; in a short log a `SPANS`-th of it."""
LEAST_SILENCES = 30
"""So many silences a length must have, or nothing is known of it."""
SPANS = 4
"""So many times a silence must fit into the log, or there are too few days on which it may begin."""
MOST_KEY, MOST_STEPS = 8, 4
LEAST_REACH = 0.05
"""Least share of the users who do what a funnel asks for."""
LEAST_BEFORE = 0.5
"""Least share of those who do a step of a way to money who did the step before it right before."""
MONEY = 0.8
"""Least share of a type's events that have a value, if it is money."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What is guessed, and from what.

    Attributes
    ----------
    horizon_days : int
        A silence this long is called gone.
    returned, silences : int
        How many of so many silences of that length ended within `followed_days` more; 0 of 0 where the log is too short for any.
    followed_days : int
    key_events : tuple of str
        Types with features of their own, those of most users first.
    reach : tuple of float
        Share of the users who did each, 0 to 1.
    revenue : tuple of str
        Types whose value is money.
    funnel : tuple of str
        Where there is money, the way to it: back from the type that most people spend by, each step what most of them did right before in the same visit. Else, or where
        nothing stands before money, types in the order in which people come to them first. Empty if no two follow each other.
    leads_to_money : bool
        Which of the two it is.
    """

    horizon_days: int
    returned: int
    silences: int
    followed_days: int
    key_events: tuple[str, ...]
    reach: tuple[float, ...]
    revenue: tuple[str, ...]
    funnel: tuple[str, ...]
    leads_to_money: bool = False


def guess(log: Crowd) -> Guess:
    """Return what a log suggests."""
    horizon, returned, silences, followed = _horizon(log)
    rows = log.frame(_TYPES.format(aside=", ".join(f"'{name}'" for name in RESERVED))).rows(named=True)
    key, money = rows[:MOST_KEY], [row["type"] for row in rows if row["valued"] >= MONEY and row["most"] > 0]
    to_money = _way_to(money[0], log, {row["type"]: row["people"] for row in rows}) if money else ()
    return Guess(
        horizon, returned, silences, followed, tuple(row["type"] for row in key), tuple(row["reach"] for row in key), tuple(sorted(money)),
        to_money or _funnel(rows), bool(to_money),
    )  # fmt: skip


def _horizon(log: Crowd) -> tuple[int, int, int, int]:
    """Return the shortest silence from which few come back, of those that the log is long enough for; and the count behind it."""
    found = (SILENCES[0], 0, 0, 0)
    for row in log.frame(_SILENCES.format(lengths=", ".join(f"({days})" for days in SILENCES), spans=SPANS, followed=FOLLOWED)).iter_rows():
        days, silences, returned, followed = row
        if silences < LEAST_SILENCES:
            continue
        found = (days, returned, silences, followed)
        if returned <= FEW_RETURN * silences:
            break
    return found


def _way_to(goal: str, log: Crowd, people: Mapping[str, int]) -> tuple[str, ...]:
    """Return the steps to a goal, that last; empty if most come to it from nowhere."""
    sql = _BEFORE.format(aside=", ".join(f"'{name}'" for name in RESERVED), place=PLACE[1:-1], gap=1_000 * log.as_of.session_gap_ms)
    links = log.frame(sql).rows(named=True)
    steps = [goal]
    while len(steps) < MOST_STEPS:
        before = next((row for row in links if row["type"] == steps[0] and row["before"] not in steps), None)
        if before is None or before["people"] < LEAST_BEFORE * people[steps[0]]:
            break
        steps.insert(0, before["before"])
    return tuple(steps) if len(steps) > 1 else ()


def _funnel(rows: list[dict[str, object]]) -> tuple[str, ...]:
    """Return types in the order in which people come to them first, each done by no more than the one before."""
    steps: list[str] = []
    before = float("inf")
    for row in sorted(rows, key=lambda row: (row["rank"], -float(str(row["reach"])))):
        reach = float(str(row["reach"]))
        if LEAST_REACH <= reach <= before and len(steps) < MOST_STEPS:
            steps.append(str(row["type"]))
            before = reach
    return tuple(steps) if len(steps) > 1 else ()


_SILENCES = """
WITH days AS (SELECT day, lead(day) OVER (PARTITION BY "user" ORDER BY day) AS later FROM user_day),
     ends AS (
         SELECT min(day) AS began, max(day) AS ended, least({followed}, (max(day) - min(day)) // {spans})::INTEGER AS followed FROM user_day
     ),
     lengths(n) AS (VALUES {lengths})
SELECT n, count(*) AS silences, count(*) FILTER (WHERE later <= day + n + followed) AS returned, any_value(followed) AS followed
FROM days, ends, lengths
WHERE ended - began >= {spans} * n AND day + n + followed <= ended AND (later IS NULL OR later > day + n)
GROUP BY n ORDER BY n
"""
"""Silences of n days whose next days are in the log, and how many ended in those."""

_TYPES = """
WITH firsts AS (
         SELECT "user", type, min(ts) AS first, count(*) AS events, count(value) AS valued, max(value) AS most
         FROM events WHERE type NOT IN ({aside}) GROUP BY "user", type
     ),
     ranked AS (SELECT *, rank() OVER (PARTITION BY "user" ORDER BY first) AS place FROM firsts)
SELECT type, count(*) AS people, count(*) / (SELECT count(DISTINCT "user") FROM firsts) AS reach, avg(place) AS rank,
       sum(valued) / sum(events) AS valued, coalesce(max(most), 0) AS most
FROM ranked GROUP BY type ORDER BY reach DESC, type
"""
"""Each type: how many users did it, share of the users who did it, its mean place among the first times of a user's types, share of its events that have a value."""

_BEFORE = """
WITH steps AS (
    SELECT "user", type, lag(type) OVER one AS before, epoch_us(ts) - lag(epoch_us(ts)) OVER one AS pause
    FROM events WHERE type NOT IN ({aside}) WINDOW one AS (PARTITION BY "user" ORDER BY {place})
)
SELECT type, before, count(DISTINCT "user") AS people FROM steps WHERE before <> type AND pause < {gap} GROUP BY ALL ORDER BY people DESC, before
"""
"""Each type and what stands right before it in the same visit: how many users did so."""
