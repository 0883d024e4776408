"""Two applications at one address: what begins with a path goes to the one, everything else to the other. Pure ASGI.

Starlette's `Mount` would not do: to its patterns, a path with a line's end in it is no path, and a user id may hold one.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class Beside:
    """See the module.

    Parameters
    ----------
    path : str
        Begins with a slash and ends without one.
    below : ASGIApp
        Answers what is below it.
    app : ASGIApp
        Answers everything else.
    """

    def __init__(self, path: str, below: ASGIApp, app: ASGIApp) -> None:
        self.path, self.below, self.app = path, below, app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and scope["path"].startswith(self.path + "/"):
            await self.below({**scope, "root_path": scope.get("root_path", "") + self.path}, receive, send)
        else:
            await self.app(scope, receive, send)
