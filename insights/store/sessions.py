"""Who is logged in. A browser holds a secret in its cookie; the store has its hash, so a copy of the store opens no session."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from insights.store.people import Person
from insights.store.secrets import hash_of, new_secret
from insights.store.tables import PEOPLE, SESSIONS

SEEN_EVERY_MS = 60_000
"""The time of the last request is written at most so often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One login.

    Attributes
    ----------
    person : Person
        As they are now: a role that was changed holds at once.
    csrf : str
        Secret that a form of this session must bring back.
    created_ms, last_seen_ms, expires_ms : int
        Times, ms since the epoch.
    """

    hash: str
    person: Person
    csrf: str
    created_ms: int
    last_seen_ms: int
    expires_ms: int

    def __repr__(self) -> str:
        return f"Session({self.person!r})"


def open_session(db: Connection, person: Person, now_ms: int, lasts_ms: int) -> tuple[Session, str]:
    """Log a person in; return the session, and the secret for the cookie.

    Parameters
    ----------
    lasts_ms : int
        How long the session may last in all, ms.
    """
    secret, csrf = new_secret(), new_secret()
    row = {"hash": hash_of(secret), "csrf": csrf, "created_ms": now_ms, "last_seen_ms": now_ms, "expires_ms": now_ms + lasts_ms}
    db.execute(SESSIONS.insert().values(person_id=person.id, **row))
    return Session(person=person, **row), secret  # type: ignore[arg-type]  # one dict for the row and the object


def session_of(db: Connection, secret: str, now_ms: int, idle_ms: int) -> Session | None:
    """Return the session of a cookie's secret.

    None when there is none, it has expired, nobody used it for `idle_ms` (ms), or its person was disabled.
    """
    row = db.execute(
        select(SESSIONS, PEOPLE).join(PEOPLE, SESSIONS.c.person_id == PEOPLE.c.id).where(
            SESSIONS.c.hash == hash_of(secret),
            SESSIONS.c.expires_ms > now_ms,
            SESSIONS.c.last_seen_ms > now_ms - idle_ms,
            PEOPLE.c.disabled_ms.is_(None),
        )
    ).mappings().one_or_none()  # fmt: skip
    if row is None:
        return None
    return Session(
        person=Person(**{column.name: row[column] for column in PEOPLE.c}),
        **{column.name: row[column] for column in SESSIONS.c if column.name != "person_id"},
    )


def seen(db: Connection, session: Session, now_ms: int) -> None:
    """Write down that a session was used now, unless that was done within `SEEN_EVERY_MS`."""
    last = SESSIONS.c.last_seen_ms
    db.execute(SESSIONS.update().where(SESSIONS.c.hash == session.hash, last <= now_ms - SEEN_EVERY_MS).values(last_seen_ms=now_ms))


def close_session(db: Connection, secret: str) -> bool:
    """Log out; return whether there was a session with this secret."""
    return db.execute(SESSIONS.delete().where(SESSIONS.c.hash == hash_of(secret))).rowcount == 1


def close_sessions_of(db: Connection, person_id: int) -> int:
    """Log a person out everywhere; return of how many sessions."""
    return db.execute(SESSIONS.delete().where(SESSIONS.c.person_id == person_id)).rowcount


def forget_expired(db: Connection, now_ms: int) -> int:
    """Delete the sessions that have expired; return how many."""
    return db.execute(SESSIONS.delete().where(SESSIONS.c.expires_ms <= now_ms)).rowcount
