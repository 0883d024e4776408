"""Data: is what the figures stand on fresh and complete."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from insights.web.frame import draw
from insights.web.parts import Has
from insights.web.who import needs

router = APIRouter(dependencies=[needs("viewer")])


@router.get("/data")
def data(request: Request, parts: Has) -> HTMLResponse:
    """Show freshness, and what was taken and rejected by cause."""
    view = parts.engine.view()
    return draw(request, "data.html", "Data", view=view)
