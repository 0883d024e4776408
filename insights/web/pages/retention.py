"""Retention: whether people come back, and who brings people who stay."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from insights.web.crowd.asking import Asking
from insights.web.crowd.behind import behind, nobody
from insights.web.crowd.fields import field_of
from insights.web.crowd.questions import COHORT_UNITS, KINDS, MODES, OfRetention
from insights.web.crowd.retention import Answers, page_of
from insights.web.filters import one_of
from insights.web.frame import draw, language
from insights.web.parts import Has
from insights.web.who import needs, who_asks
from insights.words import words

router = APIRouter(dependencies=[needs("viewer")])


@router.get("/retention")
def retention(request: Request, parts: Has) -> HTMLResponse:
    """Show cohorts."""
    asked = OfRetention(
        one_of(request, "unit", COHORT_UNITS, COHORT_UNITS[0]), one_of(request, "kind", KINDS, KINDS[0]), one_of(request, "mode", MODES, MODES[0]), field_of(request)
    )  # fmt: skip
    w = words(language(request))
    ask = Asking(parts.asked, w, persons=who_asks(request).may("read:people"))
    ask.begin(*asked.all)
    answers = Answers(ask("retention", asked.table), ask("retention", asked.rates), ask("retention", asked.groups))
    page = page_of(asked, answers, w, behind if who_asks(request).may("read:people") else nobody)
    return draw(request, "retention.html", "Retention", page=page, notices=ask.notices, again=ask.again)
