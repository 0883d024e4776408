"""What did a report tell, day by day? Its numbers only, so that the next one can say what changed."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from insights.store.tables import REPORTED
from insights.store.upsert import insert_into

KEPT = 800
"""So many days of one report are kept, the newest."""


class Reported(NamedTuple):
    """The numbers of one report.

    Attributes
    ----------
    day : str
        That it is of, as in 2026-11-27.
    as_of_ms : int
        Up to when it knew events, ms.
    figures : str
        JSON; `insights.web.report.figures` reads it.
    """

    day: str
    as_of_ms: int
    figures: str


def keep(db: Connection, name: str, told: Reported) -> None:
    """Keep the numbers of a report, in place of what it told of the same day."""
    row = {"as_of_ms": told.as_of_ms, "figures": told.figures}
    new = insert_into(db, REPORTED).values(name=name, day=told.day, **row)
    db.execute(new.on_conflict_do_update(index_elements=["name", "day"], set_=row))
    days = select(REPORTED.c.day).where(REPORTED.c.name == name).order_by(REPORTED.c.day.desc())
    oldest = db.execute(days.offset(KEPT - 1).limit(1)).scalar_one_or_none()
    if oldest is not None:
        db.execute(REPORTED.delete().where(REPORTED.c.name == name, REPORTED.c.day < oldest))


def last_before(db: Connection, name: str, day: str) -> Reported | None:
    """Return the newest numbers of a report from before a day; None for the first report."""
    wanted = select(REPORTED.c.day, REPORTED.c.as_of_ms, REPORTED.c.figures)
    row = db.execute(wanted.where(REPORTED.c.name == name, REPORTED.c.day < day).order_by(REPORTED.c.day.desc()).limit(1)).one_or_none()
    return None if row is None else Reported(*row)
