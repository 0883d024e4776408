"""More: what a phone has no tab for."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from insights.web.frame import draw
from insights.web.who import needs

router = APIRouter(dependencies=[needs("viewer")])


@router.get("/more")
def more(request: Request) -> HTMLResponse:
    """Show the pages that have no tab, who is signed in, language and theme."""
    return draw(request, "more.html", "More")
