"""Person: how somebody's risk went, what moves it, when they are usually here, and what became of their alerts."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from features.reader import UserReader
from features.store.contract import StoreUnavailable
from features.users.named import UserView
from features.users.state import LayoutError
from insights.live.engine import EngineView
from insights.live.listing import Filters, chosen
from insights.web.filters import LONGEST, one_of
from insights.web.frame import draw, language, link_of
from insights.web.parts import Has, Parts
from insights.web.person.found import Recent, recent_of
from insights.web.person.view import Asked, page_of, past_of
from insights.web.saying import Saying
from insights.web.who import needs
from insights.words import words
from online_models.champion import RULE
from stream.ownership.risk_now import risk_now
from stream.shown import visible

router = APIRouter(dependencies=[needs("analyst")])
RECENT = 8
"""People offered to whoever has not said whom they look for."""


@router.get("/person")
def search(request: Request, parts: Has) -> HTMLResponse:
    """Show the person whose id was typed, or where to type it."""
    return _shown(request, parts, request.query_params.get("q", "")[:LONGEST])


@router.get("/person/{user:path}")
def person(request: Request, parts: Has, user: str) -> HTMLResponse:
    """Show one person."""
    return _shown(request, parts, user)


def _shown(request: Request, parts: Parts, user: str) -> HTMLResponse:
    view, past = parts.engine.view(), parts.past
    if view.spec is None or view.as_of_ms is None:
        return _nobody(request, user, [], "")
    say_it = Saying(words(language(request)), view.spec.spec, ZoneInfo(view.zone), parts.settings["page.currency"], view.as_of_ms)
    if not user:
        return _nobody(request, user, _recent(parts, view, say_it), "")
    names = view.definitions
    asked_for = one_of(request, "definition", names, names[0])
    definition = next(one for one in view.spec.spec.definitions if one.name == asked_for)
    found, why = _look_up(parts, user, say_it.as_of_ms)
    if found is None:
        left = past_of(user, why or "person.gone", definition, past, parts.settings["alerts.threshold"], say_it)
        if left is not None:
            return draw(request, "person.html", "Person", page=left, typed=visible(user), why="", recent=[], app="")
        return _nobody(request, user, _recent(parts, view, say_it), why or "state.unknown_person", app=parts.engine.app)
    source = parts.models.source(view)
    now = {} if source is None else {one.definition.name: one for one in risk_now(found, source, view.spec.spec)}
    link = link_of(request)
    served = parts.models.served(view, asked_for)
    rules = [] if served is None else [one.number for one in served.headers if one.champion == RULE]
    asked = Asked(found, now, definition, parts.settings["alerts.threshold"], rules)
    page = page_of(asked, past, {name: link(definition=name) for name in names}, say_it)
    return draw(request, "person.html", "Person", page=page, typed=visible(user), why="", recent=[], app="")


def _recent(parts: Parts, view: EngineView, say_it: Saying) -> list[Recent]:
    newest = chosen(parts.keeper.board, Filters(definition=view.definitions[0], sort="newest"))
    return recent_of([row.alert for row in newest], RECENT, say_it)


def _look_up(parts: Parts, user: str, at_ms: int) -> tuple[UserView | None, str]:
    """Return what Redis knows of somebody; None with the key of the words that say why, or "" for nobody by this id."""
    try:
        return UserReader(parts.engine.client, parts.engine.app).user(user, at_ms=at_ms), ""
    except StoreUnavailable:
        return None, "person.redis"
    except LayoutError:
        return None, "person.damaged"


def _nobody(request: Request, typed: str, recent: list[Recent], why: str, app: str = "") -> HTMLResponse:
    return draw(request, "person.html", "Person", page=None, typed=visible(typed), why=why, recent=recent, app=app)
