"""Has anything changed? Server-sent events that only say so, for programs that keep a list of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from churnwatch.answers import Changed
from insights.live.board import Board
from insights.web.api import examples
from insights.web.api.behind import Behind
from insights.web.api.limits import whose
from insights.web.api.operation import NO_STORE, Nothing, Operation
from insights.web.api.streams import Streams
from insights.web.at_risk.stream import events


class _Counted(StreamingResponse):
    """A stream that counts as long as somebody listens."""

    def __init__(self, said: AsyncIterator[str], streams: Streams, key: str) -> None:
        super().__init__(said, media_type="text/event-stream", headers={**NO_STORE, "X-Accel-Buffering": "no"})
        self._streams, self._key = streams, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.free(self._key)


async def stream(behind: Behind, request: Request, _asked: Nothing) -> Response:
    """Hear that the list of people at risk has changed, at most once in two seconds; then ask for what you need. A stream ends after ten minutes: open the next."""
    if request.method == "HEAD":  # has no body to wait for
        return Response(headers=NO_STORE, media_type="text/event-stream")
    key = whose(request.scope)
    behind.streams.take(key)
    return _Counted(events(behind.parts.keeper, _changed), behind.streams, key)


def _changed(board: Board) -> msgspec.Struct:
    return Changed(f"{board.number}-{board.edition}")


OPERATIONS = (
    Operation(
        name="stream",
        path="/stream",
        summary="That something has changed",
        scope="read:aggregates",
        asked=Nothing,
        answers={"text/event-stream": 'events "changed" with {"version": "..."} as data, and comments while nothing changes'},
        words="The stream. It begins with the present version.",
        example=examples.STREAM,
        does=stream,
    ),
)
