"""Explore: any analysis of the history by a form made from the catalog, the people behind a number, and SQL for analysts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from insights.analyses.plain import Cell, Entry, Found, Known, Rows
from insights.asked.child import NoAnswer
from insights.asked.crew import no_answer
from insights.asked.messages import Faulted, Listed, faulted
from insights.asked.questions import cell_of, entry_named, given_of
from insights.made.shelf import every
from insights.made.things import Board, Made
from insights.web.explore.form import form_of
from insights.web.explore.shown import cell_text
from insights.web.explore.view import Page, answer_of, people_of, refusal_of, sql_of
from insights.web.filters import WrongFilter
from insights.web.forms import OWN_FORM
from insights.web.frame import draw, language
from insights.web.noted import door_of
from insights.web.parts import Has, Parts
from insights.web.who import needs, who_asks
from insights.words import words
from insights.written.rows import csv_of, json_of, json_of_people, json_of_rows
from stream.faults import UsageFault

router = APIRouter()
OWN = frozenset({"analysis", "users", "again", "lang", "theme"})
"""What the address says besides the parameters of the analysis."""
LOOK_S = 1.0
"""So long an answer is waited for before the page says that it is being counted."""
FILE_S = 55.0
AGAIN_S = 2
"""Seconds after which a page that waits looks again; a header, so it works without the script."""
MOST_PEOPLE, MOST_SQL, LONGEST_SQL = 10_000, 10_000, 8_192
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json", "parquet": "application/vnd.apache.parquet"}
Ending = Literal["csv", "json", "parquet"]


@router.get("/explore", dependencies=[needs("viewer")])
async def explore(request: Request, parts: Has) -> Response:
    """Show what can be asked; the form of one analysis, and its answer."""
    people = who_asks(request).may("read:people")
    if not parts.asked.has_history:
        return await _draw(request, page=None, folder=parts.settings["history.dir"])
    entries = await _entries(parts)
    if entries is None:
        return await _draw(request, page=Page(None, None, refusal=refusal_of(no_answer(NoAnswer("busy")), words(language(request)))))
    if not request.query_params.get("analysis"):
        return await _draw(request, page=Page(None, None), entries=list(entries.values()), people=people)
    return await _one(request, parts, *_asked_for(request, entries), people=people)


async def _one(request: Request, parts: Parts, entry: Entry, given: dict[str, object], *, people: bool) -> Response:
    w = words(language(request))
    form = form_of(entry, given, w, persons=people)
    if any(one.required and one.name not in given for one in entry.parameters):
        return await _draw(request, page=Page(entry, form), people=people)
    cell = request.query_params.get("users")
    if cell:
        return await _people(request, parts, entry, given, cell) if people else _back(request, without=("users",))
    answer = await parts.asked.ask(entry.name, given, persons=people, wait_s=LOOK_S)
    if "again" in request.query_params:
        parts.asked.again(answer.key)
        return _back(request, without=("again",))
    link = _people_link(request) if people and entry.has_people else None
    page = answer_of(entry, form, answer, w, link=link, now_ms=parts.now_ms(), most_s=parts.asked.crew.seconds)
    status = 422 if answer.reason == "usage" else 200
    drawn = await _draw(request, page=page, people=people, status=status, query=_query(request), key=answer.key)
    if answer.state == "running":
        drawn.headers["Refresh"] = str(AGAIN_S)
    return drawn


def _back(request: Request, without: tuple[str, ...] = ()) -> Response:
    return RedirectResponse(f"/explore?{_query(request, without)}", 303)


async def _people(request: Request, parts: Parts, entry: Entry, given: Mapping[str, object], text: str) -> Response:
    w = words(language(request))
    form = form_of(entry, given, w, persons=True)
    try:
        cell = cell_of(text, entry)
    except UsageFault as error:
        page = people_of(entry, form, faulted(error), None, w)
        return await _draw(request, page=page, people=True, status=422, back=_query(request, without=("users",)))
    found = await parts.asked.people(entry.name, given, cell, MOST_PEOPLE)
    page = people_of(entry, form, found, cell, w)
    back = _query(request, without=("users",))
    status = 422 if isinstance(found, Faulted) and found.reason == "usage" else 200
    return await _draw(request, page=page, people=True, status=status, query=_query(request), back=back)


@router.get("/explore/file/{ending}", dependencies=[needs("viewer")])
async def file(request: Request, parts: Has, ending: Ending) -> Response:
    """Give an answer, or the people behind a cell of it, as a file; back to the page while there is none."""
    entries = await _entries(parts) if parts.asked.has_history else None
    if entries is None:
        return RedirectResponse("/explore", 303)
    entry, given = _asked_for(request, entries)
    cell = request.query_params.get("users")
    if cell:
        if not who_asks(request).may("read:people") or ending == "parquet":
            return _back(request)
        return await _people_file(request, parts, entry, given, cell, ending)
    answer = await parts.asked.ask(entry.name, given, persons=who_asks(request).may("read:people"), wait_s=FILE_S)
    if answer.result is None:
        return _back(request)
    body = await _written(parts, answer.result, ending)
    if isinstance(body, Faulted):
        return _back(request)
    return _download(body, ending, entry.name, answer.result.as_of)


async def _people_file(request: Request, parts: Parts, entry: Entry, given: Mapping[str, object], text: str, ending: Ending) -> Response:
    try:
        found = await parts.asked.people(entry.name, given, cell_of(text, entry), MOST_PEOPLE)
    except UsageFault:
        return _back(request)
    if isinstance(found, Faulted):
        return _back(request)
    body = json_of_people(found.as_of, found.rows) if ending == "json" else _csv(found.rows)
    return _download(body, ending, f"{entry.name}-people", found.as_of)


async def _written(parts: Parts, found: Found, ending: Ending) -> bytes | Faulted:
    if ending == "parquet":
        return await parts.asked.parquet(found)
    return json_of(found) if ending == "json" else _csv(found.rows)


def _csv(rows: Rows) -> bytes:
    return "".join(f"{line}\r\n" for line in csv_of(rows)).encode()


def _download(body: bytes, ending: Ending, name: str, known: Known) -> Response:
    when = "" if known.watermark is None else f"-{known.watermark.astimezone(UTC):%Y-%m-%d}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name.replace("_", "-")}{when}.{ending}"',
        "Cache-Control": "private, no-store",
    }
    return Response(body, media_type=TYPES[ending], headers=headers)


@router.post("/explore/stop", dependencies=[needs("viewer"), OWN_FORM])
async def stop(parts: Has, key: Annotated[str, Form(max_length=64)], back: Annotated[str, Form(max_length=8_192)] = "") -> Response:
    """Stop what is being counted."""
    await asyncio.to_thread(parts.asked.cancel, key)
    return RedirectResponse(f"/explore?{urlencode(parse_qsl(back))}", 303)


@router.get("/explore/sql", dependencies=[needs("analyst")])
async def sql_form(request: Request, parts: Has) -> Response:
    """Show where a SELECT is typed."""
    if not parts.asked.has_history:
        return RedirectResponse("/explore", 303)
    return await _draw_sql(request, sql_of("", None, words(language(request)), MOST_SQL))


@router.post("/explore/sql", dependencies=[needs("analyst"), OWN_FORM])
async def sql(
    request: Request,
    parts: Has,
    q: Annotated[str, Form(max_length=LONGEST_SQL)] = "",
    form: Annotated[Literal["", "csv", "json"], Form(alias="as")] = "",
) -> Response:
    """Run one SELECT, in a process that reads the history's files and no others; show its rows, or give them as a file."""
    if not q.strip():
        return RedirectResponse("/explore/sql", 303)
    found = await parts.asked.sql(q, MOST_SQL)
    if form and isinstance(found, Listed):
        body = json_of_rows(found.as_of, found.rows) if form == "json" else _csv(found.rows)
        return _download(body, form, "sql", found.as_of)
    return await _draw_sql(request, sql_of(q, found, words(language(request)), MOST_SQL), 422 if isinstance(found, Faulted) else 200)


async def _draw_sql(request: Request, page: Any, status: int = 200) -> Response:
    return await run_in_threadpool(draw, request, "explore_sql.html", "Explore", status=status, page=page, csrf=who_asks(request).csrf)


async def _draw(request: Request, *, status: int = 200, **values: Any) -> Response:
    whole = {"entries": [], "people": False, "folder": "", "query": "", "back": "", "key": "", "boards": [], **values}
    if whole["people"]:
        whole["boards"] = await run_in_threadpool(_boards, request)
    return await run_in_threadpool(draw, request, "explore.html", "Explore", status=status, csrf=who_asks(request).csrf, **whole)


def _boards(request: Request) -> list[Made[Board]]:
    with door_of(request).store.read() as db:
        return every(db, Board)


async def _entries(parts: Parts) -> Mapping[str, Entry] | None:
    try:
        return await asyncio.to_thread(parts.asked.catalog)
    except NoAnswer:
        return None


def _asked_for(request: Request, entries: Mapping[str, Entry]) -> tuple[Entry, dict[str, object]]:
    name = request.query_params.get("analysis", "")
    try:
        entry = entry_named(name, entries)
    except UsageFault:
        raise WrongFilter("analysis", name, tuple(entries)) from None
    return entry, given_of(entry, [pair for pair in request.query_params.multi_items() if pair[0] not in OWN])


def _query(request: Request, without: tuple[str, ...] = ()) -> str:
    return urlencode(
        [(name, value) for name, value in request.query_params.multi_items() if value and name not in {*without, "lang", "theme"}]
    )


def _people_link(request: Request) -> Callable[[Cell], str]:
    query = _query(request, without=("again",))
    return lambda cell: f"/explore?{query}&{urlencode({'users': cell_text(cell)})}"
