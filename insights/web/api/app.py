"""Which address under /api/v1 answers what? An application of its own, since programs are answered otherwise than people: JSON, also for errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from features.events.columns import ColumnReader
from insights.live.standings import Standings
from insights.web.api import analyses, at_risk, batch, data, made, model, risk, stream
from insights.web.api.behind import Behind
from insights.web.api.clicks import clicks_to
from insights.web.api.document import document
from insights.web.api.limits import Buckets, Limits
from insights.web.api.operation import route_of
from insights.web.api.problems import HANDLERS
from insights.web.api.streams import Streams
from insights.web.parts import Parts

PATH = "/api/v1"
OPERATIONS = (
    *risk.OPERATIONS, *at_risk.OPERATIONS, *stream.OPERATIONS, *model.OPERATIONS, *data.OPERATIONS, *made.OPERATIONS,
    *batch.OPERATIONS,
)  # fmt: skip


def make_api(parts: Parts, monotonic: Callable[[], float] = time.monotonic) -> ASGIApp:
    """Return the application over what the program has opened, to be mounted at `PATH`; `monotonic` are seconds of a clock that never jumps."""
    whole: list[bytes] = []

    async def openapi(_request: Request) -> Response:
        if not whole:
            entries = await analyses.entries_of(behind)
            operations = (*OPERATIONS, *analyses.OPERATIONS, *analyses.operations_of(entries))
            whole.append(await asyncio.to_thread(lambda: msgspec.json.encode(document(operations, PATH))))
        return Response(whole[0], media_type="application/json")

    routes = [*map(route_of, (*OPERATIONS, *analyses.OPERATIONS)), *analyses.ROUTES, Route("/openapi.json", openapi)]
    app = Starlette(routes=routes, exception_handlers=HANDLERS)
    app.router.redirect_slashes = False
    app.state.behind = behind = _behind(parts, monotonic)
    return Limits(app, parts.settings["page.api_rate"], monotonic)


def _behind(parts: Parts, monotonic: Callable[[], float]) -> Behind:
    settings = parts.settings
    return Behind(
        parts=parts,
        app=settings["app.name"],
        threshold=settings["alerts.threshold"],
        standings=Standings(parts.engine),
        clicks=clicks_to(settings),
        reader=ColumnReader(settings.spec(), settings.rules().for_senders()),
        judging=ThreadPoolExecutor(1, "judging"),
        events=Buckets(settings["page.api_events"], 2 * settings["page.api_events"]),
        streams=Streams(),
        monotonic=monotonic,
    )
