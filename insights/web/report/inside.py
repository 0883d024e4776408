"""What does a page show to a viewer, asked inside the process? For a report: no address is listened on, and no person is shown."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Scope

from insights.web.who import MAY, Who

READER = Who("report", "report", MAY["viewer"])
"""Reports go to people of whom nobody knows what they may see, so they show what a viewer sees."""


class Inside:
    """Asks pages; see `insights.web.app.make_pages`. Call it in a thread that has no event loop."""

    def __init__(self, pages: ASGIApp) -> None:
        self._pages = pages

    def __call__(self, path: str) -> str:
        """Return what the page at a path shows.

        Raises
        ------
        RuntimeError
            It is not answered by 200.
        """
        return asyncio.run(self._asked(path))

    async def _asked(self, path: str) -> str:
        where, status, body = urlsplit(path), 0, bytearray()

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                body.extend(message.get("body", b""))

        scope: Scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http", "path": where.path,
            "raw_path": where.path.encode(), "query_string": where.query.encode(), "root_path": "", "headers": [(b"host", b"127.0.0.1")],
            "client": None, "server": ("127.0.0.1", 80), "state": {"who": READER},
        }  # fmt: skip
        await self._pages(scope, receive, send)
        if status != 200:
            raise RuntimeError(f"{path} is answered by {status}")
        return body.decode()
