"""Did a form come from a page of ours? It brings back a secret that only a page shown to the same browser has.

Somebody who is signed in has the secret of their session, whoever uses the open page of their own machine that of the process, and whoever is about to sign
in one made from a cookie of its own: nobody can be signed in by another site under a name of its choice.
"""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, Form, Request, Response

from insights.store.secrets import hash_of, new_secret
from insights.web.door.cookies import FORM, FORM_S
from insights.web.noted import door_of
from insights.web.who import Who


class FormRefused(Exception):
    """A form has not brought the secret back. `insights.web.refusals` says so."""


async def own_form(request: Request, csrf: Annotated[str, Form()] = "") -> None:
    """Refuse a form that is not from a page of ours. Raises FormRefused."""
    wanted = _secret_of(request)
    if not wanted or not hmac.compare_digest(csrf.encode(), wanted.encode()):
        raise FormRefused


OWN_FORM = Depends(own_form)
"""Every form that is sent asks for it: ``@router.post("/...", dependencies=[OWN_FORM])``."""


def _secret_of(request: Request) -> str:
    who: Who | None = request.scope["state"]["who"]
    if who is not None:
        return who.csrf
    secret = door_of(request).cookies.of(request, FORM)
    return _for_form(secret) if secret else ""


def first_secret(request: Request) -> tuple[str, str]:
    """Return what the form of somebody who is not signed in brings back, and what their browser keeps for it."""
    kept = door_of(request).cookies.of(request, FORM) or new_secret()
    return _for_form(kept), kept


def keep(request: Request, answer: Response, kept: str) -> None:
    """Let the browser keep it."""
    door_of(request).cookies.put(answer, FORM, kept, FORM_S)


def _for_form(kept: str) -> str:
    return hash_of(f"form {kept}")
