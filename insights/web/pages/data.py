"""Data: is what the figures stand on fresh and complete."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from features.users.spec import FeatureSpec
from insights.asked.ahead import Standing
from insights.reports.deliver import standings
from insights.web.data.view import Asked, page_of
from insights.web.frame import draw, language
from insights.web.parts import Has
from insights.web.saying import Saying
from insights.web.watching.watcher import standing
from insights.web.who import needs
from insights.words import words

router = APIRouter(dependencies=[needs("viewer")])


@router.get("/data")
def data(request: Request, parts: Has) -> HTMLResponse:
    """Show freshness, what was rejected and why, how far each shard is, and which processes run."""
    view = parts.engine.view()
    spec = FeatureSpec() if view.spec is None else view.spec.spec
    served = [(name, one) for name in view.definitions if (one := parts.models.served(view, name)) is not None]
    reports, tables = (standings(parts.store, which, parts.now_ms()) for which in (parts.settings.reports, parts.settings.tables))
    ahead = parts.ahead.standing() if parts.live else Standing()
    asked = Asked(view, parts.intake(), served, parts.past.positions(), parts.now_ms(), reports, tables, standing(parts), ahead)
    say_it = Saying(words(language(request)), spec, ZoneInfo(view.zone), parts.settings["page.currency"], view.as_of_ms or 0)
    return draw(request, "data.html", "Data", page=page_of(asked, say_it))
