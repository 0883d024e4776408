"""People: who is behind a number of the crowd, for those who may see persons; as a page and as a file."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from insights.analyses.plain import Entry
from insights.asked.messages import Faulted, Listed
from insights.made.shelf import every
from insights.made.things import Board
from insights.web.at_risk.files import NO_STORE
from insights.web.boards.address import query_of
from insights.web.crowd.people import MOST, SHOWN, asked_of, csv_of, page_of
from insights.web.faults import fault_said
from insights.web.filters import WrongFilter
from insights.web.frame import draw, language
from insights.web.noted import door_of
from insights.web.parts import Has, Parts
from insights.web.who import needs
from insights.words import words

router = APIRouter(dependencies=[needs("analyst")])


@router.get("/people/{analysis}.csv")
async def people_csv(request: Request, parts: Has, analysis: str) -> Response:
    """Give them as a file."""
    found, entry = await _listed(request, parts, analysis, MOST)
    if isinstance(found, Faulted):
        return await run_in_threadpool(_none, request, found)
    headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="people-{entry.name}.csv"'}
    return StreamingResponse(csv_of(found.rows), media_type="text/csv", headers=headers)


@router.get("/people/{analysis}")
async def people(request: Request, parts: Has, analysis: str) -> Response:
    """Show the first of them."""
    found, entry = await _listed(request, parts, analysis, SHOWN)
    return (
        await run_in_threadpool(_none, request, found)
        if isinstance(found, Faulted)
        else await run_in_threadpool(_shown, request, found, entry)
    )


async def _listed(request: Request, parts: Parts, analysis: str, most: int) -> tuple[Listed | Faulted, Entry]:
    catalog = await run_in_threadpool(parts.asked.catalog)
    entry = catalog.get(analysis)
    if entry is None or not entry.has_people:
        raise WrongFilter("analysis", analysis, [one.name for one in catalog.values() if one.has_people])
    asked, cell = asked_of(request.query_params, entry)
    return await parts.asked.people(analysis, asked, cell, most), entry


def _shown(request: Request, found: Listed, entry: Entry) -> HTMLResponse:
    w, query = words(language(request)), request.query_params
    asked, cell = asked_of(query, entry)
    csv = f"/people/{entry.name}.csv?{urlencode([(name, value) for name, value in query.multi_items() if name not in {'lang', 'theme'}])}"
    page = page_of(entry, cell, found.as_of, found.rows, csv, w, more=found.more)
    with door_of(request).store.read() as db:
        boards = every(db, Board)
    of = query_of(entry.name, asked, cell)
    return draw(request, "people.html", "people.title", page=page, notices=[], of=of, boards=boards, moves=cell.cohort is not None)


def _none(request: Request, found: Faulted) -> HTMLResponse:
    w = words(language(request))
    said = w.t("crowd.no_history") if found.reason == "no_history" else w.t("people.refused", words=fault_said(found, w))
    return draw(
        request, "people.html", "people.title", status=200 if found.reason == "no_history" else 422, page=None, notices=[said], boards=[]
    )
