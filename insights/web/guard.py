"""May this request come in? Whoever is not known gets no further than the sign-in page, whatever a page itself asks for.

Pure ASGI, because a layer that makes objects of each request costs several times what an answer costs. In this order: is it for us (`Host`), who sends it (a token,
a session, or this machine while nobody has an account), and did a page of ours send it, if it is to change something.
"""

from __future__ import annotations

import logging
from urllib.parse import quote

from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from insights.store.store import StoreFault
from insights.web.door.cookies import SESSION
from insights.web.door.door import Door
from insights.web.door.hosts import SAFE
from insights.web.who import API, Who

log = logging.getLogger(__name__)

PUBLIC = ("/static/", "/sign-in/")
"""What is open to everybody: beginnings of paths."""
PUBLIC_PATHS = frozenset({"/sign-in", "/live"})
"""The same: whole paths."""
FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"})
REALM = 'Bearer realm="churnwatch"'


class Guard:
    """Puts `Who` into the request's state under "who"; None on what is open to everybody, when nobody is signed in."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app, self.door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http":
            return  # there are no web sockets here, and nothing to do at start and end
        try:
            found = await self._judge(scope)
        except StoreFault as error:
            log.warning("the store does not answer", extra={"error": type(error).__name__})
            found = PlainTextResponse("The page's store does not answer; try again soon.\n", 503, {"Retry-After": "5"})
        if isinstance(found, Response):
            await found(scope, receive, send)
            return
        scope["state"]["who"] = found
        await self.app(scope, receive, send)

    async def _judge(self, scope: Scope) -> Who | Response | None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if sum(name == b"host" for name, _ in scope["headers"]) != 1 or not self.door.hosts.allows(headers[b"host"].decode("latin-1")):
            return PlainTextResponse("This server is not called so. An operator sets its name as page.url.\n", 421)
        public = scope["path"] in PUBLIC_PATHS or scope["path"].startswith(PUBLIC)
        if b"authorization" in headers and not public:
            return await self._by_token(headers[b"authorization"])
        if scope["method"] not in SAFE and not self.door.hosts.from_our_page(scope["scheme"], headers):
            return PlainTextResponse("This was sent by a page of another site, so nothing was done.\n", 403)
        secret = self.door.cookies.in_header(headers.get(b"cookie", b""), SESSION)
        who = await self.door.known.session(secret) if secret else None
        if who is None and await self.door.open():
            if headers.keys() & FORWARDED:
                return PlainTextResponse(BEHIND_A_PROXY, 403)
            who = self.door.machine
        if who is not None or public:
            return who
        return _not_signed_in(scope, headers, ended=bool(secret))

    async def _by_token(self, header: bytes) -> Who | Response:
        kind, _, secret = header.decode("latin-1").partition(" ")
        who = await self.door.known.token(secret.strip()) if kind.lower() == "bearer" else None
        return who or _unknown("this token is not known, has ended, or was revoked", "invalid_token")


BEHIND_A_PROXY = (
    "This request came through a proxy, and nobody is asked to sign in here. Before others can reach the page, an operator sets page.url to the "
    "address that people type, and adds a person: churnwatch web people add NAME --role admin\n"
)


def _not_signed_in(scope: Scope, headers: dict[bytes, bytes], *, ended: bool) -> Response:
    """Send a person to the sign-in page, and tell a program, or a part of a page that asks for itself, that it must not go on."""
    if scope["path"].startswith(API) or headers.get(b"sec-fetch-dest", b"document") != b"document":
        return _unknown("sign in, or send a token: Authorization: Bearer TOKEN")
    asked = scope["raw_path"].decode("latin-1") + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
    back = f"?next={quote(asked, safe='')}" if scope["method"] in SAFE and asked != "/" else ""
    return RedirectResponse(f"/sign-in{back}{'&' if back else '?'}ended=1" if ended else f"/sign-in{back}", 303)


def _unknown(detail: str, error: str = "") -> Response:
    return JSONResponse({"detail": detail}, 401, {"WWW-Authenticate": f'{REALM}, error="{error}"' if error else REALM})
