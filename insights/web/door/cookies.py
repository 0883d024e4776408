"""Which cookies are set? One that says who is signed in, and short-lived ones for the way through the door.

All hold random secrets only, which no script of a page can read (HttpOnly) and no other site can send with a form (SameSite=Lax). Where people come by
https their names begin with ``__Host-``, so that a browser takes them from this host alone and sends them by https only.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request, cookie_parser
from starlette.responses import Response

SESSION, FORM, PROVIDER = "cw-session", "cw-form", "cw-provider"
FORM_S = 3600
"""A sign-in form may be sent for so long, s."""
PROVIDER_S = 600
"""Somebody may be at their provider for so long, s."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """Reads and sets them.

    Attributes
    ----------
    https : bool
        Whether people come by https, here or at the proxy before us.
    """

    https: bool

    def named(self, name: str) -> str:
        """Return a cookie's full name.

        >>> Cookies(https=True).named(SESSION)
        '__Host-cw-session'
        """
        return f"__Host-{name}" if self.https else name

    def of(self, request: Request, name: str) -> str:
        """Return what a request's cookie holds; "" when it has none."""
        return request.cookies.get(self.named(name), "")

    def in_header(self, header: bytes, name: str) -> str:
        """Return the same from the bytes of a Cookie header.

        >>> Cookies(https=False).in_header(b"lang=en; cw-session=abc", SESSION)
        'abc'
        """
        return cookie_parser(header.decode("latin-1")).get(self.named(name), "")

    def put(self, answer: Response, name: str, secret: str, seconds: int) -> None:
        """Let a browser keep a secret for some time."""
        answer.set_cookie(self.named(name), secret, max_age=seconds, secure=self.https, httponly=True, samesite="lax")

    def drop(self, answer: Response, name: str) -> None:
        """Let a browser forget it."""
        answer.delete_cookie(self.named(name), secure=self.https, httponly=True, samesite="lax")
