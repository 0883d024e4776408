"""Which address answers what? The application: pages, static files, programs' answers, and the layers around them."""

from __future__ import annotations

import time
from collections.abc import Callable

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.types import ASGIApp

from insights.web.api.app import PATH, make_api
from insights.web.beside import Beside
from insights.web.bodies import Bodies
from insights.web.door.door import Door
from insights.web.filters import add_wrong_filters
from insights.web.frame import STATIC, stylesheet
from insights.web.guard import Guard
from insights.web.headers import Headers
from insights.web.metrics import Counted
from insights.web.pages import (
    access,
    account,
    at_risk,
    boards,
    changes,
    data,
    dictionary,
    explore,
    features,
    groups,
    health,
    journeys,
    model,
    more,
    people,
    person,
    retention,
    segments,
    sign_in,
    today,
)
from insights.web.parts import Parts
from insights.web.refusals import add_refusals

FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
FILES = {"page.js": "text/javascript", "mark.svg": "image/svg+xml"}


def make_app(parts: Parts, monotonic: Callable[[], float] = time.monotonic) -> ASGIApp:
    """Return the application over what the program has opened; by `monotonic`, seconds of a clock that never jumps, programs are kept within their limits."""
    app = make_pages(parts)
    guarded = Guard(Beside(PATH, make_api(parts, monotonic), app), app.state.door)
    return Counted(Headers(Bodies(guarded)), parts.metrics)


def make_pages(parts: Parts) -> FastAPI:
    """Return the pages alone, without the guard before them: whoever calls them says who asks."""
    app = FastAPI(title="churnwatch", version="1", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.parts = parts
    app.state.door = Door(parts.settings, parts.store, parts.now_ms)
    add_refusals(app)
    add_wrong_filters(app)

    @app.get("/", include_in_schema=False)
    def first(request: Request) -> RedirectResponse:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{'/today' if parts.asked.has_history else '/at-risk'}{query}", 303)

    @app.get("/static/page.css", include_in_schema=False)
    def css() -> Response:
        return Response(stylesheet(), media_type="text/css", headers=FOR_EVER)

    @app.get("/static/{name}", include_in_schema=False)
    def file(name: str) -> Response:
        if name not in FILES:
            return Response(status_code=404)
        return Response((STATIC / name).read_bytes(), media_type=FILES[name], headers=FOR_EVER)

    for page in (
        today,
        at_risk,
        retention,
        journeys,
        groups,
        features,
        changes,
        dictionary,
        boards,
        segments,
        people,
        person,
        model,
        data,
        explore,
        more,
        sign_in,
        account,
        access,
        health,
    ):
        app.include_router(page.router, include_in_schema=False)
    return app
