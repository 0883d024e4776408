"""How does a page make, change and remove what people keep? In one transaction, noted in the audit log; what could not be done is said on a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from insights.asked.messages import faulted
from insights.made.shelf import InUse, Missing, Stale, Taken
from insights.made.things import KINDS, Made, T
from insights.store.store import Db
from insights.web.door.deeds import Deed
from insights.web.faults import fault_said
from insights.web.frame import draw, language
from insights.web.noted import by_of
from insights.web.parts import Parts
from insights.web.rail import RAIL
from insights.web.who import who_asks
from insights.words import words
from stream.faults import UsageFault


def may_remove(request: Request, made: Made[Any]) -> bool:
    """Whether they may remove it: admins, and an analyst who has made it."""
    who = who_asks(request)
    return who.may("manage") or (who.may("read:people") and made.author == who.name)


def note(request: Request, db: Db, deed: Deed, kind: type[T], name: str) -> None:
    """Note a deed, in its transaction."""
    by_of(request).note(db, deed, f"{KINDS[kind]} {name}")


def done(request: Request, parts: Parts, does: Callable[[Db], str], home: str) -> Response:
    """Do something in one transaction and lead to the address that it returns; say it where it could not be done.

    Parameters
    ----------
    home : str
        Address of the page that lists such things.
    """
    try:
        with parts.store.write() as db:
            where = does(db)
    except UsageFault as error:
        status = 409 if isinstance(error, Stale | InUse | Taken) else 404 if isinstance(error, Missing) else 422
        return refused(request, error, status, home)
    return RedirectResponse(where, 303)


def refused(request: Request, error: UsageFault, status: int, home: str) -> Response:
    """Say why something was not done."""
    w = words(language(request))
    match error:
        case Stale():
            says = w.t("made.stale", who=error.by)
        case Taken():
            says = w.t("made.taken")
        case Missing():
            says = w.t("made.missing")
        case InUse():
            says = w.t("made.in_use", by=w.list_of(error.by))
        case _:
            says = fault_said(faulted(error), w)
    title = next(entry.name for entry in RAIL if entry.path == home)
    return draw(request, "made_refused.html", title, status=status, says=says, home=home)
