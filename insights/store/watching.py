"""How does a watch stand, and what has it told? A state and its events are written together, so no restart tells anything twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from insights.store.tables import WATCH_EVENTS, WATCHES
from insights.store.upsert import insert_into


class Kept(NamedTuple):
    """A state as it is kept; `version` 0 is that of a watch nobody has looked at."""

    state: str
    version: int = 0
    looked_ms: int = 0


class Told(NamedTuple):
    """One event as it is kept."""

    id: int
    watch: str
    at_ms: int
    body: str


def kept(db: Connection, name: str) -> Kept | None:
    """Return how a watch stands; None for one that nobody has looked at."""
    row = db.execute(select(WATCHES.c.state, WATCHES.c.version, WATCHES.c.looked_ms).where(WATCHES.c.name == name)).one_or_none()
    return None if row is None else Kept(*row)


def keep(db: Connection, name: str, seen: int, state: str, events: Sequence[str], now_ms: int) -> bool:
    """Keep a state and what it tells; return False, and keep nothing, if another process has changed it since the version that was seen."""
    row = {"state": state, "version": seen + 1, "looked_ms": now_ms}
    if seen:
        is_ours = db.execute(WATCHES.update().where(WATCHES.c.name == name, WATCHES.c.version == seen).values(row)).rowcount == 1
    else:
        new = insert_into(db, WATCHES).values(name=name, **row).on_conflict_do_nothing(index_elements=["name"])
        is_ours = db.execute(new.returning(WATCHES.c.name)).first() is not None
    if is_ours and events:
        db.execute(WATCH_EVENTS.insert(), [{"watch": name, "at_ms": now_ms, "body": body} for body in events])
    return is_ours


def unpublished(db: Connection, most: int = 100) -> list[Told]:
    """Return the oldest events that do not stand on the topic yet, in their order."""
    return _told(db, WATCH_EVENTS.c.published_ms.is_(None), most)


def newest(db: Connection, since_ms: int, most: int = 1_000) -> list[Told]:
    """Return the events since a time, ms, in their order."""
    return _told(db, WATCH_EVENTS.c.at_ms >= since_ms, most)


def published(db: Connection, ids: Sequence[int], now_ms: int) -> None:
    """Note that events stand on the topic."""
    db.execute(WATCH_EVENTS.update().where(WATCH_EVENTS.c.id.in_(ids)).values(published_ms=now_ms))


def forget(db: Connection, before_ms: int) -> int:
    """Delete the events from before a time, ms; return how many."""
    return db.execute(WATCH_EVENTS.delete().where(WATCH_EVENTS.c.at_ms < before_ms)).rowcount


def _told(db: Connection, where: object, most: int) -> list[Told]:
    wanted = select(*(WATCH_EVENTS.c[name] for name in Told._fields)).order_by(WATCH_EVENTS.c.id).limit(most)
    return [Told(*row) for row in db.execute(wanted.where(where))]  # type: ignore[arg-type]  # a condition of SQLAlchemy
