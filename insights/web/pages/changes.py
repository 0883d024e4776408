"""Changes: what was released when, and what became of it; and what was said before beside what came."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from insights.web.crowd.asking import Asking
from insights.web.crowd.behind import behind, nobody
from insights.web.crowd.changes import FORECAST, WITHIN, asked_of, page_of
from insights.web.filters import one_of
from insights.web.frame import draw, language
from insights.web.parts import Has
from insights.web.who import needs, who_asks
from insights.words import words

router = APIRouter(dependencies=[needs("viewer")])


@router.get("/changes")
def changes(request: Request, parts: Has) -> HTMLResponse:
    """Show them."""
    within = one_of(request, "within", WITHIN, WITHIN[0])
    w, asked = words(language(request)), asked_of(within)
    ask = Asking(parts.asked, w, persons=who_asks(request).may("read:people"))
    ask.begin(("releases", asked), ("retention_forecast", FORECAST))
    found, record = ask("releases", asked), ask("retention_forecast", FORECAST, needs_scores=True)
    page = page_of(within, found, record, w, behind if who_asks(request).may("read:people") else nobody)
    return draw(request, "changes.html", "Changes", page=page, notices=ask.notices, again=ask.again)
