"""Model: who scores people now, and how right it has been."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from insights.web.filters import one_of
from insights.web.frame import draw, language
from insights.web.model.view import Asked, page_of
from insights.web.parts import Has
from insights.web.saying import Saying
from insights.web.who import needs
from insights.words import words

router = APIRouter(dependencies=[needs("viewer")])


@router.get("/model")
def model(request: Request, parts: Has) -> HTMLResponse:
    """Show the model of one definition."""
    view = parts.engine.view()
    if view.spec is None:
        return draw(request, "model.html", "Model", page=None, names=[])
    names = view.definitions
    chosen = one_of(request, "definition", names, names[0])
    served = parts.models.served(view, chosen)
    if served is None:
        return draw(request, "model.html", "Model", page=None, names=[])
    say_it = Saying(words(language(request)), view.spec.spec, ZoneInfo(view.zone), parts.settings["page.currency"], view.as_of_ms or 0)
    definition = next(one for one in view.spec.spec.definitions if one.name == chosen)
    asked = Asked(view, definition, served, parts.status.learning(view, chosen))
    return draw(request, "model.html", "Model", page=page_of(asked, parts.past, say_it), names=[(name, name) for name in names])
