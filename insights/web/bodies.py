"""How much may be sent to us? What is larger is refused by its length before it is read, and without a length as soon as it is too much."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORM = 64 << 10
"""Most bytes of a form, and of a question to the API."""
LARGER: dict[str, int] = {"/api/v1/batch": 4 << 20}
"""Paths to which more may be sent, with the most bytes each."""


class Bodies:
    """Refuses what is too large with 413, and closes the connection, so that the rest is never read."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"}:
            await self.app(scope, receive, send)
            return
        most = LARGER.get(scope["path"], FORM)
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not length.isdigit() or int(length) > most:
            await _refuse(most, scope, receive, send)
            return
        taken, refused = 0, False

        async def counted() -> Message:
            nonlocal taken, refused
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most and not refused:
                refused = True
                await _refuse(most, scope, receive, send)
            return {"type": "http.disconnect"} if refused else message

        async def unless_refused(message: Message) -> None:
            if not refused:
                await send(message)

        try:
            await self.app(scope, counted, unless_refused)
        except Exception:
            if not refused:  # else it only says that the rest of the body did not come
                raise


async def _refuse(most: int, scope: Scope, receive: Receive, send: Send) -> None:
    answer = JSONResponse({"detail": f"at most {most} bytes may be sent here"}, 413, {"Connection": "close"})
    await answer(scope, receive, send)
