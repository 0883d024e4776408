"""What analyses have found, by the hash of the question: kept over restarts, shared by all pages of a store, within a bound of bytes.

A process that is about to compute an answer claims it for as long as that may take, so that no two compute the same.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, func, or_, select

from insights.store.tables import ANSWERS
from insights.store.upsert import insert_into

SEEN_EVERY_MS = 60_000
"""When an answer was last asked for is written at most so often."""


def body_of(db: Connection, key: str) -> tuple[bytes | None, int]:
    """Return what is kept of an answer, None if nothing is, and when it was last asked for, ms."""
    row = db.execute(select(ANSWERS.c.body, ANSWERS.c.asked_ms).where(ANSWERS.c.key == key)).one_or_none()
    return (None, 0) if row is None else (row.body, row.asked_ms)


def kept_of(db: Connection, keys: Collection[str]) -> set[str]:
    """Return of which of these something is kept."""
    return set(db.execute(select(ANSWERS.c.key).where(ANSWERS.c.key.in_(keys), ANSWERS.c.body.is_not(None))).scalars())


def seen(db: Connection, key: str, now_ms: int) -> None:
    """Write down that an answer was asked for now."""
    db.execute(ANSWERS.update().where(ANSWERS.c.key == key).values(asked_ms=now_ms))


def claim(db: Connection, key: str, by: str, now_ms: int, until_ms: int) -> bool:
    """Claim an answer for a process; return whether it has it now. A claim that is over is nobody's."""
    mine = {"claimed_by": by, "claimed_until_ms": until_ms}
    new = insert_into(db, ANSWERS).values(key=key, asked_ms=now_ms, size=0, body=None, **mine)
    is_free = or_(ANSWERS.c.claimed_by.in_(("", by)), ANSWERS.c.claimed_until_ms <= now_ms)
    taken = new.on_conflict_do_update(index_elements=["key"], set_=mine, where=is_free).returning(ANSWERS.c.key)
    return db.execute(taken).first() is not None


def release(db: Connection, key: str, by: str) -> None:
    """Give up a claim."""
    db.execute(ANSWERS.update().where(ANSWERS.c.key == key, ANSWERS.c.claimed_by == by).values(claimed_by="", claimed_until_ms=0))


def keep(db: Connection, key: str, body: bytes, now_ms: int, most_bytes: int) -> None:
    """Keep an answer, and give up the claim on it; those that nobody has asked for the longest go, until all are within a bound.

    Parameters
    ----------
    most_bytes : int
        Of all bodies together.
    """
    row = {"asked_ms": now_ms, "claimed_by": "", "claimed_until_ms": 0, "size": len(body), "body": body}
    db.execute(insert_into(db, ANSWERS).values(key=key, **row).on_conflict_do_update(index_elements=["key"], set_=row))
    total = int(db.execute(select(func.coalesce(func.sum(ANSWERS.c.size), 0))).scalar_one())
    if total <= most_bytes:
        return
    for old in db.execute(select(ANSWERS.c.key, ANSWERS.c.size).order_by(ANSWERS.c.asked_ms)).all():
        if total <= most_bytes:
            return
        db.execute(ANSWERS.delete().where(ANSWERS.c.key == old.key))
        total -= old.size


def forget(db: Connection) -> None:
    """Forget all answers, as when somebody was erased."""
    db.execute(ANSWERS.delete())
