"""What did one person do? Their events, the newest first, as the history has them; nobody else's."""

from __future__ import annotations

import polars as pl

from insights.analyses.crowd import Crowd
from insights.analyses.match import Bound

FEEDBACK = "feedback"
"""Type by which systems tell what a person said: a survey, a review, a ticket."""
MOST_SAID, MOST_KINDS = 5, 50


def person_of(crowd: Crowd, user: str) -> str:
    """Return the id under which somebody counts who is asked for by any of theirs."""
    bound = Bound()
    found = crowd.frame(f"SELECT person FROM ids WHERE id = {bound(user)}", bound.values)
    return str(found.item()) if found.height else user


def events_of(crowd: Crowd, user: str, kind: str = "", skip: int = 0, most: int = 50) -> pl.DataFrame:
    """Return events of a person, the newest first: `ts`, `type`, `channel`, `item`, `session`, `value`, `props` (JSON).

    Parameters
    ----------
    kind : str
        Of one type only; "": of all.
    skip, most : int
        So many are passed over, and at most so many are returned.
    """
    bound = Bound()
    of_type = f"AND type = {bound(kind)}" if kind else ""
    return crowd.frame(
        f"SELECT ts, type, channel, item, session, value, props FROM events WHERE user = {bound(person_of(crowd, user))} {of_type} "
        f"ORDER BY ts DESC, part DESC, off DESC, event_id DESC LIMIT {bound(most)} OFFSET {bound(skip)}",
        bound.values,
    )


def kinds_of(crowd: Crowd, user: str) -> tuple[tuple[str, int], ...]:
    """Return how many events of each type a person has, the most frequent first."""
    bound = Bound()
    found = crowd.frame(
        f"SELECT type, count(*) AS n FROM events WHERE user = {bound(person_of(crowd, user))} GROUP BY type ORDER BY n DESC, type LIMIT {MOST_KINDS}",
        bound.values,
    )
    return tuple((str(kind), int(n)) for kind, n in found.rows())
