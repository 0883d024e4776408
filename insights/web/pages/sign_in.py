"""Sign in and out: by name and password, or by way of the provider."""

from __future__ import annotations

import base64
import binascii
import logging
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from insights.store import people, sessions
from insights.store.people import Person
from insights.store.secrets import new_secret
from insights.web.door.cookies import FORM, PROVIDER, PROVIDER_S, SESSION
from insights.web.door.door import Door
from insights.web.door.known import said_name
from insights.web.door.sign_in import LOGIN, TooMany, by_password
from insights.web.door.way_back import way_back
from insights.web.forms import OWN_FORM, first_secret, keep
from insights.web.frame import draw
from insights.web.noted import address_of, by_of, door_of

if TYPE_CHECKING:
    from insights.web.door.provider import Visitor

log = logging.getLogger(__name__)
router = APIRouter()


@router.get("/sign-in")
async def sign_in_page(request: Request, next: str = "/", ended: bool = False) -> Response:  # noqa: A002 - its name in addresses
    """Show the form; whoever is in already goes on."""
    if request.scope["state"]["who"] is not None:
        return RedirectResponse(way_back(next), 303)
    return await _form(request, next, "access.expired" if ended else "")


@router.post("/sign-in", dependencies=[OWN_FORM])
async def sign_in(
    request: Request,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - the same
) -> Response:
    """Let somebody in by name and password."""
    door = door_of(request)
    try:
        found, right = await by_password(door, name, password, address_of(request))
    except TooMany as error:
        await run_in_threadpool(_refused, door, request, "", "too many attempts")
        answer = await _form(request, next, "access.too_many", status=429, name=name, wait_s=error.wait_ms / 1000)
        answer.headers["Retry-After"] = str(-(-error.wait_ms // 1000))
        return answer
    if found is None or not right:
        # who types a password where the name belongs must not find it in the audit log
        await run_in_threadpool(_refused, door, request, said_name(found) if found else "", "password" if found else "unknown name")
        return await _form(request, next, "access.wrong", status=403, name=name)
    return await run_in_threadpool(_let_in, door, request, found, next, "password")


@router.get("/sign-in/provider")
async def to_provider(request: Request, next: str = "/") -> Response:  # noqa: A002 - the same
    """Send somebody to the provider."""
    door = door_of(request)
    if door.provider is None:
        return RedirectResponse("/sign-in", 303)
    from insights.web.door.provider import ProviderRefused

    secret = new_secret()
    try:
        answer = RedirectResponse(await run_in_threadpool(door.provider.begin, secret), 303)
    except ProviderRefused as error:
        return await _not_by_provider(request, error.why, str(error), next)
    door.cookies.put(answer, PROVIDER, f"{secret}.{base64.urlsafe_b64encode(way_back(next).encode()).decode()}", PROVIDER_S)
    return answer


@router.get("/sign-in/done")
async def from_provider(request: Request) -> Response:
    """Let somebody in whom the provider sent back."""
    door = door_of(request)
    if door.provider is None:
        return RedirectResponse("/sign-in", 303)
    from insights.web.door.provider import ProviderRefused

    secret, _, back = door.cookies.of(request, PROVIDER).partition(".")
    try:
        visitor = await run_in_threadpool(door.provider.finish, secret, dict(request.query_params))
    except ProviderRefused as error:
        answer = await _not_by_provider(request, error.why, str(error), _decoded(back))
    else:
        found = await run_in_threadpool(_arrived, door, visitor)
        if found.disabled_ms is None:
            answer = await run_in_threadpool(_let_in, door, request, found, _decoded(back), "provider")
        else:
            answer = await _not_by_provider(request, "disabled", "an admin has shut them out", _decoded(back))
    door.cookies.drop(answer, PROVIDER)
    return answer


@router.post("/sign-out", dependencies=[OWN_FORM])
def sign_out(request: Request) -> Response:
    """End the session."""
    door = door_of(request)
    with door.store.write() as db:
        if sessions.close_session(db, door.cookies.of(request, SESSION)):
            by_of(request).note(db, "signed_out")
    answer = RedirectResponse("/sign-in", 303)
    door.cookies.drop(answer, SESSION)
    return answer


def _arrived(door: Door, visitor: Visitor) -> Person:
    with door.store.write() as db:
        return people.sent_by_provider(
            db, issuer=visitor.issuer, subject=visitor.subject, name=visitor.name, email=visitor.email, role=visitor.role,
            now_ms=door.now_ms(),
        )  # fmt: skip


def _let_in(door: Door, request: Request, person: Person, back: str, by: str) -> Response:
    """Open a session under a new secret, whatever the browser had before, so that nobody can know it beforehand."""
    with door.store.write() as db:
        sessions.close_session(db, door.cookies.of(request, SESSION))
        _, secret = sessions.open_session(db, person, door.now_ms(), door.life_ms)
        by_of(request, said_name(person)).note(db, "signed_in", by)
    answer = RedirectResponse(way_back(back), 303)
    door.cookies.put(answer, SESSION, secret, door.life_ms // 1000)
    door.cookies.drop(answer, FORM)
    return answer


def _refused(door: Door, request: Request, who: str, why: str) -> None:
    with door.store.write() as db:
        by_of(request, who).note(db, "sign_in_refused", why)


async def _not_by_provider(request: Request, why: str, said: str, back: str) -> Response:
    log.warning("sign-in by the provider refused", extra={"why": why, "said": said})
    await run_in_threadpool(_refused, door_of(request), request, "", f"provider: {why}")
    return await _form(request, back, "access.no_role" if why == "role" else "access.provider_failed", status=403)


async def _form(request: Request, back: str, said: str = "", *, status: int = 200, name: str = "", wait_s: float = 0) -> Response:
    door = door_of(request)
    csrf, kept = first_secret(request)
    provider = door.provider.name if door.provider else ""
    answer = draw(
        request, "sign_in.html", "Sign in", status=status, csrf=csrf, back=way_back(back), said=said, name=name[:LOGIN], wait_s=wait_s,
        provider=provider, passwords=await door.known.passwords(),
    )  # fmt: skip
    keep(request, answer, kept)
    return answer


def _decoded(back: str) -> str:
    try:
        return way_back(base64.urlsafe_b64decode(back.encode()).decode())
    except (binascii.Error, ValueError):
        return "/"
