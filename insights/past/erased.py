"""What the past forgets of erased users, and how it keeps them from coming in again: alerts and examples are two topics, and either may be read first."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import Connection, delete, select, update

from insights.made.forgetting import forget
from insights.past.fold.landmarks import ENTRY, hash_of, landmarks_of, place_of
from insights.past.stored import by_many, rows_at
from insights.past.tables import ALERTS, ERASED, LANDMARKS, READER
from insights.store import answers
from insights.store.upsert import insert_into
from stream.alerts.message import Alert


def digest(user: str, salt: bytes) -> bytes:
    """Return what stands for an erased user, 16 bytes: keyed BLAKE2b (RFC 7693) of their id."""
    return hashlib.blake2b(user.encode(), digest_size=16, key=salt).digest()


def note(db: Connection, erased: Mapping[str, int]) -> None:
    """Remember users who were erased, each up to a time (ms)."""
    if not erased:
        return
    salt = db.execute(select(READER.c.salt)).scalar_one()
    if salt is None:
        salt = secrets.token_bytes(16)
        db.execute(update(READER).values(salt=salt))
    for user, until_ms in erased.items():
        key = digest(user, salt)
        known = db.execute(select(ERASED.c.until_ms).where(ERASED.c.digest == key)).scalar()
        row = insert_into(db, ERASED).values(digest=key, until_ms=max(until_ms, known or 0))
        db.execute(row.on_conflict_do_update(index_elements=["digest"], set_={"until_ms": row.excluded.until_ms}))


def barred(db: Connection, alerts: Sequence[Alert]) -> list[bool]:
    """Return which alerts may not be taken in: those at landmarks up to when their user was erased."""
    salt = db.execute(select(READER.c.salt)).scalar_one()
    if salt is None:
        return [False] * len(alerts)
    keys = {alert.user: digest(alert.user, salt) for alert in alerts}
    until: dict[bytes, int] = {}
    every = list(keys.values())
    for some in by_many(range(len(every))):
        wanted = select(ERASED.c.digest, ERASED.c.until_ms).where(ERASED.c.digest.in_([every[i] for i in some]))
        until.update((bytes(key), at) for key, at in db.execute(wanted).all())
    return [alert.landmark_ms <= until.get(keys[alert.user], -1) for alert in alerts]


def remove(db: Connection, erased: Mapping[str, int], from_ms: int) -> None:
    """Delete the alerts and the risks at landmarks of users, each up to a time (ms), and what people have made with their ids; none is kept from before `from_ms`."""
    if not erased:
        return
    definitions = db.execute(select(LANDMARKS.c.definition).distinct()).scalars().all()
    answers.forget(db)  # ids that somebody asked to leave out stand in them, and groups may be named by a trait
    forget(db, erased.keys())
    for user, until_ms in erased.items():
        db.execute(delete(ALERTS).where(ALERTS.c.user == user, ALERTS.c.landmark_ms <= until_ms))
        hashed = hash_of(user)
        places = [place_of(hashed, landmark) for landmark in landmarks_of(hashed, from_ms, until_ms)]
        for name in definitions:
            for place, packed in rows_at(db, name, places).items():
                _take_out(db, name, place, packed, hashed)


def _take_out(db: Connection, definition: str, place: int, packed: bytes, hashed: int) -> None:
    entries = np.frombuffer(packed, ENTRY)
    kept = entries[entries["user"] != np.uint64(hashed)]
    here = (LANDMARKS.c.definition == definition, LANDMARKS.c.place == place)
    if not len(kept):
        db.execute(delete(LANDMARKS).where(*here))
    elif len(kept) < len(entries):
        db.execute(update(LANDMARKS).where(*here).values(packed=kept.tobytes()))
