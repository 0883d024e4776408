"""Who asks, and may they? What the guard found out about a request, and what a page or an answer asks for in its signature.

::

    @router.get("/person/{user}", dependencies=[needs("analyst")])
    async def risk(user: str, who: Annotated[Who, scope("read:people")]) -> Risk: ...

A role is a set of scopes with a name, so there is one question only: is a scope among those of whoever asks? A person has the scopes of
their role, a token those that it was made with.
"""

from __future__ import annotations

from typing import Any, Literal, NoReturn, cast, get_args

import msgspec
from fastapi import Depends, Request

from insights.store.roles import Role

API = "/api/"
"""What programs ask for begins so."""
Scope = Literal["read:aggregates", "read:people", "write:events", "manage"]
"""What may be done: see figures of the crowd, see persons, send events, manage who may do what."""
SCOPES: tuple[Scope, ...] = get_args(Scope)
TOKEN_SCOPES: tuple[Scope, ...] = tuple(one for one in SCOPES if one != "manage")
"""What a token may be made for. None may manage, so a token that was stolen makes no other."""
MAY: dict[Role, frozenset[Scope]] = {
    "viewer": frozenset({"read:aggregates"}),
    "analyst": frozenset({"read:aggregates", "read:people"}),
    "admin": frozenset(SCOPES),
}
"""The scopes of each role."""
NEEDED: dict[Role, Scope] = {"viewer": "read:aggregates", "analyst": "read:people", "admin": "manage"}
"""The scope by which a page for a role is opened: the one that the role before it has not."""


class Who(msgspec.Struct, frozen=True):
    """Whoever asks.

    Attributes
    ----------
    name : str
        As pages show them and the audit log has them: a login, "token NAME", or "this machine".
    key : str
        What limits are counted by, such as "token 7": unlike a name it is never given to another.
    scopes : frozenset of Scope
    csrf : str
        What a form of theirs brings back; "" for a token, which sends no forms.
    """

    name: str
    key: str
    scopes: frozenset[Scope]
    csrf: str = ""

    @property
    def role(self) -> Role | None:
        """The highest role whose scopes they all have; None for a token that reads nothing."""
        return role_of(self.scopes)

    def may(self, wanted: Scope) -> bool:
        """Whether they may do something."""
        return wanted in self.scopes


class Forbidden(Exception):
    """They may not. `insights.web.refusals` says so, and who may.

    Attributes
    ----------
    wanted : Scope
        What they would have to be allowed.
    """

    def __init__(self, wanted: Scope) -> None:
        super().__init__(wanted)
        self.wanted = wanted


def role_of(scopes: frozenset[Scope]) -> Role | None:
    """Return the highest role that has no more than these scopes.

    >>> role_of(frozenset({"read:aggregates", "read:people", "write:events"})), role_of(frozenset({"write:events"}))
    ('analyst', None)
    """
    return next((role for role in reversed(MAY) if MAY[role] <= scopes), None)


def lowest_role(wanted: Scope) -> Role:
    """Return the lowest role that has a scope.

    >>> lowest_role("read:people"), lowest_role("write:events")
    ('analyst', 'admin')
    """
    return next(role for role, scopes in MAY.items() if wanted in scopes)


def who_asks(request: Request) -> Who:
    """Return whoever asks. The guard has let no request without one come so far, but to pages that are open to everybody."""
    return cast(Who, request.scope["state"]["who"])


def scope(wanted: Scope) -> Any:
    """Return a dependency that gives `Who`, and refuses whoever may not do something.

    Raises
    ------
    Forbidden
        From the dependency.
    """

    # async, because FastAPI would give a thread to anything else, at each request
    async def checked(request: Request) -> Who:
        who = who_asks(request)
        if not who.may(wanted):
            forbid(wanted)
        return who

    return Depends(checked)


def needs(role: Role) -> Any:
    """Return a dependency that gives `Who`, and refuses whoever has not at least a role."""
    return scope(NEEDED[role])


def forbid(wanted: Scope) -> NoReturn:
    """Refuse, from the middle of a page."""
    raise Forbidden(wanted)
