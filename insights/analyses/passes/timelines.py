"""Each user's events in order, as arrays: what the compiled passes go over.

An event is its user's number, its time in microseconds, and a code: the steps it fits, its node, whatever the query says. SQL picks and codes the events; a counting
sort puts them in order of user, time and code, so that events of one instant stand in the same order however they arrived. Users are taken in parts, so that
memory is bounded; whatever is counted by user adds up over the parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numba import njit

from insights.analyses.crowd import Crowd
from insights.analyses.passes.kinds import Int32s, Ints

EVENTS_A_PART = 16_000_000
"""Events of one part, about: some 45 bytes each while they are sorted, 700 MB."""


class Timelines(NamedTuple):
    """Events of some users; those of the n-th user are `starts[n]:starts[n + 1]`.

    Attributes
    ----------
    who : int64[:]
        Number of each user: their place among all in order of name.
    starts : int64[:]
    at : int64[:]
        Microseconds since 1970, ascending within a user.
    code : int32[:]
        Ascending within an instant.
    more : dict of int32[:]
        Further columns of the query, in the same order.
    """

    who: Ints
    starts: Ints
    at: Ints
    code: Int32s
    more: dict[str, Int32s]


def people(crowd: Crowd) -> pl.Series:
    """Return all users in order of name: the n-th one is number n."""
    return crowd.frame("SELECT user FROM users ORDER BY user")["user"]


def timelines(crowd: Crowd, picked: str, values: dict[str, object], part_events: int = EVENTS_A_PART) -> Iterator[Timelines]:
    """Return the timelines of all users who have an event that is picked, part by part.

    Parameters
    ----------
    picked : str
        A query of events: columns `user`, `us` (microseconds), `code`, and further numbers.
    values : dict
        What its names are bound to.
    part_events : int
        Events of the log for each part.
    """
    known = crowd.frame("SELECT count(*) AS users, coalesce(sum(events), 0) AS events FROM users").row(0)
    users, parts = int(known[0]), max(1, -(-int(known[1]) // part_events))
    for part in range(parts):
        frame = crowd.frame(
            f"""
            WITH people AS (SELECT user, row_number() OVER (ORDER BY user) - 1 AS who FROM users)
            SELECT CAST(who // {parts} AS INTEGER) AS place, picked.* EXCLUDE (user)
            FROM ({picked}) AS picked JOIN people USING (user)
            WHERE who % {parts} = {part}
            """,
            values,
        )
        if frame.height:
            yield _in_order(frame, users // parts + 1, part, parts)


def _in_order(frame: pl.DataFrame, users: int, part: int, parts: int) -> Timelines:
    """Sort one part. Each column leaves the frame as it is used, so that it is there once and not twice."""

    def column(name: str, kind: type[pl.DataType]) -> Any:
        return frame.drop_in_place(name).cast(kind).to_numpy()

    order, starts = _by_user(column("place", pl.Int32), users)
    at, code = column("us", pl.Int64)[order], column("code", pl.Int32)[order]
    _by_time(starts, at, code, order)
    here = np.flatnonzero(np.diff(starts))
    more = {name: column(name, pl.Int32)[order] for name in frame.columns}
    return Timelines(here.astype(np.int64) * parts + part, np.append(starts[here], starts[-1]), at, code, more)


@njit(cache=True, nogil=True)
def _by_user(place: Int32s, users: int) -> tuple[Int32s, Ints]:
    """Return rows in order of user, as they came within one; and where each user begins."""
    starts = np.zeros(users + 1, np.int64)
    for user in place:
        starts[user + 1] += 1
    starts = np.cumsum(starts)
    order, free = np.empty(place.size, np.int32), starts[:-1].copy()
    for row in range(place.size):
        user = place[row]
        order[free[user]] = row
        free[user] += 1
    return order, starts


@njit(cache=True, nogil=True)
def _by_time(starts: Ints, at: Ints, code: Int32s, order: Int32s) -> None:
    """Put the events of each user in order of time and code, in place; most are, since days are read one after the other."""
    for user in range(starts.size - 1):
        a, b = starts[user], starts[user + 1]
        for k in range(a + 1, b):
            if at[k] < at[k - 1] or (at[k] == at[k - 1] and code[k] < code[k - 1]):
                by_code = np.argsort(code[a:b], kind="mergesort")
                by_time = np.argsort(at[a:b][by_code], kind="mergesort")
                right = by_code[by_time]
                at[a:b], code[a:b], order[a:b] = at[a:b][right], code[a:b][right], order[a:b][right]
                break
