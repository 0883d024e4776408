"""Person: how somebody's risk went, what moves it, when they are usually here, and what became of their alerts; what they did; and their erasure."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from features.events.event import Rejected, check_user
from features.reader import UserReader
from features.store.contract import StoreUnavailable
from features.users.named import UserView
from features.users.state import LayoutError
from insights.asked.messages import faulted
from insights.live.engine import EngineView
from insights.live.listing import Filters, chosen
from insights.web.faults import fault_said
from insights.web.filters import LONGEST, WrongFilter, number_of, one_of, text_of
from insights.web.forms import OWN_FORM
from insights.web.frame import draw, language, link_of
from insights.web.noted import note
from insights.web.parts import Has, Parts
from insights.web.person.erasing import erase, erased_ms
from insights.web.person.found import Recent, recent_of
from insights.web.person.timeline import MOST, PAGES, nothing, timeline_of
from insights.web.person.view import Asked, Page, page_of, past_of
from insights.web.saying import Saying
from insights.web.who import needs, who_asks
from insights.words import words
from online_models.champion import RULE
from stream.faults import UsageFault
from stream.ownership.risk_now import risk_now
from stream.shown import visible

router = APIRouter(dependencies=[needs("analyst")])
_READING: set[asyncio.Task[Any]] = set()
"""Reads that were not waited for to their end."""
EVENTS_S = 6.0
"""So long the events are waited for; what reads them must start first if it was not asked for a while."""
RECENT = 8
"""People offered to whoever has not said whom they look for."""


@router.get("/person")
async def search(request: Request, parts: Has) -> HTMLResponse:
    """Show the person whose id was typed, or where to type it."""
    return await _person(request, parts, request.query_params.get("q", "")[:LONGEST])


@router.post("/person/erase", dependencies=[OWN_FORM, needs("admin")])
async def erase_person(request: Request, parts: Has, user: Annotated[str, Form()] = "", again: Annotated[str, Form()] = "") -> Response:
    """Have somebody forgotten, once their id was typed again."""
    fault = await run_in_threadpool(_erased, request, parts, user, again)
    if not fault:
        return RedirectResponse("/person?done=erased", 303)
    again_form = {"events": nothing(""), "asked_id": user, "may_erase": True, "erase_fault": fault}
    return await run_in_threadpool(_draw, request, 422, again_form, None, user, [], "")


@router.get("/person/{user:path}")
async def person(request: Request, parts: Has, user: str) -> HTMLResponse:
    """Show one person."""
    return await _person(request, parts, user)


def _erased(request: Request, parts: Parts, user: str, again: str) -> str:
    """Erase somebody; return in words why not, or ""."""
    w = words(language(request))
    try:
        check_user(user)
    except Rejected:
        return w.t("person.erase.other")
    if again != user:
        return w.t("person.erase.other")
    try:
        erase(parts, parts.engine.view(), user)
    except UsageFault as error:
        return w.t("person.erase.not", words=fault_said(faulted(error), w))
    note(request, "person_erased")  # without the id: what is forgotten must not stand here for years
    return ""


async def _person(request: Request, parts: Parts, user: str) -> HTMLResponse:
    """Show what the engine, the past and the history know of somebody; the history is waited for a little."""
    kind, page = text_of(request, "type"), number_of(request, "page", 0)
    if page >= PAGES:
        raise WrongFilter("page", str(page), ("0", "1", "2"))
    gone = await run_in_threadpool(erased_ms, parts, parts.engine.view(), user) if user else None
    events = None
    if user and gone is None:
        reading = asyncio.create_task(parts.asked.timeline(user, kind, page * MOST, MOST))
        done, under_way = await asyncio.wait({reading}, timeout=EVENTS_S)
        for one in under_way:  # it goes on: to stop it would end the process, and whoever looks again would wait for another to start
            _READING.add(one)
            one.add_done_callback(_READING.discard)
        events = timeline_of(reading.result() if done else None, kind, page, words(language(request)))
    may_erase = bool(user) and gone is None and who_asks(request).may("manage")
    of_history = {"events": events, "asked_id": user, "may_erase": may_erase, "erase_fault": ""}
    return await run_in_threadpool(_shown, request, parts, user, gone, of_history)


def _shown(request: Request, parts: Parts, user: str, gone: int | None, of_history: dict[str, Any]) -> HTMLResponse:
    view, past = parts.engine.view(), parts.past
    draws = partial(_draw, request, 200, of_history)
    if view.spec is None or view.as_of_ms is None:
        return draws(None, user, [], "")
    say_it = Saying(words(language(request)), view.spec.spec, ZoneInfo(view.zone), parts.settings["page.currency"], view.as_of_ms)
    if not user:
        return draws(None, user, _recent(parts, view, say_it), "person.erase.done" if request.query_params.get("done") == "erased" else "")
    if gone is not None:
        return draws(None, user, [], "person.erased")
    names = view.definitions
    asked_for = one_of(request, "definition", names, names[0])
    definition = next(one for one in view.spec.spec.definitions if one.name == asked_for)
    found, why = _look_up(parts, user, say_it.as_of_ms)
    if found is None:
        left = past_of(user, why or "person.gone", definition, past, parts.settings["alerts.threshold"], say_it)
        if left is not None:
            return draws(left, user, [], "")
        return draws(None, user, _recent(parts, view, say_it), why or "state.unknown_person", parts.engine.app)
    source = parts.models.source(view)
    now = {} if source is None else {one.definition.name: one for one in risk_now(found, source, view.spec.spec)}
    link = link_of(request)
    served = parts.models.served(view, asked_for)
    rules = [] if served is None else [one.number for one in served.headers if one.champion == RULE]
    asked = Asked(found, now, definition, parts.settings["alerts.threshold"], rules)
    return draws(page_of(asked, past, {name: link(definition=name) for name in names}, say_it), user, [], "")


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


def _draw(
    request: Request, status: int, of_history: dict[str, Any], page: Page | None, typed: str, recent: list[Recent], why: str, app: str = ""
) -> HTMLResponse:
    return draw(
        request, "person.html", "Person", status=status, page=page, typed=visible(typed), why=why, recent=recent, app=app, **of_history
    )
