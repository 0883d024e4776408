"""How much may be sent to us? What is larger is refused by its length before it is read, and without a length as soon as it is too much."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from insights.web.api import batch, risk
from insights.web.api.app import PATH
from insights.web.api.body import too_large
from insights.web.api.problems import problem

FORM = 64 << 10
"""Most bytes of a form, and of a question to the API."""
LARGER: dict[str, int] = {f"{PATH}/batch": batch.MOST_BYTES, f"{PATH}/risks": risk.MOST_BYTES}
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
    await problem(too_large(most), {"Connection": "close"})(scope, receive, send)
