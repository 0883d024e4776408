"""Who does what a page is asked to do? For the audit log, which pages write to by `note`.

::

    note(request, "person_seen", user)      # in a function that is not async: it waits for the disk
"""

from __future__ import annotations

from typing import cast

from starlette.requests import Request

from insights.web.door.deeds import By, Deed
from insights.web.door.door import Door
from insights.web.who import Who


def door_of(request: Request) -> Door:
    """Return the door through which a request came."""
    return cast(Door, request.app.state.door)


def address_of(request: Request) -> str:
    """Return the address that a request came from: that of whoever asks, where the proxies before us are trusted, else the last proxy's."""
    return request.client.host if request.client else ""


def by_of(request: Request, who: str = "") -> By:
    """Return who asks; `who` stands in for them where nobody is signed in yet."""
    asks: Who | None = request.scope["state"]["who"]
    return By(who or (asks.name if asks else ""), address_of(request), door_of(request).now_ms())


def note(request: Request, deed: Deed, about: str = "") -> None:
    """Add a line about what changes nothing in the store, such as that a person was looked at."""
    with door_of(request).store.write() as db:
        by_of(request).note(db, deed, about)
