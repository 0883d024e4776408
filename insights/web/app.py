"""Which address answers what? The application: pages, static files, programs' answers, and the layers around them."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.types import ASGIApp

from insights.web.bodies import Bodies
from insights.web.door.door import Door
from insights.web.frame import STATIC, stylesheet
from insights.web.guard import Guard
from insights.web.headers import Headers
from insights.web.pages import access, at_risk, data, sign_in
from insights.web.parts import Parts
from insights.web.refusals import add_refusals

FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
FILES = {"page.js": "text/javascript", "mark.svg": "image/svg+xml"}


def make_app(parts: Parts) -> ASGIApp:
    """Return the application over what the program has opened."""
    app = FastAPI(
        title="churnwatch", version="1", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json", redirect_slashes=False
    )  # fmt: skip
    app.state.parts = parts
    app.state.door = Door(parts.settings, parts.store, parts.now_ms)
    add_refusals(app)

    @app.get("/", include_in_schema=False)
    def first(request: Request) -> RedirectResponse:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/at-risk{query}", 303)

    @app.get("/static/page.css", include_in_schema=False)
    def css() -> Response:
        return Response(stylesheet(), media_type="text/css", headers=FOR_EVER)

    @app.get("/static/{name}", include_in_schema=False)
    def file(name: str) -> Response:
        if name not in FILES:
            return Response(status_code=404)
        return Response((STATIC / name).read_bytes(), media_type=FILES[name], headers=FOR_EVER)

    for page in (at_risk, data, sign_in, access):
        app.include_router(page.router, include_in_schema=False)
    return Headers(Bodies(Guard(app, app.state.door)))
