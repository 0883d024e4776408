"""What an admin changes, from the page or the command line: each deed and its line in the audit log are one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from typing import Literal

from insights.store import people, sessions, tokens
from insights.store.people import Person
from insights.store.roles import Role
from insights.store.store import Db
from insights.store.tokens import Token
from insights.web.door.deeds import By
from insights.web.door.known import said_name
from insights.web.door.not_done import NotDone
from insights.web.door.passwords import hashed
from insights.web.who import TOKEN_SCOPES, Scope
from stream.shown import visible

NAME, LOGIN = 64, 128
"""Most characters of a token's name, and of a login."""
DAY_MS = 86_400_000
DAYS = 3_650
"""Most days that a token may hold."""

Change = Literal["role", "disable", "enable", "password"]
"""What may be changed of a person."""


def random_password() -> str:
    """Return a password that nobody has chosen, to be told to whoever gets it.

    >>> len(random_password())
    20
    """
    return secrets.token_urlsafe(15)


def add_person(db: Db, by: By, login: str, role: Role, password: str, *, provider: bool) -> Person:
    """Let a person in by a password.

    Parameters
    ----------
    provider : bool
        Whether there is a provider as well, from which admins may come.

    Raises
    ------
    NotDone
        The login is none, or another one has it; the password is too short; or nobody is an admin yet, and this would shut everybody out.
    """
    named = _named(login, LOGIN)
    if role != "admin" and not provider and not people.admins(db):
        raise NotDone("not_done.first_admin")
    if people.person_by_login(db, named) is not None:
        raise NotDone("not_done.taken", name=named)
    added = people.add_person(db, login=named, name=named, role=role, password_hash=hashed(password), now_ms=by.at_ms)
    by.note(db, "person_added", f"{said_name(added)}: {role}")
    return added


def known_person(db: Db, number: int) -> Person:
    """Return the person with a number. Raises NotDone where there is none."""
    found = people.person(db, number)
    if found is None:
        raise NotDone("not_done.gone")
    return found


def set_role(db: Db, by: By, person: Person, role: Role) -> None:
    """Give a person another role. Raises NotDone for the last admin, and for somebody whose provider says the role at each sign-in."""
    _ours(person)
    if role != "admin":
        _not_the_last_admin(db, person)
    people.set_role(db, person.id, role)
    by.note(db, "role_changed", f"{said_name(person)}: {role}")


def shut_out(db: Db, by: By, person: Person) -> None:
    """Let a person in no more, from their next request on. Raises NotDone for the last admin."""
    _not_the_last_admin(db, person)
    people.disable(db, person.id, by.at_ms)
    sessions.close_sessions_of(db, person.id)
    by.note(db, "person_disabled", said_name(person))


def let_in_again(db: Db, by: By, person: Person) -> None:
    """Let a person in again who was shut out."""
    people.enable(db, person.id)
    by.note(db, "person_enabled", said_name(person))


def set_password(db: Db, by: By, person: Person, password: str) -> None:
    """Give a person another password, and end their sessions. Raises NotDone for one that is too short, and for somebody whom a provider sends."""
    _ours(person)
    people.set_password(db, person.id, hashed(password))
    sessions.close_sessions_of(db, person.id)
    by.note(db, "password_changed", said_name(person))


CHANGES: dict[Change, Callable[[Db, By, Person, Role, str], None]] = {
    "role": lambda db, by, person, role, _password: set_role(db, by, person, role),
    "disable": lambda db, by, person, _role, _password: shut_out(db, by, person),
    "enable": lambda db, by, person, _role, _password: let_in_again(db, by, person),
    "password": lambda db, by, person, _role, password: set_password(db, by, person, password),
}
"""How each change is made, from the role and the password that came with it."""


def make_token(db: Db, by: By, name: str, scopes: Collection[str], days: int | None) -> tuple[Token, str]:
    """Make a token; return it, and its secret, which is not seen again.

    Raises
    ------
    NotDone
        It has no name or no scope, one that there is not, or an end that is none.
    """
    wanted = _scopes(scopes)
    if days is not None and not 1 <= days <= DAYS:
        raise NotDone("not_done.days", most=DAYS)
    ends_ms = None if days is None else by.at_ms + days * DAY_MS
    role: Role = "analyst" if "read:people" in wanted else "viewer"
    made, secret = tokens.new_token(db, name=_named(name, NAME), scopes=wanted, role=role, now_ms=by.at_ms, expires_ms=ends_ms)
    by.note(db, "token_made", f"{made.name}: {' '.join(wanted)}")
    return made, secret


def revoke(db: Db, by: By, token: Token) -> None:
    """End a token."""
    if tokens.revoke(db, token.id, by.at_ms):
        by.note(db, "token_revoked", token.name)


def _scopes(asked: Collection[str]) -> list[Scope]:
    for one in asked:
        if one not in TOKEN_SCOPES:
            raise NotDone("not_done.scope", scope=one, scopes=", ".join(TOKEN_SCOPES))
    wanted = [one for one in TOKEN_SCOPES if one in asked]
    if not wanted:
        raise NotDone("not_done.no_scope", scopes=", ".join(TOKEN_SCOPES))
    return wanted


def _named(name: str, most: int) -> str:
    """Return a name without blanks around it, if everything in it can be seen, so that no two look alike."""
    found = name.strip()
    if not 0 < len(found) <= most or visible(found) != found:
        raise NotDone("not_done.name", most=most)
    return found


def _ours(person: Person) -> None:
    if person.login is None:
        raise NotDone("not_done.by_provider", name=said_name(person))


def _not_the_last_admin(db: Db, person: Person) -> None:
    if person.role == "admin" and person.disabled_ms is None and people.admins(db) == 1:
        raise NotDone("not_done.last_admin")
