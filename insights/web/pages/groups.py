"""Groups: how active people come about, customers by what they bought, and kinds of people."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from insights.web.crowd.asking import Asking
from insights.web.crowd.behind import behind, nobody
from insights.web.crowd.groups import Answers, page_of
from insights.web.crowd.questions import FLOW_UNITS, SCHEMES, VALUE, OfGroups
from insights.web.filters import one_of
from insights.web.frame import draw, language
from insights.web.parts import Has
from insights.web.who import needs, who_asks
from insights.words import words

router = APIRouter(dependencies=[needs("viewer")])


@router.get("/groups")
def groups(request: Request, parts: Has) -> HTMLResponse:
    """Show them."""
    asked = OfGroups(one_of(request, "unit", FLOW_UNITS, FLOW_UNITS[0]), one_of(request, "scheme", SCHEMES, SCHEMES[0]))
    w = words(language(request))
    ask = Asking(parts.asked, w, persons=who_asks(request).may("read:people"))
    ask.begin(*asked.all)
    answers = Answers(ask("lifecycle", asked.lifecycle), ask("rfm", asked.rfm), ask("clusters", {}), ask("value", VALUE))
    page = page_of(asked, answers, parts.settings["page.currency"], w, behind if who_asks(request).may("read:people") else nobody)
    return draw(request, "groups.html", "Groups", page=page, notices=ask.notices, again=ask.again)
