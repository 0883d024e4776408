"""Who the people are that may look: by a password of ours, or by a provider of OpenID Connect."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select, true
from sqlalchemy.exc import IntegrityError

from insights.store.roles import Role
from insights.store.tables import PEOPLE
from stream.faults import UsageFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person.

    Attributes
    ----------
    login, password_hash : str or None
        What they type, and argon2's hash of their password; None for those whom a provider sends.
    issuer, subject : str or None
        The provider's address, and its name for the person; None for those with a password of ours.
    created_ms, disabled_ms : int, int or None
        Times, ms since the epoch. A disabled person cannot log in, and has no session any more.
    """

    id: int
    login: str | None
    name: str
    email: str | None
    password_hash: str | None
    role: Role
    issuer: str | None
    subject: str | None
    created_ms: int
    disabled_ms: int | None

    def __repr__(self) -> str:
        return f"Person(id={self.id}, role={self.role!r})"  # a log of it names nobody


def add_person(db: Connection, *, login: str, name: str, role: Role, password_hash: str, now_ms: int, email: str | None = None) -> Person:
    """Add a person with a password.

    Raises
    ------
    UsageFault
        Somebody has this login already.
    """
    values = {
        "login": login, "name": name, "role": role, "password_hash": password_hash, "email": email, "created_ms": now_ms
    }  # fmt: skip
    try:
        with db.begin_nested():
            row = db.execute(PEOPLE.insert().values(values).returning(PEOPLE)).mappings().one()
    except IntegrityError:
        raise UsageFault(f"there is a person with the login {login!r} already: choose another login, or change that person") from None
    return Person(**row)


def person(db: Connection, person_id: int) -> Person | None:
    """Return the person with a number."""
    return _one(db, PEOPLE.c.id == person_id)


def person_by_login(db: Connection, login: str) -> Person | None:
    """Return the person with a login."""
    return _one(db, PEOPLE.c.login == login)


def everybody(db: Connection) -> list[Person]:
    """Return all people, by name."""
    return [Person(**row) for row in db.execute(select(PEOPLE).order_by(PEOPLE.c.name, PEOPLE.c.id)).mappings()]


def is_anybody(db: Connection, *, with_password: bool = False) -> bool:
    """Whether there are people; of those who sign in by a password, if so asked."""
    some = PEOPLE.c.password_hash.is_not(None) if with_password else true()
    return db.execute(select(PEOPLE.c.id).where(some).limit(1)).first() is not None


def admins(db: Connection) -> int:
    """Return how many admins can log in; the last one should not be taken away."""
    return db.execute(select(func.count()).where(PEOPLE.c.role == "admin", PEOPLE.c.disabled_ms.is_(None))).scalar_one()


def sent_by_provider(db: Connection, *, issuer: str, subject: str, name: str, email: str | None, role: Role, now_ms: int) -> Person:
    """Return the person whom a provider has sent, added or brought up to date; the provider says name, address and role.

    They are known by issuer and subject only. A name or an address may be given to somebody else, and so never joins two people.
    """
    theirs = (PEOPLE.c.issuer == issuer) & (PEOPLE.c.subject == subject)
    said = {"name": name, "email": email, "role": role}
    update = PEOPLE.update().where(theirs).values(said).returning(PEOPLE)
    row = db.execute(update).mappings().one_or_none()
    if row is None:
        try:
            with db.begin_nested():
                new = PEOPLE.insert().values(issuer=issuer, subject=subject, created_ms=now_ms, **said)
                row = db.execute(new.returning(PEOPLE)).mappings().one()
        except IntegrityError:  # they came to another process at the same moment
            row = db.execute(update).mappings().one()
    return Person(**row)


def set_role(db: Connection, person_id: int, role: Role) -> None:
    """Give a person another role. It holds from their next request on."""
    db.execute(PEOPLE.update().where(PEOPLE.c.id == person_id).values(role=role))


def set_password(db: Connection, person_id: int, password_hash: str) -> None:
    """Store another hash. Close the person's sessions beside it: whoever knew the old password may have one."""
    db.execute(PEOPLE.update().where(PEOPLE.c.id == person_id).values(password_hash=password_hash))


def disable(db: Connection, person_id: int, now_ms: int) -> None:
    """Shut a person out, from their next request on."""
    db.execute(PEOPLE.update().where(PEOPLE.c.id == person_id, PEOPLE.c.disabled_ms.is_(None)).values(disabled_ms=now_ms))


def enable(db: Connection, person_id: int) -> None:
    """Let a person in again."""
    db.execute(PEOPLE.update().where(PEOPLE.c.id == person_id).values(disabled_ms=None))


def _one(db: Connection, where: ColumnElement[bool]) -> Person | None:
    row = db.execute(select(PEOPLE).where(where)).mappings().one_or_none()
    return None if row is None else Person(**row)
