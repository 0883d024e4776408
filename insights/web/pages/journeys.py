"""Journeys: how far people come, which ways they take, and what stands before a silence, and after which hours it follows."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from features.users.spec import FeatureSpec
from insights.web.crowd.asking import Asking
from insights.web.crowd.behind import behind, nobody
from insights.web.crowd.fields import field_of
from insights.web.crowd.found import Found
from insights.web.crowd.funnel import Asked
from insights.web.crowd.journeys import LEAST_STEPS, MOST_STEPS, PATHS, WINDOWS, Answers, names_of, page_of, usual_steps
from insights.web.filters import LONGEST, one_of
from insights.web.frame import draw, language
from insights.web.parts import Has, spec_of
from insights.web.who import needs, who_asks
from insights.words import words

router = APIRouter(dependencies=[needs("viewer")])


@router.get("/journeys")
def journeys(request: Request, parts: Has) -> HTMLResponse:
    """Show them."""
    w, spec = words(language(request)), spec_of(parts.engine.view(), parts.settings)
    ask = Asking(parts.asked, w, persons=who_asks(request).may("read:people"))
    ask.begin(("transitions", {}), ("paths", PATHS), ("paths_into_silence", {}), ("hours", {}))
    next_ones = ask("transitions", {})
    chosen = [step.strip()[:LONGEST] for step in request.query_params.getlist("step") if step.strip()][:MOST_STEPS]
    asked = Asked(_steps(chosen, spec, next_ones), one_of(request, "window", WINDOWS, WINDOWS[0]), field_of(request))
    enough = len(asked.steps) >= LEAST_STEPS
    answers = Answers(
        ask("funnel", asked.funnel) if enough else None,
        ask("funnel", asked.groups) if enough else None,
        ask("paths", PATHS),
        ask("paths_into_silence", {}),
        ask("hours", {}),
    )
    known = [] if next_ones is None else names_of(next_ones)
    page = page_of(
        asked, known, answers, w, behind if who_asks(request).may("read:people") else nobody, guessed=not chosen and not spec.funnel
    )
    return draw(request, "journeys.html", "Journeys", page=page, notices=ask.notices, again=ask.again)


def _steps(chosen: Sequence[str], spec: FeatureSpec, next_ones: Found | None) -> tuple[str, ...]:
    """Return the steps of the address, else those of the settings, else what most people do."""
    if chosen:
        return tuple(chosen)
    if len(spec.funnel) >= LEAST_STEPS:
        return spec.funnel[:MOST_STEPS]
    return () if next_ones is None else usual_steps(next_ones)
