"""At risk: who is going quiet, while there is still time to act; as a page, as a file, as a selection, and what is new since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from features.users.spec import MINUTE_MS
from insights.live.listing import chosen, filtering
from insights.web.at_risk.asked import filters_of, part_asked
from insights.web.at_risk.files import MOST_TICKED, NO_STORE, csv_of, download, ids_of, name_of, ticked
from insights.web.at_risk.stream import events, news_of
from insights.web.at_risk.view import View, page_of
from insights.web.filters import number_of
from insights.web.forms import OWN_FORM
from insights.web.frame import draw, language, link_of
from insights.web.parts import Has, as_of, spec_of
from insights.web.saying import Saying
from insights.web.who import needs, who_asks
from insights.words import words

router = APIRouter()


@router.get("/at-risk", dependencies=[needs("viewer")])
def at_risk(request: Request, parts: Has) -> Response:
    """Show the list, and what it adds up to; without persons to whoever may not see any."""
    view, who = parts.engine.view(), who_asks(request)
    as_of_ms = as_of(parts, view)
    if as_of_ms is None:
        return draw(request, "at_risk.html", "At risk", page=None, about_people=True)
    spec, lang, persons = spec_of(view, parts.settings), language(request), who.may("read:people")
    wanted, number, board = filters_of(request, spec, persons=persons), part_asked(request), parts.keeper.board
    say_it = Saying(words(lang), spec, ZoneInfo(spec.timezone), parts.settings["page.currency"], as_of_ms)
    shown = View(board, wanted, number, persons, parts.settings["alerts.threshold"], link_of(request), say_it)
    # times are said in minutes, and links keep the rest of the address
    key = ("at risk", board.edition, spec, lang, persons, number, wanted, as_of_ms // MINUTE_MS, request.url.query)
    page = parts.kept.get(key, lambda: page_of(shown, parts.past))
    return draw(request, "at_risk.html", "At risk", page=page, csrf=who.csrf, about_people=True)


@router.get("/at-risk.csv", dependencies=[needs("analyst")])
def at_risk_csv(request: Request, parts: Has) -> Response:
    """Give everybody who passes the filters as a file."""
    view = parts.engine.view()
    wanted = filters_of(request, spec_of(view, parts.settings), persons=True)
    return download(csv_of(chosen(parts.keeper.board, wanted)), name_of(wanted, as_of(parts, view), "csv"))


@router.post("/at-risk/selection", dependencies=[needs("analyst"), OWN_FORM])
def selection(
    parts: Has,
    alert: Annotated[Sequence[str], Form(max_length=MOST_TICKED)] = (),
    form: Annotated[Literal["csv", "ids"], Form(alias="as")] = "csv",
) -> Response:
    """Give those who were ticked as a file, or their ids as plain lines; back to the list when nobody was."""
    if not alert:
        return RedirectResponse("/at-risk", 303)
    rows = ticked(parts.keeper.board, alert)
    if form == "ids":
        return StreamingResponse(ids_of(rows), media_type="text/plain", headers=NO_STORE)
    return download(csv_of(rows), "selection.csv")


@router.get("/at-risk/stream", dependencies=[needs("viewer")])
async def stream(request: Request, parts: Has) -> Response:
    """Tell how many are new since the board of a number, whenever that changes; never who."""
    view = await run_in_threadpool(parts.engine.view)
    wanted = filters_of(request, spec_of(view, parts.settings), persons=who_asks(request).may("read:people"))
    since = number_of(request, "since", 0)
    sent = events(parts.keeper, lambda board: news_of(board, wanted, since))
    return StreamingResponse(sent, media_type="text/event-stream", headers={**NO_STORE, "X-Accel-Buffering": "no"})


@router.get("/at-risk/ended", dependencies=[needs("analyst")])
def ended(request: Request, parts: Has) -> Response:
    """Tell which alerts have ended since the board of a number, and why."""
    wanted, since = filters_of(request, spec_of(parts.engine.view(), parts.settings), persons=True), number_of(request, "since", 0)
    return JSONResponse(parts.keeper.board.since(since, filtering(wanted)).ended, headers=NO_STORE)
