"""At risk: who is going quiet, while there is still time to act."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from features.reader import UserReader
from insights.web.frame import draw
from insights.web.parts import Has
from insights.web.who import needs

router = APIRouter(dependencies=[needs("viewer")])


@router.get("/at-risk")
def at_risk(request: Request, parts: Has) -> HTMLResponse:
    """Show the open alerts."""
    view = parts.engine.view()
    rows = [] if view.spec is None else sorted(
        UserReader(parts.engine.client, parts.engine.app).users_at_risk(only_open=True), key=lambda row: -row.risk
    )  # fmt: skip
    return draw(request, "at_risk.html", "At risk", view=view, rows=rows)
