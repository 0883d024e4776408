"""Features: what is used by many or few, and whether its users come again more often."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from insights.web.crowd.asking import Asking
from insights.web.crowd.behind import behind, nobody
from insights.web.crowd.features import WITHIN, Asked, page_of
from insights.web.crowd.fields import field_of
from insights.web.filters import one_of
from insights.web.frame import draw, language
from insights.web.parts import Has
from insights.web.who import needs, who_asks
from insights.words import words

router = APIRouter(dependencies=[needs("viewer")])


@router.get("/features")
def features(request: Request, parts: Has) -> HTMLResponse:
    """Show them."""
    asked = Asked(field_of(request, "feature", "type"), one_of(request, "within", WITHIN, WITHIN[0]))
    w = words(language(request))
    ask = Asking(parts.asked, w, persons=who_asks(request).may("read:people"))
    page = page_of(asked, ask("feature_use", asked.parameters), w, behind if who_asks(request).may("read:people") else nobody)
    return draw(request, "features.html", "Features", page=page, notices=ask.notices, again=ask.again)
