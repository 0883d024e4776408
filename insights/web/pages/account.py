"""Your password: whoever signs in by one changes it here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from insights.store import people, sessions
from insights.store.people import Person
from insights.web.door import managed
from insights.web.door.cookies import SESSION
from insights.web.door.door import Door
from insights.web.door.not_done import NotDone
from insights.web.door.sign_in import TooMany, by_password
from insights.web.forms import OWN_FORM
from insights.web.frame import draw
from insights.web.noted import address_of, by_of, door_of
from insights.web.who import needs

router = APIRouter(dependencies=[needs("viewer")])


@router.get("/account")
def account(request: Request, changed: bool = False) -> Response:
    """Show the form, or say who has the password."""
    return _page(request, said="account.changed" if changed else "")


@router.post("/account", dependencies=[OWN_FORM])
async def change(
    request: Request,
    password: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Change it. The old one is asked for, so that a browser left open gives nobody the account; all other sessions end."""
    door = door_of(request)
    person = await run_in_threadpool(_person, door, request)
    if person is None or person.login is None:
        return await run_in_threadpool(_page, request, status=422, said="account.not_ours")
    try:
        _, right = await by_password(door, person.login, password, address_of(request))
    except TooMany as error:
        answer = await run_in_threadpool(_page, request, status=429, said="access.too_many", wait_s=error.wait_ms / 1000)
        answer.headers["Retry-After"] = str(-(-error.wait_ms // 1000))
        return answer
    if not right:
        return await run_in_threadpool(_page, request, status=403, said="account.wrong")
    if new != again:
        return await run_in_threadpool(_page, request, status=422, said="account.differ")
    return await run_in_threadpool(_changed, door, request, person, new)


def _changed(door: Door, request: Request, person: Person, password: str) -> Response:
    try:
        with door.store.write() as db:
            managed.set_password(db, by_of(request), person, password)
            _, secret = sessions.open_session(db, person, door.now_ms(), door.life_ms)
    except NotDone as error:
        return _page(request, status=422, fault=error)
    answer = RedirectResponse("/account?changed=1", 303)
    door.cookies.put(answer, SESSION, secret, door.life_ms // 1000)
    return answer


def _person(door: Door, request: Request) -> Person | None:
    """Return whoever is signed in; None for a token, and for the open page of their own machine."""
    kind, _, number = request.scope["state"]["who"].key.partition(" ")
    if kind != "person":
        return None
    with door.store.read() as db:
        return people.person(db, int(number))


def _page(request: Request, *, status: int = 200, said: str = "", wait_s: float = 0, fault: NotDone | None = None) -> Response:
    person = _person(door_of(request), request)
    ours = person is not None and person.login is not None
    return draw(request, "password.html", "Your password", status=status, said=said, wait_s=wait_s, fault=fault, ours=ours)
