"""Access: which people and tokens there are, and who did what. For admins; every form works without JavaScript."""

from __future__ import annotations

from typing import Annotated, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from insights.store import audit, people, tokens
from insights.store.roles import ROLES, Role
from insights.web.door import managed
from insights.web.door.deeds import DEEDS
from insights.web.door.known import said_name
from insights.web.door.not_done import NotDone
from insights.web.filters import one_of, text_of
from insights.web.forms import OWN_FORM
from insights.web.frame import draw
from insights.web.noted import by_of, door_of
from insights.web.parts import Has
from insights.web.who import TOKEN_SCOPES, needs

router = APIRouter(dependencies=[needs("admin")])
MOST = 2**31 - 1
"""Largest number that a store gives to anything."""
Number = Annotated[int, Path(ge=1, le=MOST)]
LINES = 100
"""Lines of the audit log on one page."""


class Secret(NamedTuple):
    """What is shown this once.

    Attributes
    ----------
    said : str
        Key of what is said of it.
    name : str
        Whose it is.
    secret : str
    """

    said: str
    name: str
    secret: str


@router.get("/access")
def access(request: Request, parts: Has, before: Annotated[int | None, Query(ge=1, le=MOST)] = None) -> Response:
    """Show everything."""
    return _page(request, parts, before=before)


@router.post("/access/people", dependencies=[OWN_FORM])
def add(request: Request, parts: Has, name: Annotated[str, Form()] = "", role: Annotated[Role, Form()] = "viewer") -> Response:
    """Add a person with a password that is shown once."""
    password = managed.random_password()
    try:
        with door_of(request).store.write() as db:
            added = managed.add_person(db, by_of(request), name, role, password, provider=door_of(request).provider is not None)
    except NotDone as error:
        return _page(request, parts, fault=error)
    door_of(request).known.forget()
    return _page(request, parts, shown=Secret("access.password_of", added.name, password))


@router.post("/access/people/{number}/{change}", dependencies=[OWN_FORM])
def change_person(
    request: Request,
    parts: Has,
    number: Number,
    change: managed.Change,
    role: Annotated[Role, Form()] = "viewer",
) -> Response:
    """Change what a person may, or give them another password that is shown once."""
    password = managed.random_password()
    try:
        with door_of(request).store.write() as db:
            found = managed.known_person(db, number)
            managed.CHANGES[change](db, by_of(request), found, role, password)
    except NotDone as error:
        return _page(request, parts, fault=error)
    if change == "password":
        return _page(request, parts, shown=Secret("access.password_of", said_name(found), password))
    return RedirectResponse("/access", 303)


@router.post("/access/tokens", dependencies=[OWN_FORM])
def make(
    request: Request,
    parts: Has,
    name: Annotated[str, Form()] = "",
    days: Annotated[str, Form()] = "",
    scope: Annotated[tuple[str, ...], Form()] = (),
) -> Response:
    """Make a token and show its secret once: in the answer to the form, so that it stands in no address."""
    try:
        with door_of(request).store.write() as db:
            made, secret = managed.make_token(db, by_of(request), name, scope, int(days) if days.isdecimal() and len(days) < 6 else None)
    except NotDone as error:
        return _page(request, parts, fault=error)
    door_of(request).known.forget()
    return _page(request, parts, shown=Secret("access.token_of", made.name, secret))


@router.post("/access/tokens/{number}/revoke", dependencies=[OWN_FORM])
def revoke(request: Request, number: Number) -> Response:
    """End a token."""
    with door_of(request).store.write() as db:
        found = tokens.token(db, number)
        if found is not None:
            managed.revoke(db, by_of(request), found)
    door_of(request).known.forget()
    return RedirectResponse("/access", 303)


class Wanted(NamedTuple):
    """Which lines of the audit log are shown: whose, of which deed, about what; "" for all."""

    by: str = ""
    what: str = ""
    about: str = ""

    @property
    def query(self) -> str:
        """It as part of an address."""
        return urlencode({name: value for name, value in self._asdict().items() if value})


def _wanted(request: Request) -> Wanted:
    return Wanted(text_of(request, "by"), one_of(request, "what", ("", *DEEDS), ""), text_of(request, "about"))


def _page(
    request: Request, parts: Has, *, before: int | None = None, shown: Secret | None = None, fault: NotDone | None = None
) -> Response:
    wanted = _wanted(request)
    with door_of(request).store.read() as db:
        lines = audit.newest_lines(db, LINES + 1, before, who=wanted.by, what=wanted.what, about=wanted.about)
        everybody, all_tokens = people.everybody(db), tokens.tokens(db)
    return draw(
        request, "access.html", "Access", status=422 if fault else 200, people=everybody, tokens=all_tokens, lines=lines[:LINES],
        older=lines[LINES - 1].id if len(lines) > LINES else None, shown=shown, fault=fault, roles=ROLES, wanted=wanted, deeds=DEEDS, scopes=TOKEN_SCOPES,
        now_ms=parts.now_ms(), zone=ZoneInfo(parts.settings["features.timezone"]),
    )  # fmt: skip
